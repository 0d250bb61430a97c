#include "calls/retry.hpp"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/timeout.hpp"

namespace concord::calls {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// The time that is left for a call, and the options of its parts.
class Deadline {
 public:
  explicit Deadline(const WriteOptions& options)
      : options_(options), end_(steady_clock::now() + base::bounded(options.timeout)) {}

  [[nodiscard]] bool has_passed() const { return steady_clock::now() >= end_; }
  [[nodiscard]] ReadOptions for_read() const {
    return {.consistency = ReadConsistency::strong, .timeout = left(), .token = options_.token};
  }
  [[nodiscard]] WriteOptions for_write() const { return {.timeout = left(), .token = options_.token}; }

 private:
  [[nodiscard]] milliseconds left() const {
    return std::max(milliseconds(1), std::chrono::ceil<milliseconds>(end_ - steady_clock::now()));
  }

  WriteOptions options_;
  steady_clock::time_point end_;
};

std::unexpected<Error> too_contended() {
  return fail(Errc::timeout, "others changed the key again and again until the deadline; nothing was changed");
}

class AsyncRetry : public std::enable_shared_from_this<AsyncRetry> {
 public:
  AsyncRetry(AsyncStore& store, std::string_view key, const WriteOptions& options, Decide decide,
             Completion<std::optional<TransactionResult>> done)
      : store_(store),
        keys_{std::string(key)},
        deadline_(options),
        decide_(std::move(decide)),
        done_(std::move(done)) {}

  void read() {
    store_.async_get_entries(keys_, deadline_.for_read(),
                             [self = shared_from_this()](Result<std::vector<std::optional<Entry>>> found) {
                               if (!found) return self->done_(std::unexpected(std::move(found.error())));
                               self->decide(found->front());
                             });
  }

 private:
  void decide(const std::optional<Entry>& entry) {
    auto transaction = decide_(entry ? &*entry : nullptr);
    if (!transaction) return done_(std::unexpected(std::move(transaction.error())));
    if (!*transaction) return done_(std::optional<TransactionResult>());
    store_.async_commit(**transaction, deadline_.for_write(),
                        [self = shared_from_this()](Result<TransactionResult> result) {
                          if (!result) return self->done_(std::unexpected(std::move(result.error())));
                          if (result->succeeded) return self->done_(std::optional(std::move(*result)));
                          if (self->deadline_.has_passed()) return self->done_(too_contended());
                          self->read();
                        });
  }

  AsyncStore& store_;
  const std::vector<std::string> keys_;
  const Deadline deadline_;
  const Decide decide_;
  Completion<std::optional<TransactionResult>> done_;
};

}  // namespace

Result<std::optional<TransactionResult>> retry(Store& store, std::string_view key, const WriteOptions& options,
                                               const Decide& decide) {
  const Deadline deadline(options);
  while (true) {
    const auto entry = store.get_entry(key, deadline.for_read());
    if (!entry && entry.error().code() != Errc::not_found) return std::unexpected(entry.error());
    auto transaction = decide(entry ? &*entry : nullptr);
    if (!transaction) return std::unexpected(std::move(transaction.error()));
    if (!*transaction) return std::optional<TransactionResult>();
    auto result = store.commit(**transaction, deadline.for_write());
    if (!result) return std::unexpected(std::move(result.error()));
    if (result->succeeded) return std::optional(std::move(*result));
    if (deadline.has_passed()) return too_contended();
  }
}

void retry_async(AsyncStore& store, std::string_view key, const WriteOptions& options, Decide decide,
                 Completion<std::optional<TransactionResult>> done) {
  std::make_shared<AsyncRetry>(store, key, options, std::move(decide), std::move(done))->read();
}

}  // namespace concord::calls

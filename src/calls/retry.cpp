#include "calls/retry.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "base/timeout.hpp"
#include "calls/gate.hpp"

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

/// Each step of it may end inside the call that begins it, or later on another thread; the later of the two goes on, so that
/// whoever is told the outcome may destroy the store.
class AsyncRetry : public std::enable_shared_from_this<AsyncRetry> {
 public:
  AsyncRetry(AsyncStore& store, std::shared_ptr<Gate> gate, std::string_view key, const WriteOptions& options,
             Decide decide, Completion<std::optional<TransactionResult>> done)
      : store_(store),
        gate_(std::move(gate)),
        keys_{std::string(key)},
        deadline_(options),
        decide_(std::move(decide)),
        done_(std::move(done)) {}

  void read() {
    step(
        found_, [this](auto done) { store_.async_get_entries(keys_, deadline_.for_read(), std::move(done)); },
        &AsyncRetry::decide);
  }

 private:
  void decide() {
    if (!*found_) return done_(std::unexpected(std::move(found_->error())));
    const std::optional<Entry>& entry = (*found_)->front();
    auto transaction = decide_(entry ? &*entry : nullptr);
    if (!transaction) return done_(std::unexpected(std::move(transaction.error())));
    if (!*transaction) return done_(std::optional<TransactionResult>());
    step(
        committed_, [&](auto done) { store_.async_commit(**transaction, deadline_.for_write(), std::move(done)); },
        &AsyncRetry::finish);
  }
  void finish() {
    Result<TransactionResult>& result = *committed_;
    if (!result) return done_(std::unexpected(std::move(result.error())));
    if (result->succeeded) return done_(std::optional(std::move(*result)));
    if (deadline_.has_passed()) return done_(too_contended());
    read();
  }

  template <class T, class Start>
  void step(std::optional<Result<T>>& outcome, const Start& start, void (AsyncRetry::*go_on)()) {
    const auto self = shared_from_this();
    if (gate_ && !gate_->enter()) return done_(store_is_closed());
    one_came_.store(false);
    start(Completion<T>([self, &outcome, go_on](Result<T> result) {
      outcome.emplace(std::move(result));
      if (self->one_came_.exchange(true)) (self.get()->*go_on)();
    }));
    if (gate_) gate_->leave();
    if (one_came_.exchange(true)) (this->*go_on)();
  }

  AsyncStore& store_;
  const std::shared_ptr<Gate> gate_;
  const std::vector<std::string> keys_;
  const Deadline deadline_;
  const Decide decide_;
  Completion<std::optional<TransactionResult>> done_;
  std::optional<Result<std::vector<std::optional<Entry>>>> found_;
  std::optional<Result<TransactionResult>> committed_;
  std::atomic<bool> one_came_{false};  ///< The outcome of a step, or the return of its call.
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

void retry_async(AsyncStore& store, std::shared_ptr<Gate> gate, std::string_view key, const WriteOptions& options,
                 Decide decide, Completion<std::optional<TransactionResult>> done) {
  std::make_shared<AsyncRetry>(store, std::move(gate), key, options, std::move(decide), std::move(done))->read();
}

}  // namespace concord::calls

#include "calls/delete_matching.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/timeout.hpp"

namespace concord::calls {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t max_removed = 100'000;  // as in one transaction (concord/store.hpp)

class DeleteMatching {
 public:
  DeleteMatching(Store& store, const Query& query, const WriteOptions& options)
      : store_(store),
        query_(query),
        token_(options.token),
        end_(steady_clock::now() + base::bounded(options.timeout)) {}

  Result<std::uint64_t> run() {
    auto found = find();
    if (!found) return std::unexpected(std::move(found.error()));
    std::uint64_t removed = 0;
    std::vector<Item> items;
    for (std::size_t at = 0; at < found->size(); at += Store::max_batch) {
      const auto begin = found->begin() + static_cast<std::ptrdiff_t>(at);
      const auto count = static_cast<std::ptrdiff_t>(std::min(found->size() - at, Store::max_batch));
      items.assign(std::make_move_iterator(begin), std::make_move_iterator(begin + count));
      const auto done = remove_unchanged(items);
      if (!done && removed > 0) {
        return fail(done.error().code(),
                    done.error().message() + "; " + std::to_string(removed) + " keys were removed before that", true);
      }
      if (!done) return done;
      removed += *done;
    }
    return removed;
  }

 private:
  [[nodiscard]] milliseconds left() const {
    return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(end_ - steady_clock::now()));
  }
  [[nodiscard]] ReadOptions for_read() const {
    return {.consistency = ReadConsistency::strong, .timeout = left(), .token = token_};
  }

  /// Keys and revisions, without the values.
  Result<std::vector<Item>> find() {
    std::vector<Item> found;
    const auto keep = [&found](const Item& item) {
      found.push_back({.key = item.key, .entry = {.revision = item.entry.revision}});
      return found.size() <= max_removed;
    };
    if (auto done = store_.scan(query_, keep, for_read()); !done) return std::unexpected(std::move(done.error()));
    if (found.size() <= max_removed) return found;
    return fail(Errc::batch_too_large, "delete_where would remove more than " + std::to_string(max_removed) +
                                           " keys; nothing was removed: narrow it by prefix or range, or set a limit");
  }

  /// In one transaction; again, with what is there now, when one of them changed meanwhile.
  Result<std::uint64_t> remove_unchanged(std::vector<Item>& items) {
    while (!items.empty()) {
      if (steady_clock::now() >= end_) return fail(Errc::timeout, "the time of the call is over");
      Transaction transaction;
      for (const Item& item : items) {
        transaction.guards.push_back({.key = item.key, .revision = item.entry.revision});
        transaction.then.push_back(Operation::del(item.key));
      }
      const auto done = store_.commit(transaction, {.timeout = left(), .token = token_});
      if (!done) return std::unexpected(done.error());
      if (done->succeeded) return items.size();
      if (auto read = read_again(items); !read) return std::unexpected(std::move(read.error()));
    }
    return 0;
  }

  /// Keeps what is still there and still matches, in its present revision. Errors: those of the predicate.
  Result<void> read_again(std::vector<Item>& items) {
    std::vector<std::string_view> keys;
    keys.reserve(items.size());
    for (const Item& item : items) keys.push_back(item.key);
    auto entries = store_.get_entries(keys, for_read());
    if (!entries) return std::unexpected(std::move(entries.error()));
    std::vector<Item> kept;
    for (std::size_t i = 0; i < items.size(); ++i) {
      const std::optional<Entry>& entry = (*entries)[i];
      if (!entry) continue;
      if (entry->revision != items[i].entry.revision) {
        const auto matches = query_.filter(items[i].key, entry->value);
        if (!matches) return std::unexpected(matches.error());
        if (!*matches) continue;
      }
      kept.push_back({.key = std::move(items[i].key), .entry = {.revision = entry->revision}});
    }
    items = std::move(kept);
    return {};
  }

  Store& store_;
  const Query& query_;
  const std::string_view token_;
  const steady_clock::time_point end_;
};

}  // namespace

Result<std::uint64_t> delete_matching(Store& store, const Query& query, const WriteOptions& options) {
  return DeleteMatching(store, query, options).run();
}

}  // namespace concord::calls

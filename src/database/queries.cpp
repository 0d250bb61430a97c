// Queries over the local state: streams, pages, counts, and removing what matches.
#include <algorithm>
#include <iterator>
#include <utility>

#include "base/timeout.hpp"
#include "command/limits.hpp"
#include "database/conversions.hpp"
#include "database/local_database.hpp"
#include "database/selection.hpp"

namespace concord::database {

using command::CompiledSelector;
using std::chrono::steady_clock;

namespace {

Result<void> run(Search& search) {
  while (true) {
    const auto done = search.step();
    if (!done) return std::unexpected(done.error());
    if (*done) return {};
  }
}

/// Of a delete_where with a C++ predicate: in one transaction.
constexpr std::size_t items_at_once = command::max_batch;

std::string too_large() {
  return "delete_where would remove more than " + std::to_string(command::max_delete_where_removed) +
         " keys or look at more than " + std::to_string(command::max_delete_where_visited) +
         "; nothing was removed: narrow it by prefix or range, or set a limit";
}

}  // namespace

QueryEnd LocalDatabase::end_of(std::chrono::milliseconds timeout) const {
  return {.deadline = steady_clock::now() + base::bounded(timeout), .is_stopped = &queries_stopped_};
}

Result<void> LocalDatabase::visit_matches(const Query& query, bool with_entries, const ReadOptions& options,
                                          const VisitItems& visit) const {
  const QueryEnd end = end_of(options.timeout);
  const auto selection = select(query);
  if (!selection) return std::unexpected(selection.error());
  if (auto readable = check_readable(options); !readable) return readable;
  Matches matches(runtime_->state().view(), selection->compiled, query.filter, *unpacker_, runtime_->now_ms(),
                  {.with_entries = with_entries, .offset = query.offset, .most = query.limit, .end = end});
  std::vector<Item> items;
  while (true) {
    const auto more = matches.next(items);
    if (!more) return std::unexpected(more.error());
    if (!*more) return {};
    const auto goes_on = visit(items);
    if (!goes_on) return std::unexpected(goes_on.error());
    if (!*goes_on) return {};
  }
}

Result<Page<Item>> LocalDatabase::page(const Query& query, bool with_entries, const PageOptions& page,
                                       const ReadOptions& options) const {
  auto search = this->search(query, with_entries ? SearchFor::entries : SearchFor::keys, page, options);
  if (!search) return std::unexpected(std::move(search.error()));
  if (auto done = run(**search); !done) return std::unexpected(std::move(done.error()));
  return std::move((*search)->page);
}

Result<std::uint64_t> LocalDatabase::count(const Query& query, const ReadOptions& options) const {
  if (query.filter.is_function()) {
    std::uint64_t counted = 0;
    auto done = visit_matches(query, false, options, [&](std::vector<Item>& items) -> Result<bool> {
      counted += items.size();
      return true;
    });
    if (!done) return std::unexpected(std::move(done.error()));
    return counted;
  }
  const auto search = this->search(query, SearchFor::count, {}, options);
  if (!search) return std::unexpected(search.error());
  if (auto done = run(**search); !done) return std::unexpected(std::move(done.error()));
  return (*search)->count;
}

Result<std::uint64_t> LocalDatabase::delete_where(const Query& query, const WriteOptions& options) {
  if (!has_selector(query)) return fail(Errc::invalid_request, "delete_where needs at least one selector");
  if (query.offset != 0) return fail(Errc::invalid_request, "delete_where takes no offset");
  const auto selection = select(query);
  if (!selection) return std::unexpected(selection.error());
  if (query.filter.is_function()) return delete_matching(query, selection->compiled, options);

  command::Transaction transaction;
  transaction.then.push_back({.kind = command::OperationKind::delete_where, .selector = selection->selector});
  const auto outcome = commit(transaction, options.timeout);
  if (!outcome) return std::unexpected(outcome.error());
  const command::OperationResult& result = outcome->results.front();
  if (result.status == command::OperationStatus::too_large) {
    return fail(Errc::batch_too_large, too_large());
  }
  return result.count;
}

/// With a C++ predicate: all that matches is found first, so that a predicate that fails has changed nothing; then it is removed
/// where it has not changed since.
Result<std::uint64_t> LocalDatabase::delete_matching(const Query& query, const CompiledSelector& selector,
                                                     const WriteOptions& options) {
  const QueryEnd end = end_of(options.timeout);
  auto found = find_matching(query, selector, end);
  if (!found) return std::unexpected(std::move(found.error()));
  std::uint64_t removed = 0;
  std::vector<Item> items;
  for (std::size_t at = 0; at < found->size(); at += items_at_once) {
    const auto begin = found->begin() + static_cast<std::ptrdiff_t>(at);
    const auto end_at = std::min(found->size() - at, items_at_once);
    items.assign(std::make_move_iterator(begin), std::make_move_iterator(begin + static_cast<std::ptrdiff_t>(end_at)));
    const auto done = delete_unchanged(query, items, end);
    if (!done && removed > 0) {
      return fail(done.error().code(),
                  done.error().message() + "; " + std::to_string(removed) + " keys were removed before that", true);
    }
    if (!done) return done;
    removed += *done;
  }
  return removed;
}

/// Keys and revisions, without the values.
Result<std::vector<Item>> LocalDatabase::find_matching(const Query& query, const CompiledSelector& selector,
                                                       const QueryEnd& end) const {
  if (auto readable = runtime_->check_readable(ReadConsistency::strong); !readable)
    return std::unexpected(std::move(readable.error()));
  Matches matches(runtime_->state().view(), selector, query.filter, *unpacker_, runtime_->now_ms(),
                  {.with_entries = true, .most = query.limit, .end = end});
  std::vector<Item> found;
  std::vector<Item> items;
  while (true) {
    const auto more = matches.next(items);
    if (!more) return std::unexpected(more.error());
    if (!*more) return found;
    for (Item& item : items) {
      item.entry.value = Value();
      found.push_back(std::move(item));
    }
    if (found.size() > command::max_delete_where_removed) return fail(Errc::batch_too_large, too_large());
  }
}

/// In one transaction; again, with what is there now, when one of them changed meanwhile.
Result<std::uint64_t> LocalDatabase::delete_unchanged(const Query& query, std::vector<Item>& items,
                                                      const QueryEnd& end) {
  while (!items.empty()) {
    if (auto goes_on = end.check(); !goes_on) return std::unexpected(std::move(goes_on.error()));
    command::Transaction transaction;
    for (const Item& item : items) {
      transaction.guards.push_back(
          {.kind = command::GuardKind::revision, .key = item.key, .revision = item.entry.revision});
      transaction.then.push_back({.kind = command::OperationKind::remove, .key = item.key});
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end.deadline - steady_clock::now());
    const auto outcome = commit(transaction, left);
    if (!outcome) return std::unexpected(outcome.error());
    if (outcome->guard_failure == command::GuardFailure::none) return items.size();
    if (auto read = read_again(query, items); !read) return std::unexpected(std::move(read.error()));
  }
  return 0;
}

/// Keeps what is still there and still matches, in its present revision. Errors: those of the predicate.
Result<void> LocalDatabase::read_again(const Query& query, std::vector<Item>& items) const {
  std::size_t kept = 0;
  for (Item& item : items) {
    auto found = runtime_->state().get_entry(item.key);
    if (!found) continue;
    if (found->revision != item.entry.revision) {
      if (auto done = unpack(found->value); !done) return done;
      item.entry = to_entry(std::move(*found), runtime_->now_ms());
      const auto matches = query.filter(item.key, item.entry.value);
      if (!matches) return std::unexpected(matches.error());
      if (!*matches) continue;
    }
    if (&items[kept] != &item) items[kept] = std::move(item);
    ++kept;
  }
  items.resize(kept);
  return {};
}

}  // namespace concord::database

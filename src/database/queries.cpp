// Queries over the local state: streams, pages, counts, and removing what matches.
#include <algorithm>
#include <utility>

#include "base/timeout.hpp"
#include "command/limits.hpp"
#include "command/page_cursor.hpp"
#include "database/conversions.hpp"
#include "database/local_database.hpp"

namespace concord::database {

using command::CompiledSelector;
using command::Selector;
using std::chrono::steady_clock;

namespace {

constexpr std::uint64_t max_page = 1000;

struct Selection {
  Selector selector;
  CompiledSelector compiled;
};

Result<Selection> select(const Query& query) {
  auto selector = to_selector(query);
  if (!selector) return std::unexpected(std::move(selector.error()));
  auto compiled = CompiledSelector::compile(*selector);
  if (!compiled) return std::unexpected(std::move(compiled.error()));
  return Selection{*selector, std::move(*compiled)};
}

bool has_selector(const Query& query) {
  return query.prefix || query.suffix || query.contains || query.pattern || query.range || !query.filter.empty();
}

Result<std::string> start_of(const PageOptions& page, const Selector& selector, const Query& query) {
  if (!page.cursor) return std::string();
  auto last = command::decode_cursor(*page.cursor, selector, query.filter.is_function());
  if (!last) return last;
  return *last + '\0';  // the first key behind it
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
  const QueryEnd end = end_of(options.timeout);
  if (page.size < 1 || page.size > max_page) {
    return fail(Errc::invalid_request, "the page's size is " + std::to_string(page.size) + "; it must be 1 to 1000");
  }
  const auto selection = select(query);
  if (!selection) return std::unexpected(selection.error());
  auto from = start_of(page, selection->selector, query);
  if (!from) return std::unexpected(std::move(from.error()));
  if (auto readable = check_readable(options); !readable) return std::unexpected(std::move(readable.error()));
  // One more than the page holds tells whether there is a next one.
  Matches matches(runtime_->state().view(), selection->compiled, query.filter, *unpacker_, runtime_->now_ms(),
                  {.with_entries = with_entries,
                   .from = std::move(*from),
                   .offset = page.cursor ? 0 : query.offset,
                   .most = page.size + 1,
                   .end = end});
  Page<Item> answer;
  std::vector<Item> items;
  while (true) {
    const auto more = matches.next(items);
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
    std::ranges::move(items, std::back_inserter(answer.rows));
  }
  if (answer.rows.size() > page.size) {
    answer.rows.pop_back();
    answer.next_cursor =
        command::encode_cursor(selection->selector, query.filter.is_function(), answer.rows.back().key);
  }
  return answer;
}

Result<std::uint64_t> LocalDatabase::count(const Query& query, const ReadOptions& options) const {
  const QueryEnd end = end_of(options.timeout);
  std::uint64_t counted = 0;
  if (query.filter.is_function()) {
    auto done = visit_matches(query, false, options, [&](std::span<Item> items) -> Result<bool> {
      counted += items.size();
      return true;
    });
    if (!done) return std::unexpected(std::move(done.error()));
    return counted;
  }
  const auto selection = select(query);
  if (!selection) return std::unexpected(selection.error());
  if (auto readable = check_readable(options); !readable) return std::unexpected(std::move(readable.error()));
  if (has_selector(query)) {
    const auto found = count_matches(runtime_->state().view(), selection->compiled, runtime_->now_ms(), end);
    if (!found) return found;
    counted = *found;
  } else {
    counted = runtime_->state().size();
  }
  counted -= std::min(counted, query.offset);
  return std::min(counted, query.limit.value_or(counted));
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
    return fail(Errc::batch_too_large,
                "delete_where would remove more than " + std::to_string(command::max_delete_where_removed) +
                    " keys or look at more than " + std::to_string(command::max_delete_where_visited) +
                    "; nothing was removed: narrow it by prefix or range, or set a limit");
  }
  return result.count;
}

/// With a C++ predicate: what matches is found here, and removed where it has not changed since.
Result<std::uint64_t> LocalDatabase::delete_matching(const Query& query, const CompiledSelector& selector,
                                                     const WriteOptions& options) {
  const QueryEnd end = end_of(options.timeout);
  if (auto readable = runtime_->check_readable(ReadConsistency::strong); !readable)
    return std::unexpected(std::move(readable.error()));
  Matches matches(runtime_->state().view(), selector, query.filter, *unpacker_, runtime_->now_ms(),
                  {.with_entries = true, .most = query.limit, .end = end});
  std::uint64_t removed = 0;
  std::vector<Item> items;
  while (true) {
    const auto more = matches.next(items);
    if (!more) return std::unexpected(more.error());
    if (!*more) return removed;
    const auto done = delete_unchanged(query, items, end);
    if (!done) return done;
    removed += *done;
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

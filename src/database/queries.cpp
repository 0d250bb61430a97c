// Queries over the local state: streams, pages, counts, and removing what matches.
#include <utility>

#include "base/timeout.hpp"
#include "command/from_public.hpp"
#include "command/limits.hpp"
#include "database/conversions.hpp"
#include "database/local_database.hpp"

namespace concord::database {

using std::chrono::steady_clock;

namespace {

Result<void> run(Search& search) {
  while (true) {
    const auto done = search.step();
    if (!done) return std::unexpected(done.error());
    if (*done) return {};
  }
}

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
  const auto selection = command::select(query);
  if (!selection) return std::unexpected(selection.error());
  const auto access = readable_access(options);
  if (!access) return std::unexpected(access.error());
  if (auto may = allowed(access->judge(Permission::read)); !may) return may;
  Matches matches(runtime_->state().view(), selection->compiled, query.filter, *unpacker_, runtime_->now_ms(),
                  {.with_entries = with_entries,
                   .offset = query.offset,
                   .most = query.limit,
                   .end = end,
                   .scope = access->scope(Permission::read)});
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
  const auto access = access_of(options.token, options.timeout);
  if (!access) return std::unexpected(access.error());
  auto search = this->search(query, with_entries ? SearchFor::entries : SearchFor::keys, page, *access, options);
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
  const auto access = access_of(options.token, options.timeout);
  if (!access) return std::unexpected(access.error());
  const auto search = this->search(query, SearchFor::count, {}, *access, options);
  if (!search) return std::unexpected(search.error());
  if (auto done = run(**search); !done) return std::unexpected(std::move(done.error()));
  return (*search)->count;
}

Result<std::uint64_t> LocalDatabase::delete_where(const Query& query, const WriteOptions& options) {
  if (!command::has_selector(query)) return fail(Errc::invalid_request, "delete_where needs at least one selector");
  if (query.offset != 0) return fail(Errc::invalid_request, "delete_where takes no offset");
  const auto selection = command::select(query);
  if (!selection) return std::unexpected(selection.error());
  command::Transaction transaction;
  transaction.then.push_back({.kind = command::OperationKind::delete_where, .selector = selection->selector});
  const auto outcome = commit(transaction, options);
  if (!outcome) return std::unexpected(outcome.error());
  const command::OperationResult& result = outcome->results.front();
  if (result.status == command::OperationStatus::too_large) {
    return fail(Errc::batch_too_large, too_large());
  }
  return result.count;
}

}  // namespace concord::database

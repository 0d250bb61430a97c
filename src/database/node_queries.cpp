// The embedded node's queries. The asynchronous ones run in the host's executor, or, without one, inside the call; and so do
// asynchronous reads that must ask the leader first.
#include <concord/node.hpp>

#include <utility>

#include "calls/delete_matching.hpp"
#include "calls/keys.hpp"
#include "database/node_impl.hpp"

namespace concord {

using observe::ApiOperation;

namespace {

using calls::Gate;
using database::LocalDatabase;

/// `run(LocalDatabase&) -> Result<T>`.
template <class T, class Run>
void run_query(LocalDatabase& database, Gate& gate, Completion<T> done, const Run& run) {
  if (!gate.enter()) return done(calls::store_is_closed());
  auto result = run(database);
  gate.leave();
  done(std::move(result));
}

template <class T, class Run>
void start_query(LocalDatabase& database, const std::shared_ptr<Gate>& gate, Completion<T> done, Run run) {
  const auto& executor = database.options().executor;
  if (!executor) return run_query(database, *gate, std::move(done), run);
  executor([&database, gate, done = std::move(done), run = std::move(run)]() mutable {
    run_query(database, *gate, std::move(done), run);
  });
}

template <class T, class Take>
Result<Rows<T>> gather(LocalDatabase& database, const Query& query, bool with_entries, const ReadOptions& options,
                       const Take& take) {
  Rows<T> rows;
  auto done = database.visit_matches(query, with_entries, options, [&](std::vector<Item>& items) -> Result<bool> {
    rows.append(take(items));
    return true;
  });
  if (!done) return std::unexpected(std::move(done.error()));
  return rows;
}

}  // namespace

Result<void> Node::visit_matches(const Query& query, bool with_entries, const ReadOptions& options,
                                 const VisitItems& visit) {
  return impl_->observed(ApiOperation::query, impl_->long_read_of(options), Impl::reading(options),
                         [&] { return impl_->database->visit_matches(query, with_entries, options, visit); });
}

Result<Page<Item>> Node::page(const Query& query, bool with_entries, const PageOptions& page,
                              const ReadOptions& options) {
  return impl_->observed(ApiOperation::query, impl_->long_read_of(options), Impl::reading(options),
                         [&] { return impl_->database->page(query, with_entries, page, options); });
}

Result<std::uint64_t> Node::count(const Query& query, const ReadOptions& options) {
  return impl_->observed(ApiOperation::query, impl_->long_read_of(options), Impl::reading(options),
                         [&] { return impl_->database->count(query, options); });
}

Result<std::uint64_t> Node::delete_where(const Query& query, const WriteOptions& options) {
  if (query.filter.is_function() && query.offset == 0) return calls::delete_matching(*this, query, options);
  return impl_->observed(ApiOperation::delete_where, {.is_long = true}, Impl::writing(options),
                         [&] { return impl_->database->delete_where(query, options); });
}

void Node::async_get_entries(const std::vector<std::string>& keys, const ReadOptions& options,
                             Completion<std::vector<std::optional<Entry>>> answered) {
  const ApiOperation operation =
      keys.size() == 1 ? ApiOperation::get : ApiOperation::get_many;  // async_get is made of this call
  const auto read = [keys, options](LocalDatabase& database) {
    return database.get_entries({keys.begin(), keys.end()}, options);
  };
  LocalDatabase& database = *impl_->database;
  const bool is_readable = database.is_readable(options.consistency.value_or(database.options().default_consistency));
  impl_->observed_later(operation, impl_->long_read_of(options),
                        Impl::reading(options, keys.size() == 1 ? std::string_view(keys.front()) : std::string_view()),
                        std::move(answered), [&](Completion<std::vector<std::optional<Entry>>> done) {
                          if (is_readable) return run_query(database, *impl_->gate, std::move(done), read);
                          start_query(database, impl_->gate, std::move(done), read);
                        });
}

void Node::async_keys(const Query& query, const ReadOptions& options, Completion<Rows<std::string>> done) {
  impl_->observed_later(ApiOperation::query, impl_->long_read_of(options), Impl::reading(options), std::move(done),
                        [&](Completion<Rows<std::string>> told) {
                          start_query(*impl_->database, impl_->gate, std::move(told),
                                      [query, options](LocalDatabase& database) {
                                        return gather<std::string>(database, query, false, options, calls::take_keys);
                                      });
                        });
}

void Node::async_where(const Query& query, const ReadOptions& options, Completion<Rows<Item>> done) {
  impl_->observed_later(ApiOperation::query, impl_->long_read_of(options), Impl::reading(options), std::move(done),
                        [&](Completion<Rows<Item>> told) {
                          start_query(*impl_->database, impl_->gate, std::move(told),
                                      [query, options](LocalDatabase& database) {
                                        return gather<Item>(database, query, true, options,
                                                            [](std::vector<Item>& items) { return std::move(items); });
                                      });
                        });
}

void Node::async_count(const Query& query, const ReadOptions& options, Completion<std::uint64_t> done) {
  impl_->observed_later(ApiOperation::query, impl_->long_read_of(options), Impl::reading(options), std::move(done),
                        [&](Completion<std::uint64_t> told) {
                          start_query(
                              *impl_->database, impl_->gate, std::move(told),
                              [query, options](LocalDatabase& database) { return database.count(query, options); });
                        });
}

void Node::async_delete_where(const Query& query, const WriteOptions& options, Completion<std::uint64_t> done) {
  start_query(*impl_->database, impl_->gate, std::move(done),
              [this, query, options](LocalDatabase&) { return delete_where(query, options); });
}

}  // namespace concord

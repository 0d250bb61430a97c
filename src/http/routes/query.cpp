// POST /api/v1/query and /api/v1/query/delete.
#include <array>
#include <memory>

#include "command/limits.hpp"
#include "http/envelope.hpp"
#include "http/page_limit.hpp"
#include "http/routes/routes.hpp"
#include "http/schemas.hpp"

namespace concord::http::routes {
namespace {

using database::SearchFor;

constexpr std::array query_parameters = {Parameter{
    .name = "meta", .schema = &schemas::boolean, .description = "Pairs show ttl, revisions and version too."}};

/// What the body says.
struct QueryBody {
  concord::Query query;
  std::optional<std::string> cursor;
  std::optional<std::uint64_t> offset;
  std::optional<std::string> select;
};

std::expected<void, Problem> read_range(BodyText& text, concord::Query& query) {
  if (query.start || query.end) {
    return std::unexpected(invalid_request("the body may have \"range\" or \"start\" and \"end\", not both"));
  }
  std::vector<std::string> ends;
  ArrayReader items(text, schemas::range, "range");
  while (items.next()) {
    auto end = read_string(items.value(), "range", {});
    if (!end) return std::unexpected(std::move(end.error()));
    ends.push_back(std::move(*end));
  }
  if (ends.size() != 2) return std::unexpected(wrong_type("range", {}, "two strings, the first and the last key"));
  query.start = std::move(ends[0]);
  query.end = std::move(ends[1]);
  return {};
}

std::expected<void, Problem> read_text(const Field& field, std::string_view raw, std::optional<std::string>& to) {
  auto text = read_string(raw, field.name, {});
  if (!text) return std::unexpected(std::move(text.error()));
  to = std::move(*text);
  return {};
}

std::expected<void, Problem> read_number(const Field& field, std::string_view raw, std::optional<std::uint64_t>& to) {
  const auto number = read_unsigned(raw, field.name, {});
  if (!number) return std::unexpected(number.error());
  to = *number;
  return {};
}

std::expected<void, Problem> read_end(const Field& field, std::string_view raw, std::optional<std::string>& to) {
  if (to) return std::unexpected(invalid_request("the body may have \"range\" or \"start\" and \"end\", not both"));
  return read_text(field, raw, to);
}

std::expected<void, Problem> read_field(const Field& field, std::string_view raw, QueryBody& body) {
  concord::Query& query = body.query;
  const std::string_view name = field.name;
  if (name == "prefix") return read_text(field, raw, query.prefix);
  if (name == "suffix") return read_text(field, raw, query.suffix);
  if (name == "contains") return read_text(field, raw, query.contains);
  if (name == "pattern") return read_text(field, raw, query.pattern);
  if (name == "start") return read_end(field, raw, query.start);
  if (name == "end") return read_end(field, raw, query.end);
  if (name == "cursor") return read_text(field, raw, body.cursor);
  if (name == "select") return read_text(field, raw, body.select);
  if (name == "limit") return read_number(field, raw, query.limit);
  if (name == "offset") return read_number(field, raw, body.offset);
  auto filter = read_filter(raw, name, {});
  if (!filter) return std::unexpected(std::move(filter.error()));
  query.filter = Filter(std::move(*filter));
  return {};
}

std::expected<QueryBody, Problem> read_query(std::string_view from, const Schema& schema) {
  QueryBody body;
  BodyText text(from);
  ObjectReader reader(text, schema);
  while (const Field* const field = reader.next()) {
    auto done = field->name == "range" ? read_range(text, body.query) : read_field(*field, reader.value(), body);
    if (!done && !text.problem()) return std::unexpected(std::move(done.error()));
  }
  if (text.problem()) return std::unexpected(*text.problem());
  if (body.query.limit == std::uint64_t{0})
    return std::unexpected(invalid_request("limit is 0; it must be at least 1"));
  return body;
}

std::expected<SearchFor, Problem> read_select(const std::optional<std::string>& select) {
  if (!select || *select == "pairs") return SearchFor::entries;
  if (*select == "keys") return SearchFor::keys;
  if (*select == "count") return SearchFor::count;
  return std::unexpected(wrong_type("select", {}, R"("keys", "pairs" or "count")"));
}

void append_pair(std::string& to, const Item& item, bool meta) {
  append_key_member(to += '{', item.key);
  append_value_member(to += ',', item.entry.value);
  if (meta) {
    append_ttl_member(to += ',', item.entry);
    append_meta_members(to += ',', item.entry);
  }
  to += '}';
}

void append_rows(std::string& to, const Page<Item>& page, bool with_values, bool meta) {
  to += with_values ? R"({"pairs":[)" : R"({"keys":[)";
  for (std::size_t i = 0; i < page.rows.size(); ++i) {
    if (i > 0) to += ',';
    const Item& item = page.rows[i];
    if (with_values) {
      append_pair(to, item, meta);
    } else {
      append_key(to, item.key);
    }
  }
  to += R"(],"next_cursor":)";
  append_cursor(to, page.next_cursor);
  to += '}';
}

void answer(Call& call, SearchFor what, const database::Search& search) {
  call.reply.begin_data();
  if (what == SearchFor::count) {
    call.reply.body += R"({"count":)";
    append_number(call.reply.body, search.count);
    call.reply.body += '}';
  } else {
    append_rows(call.reply.body, search.page, what == SearchFor::entries, call.query.is_set("meta"));
  }
  call.reply.end_data();
}

void query(Call& call) {
  auto body = read_query(call.request.body, schemas::query);
  if (!body) return call.refuse(body.error());
  const auto what = read_select(body->select);
  if (!what) return call.refuse(what.error());
  PageOptions page{.size = body->query.limit.value_or(default_page_limit), .cursor = std::move(body->cursor)};
  body->query.offset = body->offset.value_or(0);
  if (*what == SearchFor::count) {
    if (page.cursor) return call.refuse(invalid_request("a count takes no cursor"));
  } else if (auto done = check_page_limit(page.size); !done) {
    return call.refuse(done.error());
  }
  auto search = call.site.database.search(body->query, *what, page, call.access,
                                          {.consistency = call.consistency, .timeout = call.timeout});
  if (!search) return call.refuse(search.error());
  call.work([what = *what, search = std::move(*search)](Call& working) {
    const auto done = search->step();
    if (!done) {
      working.refuse(done.error());
      return true;
    }
    if (*done) answer(working, what, *search);
    return *done;
  });
}

command::Operation delete_operation(const concord::Query& query) {
  command::Operation operation{.kind = command::OperationKind::delete_where};
  operation.selector->prefix = query.prefix;
  operation.selector->suffix = query.suffix;
  operation.selector->contains = query.contains;
  operation.selector->pattern = query.pattern;
  operation.selector->start = query.start;
  operation.selector->end = query.end;
  if (query.filter.filter()) operation.selector->filter = query.filter.filter()->document();
  operation.selector->limit = query.limit.value_or(0);
  return operation;
}

void answer_delete(Call& call, const Result<command::Outcome>& outcome) {
  if (!outcome) return call.refuse(outcome.error());
  const command::OperationResult& result = outcome->results.front();
  if (result.status == command::OperationStatus::too_large) {
    return call.refuse(Error(Errc::batch_too_large,
                             "more than " + std::to_string(command::max_delete_where_removed) +
                                 " keys would be removed, or more than " +
                                 std::to_string(command::max_delete_where_visited) +
                                 " looked at; nothing was removed: narrow it by prefix or range, or set a limit"));
  }
  call.reply.begin_data(outcome->changed, outcome->revision);
  call.reply.body += R"({"deleted":)";
  append_number(call.reply.body, result.count);
  call.reply.body += '}';
  call.reply.end_data();
}

void query_delete(Call& call) {
  const auto body = read_query(call.request.body, schemas::query_delete);
  if (!body) return call.refuse(body.error());
  command::Transaction transaction;
  transaction.then.push_back(delete_operation(body->query));
  call.submit(transaction, [](Call& answered, Result<command::Outcome> outcome) { answer_delete(answered, outcome); });
}

}  // namespace

void add_query(std::vector<Route>& routes) {
  constexpr std::string_view tag = "Queries";
  routes.push_back({.method = Method::post,
                    .path = "/api/v1/query",
                    .operation = "query",
                    .handler = query,
                    .tag = tag,
                    .summary = "Keys, pairs or their number, by key and value",
                    .description = "All selectors must hold.",
                    .needs = Needs::read,
                    .body = BodyKind::json,
                    .body_schema = &schemas::query,
                    .is_read = true,
                    .parameters = query_parameters,
                    .answer = {.kind = AnswerKind::data, .schema = &schemas::query_result}});
  routes.push_back({.method = Method::post,
                    .path = "/api/v1/query/delete",
                    .operation = "delete_where",
                    .handler = query_delete,
                    .tag = tag,
                    .summary = "Deletes what a query finds, at once",
                    .needs = Needs::write,
                    .body = BodyKind::json,
                    .body_schema = &schemas::query_delete,
                    .is_write = true,
                    .answer = {.kind = AnswerKind::data, .schema = &schemas::deleted}});
}

}  // namespace concord::http::routes

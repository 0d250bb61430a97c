// /api/v1/kv/{key}: one key.
#include <array>

#include "command/limits.hpp"
#include "command/validate.hpp"
#include "http/accept.hpp"
#include "http/conditions.hpp"
#include "http/envelope.hpp"
#include "http/routes/routes.hpp"
#include "http/schemas.hpp"
#include "http/write_body.hpp"

namespace concord::http::routes {
namespace {

constexpr std::array get_parameters = {
    Parameter{.name = "with_ttl", .schema = &schemas::boolean, .description = "Shows the remaining time too."},
    Parameter{.name = "meta", .schema = &schemas::boolean, .description = "Shows revisions and version too."}};
/// Of a body of bytes; in JSON they are fields.
constexpr std::array put_parameters = {
    Parameter{.name = "ttl", .schema = &schemas::ttl, .description = "Of a body of bytes."},
    Parameter{.name = "keep_ttl", .schema = &schemas::boolean, .description = "Of a body of bytes."},
    Parameter{.name = "compress", .schema = &schemas::boolean, .description = "Of a body of bytes."}};

const Problem& no_such_key() {
  static const Problem problem(404, error_name(Errc::not_found), "the key does not exist");
  return problem;
}

/// False after the call was refused. Done here, before anything else about a key is looked at, so that a bad key is named
/// as such whatever else is wrong.
bool check_key(Call& call) {
  const auto done = command::validate_key(call.key);
  if (!done) call.refuse(done.error());
  return done.has_value();
}

void answer_write(Call& call, const Result<command::Outcome>& outcome, std::size_t header_guards) {
  if (!outcome) return call.refuse(outcome.error());
  if (outcome->guard_failure != command::GuardFailure::none) return call.refuse(guard_problem(*outcome, header_guards));
  if (!outcome->results.empty() && outcome->results.front().status == command::OperationStatus::not_found) {
    return call.refuse(no_such_key());
  }
  call.reply.set_done(outcome->changed, outcome->revision);
}

/// Sends `operation` under the guards of the headers and `condition`.
void submit_write(Call& call, const command::Operation& operation, const BodyCondition& condition) {
  command::Transaction transaction;
  if (auto done = add_header_guards(call.request, call.key, transaction.guards); !done)
    return call.refuse(done.error());
  const std::size_t header_guards = transaction.guards.size();
  if (!condition.empty()) transaction.guards.push_back(condition.guard(call.key));
  transaction.then.push_back(operation);
  const bool is_put = operation.kind == command::OperationKind::put;
  call.submit(transaction, [header_guards, is_put](Call& answered, Result<command::Outcome> outcome) {
    answer_write(answered, outcome, header_guards);
    if (is_put && answered.reply.status == 200) answered.reply.add_etag(outcome->revision);
  });
}

command::Operation operation_on(const Call& call, command::OperationKind kind) {
  command::Operation operation;
  operation.kind = kind;
  operation.key = call.key;
  return operation;
}

/// Options of a put of bytes stand in the query.
void put_bytes(Call& call) {
  const Value value{Bytes(call.request.body)};
  command::Operation operation = operation_on(call, command::OperationKind::put);
  operation.value = value.stored();
  operation.ttl_s = static_cast<std::uint32_t>(number_of(call.query, "ttl", 0));
  const auto keep_ttl = call.query.flag("keep_ttl");
  if (keep_ttl && *keep_ttl) {
    if (operation.ttl_s != 0) {
      return call.refuse(invalid_request("the query has both \"ttl\" and \"keep_ttl\""));
    }
    operation.ttl_s = command::keep_ttl;
  }
  if (call.query.find("compress") != nullptr) operation.compress = call.query.flag("compress").value_or(false);
  submit_write(call, operation, BodyCondition());
}

void put(Call& call) {
  if (!check_key(call)) return;
  if (is_media_type(call.request.header(Header::content_type), Reply::bytes)) return put_bytes(call);
  for (const Parameter& parameter : put_parameters) {
    if (call.query.find(parameter.name) == nullptr) continue;
    return call.refuse(invalid_request("the query parameter \"" + std::string(parameter.name) +
                                       "\" belongs to a body of type application/octet-stream; in JSON it is a field"));
  }
  WriteFields fields;
  BodyCondition condition;
  BodyText text(call.request.body);
  ObjectReader reader(text, schemas::put);
  while (const Field* const field = reader.next()) {
    if (const auto raw = reader.value(); !fields.take(field->name, raw)) condition.take(field->name, raw);
  }
  if (text.problem()) return call.refuse(*text.problem());
  if (auto done = fields.read({}); !done) return call.refuse(done.error());
  if (auto done = condition.read({}); !done) return call.refuse(done.error());
  command::Operation operation = operation_on(call, command::OperationKind::put);
  operation.value = fields.value.stored();
  operation.ttl_s = fields.ttl_s;
  operation.compress = fields.compress;
  submit_write(call, operation, condition);
}

void remove(Call& call) {
  if (!check_key(call)) return;
  BodyCondition condition;
  if (!call.request.body.empty()) {
    BodyText text(call.request.body);
    ObjectReader reader(text, schemas::remove);
    while (const Field* const field = reader.next()) condition.take(field->name, reader.value());
    if (text.problem()) return call.refuse(*text.problem());
    if (auto done = condition.read({}); !done) return call.refuse(done.error());
  }
  submit_write(call, operation_on(call, command::OperationKind::remove), condition);
}

void touch(Call& call) {
  if (!check_key(call)) return;
  std::optional<std::string_view> ttl_raw;
  BodyText text(call.request.body);
  ObjectReader reader(text, schemas::touch);
  while (reader.next() != nullptr) ttl_raw = reader.value();
  if (text.problem()) return call.refuse(*text.problem());
  const auto ttl = read_required_ttl(ttl_raw, {});
  if (!ttl) return call.refuse(ttl.error());
  command::Operation operation = operation_on(call, command::OperationKind::touch);
  operation.ttl_s = *ttl;
  submit_write(call, operation, BodyCondition());
}

void get(Call& call) {
  if (!check_key(call)) return;
  const bool with_ttl = call.query.is_set("with_ttl");
  const bool meta = call.query.is_set("meta");
  const auto entry = call.site.database.read(call.key, call.consistency, call.access, call.timeout);
  if (!entry) return call.refuse(entry.error());

  Reply& reply = call.reply;
  reply.add_etag(entry->revision);
  reply.vary_by("Accept");
  if (call.request.has(Header::if_none_match) && client_has(call.request, entry->revision)) {
    reply.status = 304;
    return;
  }
  if (wants_bytes(call.request.header(Header::accept))) {
    reply.content_type = Reply::bytes;
    reply.body.assign(entry->value.is_bytes() ? entry->value.bytes() : entry->value.json_text());
    return;
  }
  reply.begin_data();
  reply.body += '{';
  append_value_member(reply.body, entry->value);
  if (with_ttl) append_ttl_member(reply.body += ',', *entry);
  if (meta) append_meta_members(reply.body += ',', *entry);
  reply.body += '}';
  reply.end_data();
}

void get_ttl(Call& call) {
  if (!check_key(call)) return;
  const auto entry = call.site.database.read(call.key, call.consistency, call.access, call.timeout);
  if (!entry) return call.refuse(entry.error());
  call.reply.begin_data();
  call.reply.body += '{';
  append_ttl_member(call.reply.body, *entry);
  call.reply.body += '}';
  call.reply.end_data();
}

}  // namespace

void add_kv(std::vector<Route>& routes) {
  constexpr std::string_view path = "/api/v1/kv/{key}";
  constexpr std::string_view tag = "One key";
  routes.push_back(
      {.method = Method::get,
       .path = path,
       .operation = "get",
       .handler = get,
       .tag = tag,
       .summary = "The value of a key",
       .needs = Needs::read,
       .is_read = true,
       .parameters = get_parameters,
       .takes_if_none_match = true,
       .may_miss = true,
       .answer = {.kind = AnswerKind::data, .schema = &schemas::got, .also_bytes = true, .has_etag = true}});
  routes.push_back({.method = Method::put,
                    .path = path,
                    .operation = "put",
                    .handler = put,
                    .tag = tag,
                    .summary = "Stores a value",
                    .description = "With `expected` or `condition` only when the key's present value is so, with "
                                   "`If-None-Match: *` only when there is none.",
                    .needs = Needs::write,
                    .body = BodyKind::json_or_bytes,
                    .body_schema = &schemas::put,
                    .is_write = true,
                    .parameters = put_parameters,
                    .takes_if_match = true,
                    .takes_if_none_match = true,
                    .may_miss = true,
                    .may_conflict = true,
                    .answer = {.has_etag = true}});
  routes.push_back({.method = Method::del,
                    .path = path,
                    .operation = "delete",
                    .handler = remove,
                    .tag = tag,
                    .summary = "Deletes a key",
                    .needs = Needs::write,
                    .body = BodyKind::json,
                    .body_schema = &schemas::remove,
                    .body_required = false,
                    .is_write = true,
                    .takes_if_match = true,
                    .takes_if_none_match = true,
                    .may_miss = true,
                    .may_conflict = true});
  routes.push_back({.method = Method::post,
                    .path = "/api/v1/kv/{key}/touch",
                    .operation = "touch",
                    .handler = touch,
                    .tag = tag,
                    .summary = "Sets the remaining time of a key",
                    .needs = Needs::write,
                    .body = BodyKind::json,
                    .body_schema = &schemas::touch,
                    .is_write = true,
                    .takes_if_match = true,
                    .takes_if_none_match = true,
                    .may_miss = true});
  routes.push_back({.method = Method::get,
                    .path = "/api/v1/kv/{key}/ttl",
                    .operation = "ttl",
                    .handler = get_ttl,
                    .tag = tag,
                    .summary = "The remaining time of a key",
                    .needs = Needs::read,
                    .is_read = true,
                    .may_miss = true,
                    .answer = {.kind = AnswerKind::data, .schema = &schemas::shown_ttl}});
}

}  // namespace concord::http::routes

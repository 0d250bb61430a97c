// /api/v1/kv/{key}: one key.
#include <charconv>

#include "command/validate.hpp"
#include "http/accept.hpp"
#include "http/conditions.hpp"
#include "http/envelope.hpp"
#include "http/routes/routes.hpp"
#include "http/write_body.hpp"

namespace concord::http::routes {
namespace {

constexpr std::string_view body_place = "the body";

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
  if (const std::string* text = call.query.find("ttl")) {
    std::int64_t ttl_s = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), ttl_s);
    if (error != std::errc() || end != text->data() + text->size()) {
      return call.refuse(invalid_request("the query parameter \"ttl\" must be a whole number of seconds"));
    }
    if (const auto done = command::validate_ttl(ttl_s); !done) return call.refuse(done.error());
    operation.ttl_s = static_cast<std::uint32_t>(ttl_s);
  }
  const auto compress = call.query.flag("compress");
  if (!compress) return call.refuse(compress.error());
  if (call.query.find("compress") != nullptr) operation.compress = *compress;
  submit_write(call, operation, BodyCondition());
}

void put(Call& call) {
  if (!check_key(call)) return;
  if (is_media_type(call.request.header(Header::content_type), Reply::bytes)) return put_bytes(call);
  if (!call.query.parameters().empty() &&
      (call.query.find("ttl") != nullptr || call.query.find("compress") != nullptr)) {
    return call.refuse(
        invalid_request("the query parameters \"ttl\" and \"compress\" belong to a body of type "
                        "application/octet-stream; in JSON they are fields"));
  }
  WriteFields fields;
  BodyCondition condition;
  ObjectReader reader(call.request.body, body_place);
  while (const auto member = reader.next()) {
    if (!fields.take(member->name, member->value) && !condition.take(member->name, member->value)) {
      return call.refuse(unknown_field(member->name, body_place));
    }
  }
  if (reader.problem()) return call.refuse(*reader.problem());
  if (auto done = fields.read(body_place); !done) return call.refuse(done.error());
  if (auto done = condition.read(body_place); !done) return call.refuse(done.error());
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
    ObjectReader reader(call.request.body, body_place);
    while (const auto member = reader.next()) {
      if (!condition.take(member->name, member->value)) return call.refuse(unknown_field(member->name, body_place));
    }
    if (reader.problem()) return call.refuse(*reader.problem());
    if (auto done = condition.read(body_place); !done) return call.refuse(done.error());
  }
  submit_write(call, operation_on(call, command::OperationKind::remove), condition);
}

void touch(Call& call) {
  if (!check_key(call)) return;
  std::optional<std::string_view> ttl_raw;
  ObjectReader reader(call.request.body, body_place);
  while (const auto member = reader.next()) {
    if (member->name != "ttl") return call.refuse(unknown_field(member->name, body_place));
    ttl_raw = member->value;
  }
  if (reader.problem()) return call.refuse(*reader.problem());
  const auto ttl = read_required_ttl(ttl_raw, body_place);
  if (!ttl) return call.refuse(ttl.error());
  command::Operation operation = operation_on(call, command::OperationKind::touch);
  operation.ttl_s = *ttl;
  submit_write(call, operation, BodyCondition());
}

void append_meta_members(std::string& to, const Entry& entry) {
  to += R"(,"revision":)";
  append_number(to, entry.revision.value());
  to += R"(,"create_revision":)";
  append_number(to, entry.create_revision.value());
  to += R"(,"version":)";
  append_number(to, entry.version);
}

void get(Call& call) {
  if (!check_key(call)) return;
  const auto with_ttl = call.query.flag("with_ttl");
  if (!with_ttl) return call.refuse(with_ttl.error());
  const auto meta = call.query.flag("meta");
  if (!meta) return call.refuse(meta.error());
  const auto entry = call.site.database.read(call.key, call.consistency, call.timeout);
  if (!entry) return call.refuse(entry.error());

  Reply& reply = call.reply;
  reply.add_etag(entry->revision);
  reply.headers += "Vary: Accept\r\n";
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
  if (*with_ttl) {
    reply.body += ',';
    append_ttl_member(reply.body, *entry);
  }
  if (*meta) append_meta_members(reply.body, *entry);
  reply.body += '}';
  reply.end_data();
}

void get_ttl(Call& call) {
  if (!check_key(call)) return;
  const auto entry = call.site.database.read(call.key, call.consistency, call.timeout);
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
  routes.push_back({.method = Method::get,
                    .path = path,
                    .operation = "get",
                    .handler = get,
                    .is_read = true,
                    .parameters = {"with_ttl", "meta"}});
  routes.push_back({.method = Method::put,
                    .path = path,
                    .operation = "put",
                    .handler = put,
                    .body = BodyKind::json_or_bytes,
                    .parameters = {"ttl", "compress"}});
  routes.push_back(
      {.method = Method::del, .path = path, .operation = "delete", .handler = remove, .body = BodyKind::json});
  routes.push_back({.method = Method::post,
                    .path = "/api/v1/kv/{key}/touch",
                    .operation = "touch",
                    .handler = touch,
                    .body = BodyKind::json});
  routes.push_back(
      {.method = Method::get, .path = "/api/v1/kv/{key}/ttl", .operation = "ttl", .handler = get_ttl, .is_read = true});
}

}  // namespace concord::http::routes

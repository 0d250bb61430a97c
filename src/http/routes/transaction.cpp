// POST /api/v1/txn: guards, then operations or else operations.
#include <array>
#include <deque>
#include <memory>

#include "http/conditions.hpp"
#include "http/envelope.hpp"
#include "http/routes/routes.hpp"
#include "http/schemas.hpp"
#include "http/write_body.hpp"

namespace concord::http::routes {
namespace {

constexpr std::array parameters = {Parameter{
    .name = "meta", .schema = &schemas::boolean, .description = "Shows the revision, and which guard did not hold."}};

/// An operation as its answer shows it.
struct Shown {
  command::OperationKind kind;
  std::string_view key;
};

/// A transaction with everything it views. Deques, because what is viewed must stay in its place.
struct OwnedTransaction {
  command::Transaction transaction;
  std::deque<std::string> keys;
  std::deque<Value> values;
  std::deque<BodyCondition> conditions;
};

std::string_view kind_name(command::OperationKind kind) {
  switch (kind) {
    case command::OperationKind::put: return "put";
    case command::OperationKind::remove: return "delete";
    case command::OperationKind::touch: return "touch";
    case command::OperationKind::get: return "get";
    case command::OperationKind::delete_where: break;
  }
  return "delete_where";
}

std::expected<command::OperationKind, Problem> read_kind(std::string_view raw, const Place& place) {
  for (const auto kind : {command::OperationKind::put, command::OperationKind::remove, command::OperationKind::touch,
                          command::OperationKind::get}) {
    if (raw.size() >= 2 && raw.substr(1, raw.size() - 2) == kind_name(kind) && raw.starts_with('"')) return kind;
  }
  return std::unexpected(wrong_type("op", place, "\"put\", \"delete\", \"touch\" or \"get\""));
}

std::expected<void, Problem> fill_operation(command::Operation& operation, WriteFields& fields, OwnedTransaction& owned,
                                            const Place& place) {
  if (operation.kind == command::OperationKind::put) {
    if (auto done = fields.read(place); !done) return done;
    operation.value = owned.values.emplace_back(std::move(fields.value)).stored();
    operation.ttl_s = fields.ttl_s;
    operation.compress = fields.compress;
    return {};
  }
  if (const auto stray = fields.beyond_a_touch(); !stray.empty()) return std::unexpected(unknown_field(stray, place));
  if (operation.kind != command::OperationKind::touch) {
    if (fields.ttl_raw()) return std::unexpected(unknown_field("ttl", place));
    return {};
  }
  const auto ttl = read_required_ttl(fields.ttl_raw(), place);
  if (!ttl) return std::unexpected(ttl.error());
  operation.ttl_s = *ttl;
  return {};
}

std::expected<void, Problem> add_operation(OwnedTransaction& owned, std::vector<command::Operation>& to, BodyText& text,
                                           const Place& place) {
  KeyFields key_fields;
  WriteFields fields;
  std::string_view kind_raw;
  ObjectReader reader(text, schemas::operation, place);
  while (const Field* const field = reader.next()) {
    const std::string_view raw = reader.value();
    if (field->name == "op") {
      kind_raw = raw;
    } else if (!key_fields.take(field->name, raw)) {
      fields.take(field->name, raw);
    }
  }
  if (text.problem()) return std::unexpected(*text.problem());
  const auto kind = read_kind(kind_raw, place);
  if (!kind) return std::unexpected(kind.error());
  auto key = key_fields.read(place);
  if (!key) return std::unexpected(std::move(key.error()));
  command::Operation operation;
  operation.kind = *kind;
  operation.key = owned.keys.emplace_back(std::move(*key));
  if (auto done = fill_operation(operation, fields, owned, place); !done) return done;
  to.push_back(operation);
  return {};
}

/// The part of a guard that is neither of the body's conditions.
struct GuardFields {
  std::optional<std::string_view> revision_raw;
  std::optional<std::string_view> exists_raw;
};

std::expected<command::Guard, Problem> make_guard(std::string_view key, BodyCondition& condition,
                                                  const GuardFields& fields, const Place& place) {
  if (auto done = condition.read(place); !done) return std::unexpected(std::move(done.error()));
  const int given = (condition.empty() ? 0 : 1) + (fields.revision_raw ? 1 : 0) + (fields.exists_raw ? 1 : 0);
  if (given != 1) {
    const Errc code = given == 0 ? Errc::missing_condition : Errc::conflicting_conditions;
    return std::unexpected(
        Error(code, place.text() + R"( must have one of "expected", "revision", "exists" and "condition")"));
  }
  if (!condition.empty()) return condition.guard(key);
  command::Guard guard;
  guard.key = key;
  if (fields.revision_raw) {
    const auto revision = read_unsigned(*fields.revision_raw, "revision", place);
    if (!revision) return std::unexpected(revision.error());
    guard.kind = command::GuardKind::revision;
    guard.revision = Revision(*revision);
  } else {
    const auto exists = read_bool(*fields.exists_raw, "exists", place);
    if (!exists) return std::unexpected(exists.error());
    guard.kind = *exists ? command::GuardKind::exists : command::GuardKind::absent;
  }
  return guard;
}

std::expected<void, Problem> add_guard(OwnedTransaction& owned, BodyText& text, const Place& place) {
  BodyCondition& condition = owned.conditions.emplace_back();
  KeyFields key_fields;
  GuardFields fields;
  ObjectReader reader(text, schemas::guard, place);
  while (const Field* const field = reader.next()) {
    const std::string_view raw = reader.value();
    if (field->name == "revision") {
      fields.revision_raw = raw;
    } else if (field->name == "exists") {
      fields.exists_raw = raw;
    } else if (!key_fields.take(field->name, raw)) {
      condition.take(field->name, raw);
    }
  }
  if (text.problem()) return std::unexpected(*text.problem());
  auto key = key_fields.read(place);
  if (!key) return std::unexpected(std::move(key.error()));
  const auto guard = make_guard(owned.keys.emplace_back(std::move(*key)), condition, fields, place);
  if (!guard) return std::unexpected(guard.error());
  owned.transaction.guards.push_back(*guard);
  return {};
}

std::expected<void, Problem> read_transaction(OwnedTransaction& owned, std::string_view body) {
  BodyText text(body);
  ObjectReader reader(text, schemas::transaction);
  while (const Field* const field = reader.next()) {
    auto& to = field->name == "then" ? owned.transaction.then : owned.transaction.otherwise;
    ArrayReader items(text, *field->schema, field->name);
    while (items.next()) {
      auto done =
          field->name == "guards" ? add_guard(owned, text, items.item()) : add_operation(owned, to, text, items.item());
      if (!done) return done;
    }
  }
  if (text.problem()) return std::unexpected(*text.problem());
  return {};
}

void append_result(std::string& to, const Shown& shown, const command::OperationResult& result) {
  const bool ok = result.status == command::OperationStatus::ok;
  to += R"({"op":")";
  to.append(kind_name(shown.kind));
  to += "\",";
  append_key_member(to, shown.key);
  to += ok ? R"(,"status":"ok")" : R"(,"status":"not_found")";
  if (result.value) {
    to += ',';
    append_value_member(to, *result.value);
  }
  if (ok && result.revision.value() > 0) {
    to += R"(,"revision":)";
    append_number(to, result.revision.value());
  }
  to += '}';
}

void append_meta(std::string& to, const command::Outcome& outcome) {
  to += R"(,"revision":)";
  append_number(to, outcome.revision.value());
  if (outcome.guard_failure == command::GuardFailure::none) return;
  to += R"(,"failed_guard":)";
  append_number(to, outcome.failed_guard);
  const bool key_missing = outcome.guard_failure == command::GuardFailure::key_missing;
  to += key_missing ? R"(,"key_missing":true)" : R"(,"key_missing":false)";
}

void answer(Call& call, const OwnedTransaction& owned, const Result<command::Outcome>& outcome) {
  if (!outcome) return call.refuse(outcome.error());
  const bool succeeded = outcome->guard_failure == command::GuardFailure::none;
  const auto& ran = succeeded ? owned.transaction.then : owned.transaction.otherwise;
  std::string& body = call.reply.body;
  call.reply.begin_data(outcome->changed, outcome->revision);
  body += succeeded ? R"({"succeeded":true,"results":[)" : R"({"succeeded":false,"results":[)";
  for (std::size_t i = 0; i < ran.size(); ++i) {
    if (i > 0) body += ',';
    const bool told = i < outcome->results.size();  // a lone put has no results: it is always done
    const command::OperationResult done{.revision = outcome->revision, .value = {}};
    append_result(body, {ran[i].kind, ran[i].key}, told ? outcome->results[i] : done);
  }
  body += ']';
  if (call.query.is_set("meta")) append_meta(body, *outcome);
  body += '}';
  call.reply.end_data();
}

void transact(Call& call) {
  auto owned = std::make_unique<OwnedTransaction>();
  if (auto done = read_transaction(*owned, call.request.body); !done) return call.refuse(done.error());
  const command::Transaction& transaction = owned->transaction;
  call.submit(transaction, [owned = std::move(owned)](Call& answered, Result<command::Outcome> outcome) {
    answer(answered, *owned, outcome);
  });
}

}  // namespace

void add_transaction(std::vector<Route>& routes) {
  routes.push_back({.method = Method::post,
                    .path = "/api/v1/txn",
                    .operation = "txn",
                    .handler = transact,
                    .tag = "Transactions",
                    .summary = "Guards, then operations or else operations, at once",
                    .description = "200 also when the guards do not hold: `succeeded` tells. At most 500 each.",
                    .needs = Needs::read_or_write,
                    .body = BodyKind::json,
                    .body_schema = &schemas::transaction,
                    .is_write = true,
                    .parameters = parameters,
                    .answer = {.kind = AnswerKind::data, .schema = &schemas::transaction_result}});
}

}  // namespace concord::http::routes

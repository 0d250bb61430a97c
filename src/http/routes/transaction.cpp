// POST /api/v1/txn: guards, then operations or else operations.
#include <deque>
#include <memory>

#include "command/limits.hpp"
#include "http/conditions.hpp"
#include "http/envelope.hpp"
#include "http/routes/routes.hpp"
#include "http/write_body.hpp"

namespace concord::http::routes {
namespace {

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

std::string place_of(std::string_view list, std::size_t position) {
  std::string place(list);
  place += '[';
  place += std::to_string(position);
  place += ']';
  return place;
}

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

std::expected<command::OperationKind, Problem> read_kind(const std::optional<std::string_view>& raw,
                                                         std::string_view place) {
  if (!raw) return std::unexpected(missing_field("op", place));
  for (const auto kind : {command::OperationKind::put, command::OperationKind::remove, command::OperationKind::touch,
                          command::OperationKind::get}) {
    if (raw->size() >= 2 && raw->substr(1, raw->size() - 2) == kind_name(kind) && raw->starts_with('"')) return kind;
  }
  return std::unexpected(wrong_type("op", place, "\"put\", \"delete\", \"touch\" or \"get\""));
}

std::expected<std::string_view, Problem> own_key(OwnedTransaction& owned, const std::optional<std::string_view>& raw,
                                                 std::string_view place) {
  if (!raw) return std::unexpected(missing_field("key", place));
  auto key = read_string(*raw, "key", place);
  if (!key) return std::unexpected(std::move(key.error()));
  return owned.keys.emplace_back(std::move(*key));
}

std::expected<void, Problem> add_operation(OwnedTransaction& owned, std::vector<command::Operation>& to,
                                           std::string_view raw, const std::string& place) {
  WriteFields fields;
  std::optional<std::string_view> kind_raw;
  std::optional<std::string_view> key_raw;
  std::optional<std::string_view> ttl_raw;
  std::string stray;  // the last field that only a put, or only a put and a touch, may have
  ObjectReader reader(raw, place);
  while (const auto member = reader.next()) {
    if (member->name == "op") {
      kind_raw = member->value;
    } else if (member->name == "key") {
      key_raw = member->value;
    } else if (fields.take(member->name, member->value)) {
      if (member->name == "ttl") ttl_raw = member->value;
      if (member->name != "ttl" || stray.empty()) stray = member->name;
    } else {
      return std::unexpected(unknown_field(member->name, place));
    }
  }
  if (reader.problem()) return std::unexpected(*reader.problem());
  const auto kind = read_kind(kind_raw, place);
  if (!kind) return std::unexpected(kind.error());
  const auto key = own_key(owned, key_raw, place);
  if (!key) return std::unexpected(key.error());

  command::Operation operation;
  operation.kind = *kind;
  operation.key = *key;
  if (*kind == command::OperationKind::put) {
    if (auto done = fields.read(place); !done) return done;
    operation.value = owned.values.emplace_back(std::move(fields.value)).stored();
    operation.ttl_s = fields.ttl_s;
    operation.compress = fields.compress;
  } else if (*kind == command::OperationKind::touch) {
    if (!stray.empty() && stray != "ttl") return std::unexpected(unknown_field(stray, place));
    const auto ttl = read_required_ttl(ttl_raw, place);
    if (!ttl) return std::unexpected(ttl.error());
    operation.ttl_s = *ttl;
  } else if (!stray.empty()) {
    return std::unexpected(unknown_field(stray, place));
  }
  to.push_back(operation);
  return {};
}

/// `{"key", one of "expected", "revision", "exists", "condition"}`
std::expected<void, Problem> add_guard(OwnedTransaction& owned, std::string_view raw, const std::string& place) {
  BodyCondition& condition = owned.conditions.emplace_back();
  std::optional<std::string_view> key_raw;
  std::optional<std::string_view> revision_raw;
  std::optional<std::string_view> exists_raw;
  ObjectReader reader(raw, place);
  while (const auto member = reader.next()) {
    if (member->name == "key") {
      key_raw = member->value;
    } else if (member->name == "revision") {
      revision_raw = member->value;
    } else if (member->name == "exists") {
      exists_raw = member->value;
    } else if (!condition.take(member->name, member->value)) {
      return std::unexpected(unknown_field(member->name, place));
    }
  }
  if (reader.problem()) return std::unexpected(*reader.problem());
  const auto key = own_key(owned, key_raw, place);
  if (!key) return std::unexpected(key.error());
  if (auto done = condition.read(place); !done) return done;
  const int given = (condition.empty() ? 0 : 1) + (revision_raw ? 1 : 0) + (exists_raw ? 1 : 0);
  if (given != 1) {
    const Errc code = given == 0 ? Errc::missing_condition : Errc::conflicting_conditions;
    return std::unexpected(
        Problem(Error(code, place + " must have one of \"expected\", \"revision\", \"exists\" and \"condition\"")));
  }
  command::Guard guard;
  guard.key = *key;
  if (!condition.empty()) {
    guard = condition.guard(*key);
  } else if (revision_raw) {
    const auto revision = read_unsigned(*revision_raw, "revision", place);
    if (!revision) return std::unexpected(revision.error());
    guard.kind = command::GuardKind::revision;
    guard.revision = Revision(*revision);
  } else {
    const auto exists = read_bool(*exists_raw, "exists", place);
    if (!exists) return std::unexpected(exists.error());
    guard.kind = *exists ? command::GuardKind::exists : command::GuardKind::absent;
  }
  owned.transaction.guards.push_back(guard);
  return {};
}

template <class Add>
std::expected<void, Problem> read_items(std::string_view raw, std::string_view list, const Add& add) {
  ArrayReader items(raw, list);
  std::size_t count = 0;
  while (const auto item = items.next()) {
    if (count == command::max_batch) {
      return std::unexpected(
          Problem(Error(Errc::batch_too_large,
                        std::string(list) + " has more than " + std::to_string(command::max_batch) + " entries")));
    }
    if (auto done = add(*item, place_of(list, count)); !done) return done;
    ++count;
  }
  if (items.problem()) return std::unexpected(*items.problem());
  return {};
}

std::expected<void, Problem> read_transaction(OwnedTransaction& owned, std::string_view body) {
  ObjectReader reader(body);
  while (const auto member = reader.next()) {
    std::expected<void, Problem> done;
    if (member->name == "guards") {
      done = read_items(member->value, "guards",
                        [&](std::string_view raw, const std::string& place) { return add_guard(owned, raw, place); });
    } else if (member->name == "then" || member->name == "else") {
      auto& to = member->name == "then" ? owned.transaction.then : owned.transaction.otherwise;
      done = read_items(member->value, member->name, [&](std::string_view raw, const std::string& place) {
        return add_operation(owned, to, raw, place);
      });
    } else {
      return std::unexpected(unknown_field(member->name, "the body"));
    }
    if (!done) return done;
  }
  if (reader.problem()) return std::unexpected(*reader.problem());
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
  body += "]}";
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
  routes.push_back(
      {.method = Method::post, .path = "/api/v1/txn", .operation = "txn", .handler = transact, .body = BodyKind::json});
}

}  // namespace concord::http::routes

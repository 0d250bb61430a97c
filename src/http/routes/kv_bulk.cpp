// /api/v1/kv/bulk: many keys in one transaction, or as of one revision.
#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "base/base64.hpp"
#include "command/validate.hpp"
#include "http/envelope.hpp"
#include "http/routes/routes.hpp"
#include "http/schemas.hpp"
#include "http/write_body.hpp"
#include "value/json_string.hpp"

namespace concord::http::routes {
namespace {

/// What a bulk call says. The operations view keys and values, so the lists are filled first.
struct Batch {
  std::vector<std::string> keys;
  std::vector<Value> values;                  ///< puts only
  std::vector<std::uint32_t> ttls_s;          ///< puts and touches
  std::vector<std::optional<bool>> compress;  ///< puts only
};

constexpr std::array get_parameters = {
    Parameter{.name = "meta", .schema = &schemas::boolean, .description = "Shows ttl, revisions and version too."}};

std::expected<void, Problem> add_put(Batch& batch, BodyText& text, const Place& place) {
  KeyFields key_fields;
  WriteFields fields;
  ObjectReader reader(text, schemas::bulk_put_item, place);
  while (const Field* const field = reader.next()) {
    if (const auto raw = reader.value(); !key_fields.take(field->name, raw)) fields.take(field->name, raw);
  }
  if (text.problem()) return std::unexpected(*text.problem());
  auto key = key_fields.read(place);
  if (!key) return std::unexpected(std::move(key.error()));
  if (auto done = fields.read(place); !done) return done;
  batch.keys.push_back(std::move(*key));
  batch.values.push_back(std::move(fields.value));
  batch.ttls_s.push_back(fields.ttl_s);
  batch.compress.push_back(fields.compress);
  return {};
}

std::expected<void, Problem> add_touch(Batch& batch, BodyText& text, const Place& place) {
  KeyFields key_fields;
  std::optional<std::string_view> ttl_raw;
  ObjectReader reader(text, schemas::bulk_touch_item, place);
  while (const Field* const field = reader.next()) {
    if (const auto raw = reader.value(); !key_fields.take(field->name, raw)) ttl_raw = raw;
  }
  if (text.problem()) return std::unexpected(*text.problem());
  auto key = key_fields.read(place);
  if (!key) return std::unexpected(std::move(key.error()));
  const auto ttl = read_required_ttl(ttl_raw, place);
  if (!ttl) return std::unexpected(ttl.error());
  batch.keys.push_back(std::move(*key));
  batch.ttls_s.push_back(*ttl);
  return {};
}

/// A body that is a list of operations, each read by `add`.
template <class Add>
std::expected<Batch, Problem> read_operations(std::string_view body, const Schema& schema, const Add& add) {
  Batch batch;
  BodyText text(body);
  ObjectReader reader(text, schema);
  while (const Field* const field = reader.next()) {
    ArrayReader items(text, *field->schema, field->name);
    while (items.next()) {
      if (auto done = add(batch, text, items.item()); !done) return std::unexpected(std::move(done.error()));
    }
  }
  if (text.problem()) return std::unexpected(*text.problem());
  return batch;
}

/// Reads the list that `reader` came to: keys, as text or as base64.
std::expected<std::vector<std::string>, Problem> read_keys(BodyText& text, const Field& field) {
  std::vector<std::string> keys;
  ArrayReader items(text, *field.schema, field.name);
  while (items.next()) {
    KeyFields key_fields;
    key_fields.take(field.schema == &schemas::keys ? "key" : "key_b64", items.value());
    if (text.problem()) break;
    auto key = key_fields.read(items.item());
    if (!key) return std::unexpected(std::move(key.error()));
    keys.push_back(std::move(*key));
  }
  return keys;
}

/// A fault that is found later is named by its place in the transaction, which is that in the batch.
Error in_the_batch(const Error& error) {
  constexpr std::string_view place = "then[";
  if (!error.message().starts_with(place)) return error;
  return Error(error.code(), "operations[" + error.message().substr(place.size()), error.maybe_committed());
}

void answer_batch(Call& call, const std::vector<std::string>& keys, const Result<command::Outcome>& outcome) {
  if (!outcome) return call.refuse(in_the_batch(outcome.error()));
  std::string& body = call.reply.body;
  call.reply.begin_data(outcome->changed, outcome->revision);
  body += '[';
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const bool missing =
        i < outcome->results.size() && outcome->results[i].status == command::OperationStatus::not_found;
    body += i == 0 ? "{" : ",{";
    append_key_member(body, keys[i]);
    body += missing ? R"(,"status":"error","error":"not_found"})" : R"(,"status":"ok"})";
  }
  body += ']';
  call.reply.end_data();
}

void submit_batch(Call& call, Batch batch, command::OperationKind kind) {
  command::Transaction transaction;
  transaction.then.reserve(batch.keys.size());
  for (std::size_t i = 0; i < batch.keys.size(); ++i) {
    command::Operation operation;
    operation.kind = kind;
    operation.key = batch.keys[i];
    if (kind == command::OperationKind::put) {
      operation.value = batch.values[i].stored();
      operation.compress = batch.compress[i];
    }
    if (kind != command::OperationKind::remove) operation.ttl_s = batch.ttls_s[i];
    transaction.then.push_back(operation);
  }
  // The keys move to the heap before the call: the operations view them until it returns.
  auto keys = std::make_unique<std::vector<std::string>>(std::move(batch.keys));
  call.submit(transaction, [keys = std::move(keys)](Call& answered, Result<command::Outcome> outcome) {
    answer_batch(answered, *keys, outcome);
  });
}

void put_many(Call& call) {
  auto batch = read_operations(call.request.body, schemas::bulk_put, add_put);
  if (!batch) return call.refuse(batch.error());
  submit_batch(call, std::move(*batch), command::OperationKind::put);
}

void touch_many(Call& call) {
  auto batch = read_operations(call.request.body, schemas::bulk_touch, add_touch);
  if (!batch) return call.refuse(batch.error());
  submit_batch(call, std::move(*batch), command::OperationKind::touch);
}

void delete_many(Call& call) {
  Batch batch;
  BodyText text(call.request.body);
  ObjectReader reader(text, schemas::bulk_delete);
  while (const Field* const field = reader.next()) {
    auto keys = read_keys(text, *field);
    if (!keys) return call.refuse(keys.error());
    batch.keys = std::move(*keys);
  }
  if (text.problem()) return call.refuse(*text.problem());
  submit_batch(call, std::move(batch), command::OperationKind::remove);
}

struct ReadBatch {
  std::vector<std::string> keys;  ///< each once, in the order of the body
  bool as_base64 = false;         ///< so they were given, and so they name the members of the answer
  bool with_ttl = false;
};

/// The batch's limit counts what was asked, the answer has each key once: it is an object.
std::expected<ReadBatch, Problem> read_batch(std::string_view body) {
  ReadBatch batch;
  BodyText text(body);
  ObjectReader reader(text, schemas::bulk_get);
  while (const Field* const field = reader.next()) {
    if (field->name == "with_ttl") {
      const auto with_ttl = read_bool(reader.value(), field->name, {});
      if (!with_ttl) return std::unexpected(with_ttl.error());
      batch.with_ttl = *with_ttl;
      continue;
    }
    auto keys = read_keys(text, *field);
    if (!keys) return std::unexpected(std::move(keys.error()));
    batch.as_base64 = field->name == schemas::keys_b64_field.name;
    for (std::string& key : *keys) {
      if (std::ranges::find(batch.keys, key) == batch.keys.end()) batch.keys.push_back(std::move(key));
    }
  }
  if (text.problem()) return std::unexpected(*text.problem());
  return batch;
}

void append_name(std::string& to, std::string_view key, bool as_base64) {
  if (!as_base64) return value::append_json_string(to, key);
  to += '"';
  base::append_base64(to, key);
  to += '"';
}

void get_many(Call& call) {
  const auto batch = read_batch(call.request.body);
  if (!batch) return call.refuse(batch.error());
  const bool meta = call.query.is_set("meta");
  const auto entries = call.site.database.get_entries({batch->keys.begin(), batch->keys.end()}, call.access,
                                                      {.consistency = call.consistency, .timeout = call.timeout});
  if (!entries) return call.refuse(entries.error());
  std::string& body = call.reply.body;
  call.reply.begin_data();
  body += '{';
  for (std::size_t i = 0; i < batch->keys.size(); ++i) {
    if (i > 0) body += ',';
    append_name(body, batch->keys[i], batch->as_base64);
    const auto& entry = (*entries)[i];
    if (!entry) {
      body += R"(:{"status":"error","error":"not_found"})";
      continue;
    }
    body += R"(:{"status":"ok",)";
    append_value_member(body, entry->value);
    if (batch->with_ttl || meta) append_ttl_member(body += ',', *entry);
    if (meta) append_meta_members(body += ',', *entry);
    body += '}';
  }
  body += '}';
  call.reply.end_data();
}

}  // namespace

void add_kv_bulk(std::vector<Route>& routes) {
  constexpr std::string_view tag = "Many keys";
  constexpr Answer results = {.kind = AnswerKind::data, .schema = &schemas::bulk_results};
  routes.push_back({.method = Method::post,
                    .path = "/api/v1/kv/bulk",
                    .operation = "put_many",
                    .handler = put_many,
                    .tag = tag,
                    .summary = "Stores up to 500 values at once",
                    .description = "All of them at one revision, or, when one is refused, none.",
                    .needs = Needs::write,
                    .body = BodyKind::json,
                    .body_schema = &schemas::bulk_put,
                    .is_write = true,
                    .answer = results});
  routes.push_back({.method = Method::post,
                    .path = "/api/v1/kv/bulk/get",
                    .operation = "get_many",
                    .handler = get_many,
                    .tag = tag,
                    .summary = "Up to 500 values as of one revision",
                    .needs = Needs::read,
                    .body = BodyKind::json,
                    .body_schema = &schemas::bulk_get,
                    .is_read = true,
                    .parameters = get_parameters,
                    .answer = {.kind = AnswerKind::data, .schema = &schemas::bulk_gots}});
  routes.push_back({.method = Method::post,
                    .path = "/api/v1/kv/bulk/delete",
                    .operation = "delete_many",
                    .handler = delete_many,
                    .tag = tag,
                    .summary = "Deletes up to 500 keys at once",
                    .needs = Needs::write,
                    .body = BodyKind::json,
                    .body_schema = &schemas::bulk_delete,
                    .is_write = true,
                    .answer = results});
  routes.push_back({.method = Method::post,
                    .path = "/api/v1/kv/bulk/touch",
                    .operation = "touch_many",
                    .handler = touch_many,
                    .tag = tag,
                    .summary = "Sets the remaining time of up to 500 keys at once",
                    .needs = Needs::write,
                    .body = BodyKind::json,
                    .body_schema = &schemas::bulk_touch,
                    .is_write = true,
                    .answer = results});
}

}  // namespace concord::http::routes

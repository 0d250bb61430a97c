// /api/v1/kv/bulk: many keys in one transaction, or as of one revision.
#include <algorithm>
#include <memory>
#include <optional>

#include "command/limits.hpp"
#include "command/validate.hpp"
#include "http/envelope.hpp"
#include "http/routes/routes.hpp"
#include "http/write_body.hpp"
#include "value/json_string.hpp"

namespace concord::http::routes {
namespace {

constexpr std::string_view body_place = "the body";

/// What a bulk call says. The operations view keys and values, so the lists are filled first.
struct Batch {
  std::vector<std::string> keys;
  std::vector<Value> values;                  ///< puts only
  std::vector<std::uint32_t> ttls_s;          ///< puts and touches
  std::vector<std::optional<bool>> compress;  ///< puts only
};

std::string place_of(std::string_view list, std::size_t position) {
  std::string place(list);
  place += '[';
  place += std::to_string(position);
  place += ']';
  return place;
}

Problem at_place(const std::string& place, const Error& error) {
  return Problem(Error(error.code(), place + ": " + error.message()));
}

std::expected<void, Problem> add_key(Batch& batch, std::string_view raw, std::string_view name,
                                     const std::string& place) {
  auto key = read_string(raw, name, place);
  if (!key) return std::unexpected(std::move(key.error()));
  if (const auto done = command::validate_key(*key); !done) return std::unexpected(at_place(place, done.error()));
  batch.keys.push_back(std::move(*key));
  return {};
}

/// One `{"key","value","ttl"?}`, or `{"key","ttl"}` for a touch.
std::expected<void, Problem> add_operation(Batch& batch, std::string_view raw, const std::string& place, bool is_put) {
  WriteFields fields;
  std::optional<std::string_view> key_raw;
  std::optional<std::string_view> ttl_raw;
  ObjectReader reader(raw, place);
  while (const auto member = reader.next()) {
    if (member->name == "key") {
      key_raw = member->value;
    } else if (is_put ? fields.take(member->name, member->value) : member->name == "ttl") {
      ttl_raw = member->value;
    } else {
      return std::unexpected(unknown_field(member->name, place));
    }
  }
  if (reader.problem()) return std::unexpected(*reader.problem());
  if (!key_raw) return std::unexpected(missing_field("key", place));
  if (auto done = add_key(batch, *key_raw, "key", place); !done) return done;
  if (is_put) {
    if (auto done = fields.read(place); !done) return done;
    batch.values.push_back(std::move(fields.value));
    batch.ttls_s.push_back(fields.ttl_s);
    batch.compress.push_back(fields.compress);
    return {};
  }
  const auto ttl = read_required_ttl(ttl_raw, place);
  if (!ttl) return std::unexpected(ttl.error());
  batch.ttls_s.push_back(*ttl);
  return {};
}

/// Reads the list `raw`, called `name`, item by item with `add`.
template <class Add>
std::expected<void, Problem> read_items(std::string_view raw, std::string_view name, const Add& add) {
  ArrayReader items(raw, name);
  std::size_t count = 0;
  while (const auto item = items.next()) {
    if (count < command::max_batch) {
      if (auto done = add(*item, place_of(name, count)); !done) return done;
    }
    ++count;
  }
  if (items.problem()) return std::unexpected(*items.problem());
  if (count == 0) return std::unexpected(invalid_request("the list \"" + std::string(name) + "\" is empty"));
  if (count > command::max_batch) {
    return std::unexpected(Problem(
        Error(Errc::batch_too_large, std::string(name) + " has " + std::to_string(count) + " entries, at most " +
                                         std::to_string(command::max_batch) + " are allowed")));
  }
  return {};
}

/// Reads the one list of the body, `name`, item by item with `add`.
template <class Add>
std::expected<void, Problem> read_list(std::string_view body, std::string_view name, const Add& add) {
  std::optional<std::string_view> list_raw;
  ObjectReader reader(body, body_place);
  while (const auto member = reader.next()) {
    if (member->name != name) return std::unexpected(unknown_field(member->name, body_place));
    list_raw = member->value;
  }
  if (reader.problem()) return std::unexpected(*reader.problem());
  if (!list_raw) return std::unexpected(missing_field(name, body_place));
  return read_items(*list_raw, name, add);
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
  Batch batch;
  const auto done = read_list(call.request.body, "operations", [&](std::string_view raw, const std::string& place) {
    return add_operation(batch, raw, place, true);
  });
  if (!done) return call.refuse(done.error());
  submit_batch(call, std::move(batch), command::OperationKind::put);
}

void touch_many(Call& call) {
  Batch batch;
  const auto done = read_list(call.request.body, "operations", [&](std::string_view raw, const std::string& place) {
    return add_operation(batch, raw, place, false);
  });
  if (!done) return call.refuse(done.error());
  submit_batch(call, std::move(batch), command::OperationKind::touch);
}

void delete_many(Call& call) {
  Batch batch;
  const auto done = read_list(call.request.body, "keys", [&](std::string_view raw, const std::string& place) {
    return add_key(batch, raw, "key", place);
  });
  if (!done) return call.refuse(done.error());
  submit_batch(call, std::move(batch), command::OperationKind::remove);
}

struct ReadBatch {
  std::vector<std::string> keys;  ///< each once, in the order of the body
  bool with_ttl = false;
};

/// The batch's limit counts what was asked, the answer has each key once: it is an object.
std::expected<ReadBatch, Problem> read_batch(std::string_view body) {
  ReadBatch batch;
  std::string_view keys_raw;
  bool has_keys = false;
  ObjectReader reader(body, body_place);
  while (const auto member = reader.next()) {
    if (member->name == "keys") {
      keys_raw = member->value;
      has_keys = true;
    } else if (member->name == "with_ttl") {
      const auto with_ttl = read_bool(member->value, "with_ttl", body_place);
      if (!with_ttl) return std::unexpected(with_ttl.error());
      batch.with_ttl = *with_ttl;
    } else {
      return std::unexpected(unknown_field(member->name, body_place));
    }
  }
  if (reader.problem()) return std::unexpected(*reader.problem());
  if (!has_keys) return std::unexpected(missing_field("keys", body_place));
  Batch read;
  auto done = read_items(keys_raw, "keys", [&](std::string_view raw, const std::string& place) {
    return add_key(read, raw, "the key", place);
  });
  if (!done) return std::unexpected(std::move(done.error()));
  for (std::string& key : read.keys) {
    if (std::ranges::find(batch.keys, key) == batch.keys.end()) batch.keys.push_back(std::move(key));
  }
  return batch;
}

void get_many(Call& call) {
  const auto batch = read_batch(call.request.body);
  if (!batch) return call.refuse(batch.error());
  const auto entries = call.site.database.get_entries({batch->keys.begin(), batch->keys.end()},
                                                      {.consistency = call.consistency, .timeout = call.timeout});
  if (!entries) return call.refuse(entries.error());
  std::string& body = call.reply.body;
  call.reply.begin_data();
  body += '{';
  for (std::size_t i = 0; i < batch->keys.size(); ++i) {
    if (i > 0) body += ',';
    value::append_json_string(body, batch->keys[i]);
    const auto& entry = (*entries)[i];
    if (!entry) {
      body += R"(:{"status":"error","error":"not_found"})";
      continue;
    }
    body += R"(:{"status":"ok",)";
    append_value_member(body, entry->value);
    if (batch->with_ttl) append_ttl_member(body += ',', *entry);
    body += '}';
  }
  body += '}';
  call.reply.end_data();
}

}  // namespace

void add_kv_bulk(std::vector<Route>& routes) {
  routes.push_back({.method = Method::post,
                    .path = "/api/v1/kv/bulk",
                    .operation = "put_many",
                    .handler = put_many,
                    .body = BodyKind::json});
  routes.push_back({.method = Method::post,
                    .path = "/api/v1/kv/bulk/get",
                    .operation = "get_many",
                    .handler = get_many,
                    .body = BodyKind::json,
                    .is_read = true});
  routes.push_back({.method = Method::post,
                    .path = "/api/v1/kv/bulk/delete",
                    .operation = "delete_many",
                    .handler = delete_many,
                    .body = BodyKind::json});
  routes.push_back({.method = Method::post,
                    .path = "/api/v1/kv/bulk/touch",
                    .operation = "touch_many",
                    .handler = touch_many,
                    .body = BodyKind::json});
}

}  // namespace concord::http::routes

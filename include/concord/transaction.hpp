// Many keys at once: guards, then operations, or else other operations. All of it happens at one revision, or nothing does.
//
//     auto done = store.commit({.guards = {{.key = "acct:1", .expected = 100}},
//                               .then = {Operation::put("acct:1", 60), Operation::put("acct:2", 140)},
//                               .otherwise = {Operation::get("acct:1")}});
//     if (done && !done->succeeded) use(done->results[0].value);
//
// All guards hold: `then` runs, in order, each operation seeing the earlier ones; else `otherwise` does. A delete or touch of a
// missing key is a result, not a failure. At most 500 guards, 500 operations and 500 other operations.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <concord/entry.hpp>
#include <concord/predicate.hpp>
#include <concord/revision.hpp>
#include <concord/value.hpp>

namespace concord {

/// A condition on one key: exactly one of the members behind `key`. None: `missing_condition`; more: `conflicting_conditions`.
/// Of a key that is missing only `exists = false` holds.
struct Guard {
  std::string key = {};
  std::optional<Value> expected = {};     ///< The value is this, by value: 1 == 1.0, members in any order.
  std::optional<Revision> revision = {};  ///< Its last change had this revision.
  std::optional<bool> exists = {};        ///< The key is there, or is not.
  std::optional<Filter> condition =
      {};  ///< The value matches. (A C++ predicate has its place in `put_if` and `update`.)
};

struct Operation {
  enum class Kind : std::uint8_t { put, del, touch, get };

  [[nodiscard]] static Operation put(std::string key, Value value, std::optional<std::chrono::seconds> ttl = {}) {
    return {.kind = Kind::put, .key = std::move(key), .value = std::move(value), .ttl = ttl};
  }
  [[nodiscard]] static Operation del(std::string key) { return {.kind = Kind::del, .key = std::move(key)}; }
  [[nodiscard]] static Operation touch(std::string key, std::chrono::seconds ttl) {
    return {.kind = Kind::touch, .key = std::move(key), .ttl = ttl};
  }
  [[nodiscard]] static Operation get(std::string key) { return {.kind = Kind::get, .key = std::move(key)}; }

  Kind kind = Kind::put;
  std::string key = {};
  Value value = {};                              ///< put
  std::optional<std::chrono::seconds> ttl = {};  ///< put: none is "does not expire"; touch: needed
  bool keep_ttl = false;              ///< put: keeps the remaining time the key has. Not together with `ttl`.
  std::optional<bool> compress = {};  ///< put: as in `PutOptions`
};

struct Transaction {
  std::vector<Guard> guards = {};
  std::vector<Operation> then = {};
  std::vector<Operation> otherwise = {};
};

struct OperationResult {
  OperationStatus status = OperationStatus::ok;
  Revision revision = {};           ///< Of the key after the operation, when it exists.
  std::optional<Value> value = {};  ///< get of an existing key
};

struct TransactionResult {
  bool succeeded = false;                        ///< All guards held, `then` ran; else `otherwise` did.
  bool changed = false;                          ///< Whether something was changed.
  Revision revision = {};                        ///< Its own when `changed`; else the store's.
  std::vector<OperationResult> results = {};     ///< One an operation that ran, in order.
  std::optional<std::size_t> failed_guard = {};  ///< Position of the first guard that did not hold.
  bool key_missing = false;                      ///< That guard failed because its key is missing.
};

}  // namespace concord

// Options of the conditional writes. The condition is exactly one of the first four members: none is `missing_condition`, more
// are `conflicting_conditions`.
//
//     store.put_if("counter", 8, {.expected = 7});
//     store.put_if("config", next, {.condition = [](const Config& current) { return current.version < 2; }});
//     store.delete_if("session", {.revision = entry.revision});
//
// A C++ predicate runs here, on a strong read; the write is then guarded by the revision it saw, and all of it is tried again
// when somebody was quicker, until `timeout`. Everything else is decided inside the transaction.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include <concord/predicate.hpp>
#include <concord/revision.hpp>
#include <concord/value.hpp>

namespace concord {

struct PutIfOptions {
  std::optional<Value> expected = {};     ///< The value is this, by value: 1 == 1.0, members in any order.
  Predicate condition = {};               ///< The value satisfies this: a filter document, or a C++ predicate.
  std::optional<Revision> revision = {};  ///< Its last change had this revision.
  std::optional<bool> exists = {};        ///< The key is there, or is not.
  std::optional<std::chrono::seconds> ttl = {};
  std::chrono::milliseconds timeout{5000};
  std::string_view token = {};
  std::optional<bool> compress = {};
  bool keep_ttl = false;  ///< As in `PutOptions`.
};

struct DeleteIfOptions {
  std::optional<Value> expected = {};
  Predicate condition = {};
  std::optional<Revision> revision = {};
  std::optional<bool> exists = {};
  std::chrono::milliseconds timeout{5000};
  std::string_view token = {};
};

}  // namespace concord

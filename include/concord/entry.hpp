// What calls give back, and what batches are made of.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concord/revision.hpp>
#include <concord/value.hpp>

namespace concord {

/// A value with what the store knows about it.
struct Entry {
  Value value = {};
  Revision revision = {};                        ///< Of its last change.
  Revision create_revision = {};                 ///< Of the change that created it.
  std::uint64_t version = 0;                     ///< Changes since it was created; 1 for a new key.
  std::optional<std::chrono::seconds> ttl = {};  ///< Remaining time, rounded up; none: does not expire.
};

/// A value and its remaining time.
template <class T = Value>
struct WithTtl {
  T value = {};
  std::optional<std::chrono::seconds> ttl = {};  ///< Rounded up; none: does not expire.
};

/// A key and its entry, as queries give them.
struct Item {
  std::string key = {};
  Entry entry = {};
};

/// One put of `put_many`. `key` is a view: it must stay alive during the call.
struct PutItem {
  std::string_view key = {};
  Value value = {};
  std::optional<std::chrono::seconds> ttl = {};
  std::optional<bool> compress = {};  ///< As in `PutOptions`.
};

/// One touch of `touch_many`. `key` is a view: it must stay alive during the call.
struct TouchItem {
  std::string_view key = {};
  std::chrono::seconds ttl = {};
};

/// What became of one operation.
enum class OperationStatus : std::uint8_t {
  ok,
  not_found,  ///< No such key; the operation did nothing, the others did.
};

/// What a bulk call did: all of it at one revision.
struct BulkResult {
  Revision revision = {};                     ///< Its own when it changed something; else the store's.
  bool changed = false;                       ///< Whether it changed something.
  std::vector<OperationStatus> results = {};  ///< One a key, in the order of the call.
};

/// What `update` wrote.
struct Updated {
  Revision revision = {};
  Value value = {};
};

}  // namespace concord

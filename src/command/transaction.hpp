// What a write says: guards, then operations or else operations (DESIGN 4).
//
// A `Transaction` only views its keys and values; who builds one keeps them alive until it is encoded, and a decoded one
// views the entry it was read from. Values are stored forms (`Value::stored()`), already checked by who built them.
// Applying one (room store): all guards hold -> `then` in order, each operation seeing the earlier ones; else -> `otherwise`.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <concord/revision.hpp>
#include <concord/value.hpp>

#include "base/ids.hpp"
#include "command/limits.hpp"

namespace concord::command {

/// Never renumber: these are bytes of the log.
enum class GuardKind : std::uint8_t {
  value_equals = 1,  ///< `value`: equality by value (1 == 1.0). False for a missing key.
  revision = 2,      ///< `revision` is that of the last change. False for a missing key.
  exists = 3,
  absent = 4,
  filter = 5,  ///< `filter` (JSON text of a filter document) matches. False for a missing key.
};

struct Guard {
  GuardKind kind = GuardKind::exists;
  std::string_view key = {};
  std::string_view value = {};   ///< kind value_equals: stored form
  Revision revision = {};        ///< kind revision
  std::string_view filter = {};  ///< kind filter: checked with `Filter::parse` by who built it
};

enum class OperationKind : std::uint8_t {
  put = 1,
  remove = 2,
  touch = 3,
  get = 4,
  delete_where = 5,  ///< removes what `selector` matches, in key order, evaluated at apply; one a transaction
};

/// Which keys a query means; all parts are ANDed, an unset part matches all.
struct Selector {
  std::optional<std::string_view> prefix = {};
  std::optional<std::string_view> suffix = {};
  std::optional<std::string_view> contains = {};
  std::optional<std::string_view> pattern = {};  ///< RE2, searched in the key
  std::optional<std::string_view> start = {};    ///< inclusive
  std::optional<std::string_view> end = {};      ///< inclusive
  std::optional<std::string_view> filter = {};   ///< filter document on the value, JSON text
  std::uint64_t limit = 0;                       ///< 0: none
  // delete_where: beyond these it removes nothing. They travel in the entry, so that nodes of other versions agree.
  std::uint64_t max_removed = max_delete_where_removed;
  std::uint64_t max_visited = max_delete_where_visited;
};

/// The selector of an operation. Nearly none has one, and thousands of operations are in one transaction: so it stands by itself.
class SelectorBox {
 public:
  SelectorBox() noexcept = default;
  // NOLINTNEXTLINE(google-explicit-constructor): who writes an operation names its selector
  SelectorBox(const Selector& selector) : selector_(std::make_unique<Selector>(selector)) {}
  SelectorBox(const SelectorBox& other)
      : selector_(other.selector_ ? std::make_unique<Selector>(*other.selector_) : nullptr) {}
  SelectorBox(SelectorBox&& other) noexcept = default;
  SelectorBox& operator=(SelectorBox other) noexcept {
    selector_ = std::move(other.selector_);
    return *this;
  }
  ~SelectorBox() = default;

  [[nodiscard]] const Selector& operator*() const noexcept { return selector_ ? *selector_ : matches_all; }
  [[nodiscard]] const Selector* operator->() const noexcept { return &**this; }
  /// Made when it is not there.
  [[nodiscard]] Selector& operator*() {
    if (!selector_) selector_ = std::make_unique<Selector>();
    return *selector_;
  }
  [[nodiscard]] Selector* operator->() { return &**this; }

 private:
  static constexpr Selector matches_all = {};

  std::unique_ptr<Selector> selector_;
};

struct Operation {
  OperationKind kind = OperationKind::put;
  std::string_view key = {};
  std::string_view value = {};        ///< put: stored form
  std::uint32_t ttl_s = 0;            ///< put: 0 is "no expiry", `keep_ttl` is "as it was"; touch: at least 1
  SelectorBox selector = {};          ///< delete_where
  std::optional<bool> compress = {};  ///< put: whether to pack the value, before it is encoded (none: by its size)
};

struct Transaction {
  std::vector<Guard> guards = {};
  std::vector<Operation> then = {};
  std::vector<Operation> otherwise = {};
};

/// A transaction that must not be done twice: who repeats it under the same name within 10 minutes of cluster time gets the
/// answer of the first time (store/remembered.hpp). Views, as a `Transaction`.
struct Once {
  std::string_view scope = {};    ///< whose names these are: a token's id; 0 to 128 bytes
  std::string_view key = {};      ///< the name the caller gave it: 1 to 128 bytes
  std::uint64_t fingerprint = 0;  ///< of the whole request, made by who submits it: another one is another request
};

enum class OperationStatus : std::uint8_t {
  ok = 0,
  not_found = 1,
  too_large = 2,       ///< delete_where: beyond `Selector::max_removed` or `max_visited`; nothing was removed
  already_exists = 3,  ///< a token that is there, or is not the first; nothing was done
  conflict = 4,        ///< a token, role, user or tenant can't be so; `value` says why; nothing was done
};
inline constexpr OperationStatus last_operation_status = OperationStatus::conflict;

struct OperationResult {
  OperationStatus status = OperationStatus::ok;
  Revision revision;           ///< of the key after the operation, when it exists
  std::uint64_t count = 0;     ///< delete_where: keys removed
  std::optional<Value> value;  ///< get of an existing key; else a text for people (`conflict`, `Refusal::quota`)
};

/// Why a transaction's guards did not hold.
enum class GuardFailure : std::uint8_t { none = 0, condition_failed = 1, key_missing = 2 };

/// What `Once` has made of a transaction.
enum class Repeat : std::uint8_t {
  none = 0,                     ///< it was done now
  replayed = 1,                 ///< nothing was done now; the rest of the outcome is that of the first time
  replayed_without_values = 2,  ///< the same, but the values of its gets were too large to be remembered
  conflict = 3,                 ///< nothing was done: the name stands for another request
};

/// Why a command was not done at all, by the state where it stands in the log: mostly of the token in whose name it came.
enum class Refusal : std::uint8_t {
  none = 0,
  unauthorized = 1,  ///< there is no such token, or it has expired
  forbidden = 2,     ///< it may not do that
  quota = 3,         ///< a tenant would have more keys or bytes than it may: the one result's `value` says which
};
inline constexpr Refusal last_refusal = Refusal::quota;

/// What applying one transaction did.
struct Outcome {
  Refusal refusal = Refusal::none;
  GuardFailure guard_failure = GuardFailure::none;
  std::uint32_t failed_guard = 0;  ///< position of the first guard that did not hold
  bool changed = false;
  Repeat repeat = Repeat::none;
  Revision revision;  ///< its own when `changed`; else the store's
  std::vector<OperationResult>
      results;  ///< one an operation that ran, in order; empty for a plain single put (always ok)
};

/// What was to be told to people, where an outcome has it.
[[nodiscard]] inline std::string text_of(const OperationResult& result) {
  return result.value ? std::string(result.value->bytes()) : std::string();
}

}  // namespace concord::command

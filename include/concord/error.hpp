// What can go wrong, as a value.
//
// Every call that can fail returns `Result<T>`: the value, or an `Error`. No exception leaves the library for a run-time
// failure. An `Error` tells three things apart that a caller must treat differently:
//
//   - what was wrong:        `code()`, one of `Errc`, and `message()` for people;
//   - whether to try again:  `retryable()`, true when the same call may succeed later, unchanged;
//   - whether it happened:   `maybe_committed()`, true only when the outcome of a write is unknown.
//
// Example:
//
//     auto revision = node->put("config/rate", 100);
//     if (!revision && revision.error().code() == concord::Errc::overloaded) put_again_later();
//
// Thread rule: an `Error` is an ordinary value; use it from one thread at a time.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include <concord/export.hpp>

namespace concord {

/// The kinds of failure. The numbers are part of the promise: never renumber, never reuse.
enum class Errc : std::uint8_t {
  not_found = 1,               ///< No such key (or it has expired), member, backup or token.
  invalid_key = 2,             ///< A key is 1 to 1024 bytes.
  invalid_request = 3,         ///< Malformed or out-of-range argument; the message names it.
  missing_condition = 4,       ///< A conditional call without a condition.
  conflicting_conditions = 5,  ///< A conditional call with two conditions.
  unauthorized = 6,            ///< No valid token.
  forbidden = 7,               ///< The token lacks the permission.
  condition_failed = 8,        ///< A guard did not hold; nothing was changed.
  compacted = 9,               ///< The resume point of an event stream is no longer kept.
  batch_too_large = 10,        ///< More than 500 operations in one call.
  value_too_large = 11,        ///< Larger than `limits.max_value_bytes`.
  overloaded = 12,             ///< The limit of calls in flight is reached; nothing was done.
  cluster_not_ready = 13,      ///< No leader or quorum is known, or the node is starting or stopping; nothing was done.
  timeout = 14,                ///< The deadline passed; the outcome of a write is unknown.
  storage_full = 15,           ///< No space left; nothing was done. Reads go on.
  storage_failed = 16,         ///< The disk failed; the node accepts no more writes. Reads go on.
  internal = 17,               ///< A defect in Concord.
  already_exists = 18,         ///< The name is in use.
  invalid_backup = 19,         ///< A backup is damaged, of a newer version, or none at all; nothing was changed.
};

/// The last of the kinds.
inline constexpr Errc last_errc = Errc::invalid_backup;

/// The stable upper-case name of a code, as it stands in HTTP answers: `Errc::not_found` -> "NOT_FOUND".
[[nodiscard]] CONCORD_API std::string_view error_name(Errc code) noexcept;

class Error {
 public:
  Error(Errc code, std::string message, bool maybe_committed = false) noexcept
      : message_(std::move(message)), code_(code), maybe_committed_(maybe_committed) {}

  [[nodiscard]] Errc code() const noexcept { return code_; }

  /// For people: names what was wrong (field, limit, value seen). Never holds a secret.
  [[nodiscard]] const std::string& message() const noexcept { return message_; }

  /// True when the same call may succeed later without any change to it. When `maybe_committed()` is also true, a repeat
  /// may apply the write a second time unless it is guarded (by revision, say).
  [[nodiscard]] bool retryable() const noexcept {
    return code_ == Errc::overloaded || code_ == Errc::cluster_not_ready || code_ == Errc::timeout ||
           code_ == Errc::storage_full;
  }

  /// True when a write may or may not have taken effect.
  [[nodiscard]] bool maybe_committed() const noexcept { return maybe_committed_; }

 private:
  std::string message_;
  Errc code_;
  bool maybe_committed_;
};

template <class T = void>
using Result = std::expected<T, Error>;

/// Shorthand for `return std::unexpected(Error{...})`.
[[nodiscard]] inline std::unexpected<Error> fail(Errc code, std::string message, bool maybe_committed = false) {
  return std::unexpected<Error>(Error(code, std::move(message), maybe_committed));
}

}  // namespace concord

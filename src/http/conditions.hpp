// Conditions of a call on one key: from headers and from the body, as guards of its transaction.
//
//   If-Match: "<revision>"   guard revision        If-Match: *        guard exists       failed: 412 PRECONDITION_FAILED
//   If-None-Match: *         guard absent                                                failed: 412
//   "expected": value        guard value_equals    missing key: 404, else failed: 409 CONDITION_FAILED
//   "condition": filter      guard filter          the same; both: CONFLICTING_CONDITIONS
//
// Header guards come first, so they are checked first, and the position of a failed guard tells which kind it is.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concord/value.hpp>

#include "command/transaction.hpp"
#include "http/call.hpp"
#include "http/envelope.hpp"
#include "http/error_status.hpp"

namespace concord::http {

/// Adds the guards of the headers to an empty list. The guards view `key`.
[[nodiscard]] std::expected<void, Problem> add_header_guards(const Request& request, std::string_view key,
                                                             std::vector<command::Guard>& guards);

/// `If-None-Match` of a read: whether `revision` is one the client has. Weak tags compare as strong ones.
[[nodiscard]] bool client_has(const Request& request, Revision revision) noexcept;

/// The fields `expected`, `expected_encoding`, `condition` of one object.
class BodyCondition {
 public:
  /// True when `name` is one of the fields; their text is kept as a view.
  bool take(std::string_view name, std::string_view raw);

  [[nodiscard]] bool empty() const noexcept { return !expected_raw_ && !condition_raw_; }

  /// Reads what was taken. Call it before `guard`.
  [[nodiscard]] std::expected<void, Problem> read(const Place& place);

  /// The guard on `key`; it views `key` and this object. Precondition: read, not empty.
  [[nodiscard]] command::Guard guard(std::string_view key) const;

 private:
  std::optional<std::string_view> expected_raw_;
  std::optional<std::string_view> encoding_raw_;
  std::optional<std::string_view> condition_raw_;
  Value expected_;
  std::string filter_;
};

/// What a transaction on one key whose guards did not hold is answered. `header_guards`: how many came from headers.
[[nodiscard]] Problem guard_problem(const command::Outcome& outcome, std::size_t header_guards);

}  // namespace concord::http

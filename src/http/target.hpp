// The request target: path and query, taken apart.
//
//   target    = origin-form | absolute-form | "*"     RFC 9112 3.2; of the absolute form only path and query count
//   segments  = what stands between the slashes of the path, still percent-encoded: `/a/` has the segments "a" and ""
//   query     = parameters by '&', each name[=value]; percent-encoded, '+' is a space
//
// A parameter may stand once. Errors are answered as INVALID_REQUEST. Thread rule: ordinary values.
#pragma once

#include <array>
#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/error_status.hpp"

namespace concord::http {

/// Decodes `%xx`; none for a broken one. `plus_is_space` for queries.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

/// Percent-encodes everything but RFC 3986's unreserved characters.
[[nodiscard]] std::string percent_encode(std::string_view text);

/// Views the target it was made from.
class Path {
 public:
  static constexpr std::size_t max_segments = 8;

  Path() = default;
  explicit Path(std::string_view path) noexcept;

  /// More than `max_segments`: size() is that plus one, and no route matches.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::string_view operator[](std::size_t i) const noexcept { return segments_[i]; }

 private:
  std::array<std::string_view, max_segments> segments_;
  std::size_t size_ = 0;
};

class Query {
 public:
  struct Parameter {
    std::string name;
    std::string value;
  };

  /// Replaces what was there.
  [[nodiscard]] std::expected<void, Problem> parse(std::string_view query);

  [[nodiscard]] const std::vector<Parameter>& parameters() const noexcept { return parameters_; }
  /// Null when it was not given. `?name` without value: empty.
  [[nodiscard]] const std::string* find(std::string_view name) const noexcept;

  /// "true", "1" and nothing are true; "false" and "0" false; absent is false.
  [[nodiscard]] std::expected<bool, Problem> flag(std::string_view name) const;
  /// The flag of a query that was checked (parameters.hpp).
  [[nodiscard]] bool is_set(std::string_view name) const { return flag(name).value_or(false); }

 private:
  std::vector<Parameter> parameters_;
};

struct Target {
  std::string_view path;   ///< begins with '/', or is "*"
  std::string_view query;  ///< without '?'
};

[[nodiscard]] std::expected<Target, Problem> split_target(std::string_view target);

}  // namespace concord::http

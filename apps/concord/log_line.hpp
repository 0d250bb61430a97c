// The form of a line of the log. Its grammar:
//
//   text   time SP level SP message *(SP name "=" value) LF
//          2026-02-03T04:05:06.789Z info request method=GET target=/api/v1/kv/a status=200
//   json   one object a line: "time", "level", "message", then the fields; strings and whole numbers
//          {"time":"2026-02-03T04:05:06.789Z","level":"info","message":"request","method":"GET","status":200}
//
// time is RFC 3339 in UTC with milliseconds; level is trace, debug, info, warn or error. Whatever a client sent stays within its
// line: in text, control characters of the message are blanks, and a value that is empty or holds a blank, a quote, an equals
// sign or a control character is written as a JSON string; in JSON everything is escaped, and of bytes that are no UTF-8 those
// beyond ASCII become "?".
//
// Thread rule: pure functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include <concord/options.hpp>

namespace concord::app {

enum class LogFormat : std::uint8_t { text, json };

struct LogField {
  std::string_view name;  ///< lower case letters and `_`; not time, level or message
  std::variant<std::string_view, std::int64_t> value;
};

/// Without the line end. Precondition: `level` is not off.
[[nodiscard]] std::string log_line(LogFormat format, std::chrono::system_clock::time_point time, LogLevel level,
                                   std::string_view message, std::span<const LogField> fields);

/// Precondition: one of the names of log.level.
[[nodiscard]] LogLevel log_level_of(std::string_view name) noexcept;

/// Precondition: one of the names of log.format.
[[nodiscard]] LogFormat log_format_of(std::string_view name) noexcept;

}  // namespace concord::app

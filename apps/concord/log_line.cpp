#include "log_line.hpp"

#include <algorithm>

#include "http/time_text.hpp"
#include "value/json_string.hpp"

namespace concord::app {
namespace {

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::trace: return "trace";
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warn: return "warn";
    case LogLevel::error: return "error";
    case LogLevel::off: break;
  }
  return "off";
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20U || c == 0x7f; }

/// A line may hold what a client sent: control characters must not forge other lines.
void append_one_line(std::string& to, std::string_view message) {
  const std::size_t from = to.size();
  to += message;
  std::replace_if(to.begin() + static_cast<std::ptrdiff_t>(from), to.end(), is_control, ' ');
}

void append_quoted(std::string& to, std::string_view text) {
  if (value::is_utf8(text)) return value::append_json_string(to, text);
  std::string clean(text);
  std::ranges::replace_if(clean, [](char c) { return static_cast<unsigned char>(c) >= 0x80U; }, '?');
  value::append_json_string(to, clean);
}

bool is_bare(std::string_view text) {
  return !text.empty() && value::is_utf8(text) &&
         std::ranges::none_of(text, [](char c) { return is_control(c) || c == ' ' || c == '"' || c == '='; });
}

void append_value(std::string& to, const LogField& field, bool always_quoted) {
  if (const auto* const number = std::get_if<std::int64_t>(&field.value)) {
    to += std::to_string(*number);
    return;
  }
  const std::string_view text = std::get<std::string_view>(field.value);
  if (always_quoted || !is_bare(text)) return append_quoted(to, text);
  to += text;
}

std::string text_line(const std::string& time, LogLevel level, std::string_view message,
                      std::span<const LogField> fields) {
  std::string line = time + " ";
  line.append(level_name(level)).append(" ");
  append_one_line(line, message);
  for (const LogField& field : fields) {
    line.append(" ").append(field.name).append("=");
    append_value(line, field, false);
  }
  return line;
}

std::string json_line(const std::string& time, LogLevel level, std::string_view message,
                      std::span<const LogField> fields) {
  std::string line = R"({"time":")" + time + R"(","level":")";
  line.append(level_name(level)).append(R"(","message":)");
  append_quoted(line, message);
  for (const LogField& field : fields) {
    line.append(R"(,")").append(field.name).append(R"(":)");
    append_value(line, field, true);
  }
  line += '}';
  return line;
}

}  // namespace

std::string log_line(LogFormat format, std::chrono::system_clock::time_point time, LogLevel level,
                     std::string_view message, std::span<const LogField> fields) {
  const std::string when = http::rfc3339(time);
  return format == LogFormat::json ? json_line(when, level, message, fields) : text_line(when, level, message, fields);
}

LogLevel log_level_of(std::string_view name) noexcept {
  if (name == "trace") return LogLevel::trace;
  if (name == "debug") return LogLevel::debug;
  if (name == "warn") return LogLevel::warn;
  if (name == "error") return LogLevel::error;
  if (name == "off") return LogLevel::off;
  return LogLevel::info;
}

LogFormat log_format_of(std::string_view name) noexcept { return name == "json" ? LogFormat::json : LogFormat::text; }

}  // namespace concord::app

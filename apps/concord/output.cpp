#include "output.hpp"

#include <algorithm>
#include <iostream>

#include <unistd.h>

#include "client.hpp"
#include "value/cursor.hpp"
#include "value/json.hpp"
#include "value/json_string.hpp"

namespace concord::app {

OutputForm default_output_form() noexcept {
  return ::isatty(STDOUT_FILENO) == 1 ? OutputForm::table : OutputForm::plain;
}

std::optional<std::string_view> json_member(std::string_view object, std::string_view name) {
  if (!object.starts_with('{')) return std::nullopt;
  value::Cursor cursor(object);
  for (cursor.open(); cursor.more();) {
    const std::string_view found = cursor.name();
    const std::string_view text = cursor.skip();
    if (found == name) return text;
  }
  return std::nullopt;
}

std::string json_to_plain(std::string_view json) {
  if (value::kind_of(json) == value::JsonKind::string) return value::unescape(value::inside_quotes(json));
  return std::string(json);
}

std::string table_text(const std::vector<std::pair<std::string, std::string>>& columns) {
  std::string headings;
  std::string values;
  for (const auto& [heading, value] : columns) {
    const std::size_t width = std::max(heading.size(), value.size()) + 2;
    headings += heading + std::string(width - heading.size(), ' ');
    values += value + std::string(width - value.size(), ' ');
  }
  const auto trimmed = [](const std::string& line) { return line.substr(0, line.find_last_not_of(' ') + 1); };
  return trimmed(headings) + "\n" + trimmed(values) + "\n";
}

ExitCode report_problem(ExitCode code, std::string_view message) {
  std::cerr << "concord: " << message << '\n';
  return code;
}

ExitCode report_problem(unsigned status, std::string_view body) {
  std::string message = "the node answered " + std::to_string(status);
  const auto compact = value::compact_json(body);
  if (compact) {
    const auto error = json_member(*compact, "error");
    const auto text = error ? json_member(*error, "message") : std::nullopt;
    const auto code = error ? json_member(*error, "code") : std::nullopt;
    if (text && code) message = json_to_plain(*text) + " (" + json_to_plain(*code) + ")";
  }
  return report_problem(exit_code_of(status), message);
}

}  // namespace concord::app

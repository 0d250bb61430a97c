#include "output.hpp"

#include <algorithm>
#include <iostream>

#include <unistd.h>

#include "client.hpp"
#include "json_text.hpp"
#include "value/json.hpp"

namespace concord::app {

OutputForm default_output_form() noexcept {
  return ::isatty(STDOUT_FILENO) == 1 ? OutputForm::table : OutputForm::plain;
}

std::string table_cell(std::string_view json) {
  const std::string plain = json_to_plain(json);
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return std::ranges::any_of(plain, is_control) ? std::string(json) : plain;
}

namespace {

/// How many places a text takes, near enough: continuation bytes of UTF-8 take none.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

std::string table_line(const std::vector<std::string>& row, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) {
    line += row[i];
    if (i + 1 < row.size()) line += std::string(widths[i] - width_of(row[i]) + 2, ' ');
  }
  return line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
}

}  // namespace

void RowPrinter::add(std::vector<std::string> row) {
  constexpr std::size_t rows_to_hold = 1000;
  rows_.push_back(std::move(row));
  if (!is_table_ || rows_.size() > rows_to_hold) flush();
}

void RowPrinter::flush() {
  for (const auto& row : rows_) {
    widths_.resize(std::max(widths_.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths_[i] = std::max(widths_[i], width_of(row[i]));
  }
  for (const auto& row : rows_) {
    if (is_table_) {
      std::cout << table_line(row, widths_);
      continue;
    }
    for (std::size_t i = 0; i < row.size(); ++i) std::cout << (i == 0 ? "" : "\t") << row[i];
    std::cout << '\n';
  }
  rows_.clear();
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

ExitCode report_problem(const ClientAnswer& answer) {
  const ExitCode code = report_problem(answer.status, answer.body);
  if (answer.status == 401) std::cerr << "Give a token with --token or CONCORD_TOKEN.\n";
  if (answer.status == 404 || answer.status == 409 || answer.status == 412) return code;
  std::cerr << "This is the answer of " << answer.endpoint << ".\n";
  if (answer.status == 503) std::cerr << "`concord cluster status` tells what it knows of the others.\n";
  return code;
}

}  // namespace concord::app

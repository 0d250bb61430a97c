// What commands print: results on standard output in the form asked for, everything else on standard error.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exit_code.hpp"

namespace concord::app {

struct ClientAnswer;

enum class OutputForm { table, json, plain };

/// Table on a terminal, plain in a pipe.
[[nodiscard]] OutputForm default_output_form() noexcept;

/// A value as a table shows it: on one line, whatever is in it.
[[nodiscard]] std::string table_cell(std::string_view json);

/// Rows as a table (headings first, aligned) or plain (without headings, separated by tabs), on standard output. A table waits
/// for some rows to know how wide its columns are; it never holds more than these.
class RowPrinter {
 public:
  RowPrinter(OutputForm form, std::vector<std::string> headings) : is_table_(form == OutputForm::table) {
    if (is_table_) rows_.push_back(std::move(headings));
  }
  RowPrinter(const RowPrinter&) = delete;
  RowPrinter& operator=(const RowPrinter&) = delete;
  ~RowPrinter() { flush(); }

  void add(std::vector<std::string> row);

 private:
  void flush();

  const bool is_table_;
  std::vector<std::vector<std::string>> rows_;
  std::vector<std::size_t> widths_;
};

/// Prints the error of an answer, or of having none, and returns the exit code that tells it.
ExitCode report_problem(unsigned status, std::string_view body);
ExitCode report_problem(const ClientAnswer& answer);
ExitCode report_problem(ExitCode code, std::string_view message);

}  // namespace concord::app

// What commands print: results on standard output in the form asked for, everything else on standard error.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exit_code.hpp"

namespace concord::app {

enum class OutputForm { table, json, plain };

/// Table on a terminal, plain in a pipe.
[[nodiscard]] OutputForm default_output_form() noexcept;

/// The value of a member of a JSON object, as text; none when it is missing. Precondition: compact JSON text.
[[nodiscard]] std::optional<std::string_view> json_member(std::string_view object, std::string_view name);

/// The text behind a JSON string; any other JSON as it is.
[[nodiscard]] std::string json_to_plain(std::string_view json);

/// Columns under headings, aligned.
[[nodiscard]] std::string table_text(const std::vector<std::pair<std::string, std::string>>& columns);

/// Prints the error of an answer, or of having none, and returns the exit code that tells it.
ExitCode report_problem(unsigned status, std::string_view body);
ExitCode report_problem(ExitCode code, std::string_view message);

}  // namespace concord::app

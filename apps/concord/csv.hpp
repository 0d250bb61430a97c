// Records of a CSV file (RFC 4180): fields by commas, in quotes when they hold commas, quotes (doubled) or line ends.
#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <vector>

namespace concord::app {

/// A record with its line end. `CsvReader` gives the same fields back.
[[nodiscard]] std::string csv_record(const std::vector<std::string>& fields);

class CsvReader {
 public:
  explicit CsvReader(std::istream& input) : input_(input) {}

  /// The next record; none at the end. A quote that is never closed takes the rest.
  [[nodiscard]] std::optional<std::vector<std::string>> next();
  /// At which line the last record began, from 1.
  [[nodiscard]] std::uint64_t line() const noexcept { return line_; }
  [[nodiscard]] std::uint64_t bytes_read() const noexcept { return bytes_read_; }

 private:
  int get();

  std::istream& input_;
  std::uint64_t line_ = 0;
  std::uint64_t next_line_ = 1;
  std::uint64_t bytes_read_ = 0;
};

}  // namespace concord::app

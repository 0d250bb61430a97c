#include "csv.hpp"

#include <utility>

namespace concord::app {

std::string csv_record(const std::vector<std::string>& fields) {
  std::string record;
  for (const std::string& field : fields) {
    if (field.find_first_of("\",\r\n") == std::string::npos) {
      record += field + ',';
      continue;
    }
    record += '"';
    for (const char c : field) record += c == '"' ? std::string("\"\"") : std::string(1, c);
    record += "\",";
  }
  if (!record.empty()) record.back() = '\n';
  return record;
}

int CsvReader::get() {
  const int c = input_.get();
  if (c != std::char_traits<char>::eof()) ++bytes_read_;
  if (c == '\n') ++next_line_;
  return c;
}

std::optional<std::vector<std::string>> CsvReader::next() {
  constexpr int end = std::char_traits<char>::eof();
  line_ = next_line_;
  int c = get();
  if (c == end) return std::nullopt;
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (;; c = get()) {
    if (c == end) return fields;
    if (quoted) {
      if (c != '"') {
        fields.back() += static_cast<char>(c);
      } else if (input_.peek() == '"') {
        fields.back() += static_cast<char>(get());
      } else {
        quoted = false;
      }
    } else if (c == '"' && fields.back().empty()) {  // further behind it is a character like others: {"a":1}
      quoted = true;
    } else if (c == ',') {
      fields.emplace_back();
    } else if (c == '\n') {
      return fields;
    } else if (c != '\r' || input_.peek() != '\n') {
      fields.back() += static_cast<char>(c);
    }
  }
}

}  // namespace concord::app

#include "csv_rows.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>

#include "csv.hpp"
#include "json_text.hpp"
#include "value/json.hpp"

namespace concord::app {
namespace {

enum Column : std::size_t { key_column, value_column, ttl_column, encoding_column, key_b64_column, column_count };

constexpr std::array<std::string_view, column_count> names = {"key", "value", "ttl", "encoding", "key_b64"};
constexpr std::size_t plain_count = ttl_column + 1;
constexpr std::size_t least_count = value_column + 1;

std::size_t count_of(CsvColumns columns) noexcept { return columns == CsvColumns::all ? column_count : plain_count; }

/// The text of a member; empty when it is missing or null.
std::string plain_member(std::string_view row, std::string_view name) {
  const std::string_view json = json_member(row, name).value_or("null");
  return json == "null" ? std::string() : json_to_plain(json);
}

std::string value_text(std::string_view row) {
  const std::string_view value = json_member(row, "value").value_or("null");
  std::string text = json_to_plain(value);
  const bool is_bytes = json_member(row, "encoding").has_value();
  return !is_bytes && value::compact_json(text) ? std::string(value) : text;
}

bool is_whole_number(const std::string& text) noexcept {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

bool needs_all_columns(std::string_view row) {
  return json_member(row, "encoding").has_value() || json_member(row, "key_b64").has_value();
}

std::string csv_heading(CsvColumns columns) {
  return csv_record({names.begin(), names.begin() + static_cast<std::ptrdiff_t>(count_of(columns))});
}

std::string csv_row(std::string_view row, CsvColumns columns) {
  std::vector<std::string> fields(count_of(columns));
  for (std::size_t i = 0; i < fields.size(); ++i) {
    fields[i] = i == value_column ? value_text(row) : plain_member(row, names[i]);
  }
  return csv_record(fields);
}

bool is_csv_heading(const std::vector<std::string>& fields) {
  return fields.size() >= least_count && fields.size() <= column_count &&
         std::ranges::equal(fields, std::span(names).first(fields.size()));
}

std::expected<std::string, std::string> operation_of(const std::vector<std::string>& given) {
  if (given.size() < least_count || given.size() > column_count) {
    return std::unexpected("not two to five columns: key,value,ttl,encoding,key_b64");
  }
  std::vector<std::string> fields = given;
  fields.resize(column_count);
  const bool is_bytes = !fields[encoding_column].empty();
  const bool has_bytes_as_key = !fields[key_b64_column].empty();
  if (is_bytes && fields[encoding_column] != "base64") return std::unexpected("the encoding is not base64");
  if (has_bytes_as_key && !fields[key_column].empty()) return std::unexpected("both a key and a key_b64");
  if (!fields[ttl_column].empty() && !is_whole_number(fields[ttl_column])) {
    return std::unexpected("the ttl is no whole number");
  }
  const auto key = json_string(fields[has_bytes_as_key ? key_b64_column : key_column]);
  const auto value = is_bytes ? json_string(fields[value_column]) : json_of(fields[value_column]);
  if (!key || !value) return std::unexpected("not UTF-8");
  std::string json = has_bytes_as_key ? R"({"key_b64":)" : R"({"key":)";
  json += *key + R"(,"value":)" + *value;
  if (is_bytes) json += R"(,"encoding":"base64")";
  if (!fields[ttl_column].empty()) json += R"(,"ttl":)" + fields[ttl_column];
  return json + "}";
}

}  // namespace concord::app

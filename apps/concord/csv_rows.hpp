// The rows of a CSV file of keys: as an export writes them, as a load reads them.
//
//   file    = [heading] record*
//   heading = "key,value,ttl" [",encoding,key_b64"]
//   record  = key "," value ["," ttl ["," encoding ["," key_b64]]]
//
//   value      JSON is taken as that, any other text as a string; a string that reads as JSON stands as JSON
//   ttl        seconds, or nothing
//   encoding   "base64": the value is bytes, given as base64; or nothing
//   key_b64    base64 of a key that is not UTF-8, whose `key` is empty; or nothing
//
// The last two columns are written only into a file that needs them, and then in every row.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace concord::app {

enum class CsvColumns : std::uint8_t { plain, all };

/// `row`: an element of a listing's `data`, compact JSON.
[[nodiscard]] bool needs_all_columns(std::string_view row);

/// Both with their line end. Precondition of `plain`: the row does not need all columns.
[[nodiscard]] std::string csv_heading(CsvColumns columns);
[[nodiscard]] std::string csv_row(std::string_view row, CsvColumns columns);

[[nodiscard]] bool is_csv_heading(const std::vector<std::string>& fields);

/// An operation of `POST /kv/bulk`, as JSON. The error is for people.
[[nodiscard]] std::expected<std::string, std::string> operation_of(const std::vector<std::string>& fields);

}  // namespace concord::app

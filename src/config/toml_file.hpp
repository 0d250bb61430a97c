// Reads a configuration file: tables of `name = value`, one table a section.
//
// Values keep their TOML type: a port must be a number, a name a string, a list an array of strings. What has another type, or
// stands outside of any section, is handed over too: the caller names it beside all else that is wrong. In the order of the lines.
//
// Errors: invalid_request with "file: reason" or, for what is no TOML, "file:line: reason". Thread rule: pure but for reading the
// file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <concord/error.hpp>

namespace concord::config {

struct FileValue {
  enum class Type : std::uint8_t { text, integer, number, boolean, list, other };

  std::string name;   ///< "section.name"; without a dot: outside of any section
  std::string value;  ///< as text; a list by comma
  Type type = Type::text;
  std::uint32_t line = 0;
};

[[nodiscard]] Result<std::vector<FileValue>> read_toml_file(const std::string& path);

}  // namespace concord::config

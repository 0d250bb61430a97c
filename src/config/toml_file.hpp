// Reads a configuration file: tables of `name = value`, one table a section.
//
// Values keep their TOML type: a port must be a number, a name a string, a list an array of strings. Errors: invalid_request with "file:line: reason";
// all problems of the shape (not only the first) are in the message. Thread rule: pure but for reading the file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <concord/error.hpp>

namespace concord::config {

struct FileValue {
  enum class Type : std::uint8_t { text, integer, number, boolean, list };

  std::string name;   ///< "section.name"
  std::string value;  ///< as text; a list by comma
  Type type = Type::text;
  std::uint32_t line = 0;
};

[[nodiscard]] Result<std::vector<FileValue>> read_toml_file(const std::string& path);

}  // namespace concord::config

#include "config/toml_file.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <tuple>

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

namespace concord::config {
namespace {

std::string at_line(const std::string& path, std::uint32_t line, const std::string& reason) {
  return path + ":" + std::to_string(line) + ": " + reason;
}

std::string double_text(double value) {
  char text[64];
  return std::string(text, std::to_chars(text, text + sizeof text, value).ptr);
}

/// Strings that can be written by comma.
bool is_list_of_words(const toml::array& list) {
  return std::ranges::all_of(list, [](const toml::node& element) {
    const auto* text = element.as_string();
    return text != nullptr && !text->get().empty() && text->get().find(',') == std::string::npos;
  });
}

/// None when it cannot be read to its end: a directory opens, and fails here.
std::optional<std::string> read_all(std::ifstream& file) {
  std::string content;
  char block[4096];
  while (file.read(block, sizeof block) || file.gcount() > 0) {
    content.append(block, static_cast<std::size_t>(file.gcount()));
  }
  return file.bad() ? std::nullopt : std::optional(std::move(content));
}

FileValue read_value(const std::string& name, const toml::node& node) {
  FileValue value{.name = name, .value = {}, .line = node.source().begin.line};
  if (const auto* text = node.as_string()) {
    value.value = text->get();
  } else if (const auto* integer = node.as_integer()) {
    value.type = FileValue::Type::integer;
    value.value = std::to_string(integer->get());
  } else if (const auto* number = node.as_floating_point()) {
    value.type = FileValue::Type::number;
    value.value = double_text(number->get());
  } else if (const auto* boolean = node.as_boolean()) {
    value.type = FileValue::Type::boolean;
    value.value = boolean->get() ? "true" : "false";
  } else if (const auto* list = node.as_array(); list != nullptr && is_list_of_words(*list)) {
    value.type = FileValue::Type::list;
    for (const auto& element : *list) {
      if (!value.value.empty()) value.value += ',';
      value.value += element.as_string()->get();
    }
  } else {
    value.type = FileValue::Type::other;
  }
  return value;
}

}  // namespace

Result<std::vector<FileValue>> read_toml_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Errc::invalid_request, path + ": cannot be read: " + std::strerror(errno));
  const auto content = read_all(file);
  if (!content) return fail(Errc::invalid_request, path + ": cannot be read: " + std::strerror(errno));

  const toml::parse_result parsed = toml::parse(*content, path);
  if (!parsed) {
    const auto& error = parsed.error();
    return fail(Errc::invalid_request, at_line(path, error.source().begin.line, std::string(error.description())));
  }
  std::vector<FileValue> values;
  for (const auto& [section, node] : parsed.table()) {
    const std::string section_name(section.str());
    const auto* table = node.as_table();
    if (table == nullptr) {
      values.push_back(read_value(section_name, node));
      continue;
    }
    for (const auto& [name, value] : *table) {
      values.push_back(read_value(section_name + "." + std::string(name.str()), value));
    }
  }
  std::ranges::sort(values, {}, [](const FileValue& value) { return std::tie(value.line, value.name); });
  return values;
}

}  // namespace concord::config

#include "json_text.hpp"

#include <concord/value.hpp>

#include "value/cursor.hpp"
#include "value/json.hpp"
#include "value/json_string.hpp"

namespace concord::app {

std::optional<std::string_view> json_member(std::string_view object, std::string_view name) {
  if (!object.starts_with('{')) return std::nullopt;
  value::Cursor cursor(object);
  for (cursor.open(); cursor.more();) {
    const std::string_view found = cursor.name();
    const std::string_view text = cursor.skip();
    if (found == name) return text;
  }
  return std::nullopt;
}

std::string json_to_plain(std::string_view json) {
  if (value::kind_of(json) == value::JsonKind::string) return value::unescape(value::inside_quotes(json));
  return std::string(json);
}

std::optional<std::string> json_of(const std::string& text) {
  if (auto json = value::compact_json(text)) return std::move(*json);
  return json_string(text);
}

std::optional<std::string> json_string(std::string_view text) {
  const Value as_string(text);
  if (!as_string.valid()) return std::nullopt;
  return std::string(as_string.json_text());
}

}  // namespace concord::app

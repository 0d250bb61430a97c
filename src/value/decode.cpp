#include "value/decode.hpp"

#include <charconv>
#include <cmath>
#include <exception>

#include "value/cursor.hpp"
#include "value/json.hpp"
#include "value/json_string.hpp"
#include "value/number.hpp"

namespace concord::value {
namespace {

namespace json = boost::json;

json::string decode_string(std::string_view inside, const json::storage_ptr& storage) {
  if (inside.find('\\') == std::string_view::npos) return json::string(inside, storage);
  return json::string(unescape(inside), storage);
}

void decode_number(std::string_view text, json::value& to) {
  const Number number = Number::from_text(text);
  if (number.kind() == Number::Kind::floating) {
    to = *number.exact_double();
  } else if (const auto fits = number.exact_signed()) {
    to = *fits;
  } else {
    to = *number.exact_unsigned();
  }
}

/// Decodes the value at `cursor` and steps over it. False when it is nested too deep.
bool decode(Cursor& cursor, std::size_t depth, const json::storage_ptr& storage, json::value& to) {
  const JsonKind kind = cursor.kind();
  if (kind != JsonKind::array && kind != JsonKind::object) {
    const std::string_view text = cursor.skip();
    switch (kind) {
      case JsonKind::boolean: to = text == "true"; break;
      case JsonKind::number: decode_number(text, to); break;
      case JsonKind::string: to = decode_string(inside_quotes(text), storage); break;
      default: to = nullptr; break;
    }
    return true;
  }
  if (depth == max_json_depth) return false;
  cursor.open();
  if (kind == JsonKind::array) {
    json::array items(storage);
    while (cursor.more()) {
      if (!decode(cursor, depth + 1, storage, items.emplace_back(nullptr))) return false;
    }
    to = std::move(items);
    return true;
  }
  json::object members(storage);
  while (cursor.more()) {
    const json::string name = decode_string(cursor.name(), storage);
    if (!decode(cursor, depth + 1, storage, members[name])) return false;
  }
  to = std::move(members);
  return true;
}

class Writer {
 public:
  explicit Writer(std::string& to) noexcept : to_(to) {}

  /// Null when all was well, else what was wrong.
  const char* write(const json::value& json, std::size_t depth) {
    switch (json.kind()) {
      case json::kind::null: to_ += "null"; return nullptr;
      case json::kind::bool_: to_ += json.get_bool() ? "true" : "false"; return nullptr;
      case json::kind::int64: return write_integer(json.get_int64());
      case json::kind::uint64: return write_integer(json.get_uint64());
      case json::kind::double_: return write_floating(json.get_double());
      case json::kind::string: return write_string(json.get_string());
      case json::kind::array: return write_array(json.get_array(), depth + 1);
      case json::kind::object: return write_object(json.get_object(), depth + 1);
    }
    return "a JSON kind that is not known";
  }

 private:
  template <class T>
  const char* write_integer(T value) {
    char digits[max_number_bytes];
    to_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    return nullptr;
  }
  const char* write_floating(double value) {
    if (!std::isfinite(value)) return "a number that is not finite has no JSON form";
    char digits[max_number_bytes];
    to_.append(digits, write_double(digits, value));
    return nullptr;
  }
  const char* write_string(std::string_view text) {
    if (!is_utf8(text)) return "a string that is not UTF-8 has no JSON form";
    append_json_string(to_, text);
    return nullptr;
  }
  const char* write_array(const json::array& items, std::size_t depth) {
    if (depth > max_json_depth) return too_deep;
    to_ += '[';
    for (bool first = true; const json::value& item : items) {
      if (!first) to_ += ',';
      first = false;
      if (const char* reason = write(item, depth)) return reason;
    }
    to_ += ']';
    return nullptr;
  }
  const char* write_object(const json::object& members, std::size_t depth) {
    if (depth > max_json_depth) return too_deep;
    to_ += '{';
    for (bool first = true; const json::key_value_pair& member : members) {
      if (!first) to_ += ',';
      first = false;
      if (const char* reason = write_string(member.key())) return reason;
      to_ += ':';
      if (const char* reason = write(member.value(), depth)) return reason;
    }
    to_ += '}';
    return nullptr;
  }

  static constexpr const char* too_deep = "nested deeper than 256";
  std::string& to_;
};

}  // namespace

Result<json::value> decode_json(std::string_view text, const json::storage_ptr& storage) {
  json::value decoded(storage);
  try {
    Cursor cursor(text);
    if (!decode(cursor, 0, storage, decoded)) return fail(Errc::invalid_request, "the value is nested deeper than 256");
  } catch (const std::length_error&) {  // a string or container beyond what boost::json::value holds
    return fail(Errc::invalid_request, "the value is too large to be decoded");
  }
  return decoded;
}

Result<void> append_json(std::string& to, const json::value& json) {
  if (const char* reason = Writer(to).write(json, 0)) return fail(Errc::invalid_request, reason);
  return {};
}

}  // namespace concord::value

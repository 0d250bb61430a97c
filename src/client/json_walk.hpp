// Taking JSON apart as an answer holds it: text in stored form (value/json.hpp). What is of another kind counts as nothing.
//
// Thread rule: pure functions.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include <concord/error.hpp>
#include <concord/value.hpp>

#include "base/base64.hpp"
#include "value/cursor.hpp"
#include "value/json.hpp"
#include "value/json_string.hpp"

namespace concord::client {

/// Values nest this deep, and stand inside of the answer.
inline constexpr std::size_t max_depth = value::max_json_depth + 16;

/// `visit(name, value)`, both as text in stored form. Does nothing with what is no object.
template <class Visit>
void each_member(std::string_view object, const Visit& visit) {
  if (value::kind_of(object) != value::JsonKind::object) return;
  value::Cursor cursor(object);
  for (cursor.open(); cursor.more();) {
    const std::string_view name = cursor.name();
    visit(name, cursor.skip());
  }
}

template <class Visit>
void each_item(std::string_view array, const Visit& visit) {
  if (value::kind_of(array) != value::JsonKind::array) return;
  value::Cursor cursor(array);
  for (cursor.open(); cursor.more();) visit(cursor.skip());
}

inline std::string text_of(std::string_view json) {
  return value::kind_of(json) == value::JsonKind::string ? value::unescape(value::inside_quotes(json)) : std::string();
}

/// Of keys: text, or an object that has its bytes.
inline std::string prefix_of(std::string_view json) {
  std::string prefix = text_of(json);
  each_member(json, [&](std::string_view name, std::string_view bytes) {
    if (name == "key_b64") prefix = base::decode_base64(text_of(bytes)).value_or("");
  });
  return prefix;
}

inline std::uint64_t number_of(std::string_view json) {
  std::uint64_t number = 0;
  std::from_chars(json.data(), json.data() + json.size(), number);
  return number;
}

inline bool is_true(std::string_view json) { return json == "true"; }

inline Value value_from(std::string_view json, bool is_base64) {
  if (is_base64) {
    const auto bytes = base::decode_base64(text_of(json));
    return Value(Bytes(bytes.value_or(std::string())));
  }
  std::string stored(1, static_cast<char>(Value::json_tag));
  stored += json;
  return Value::from_stored(stored);
}

/// The error of that name; of others what the status makes of it.
inline Errc code_named(std::string_view name, unsigned status) {
  for (int number = 1; number <= static_cast<int>(last_errc); ++number) {
    if (error_name(static_cast<Errc>(number)) == name) return static_cast<Errc>(number);
  }
  if (name == "PRECONDITION_FAILED") return Errc::condition_failed;
  return status < 500 ? Errc::invalid_request : Errc::internal;
}

}  // namespace concord::client

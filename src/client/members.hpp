// JSON of request bodies, put together member by member. What is given was checked before.
//
// Thread rule: ordinary values.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include <concord/value.hpp>

#include "base/base64.hpp"
#include "value/json_string.hpp"

namespace concord::client {

/// `{"a":1,"b":2}`, member by member.
class Members {
 public:
  explicit Members(std::string& to) : to_(to) { to_ += '{'; }
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;
  ~Members() { to_ += '}'; }

  std::string& name(std::string_view name) {
    if (!is_first_) to_ += ',';
    is_first_ = false;
    to_ += '"';
    to_ += name;
    return to_ += "\":";
  }
  void text(std::string_view name_of, std::string_view text) { value::append_json_string(name(name_of), text); }
  void raw(std::string_view name_of, std::string_view json) { name(name_of) += json; }
  void boolean(std::string_view name_of, bool value) { name(name_of) += value ? "true" : "false"; }
  void number(std::string_view name_of, std::integral auto number) { name(name_of) += std::to_string(number); }
  void base64(std::string_view name_of, std::string_view bytes) {
    name(name_of) += '"';
    base::append_base64(to_, bytes);
    to_ += '"';
  }
  void key(std::string_view key) { value::is_utf8(key) ? text("key", key) : base64("key_b64", key); }
  void value_of(std::string_view name_of, std::string_view encoding_name, const Value& value) {
    if (!value.is_bytes()) return raw(name_of, value.json_text());
    base64(name_of, value.bytes());
    text(encoding_name, "base64");
  }

 private:
  std::string& to_;
  bool is_first_ = true;
};

/// `append(to, item)`.
template <class Items, class Append>
void append_list(std::string& to, const Items& items, const Append& append) {
  to += '[';
  bool is_first = true;
  for (const auto& item : items) {
    if (!is_first) to += ',';
    is_first = false;
    append(to, item);
  }
  to += ']';
}

}  // namespace concord::client

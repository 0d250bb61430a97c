// For tests: random JSON documents, and random spellings of one document.
#pragma once

#include <bit>
#include <charconv>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/random.hpp"

namespace concord::value {

class RandomJson {
 public:
  explicit RandomJson(base::Random& random) noexcept : random_(random) {}

  boost::json::value document(int depth = 4) {
    const std::uint64_t kinds = depth > 0 ? 8 : 6;
    switch (random_.below(kinds)) {
      case 0: return nullptr;
      case 1: return random_.one_in(2);
      case 2: return static_cast<std::int64_t>(random_.below(20)) - 10;
      case 3: return static_cast<std::int64_t>(random_.next());
      case 4:
        return random_.one_in(3) ? boost::json::value(random_.next() | (1ULL << 63U)) : boost::json::value(floating());
      case 5: return boost::json::value(text());
      case 6: {
        boost::json::array items;
        for (std::uint64_t n = random_.below(5); n > 0; --n) items.push_back(document(depth - 1));
        return items;
      }
      default: {
        boost::json::object members;
        for (std::uint64_t n = random_.below(random_.one_in(8) ? 40 : 5); n > 0; --n)
          members[text()] = document(depth - 1);
        return members;
      }
    }
  }

  /// Text of the same value: white space, escapes, order of members and spelling of numbers are drawn. With `same_kinds`
  /// integers stay integers, as Boost's own equality tells 1 from 1.0.
  std::string spelling(const boost::json::value& json, bool same_kinds = false) {
    same_kinds_ = same_kinds;
    std::string to;
    spell(to, json);
    return to;
  }

  std::string text() {
    static constexpr const char* pieces[] = {"a",    "b", "key", "\"", "\\", "\n", "\x01", "/",
                                             "\x7f", "é", "€",   "😀", "0",  ".",  "$"};
    std::string to;
    for (std::uint64_t n = random_.below(5); n > 0; --n) to += pieces[random_.below(std::size(pieces))];
    if (random_.one_in(4)) to += std::to_string(random_.below(50));
    if (random_.one_in(10)) to.push_back('\0');
    return to;
  }

 private:
  double floating() {
    if (random_.one_in(4)) return static_cast<double>(static_cast<std::int64_t>(random_.below(2000)) - 1000) / 8;
    for (;;) {
      const auto value = std::bit_cast<double>(random_.next());
      if (value - value == 0) return value;  // finite
    }
  }

  void space(std::string& to) {
    if (random_.one_in(6)) to += " \n\r\t"[random_.below(4)];
  }

  void spell(std::string& to, const boost::json::value& json) {
    space(to);
    switch (json.kind()) {
      case boost::json::kind::null: to += "null"; break;
      case boost::json::kind::bool_: to += json.get_bool() ? "true" : "false"; break;
      case boost::json::kind::int64: spell_integer(to, json.get_int64()); break;
      case boost::json::kind::uint64: to += std::to_string(json.get_uint64()); break;
      case boost::json::kind::double_: spell_double(to, json.get_double()); break;
      case boost::json::kind::string: spell_string(to, json.get_string()); break;
      case boost::json::kind::array: {
        to += '[';
        for (bool first = true; const auto& item : json.get_array()) {
          if (!std::exchange(first, false)) to += ',';
          spell(to, item);
        }
        to += ']';
        break;
      }
      case boost::json::kind::object: spell_object(to, json.get_object()); break;
    }
    space(to);
  }

  void spell_object(std::string& to, const boost::json::object& object) {
    std::vector<const boost::json::key_value_pair*> members;
    for (const auto& member : object) members.push_back(&member);
    const bool shuffled = random_.one_in(2);
    for (std::size_t i = members.size(); shuffled && i > 1; --i) std::swap(members[i - 1], members[random_.below(i)]);
    to += '{';
    for (bool first = true; const auto* member : members) {
      if (!std::exchange(first, false)) to += ',';
      space(to);
      spell_string(to, member->key());
      space(to);
      to += ':';
      spell(to, member->value());
    }
    to += '}';
  }

  void spell_integer(std::string& to, std::int64_t value) {
    to += std::to_string(value);
    const bool exact = !same_kinds_ && value > -(1LL << 53) && value < (1LL << 53);
    static constexpr const char* tails[] = {"", "", ".0", "e0", "E+0", ".00e-0"};
    if (exact) to += tails[random_.below(std::size(tails))];
  }

  void spell_double(std::string& to, double value) {
    char digits[512];
    const auto format = random_.one_in(2) ? std::chars_format::scientific : std::chars_format::general;
    auto end = random_.one_in(2)
                   ? std::to_chars(digits, digits + sizeof digits, value, format).ptr
                   : std::to_chars(digits, digits + sizeof digits, value, std::chars_format::scientific, 17).ptr;
    const std::string_view text(digits, static_cast<std::size_t>(end - digits));
    to += text;
    if (text.find_first_of(".e") == std::string_view::npos) to += ".0";
  }

  void spell_string(std::string& to, std::string_view text) {
    static constexpr char hex[] = "0123456789aBcDeF";
    to += '"';
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < 0x20 || c == '"' || c == '\\' || (byte < 0x80 && random_.one_in(10))) {
        to += "\\u00";
        to += hex[byte >> 4U];
        to += hex[byte & 15U];
      } else {
        to += c;
      }
    }
    to += '"';
  }

  base::Random& random_;
  bool same_kinds_ = false;
};

}  // namespace concord::value

#include "value/json_string.hpp"

#include <bit>
#include <cstring>

namespace concord::value {
namespace {

constexpr char hex_digits[] = "0123456789abcdef";

/// The letter behind the backslash of a short escape, or 0.
constexpr char short_escape(unsigned char c) noexcept {
  switch (c) {
    case '"': return '"';
    case '\\': return '\\';
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    default: return 0;
  }
}

constexpr bool is_plain(unsigned char c) noexcept { return c >= 0x20 && c < 0x80 && c != '"' && c != '\\'; }

/// High bit set in each byte of `word` that is not plain. A borrow may mark a byte above a marked one falsely, never the
/// lowest marked one, and only that one is used.
constexpr std::uint64_t not_plain(std::uint64_t word) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101U;
  constexpr std::uint64_t highs = 0x8080808080808080U;
  const auto zero_bytes = [](std::uint64_t x) { return (x - ones) & ~x; };
  const std::uint64_t control = (word - ones * 0x20) & ~word;
  return (word | control | zero_bytes(word ^ (ones * '"')) | zero_bytes(word ^ (ones * '\\'))) & highs;
}

}  // namespace

std::size_t plain_prefix_size(std::string_view text) noexcept {
  std::size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    if (const std::uint64_t marks = not_plain(word); marks != 0) {
      return at + static_cast<std::size_t>(std::countr_zero(marks)) / 8;
    }
  }
  while (at < text.size() && is_plain(static_cast<unsigned char>(text[at]))) ++at;
  return at;
}

std::size_t utf8_sequence_size(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
  const unsigned first = byte(0);
  const unsigned second = byte(1);
  if (first < 0xc2) return 0;
  if (first < 0xe0) return continues(1) ? 2 : 0;
  if (first < 0xf0) {
    if (first == 0xe0 && second < 0xa0) return 0;   // overlong
    if (first == 0xed && second >= 0xa0) return 0;  // surrogate
    return continues(1) && continues(2) ? 3 : 0;
  }
  if (first > 0xf4 || (first == 0xf0 && second < 0x90) || (first == 0xf4 && second >= 0x90)) return 0;
  return continues(1) && continues(2) && continues(3) ? 4 : 0;
}

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    text.remove_prefix(plain_prefix_size(text));
    if (text.empty()) break;
    std::size_t size = 1;
    if (static_cast<unsigned char>(text.front()) >= 0x80) size = utf8_sequence_size(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::size_t json_string_size(std::string_view text) noexcept {
  std::size_t size = 2;
  while (!text.empty()) {
    const std::size_t plain = plain_prefix_size(text);
    size += plain;
    text.remove_prefix(plain);
    if (text.empty()) break;
    const auto c = static_cast<unsigned char>(text.front());
    size += c >= 0x80 ? 1 : short_escape(c) != 0 ? 2 : 6;
    text.remove_prefix(1);
  }
  return size;
}

char* write_json_character(char* to, unsigned char c) noexcept {
  if (is_plain(c)) {
    *to++ = static_cast<char>(c);
    return to;
  }
  if (const char letter = short_escape(c); letter != 0) {
    *to++ = '\\';
    *to++ = letter;
    return to;
  }
  std::memcpy(to, "\\u00", 4);
  to[4] = hex_digits[c >> 4U];
  to[5] = hex_digits[c & 0xfU];
  return to + 6;
}

char* write_json_string(char* to, std::string_view text) noexcept {
  *to++ = '"';
  while (!text.empty()) {
    const std::size_t plain = plain_prefix_size(text);
    std::memcpy(to, text.data(), plain);
    to += plain;
    text.remove_prefix(plain);
    if (text.empty()) break;
    const auto c = static_cast<unsigned char>(text.front());
    if (c >= 0x80) {
      *to++ = static_cast<char>(c);
    } else {
      to = write_json_character(to, c);
    }
    text.remove_prefix(1);
  }
  *to++ = '"';
  return to;
}

void append_json_string(std::string& to, std::string_view text) {
  const std::size_t before = to.size();
  to.resize(before + json_string_size(text));
  write_json_string(to.data() + before, text);
}

char* write_utf8(char* to, std::uint32_t code_point) noexcept {
  const auto put = [&](std::uint32_t bits) { *to++ = static_cast<char>(bits); };
  const auto tail = [&](unsigned shift) { put(0x80U | ((code_point >> shift) & 0x3fU)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xc0U | (code_point >> 6U));
    tail(0);
  } else if (code_point < 0x10000) {
    put(0xe0U | (code_point >> 12U));
    tail(6);
    tail(0);
  } else {
    put(0xf0U | (code_point >> 18U));
    tail(12);
    tail(6);
    tail(0);
  }
  return to;
}

int hex4(const char* digits) noexcept {
  int value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = digits[i];
    int digit = 0;
    if (c >= '0' && c <= '9') {
      digit = c - '0';
    } else if (c >= 'a' && c <= 'f') {
      digit = c - 'a' + 10;
    } else if (c >= 'A' && c <= 'F') {
      digit = c - 'A' + 10;
    } else {
      return -1;
    }
    value = value * 16 + digit;
  }
  return value;
}

std::string unescape(std::string_view inside_quotes) {
  std::string text;
  text.reserve(inside_quotes.size());
  while (!inside_quotes.empty()) {
    const std::size_t plain = inside_quotes.find('\\');
    text.append(inside_quotes.substr(0, plain));
    if (plain == std::string_view::npos || plain + 1 >= inside_quotes.size()) break;
    const char letter = inside_quotes[plain + 1];
    inside_quotes.remove_prefix(plain + 2);
    switch (letter) {
      case 'b': text += '\b'; break;
      case 'f': text += '\f'; break;
      case 'n': text += '\n'; break;
      case 'r': text += '\r'; break;
      case 't': text += '\t'; break;
      case 'u': {  // stored text escapes control characters only, so one byte
        const int code = inside_quotes.size() >= 4 ? hex4(inside_quotes.data()) : -1;
        if (code < 0) return text;
        text += static_cast<char>(code);
        inside_quotes.remove_prefix(4);
        break;
      }
      default: text += letter; break;
    }
  }
  return text;
}

}  // namespace concord::value

#include "value/json.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>

#include <boost/container/small_vector.hpp>

#include "value/json_string.hpp"
#include "value/number.hpp"

namespace concord::value {
namespace {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// One pass from `text` to `to`. Every `read_*` returns false once something was wrong; `reason_` and `wrong_at_` say what.
class Compactor {
 public:
  Compactor(char* to, std::string_view text, std::size_t max_depth) noexcept
      : text_(text), at_(text.data()), end_(at_ + text.size()), to_begin_(to), to_(to), max_depth_(max_depth) {}

  Result<std::size_t> run() {
    skip_space();
    if (at_ == end_) {
      wrong("no value");
    } else if (read_value(0)) {
      skip_space();
      if (at_ != end_) wrong("text behind the value");
    }
    if (reason_ == nullptr) return static_cast<std::size_t>(to_ - to_begin_);
    return fail(Errc::invalid_request, "malformed JSON at offset " + std::to_string(wrong_at_) + ": " + reason_);
  }

 private:
  /// A member's name as it was written to `to`, and where it stood in the text.
  struct Name {
    std::string_view name;
    std::size_t offset;
  };

  bool wrong(const char* reason) noexcept { return wrong_at(reason, at_); }
  bool wrong_at(const char* reason, const char* where) noexcept {
    reason_ = reason;
    wrong_at_ = static_cast<std::size_t>(where - text_.data());
    return false;
  }

  [[nodiscard]] const char* too_deep() const noexcept {
    return max_depth_ == max_json_depth ? "nested deeper than 256" : "nested too deep";
  }
  [[nodiscard]] bool at(char c) const noexcept { return at_ != end_ && *at_ == c; }
  [[nodiscard]] std::string_view rest() const noexcept { return {at_, static_cast<std::size_t>(end_ - at_)}; }
  void skip_space() noexcept {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }
  void copy(const char* from, std::size_t size) noexcept {
    std::memcpy(to_, from, size);
    to_ += size;
  }

  bool read_value(std::size_t depth) {
    switch (at_ == end_ ? '\0' : *at_) {
      case '{': return read_object(depth + 1);
      case '[': return read_array(depth + 1);
      case '"': return read_string();
      case 't': return read_word("true");
      case 'f': return read_word("false");
      case 'n': return read_word("null");
      default: return read_number();
    }
  }

  bool read_word(std::string_view word) noexcept {
    if (!rest().starts_with(word)) return wrong("unknown word");
    copy(word.data(), word.size());
    at_ += word.size();
    return true;
  }

  bool read_digits() noexcept {
    if (at_ == end_ || !is_digit(*at_)) return wrong(at_ == end_ ? "the text ends inside a value" : "digit expected");
    while (at_ != end_ && is_digit(*at_)) ++at_;
    return true;
  }

  bool read_number() noexcept {
    const char* const from = at_;
    if (at('-')) ++at_;
    if (at_ == end_) return wrong("the text ends inside a value");
    if (!is_digit(*at_)) return wrong(at_ == from ? "value expected" : "digit expected");
    if (at('0')) {
      ++at_;
      if (at_ != end_ && is_digit(*at_)) return wrong("a number with a leading zero");
    } else if (!read_digits()) {
      return false;
    }
    const char* const integer_end = at_;
    if (at('.')) {
      ++at_;
      if (!read_digits()) return false;
    }
    bool has_exponent = false;
    if (at('e') || at('E')) {
      has_exponent = true;
      ++at_;
      if (at('+') || at('-')) ++at_;
      if (!read_digits()) return false;
    }
    const std::string_view number(from, static_cast<std::size_t>(at_ - from));
    const auto integer_size = static_cast<std::size_t>(integer_end - from);
    if (integer_end == at_) {  // up to 18 digits and a sign always fit
      if (integer_size > 18 && !integer_from_text(number)) return wrong_at("an integer beyond 64 bits", from);
    } else if ((has_exponent || integer_size > 300) && overflows_double(number)) {
      return wrong_at("a number beyond the range of a double", from);
    }
    copy(number.data(), number.size());
    return true;
  }

  bool read_string() noexcept {
    const char* const from = at_;
    *to_++ = *at_++;
    for (;;) {
      const std::size_t plain = plain_prefix_size(rest());
      copy(at_, plain);
      at_ += plain;
      if (at_ == end_) return wrong_at("a string without end", from);
      const auto c = static_cast<unsigned char>(*at_);
      if (c == '"') {
        *to_++ = *at_++;
        return true;
      }
      if (c == '\\') {
        if (!read_escape()) return false;
      } else if (c < 0x20) {
        return wrong("a control character in a string");
      } else {
        const std::size_t size = utf8_sequence_size(rest());
        if (size == 0) return wrong("not UTF-8");
        copy(at_, size);
        at_ += size;
      }
    }
  }

  bool read_escape() noexcept {
    const char* const from = at_++;
    if (at_ == end_) return wrong_at("the text ends inside an escape", from);
    const char letter = *at_++;
    switch (letter) {
      case '"':
      case '\\':
      case '/': to_ = write_json_character(to_, static_cast<unsigned char>(letter)); return true;
      case 'b': to_ = write_json_character(to_, '\b'); return true;
      case 'f': to_ = write_json_character(to_, '\f'); return true;
      case 'n': to_ = write_json_character(to_, '\n'); return true;
      case 'r': to_ = write_json_character(to_, '\r'); return true;
      case 't': to_ = write_json_character(to_, '\t'); return true;
      case 'u': return read_unicode_escape(from);
      default: return wrong_at("an unknown escape", from);
    }
  }

  /// `at_` stands behind `\u`.
  bool read_unicode_escape(const char* from) noexcept {
    const int unit = end_ - at_ >= 4 ? hex4(at_) : -1;
    if (unit < 0) return wrong_at("four hexadecimal digits expected", from);
    at_ += 4;
    auto code_point = static_cast<std::uint32_t>(unit);
    if (unit >= 0xd800 && unit <= 0xdfff) {
      const int low = unit < 0xdc00 && end_ - at_ >= 6 && at_[0] == '\\' && at_[1] == 'u' ? hex4(at_ + 2) : -1;
      if (low < 0xdc00 || low > 0xdfff) return wrong_at("half a surrogate pair", from);
      at_ += 6;
      code_point = 0x10000U + ((code_point - 0xd800U) << 10U) + (static_cast<std::uint32_t>(low) - 0xdc00U);
    }
    to_ = code_point < 0x80 ? write_json_character(to_, static_cast<unsigned char>(code_point))
                            : write_utf8(to_, code_point);
    return true;
  }

  bool read_array(std::size_t depth) {
    if (depth > max_depth_) return wrong(too_deep());
    *to_++ = *at_++;
    skip_space();
    if (at(']')) return close();
    for (;;) {
      if (!read_value(depth)) return false;
      skip_space();
      if (at(']')) return close();
      if (!at(',')) return wrong(at_ == end_ ? "an array without end" : "',' or ']' expected");
      *to_++ = *at_++;
      skip_space();
    }
  }

  bool read_object(std::size_t depth) {
    if (depth > max_depth_) return wrong(too_deep());
    const std::size_t first_name = names_.size();
    *to_++ = *at_++;
    skip_space();
    if (at('}')) return close();
    for (;;) {
      if (!read_name()) return false;
      if (!read_value(depth)) return false;
      skip_space();
      if (at('}')) break;
      if (!at(',')) return wrong(at_ == end_ ? "an object without end" : "',' or '}' expected");
      *to_++ = *at_++;
      skip_space();
    }
    return check_names(first_name) && close();
  }

  bool close() noexcept {
    *to_++ = *at_++;
    return true;
  }

  bool read_name() {
    if (!at('"')) return wrong(at_ == end_ ? "an object without end" : "member name expected");
    const char* const from = at_;
    const char* const written = to_;
    if (!read_string()) return false;
    names_.push_back(
        {{written, static_cast<std::size_t>(to_ - written)}, static_cast<std::size_t>(from - text_.data())});
    skip_space();
    if (!at(':')) return wrong("':' expected");
    *to_++ = *at_++;
    skip_space();
    return true;
  }

  /// No name twice among those from `first` on, which are then forgotten. Names are in their one spelling, so equal names
  /// have equal text. Few are compared in pairs, many are sorted: an object of any size costs no more than n log n.
  bool check_names(std::size_t first) {
    const auto begin = names_.begin() + static_cast<std::ptrdiff_t>(first);
    const Name* duplicate = nullptr;
    if (names_.size() - first <= 12) {
      for (auto later = begin; later != names_.end() && duplicate == nullptr; ++later) {
        const bool seen = std::any_of(begin, later, [&](const Name& earlier) { return earlier.name == later->name; });
        if (seen) duplicate = &*later;
      }
    } else {
      std::sort(begin, names_.end(),
                [](const Name& a, const Name& b) { return a.name != b.name ? a.name < b.name : a.offset < b.offset; });
      const auto found =
          std::adjacent_find(begin, names_.end(), [](const Name& a, const Name& b) { return a.name == b.name; });
      if (found != names_.end()) duplicate = &*(found + 1);
    }
    if (duplicate != nullptr) return wrong_at("a member twice", text_.data() + duplicate->offset);
    names_.resize(first, Name{});
    return true;
  }

  std::string_view text_;
  const char* at_;
  const char* end_;
  char* to_begin_;
  char* to_;  ///< Invariant: never ahead of `at_`, counted from the two beginnings
  std::size_t max_depth_;
  boost::container::small_vector<Name, 24> names_;  ///< of the objects that are open, outermost first
  const char* reason_ = nullptr;
  std::size_t wrong_at_ = 0;
};

}  // namespace

Result<std::size_t> write_compact_json(char* to, std::string_view text) {
  return Compactor(to, text, max_json_depth).run();
}

Result<void> append_compact_json(std::string& to, std::string_view text) {
  const std::size_t before = to.size();
  Result<std::size_t> written = 0;
  to.resize_and_overwrite(before + text.size(), [&](char* begin, std::size_t) {
    written = write_compact_json(begin + before, text);
    return before + written.value_or(0);
  });
  if (!written) return std::unexpected(std::move(written.error()));
  return {};
}

Result<std::string> compact_json(std::string_view text, std::size_t max_depth) {
  std::string compact;
  Result<std::size_t> written = 0;
  compact.resize_and_overwrite(text.size(), [&](char* begin, std::size_t) {
    written = Compactor(begin, text, max_depth).run();
    return written.value_or(0);
  });
  if (!written) return std::unexpected(std::move(written.error()));
  return compact;
}

}  // namespace concord::value

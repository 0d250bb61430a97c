#include "value/cursor.hpp"

#include "value/json_string.hpp"

namespace concord::value {

JsonKind kind_of(std::string_view text) noexcept {
  switch (text.empty() ? 'n' : text.front()) {
    case 'n': return JsonKind::null;
    case 't':
    case 'f': return JsonKind::boolean;
    case '"': return JsonKind::string;
    case '[': return JsonKind::array;
    case '{': return JsonKind::object;
    default: return JsonKind::number;
  }
}

bool Cursor::more() noexcept {
  switch (peek()) {
    case '\0': return false;
    case '}':
    case ']': step(); return false;
    case ',': step(); return true;
    default: return true;
  }
}

std::string_view Cursor::name() noexcept {
  const char* const from = at_;
  skip_string();
  const std::string_view quoted(from, static_cast<std::size_t>(at_ - from));
  step();  // the colon
  return inside_quotes(quoted);
}

std::string_view Cursor::skip() noexcept {
  const char* const from = at_;
  switch (peek()) {
    case '"': skip_string(); break;
    case '[':
    case '{': skip_container(); break;
    default:
      while (at_ != end_ && *at_ != ',' && *at_ != ']' && *at_ != '}') ++at_;
  }
  return {from, static_cast<std::size_t>(at_ - from)};
}

void Cursor::skip_string() noexcept {
  step();
  while (at_ != end_) {
    at_ += plain_prefix_size({at_, static_cast<std::size_t>(end_ - at_)});
    const char c = peek();
    step();
    if (c == '"') return;
    if (c == '\\') step();
  }
}

void Cursor::skip_container() noexcept {
  std::size_t depth = 0;
  while (at_ != end_) {
    const char c = *at_;
    if (c == '"') {
      skip_string();
      continue;
    }
    ++at_;
    if (c == '[' || c == '{') ++depth;
    if ((c == ']' || c == '}') && --depth == 0) return;
  }
}

}  // namespace concord::value

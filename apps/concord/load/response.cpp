#include "load/response.hpp"

#include <charconv>
#include <optional>

#include <strings.h>

namespace concord::app::load {
namespace {

constexpr std::size_t longest_head_bytes = 64U << 10U;

template <typename Number>
std::optional<Number> number_of(std::string_view text) noexcept {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

bool is_name(std::string_view text, std::string_view name) noexcept {
  return text.size() == name.size() && ::strncasecmp(text.data(), name.data(), name.size()) == 0;
}

std::string_view trimmed(std::string_view text) noexcept {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

}  // namespace

ResponseReader::State ResponseReader::take(std::string_view bytes) {
  if (head_bytes_ == 0) {
    head_ += bytes;
    return read_head();
  }
  if (bytes.size() > body_left_) return State::malformed;
  body_left_ -= bytes.size();
  return body_left_ == 0 ? State::complete : State::incomplete;
}

ResponseReader::State ResponseReader::read_head() {
  const std::size_t end = head_.find("\r\n\r\n");
  if (end == std::string::npos) return head_.size() > longest_head_bytes ? State::malformed : State::incomplete;
  const std::string_view head = std::string_view(head_).substr(0, end + 2);
  constexpr std::string_view version = "HTTP/1.1 ";
  const auto status = head.starts_with(version) ? number_of<unsigned>(head.substr(version.size(), 3)) : std::nullopt;
  if (!status) return State::malformed;
  status_ = *status;
  std::optional<std::uint64_t> length;
  for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
    const std::size_t line_end = head.find("\r\n", at);
    const std::string_view line = head.substr(at, line_end - at);
    at = line_end + 2;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return State::malformed;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (is_name(name, "content-length")) {
      length = number_of<std::uint64_t>(value);
      if (!length) return State::malformed;
    } else if (is_name(name, "connection")) {
      closes_ = is_name(value, "close");
    }
  }
  if (!length && status_ != 204 && status_ != 304) return State::malformed;
  head_bytes_ = end + 4;
  const std::uint64_t came = head_.size() - head_bytes_;
  if (came > length.value_or(0)) return State::malformed;
  body_left_ = length.value_or(0) - came;
  return body_left_ == 0 ? State::complete : State::incomplete;
}

void ResponseReader::reset() noexcept {
  head_.clear();
  head_bytes_ = 0;
  body_left_ = 0;
  status_ = 0;
  closes_ = false;
}

}  // namespace concord::app::load

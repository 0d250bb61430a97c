#include "observe/trace_context.hpp"

#include <algorithm>

namespace concord::observe {
namespace {

constexpr std::size_t traceparent_length = 55;

void append_hex(std::string& to, std::uint64_t number) {
  static constexpr char digits[] = "0123456789abcdef";
  for (int shift = 60; shift >= 0; shift -= 4) to += digits[(number >> static_cast<unsigned>(shift)) & 15U];
}

std::optional<std::uint64_t> read_hex(std::string_view text) {
  std::uint64_t number = 0;
  for (const char c : text) {
    const bool is_digit = c >= '0' && c <= '9';
    if (!is_digit && (c < 'a' || c > 'f')) return std::nullopt;
    number = (number << 4U) | static_cast<std::uint64_t>(is_digit ? c - '0' : c - 'a' + 10);
  }
  return number;
}

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view text) {
  if (text.size() < traceparent_length || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  const auto version = read_hex(text.substr(0, 2));
  const auto high = read_hex(text.substr(3, 16));
  const auto low = read_hex(text.substr(19, 16));
  const auto span = read_hex(text.substr(36, 16));
  const auto flags = read_hex(text.substr(53, 2));
  if (!version || !high || !low || !span || !flags || *version == 0xff) return std::nullopt;
  if ((*high == 0 && *low == 0) || *span == 0) return std::nullopt;
  if (text.size() > traceparent_length && (*version == 0 || text[traceparent_length] != '-')) return std::nullopt;
  return TraceContext{
      .trace = {.high = *high, .low = *low}, .span = *span, .is_sampled = (*flags & 1U) != 0, .state = {}};
}

std::string traceparent_of(const TraceContext& context) {
  std::string text = "00-";
  append_hex(text, context.trace.high);
  append_hex(text, context.trace.low);
  text += '-';
  append_hex(text, context.span);
  text += context.is_sampled ? "-01" : "-00";
  return text;
}

std::string hex_of(const TraceId& trace) {
  std::string text;
  append_hex(text, trace.high);
  append_hex(text, trace.low);
  return text;
}

std::string hex_of(std::uint64_t span) {
  std::string text;
  append_hex(text, span);
  return text;
}

}  // namespace concord::observe

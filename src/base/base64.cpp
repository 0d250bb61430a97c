#include "base/base64.hpp"

#include <array>

namespace concord::base {
namespace {

constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t no_letter = 0xff;

using Values = std::array<std::uint8_t, 256>;

constexpr Values values_of(std::string_view alphabet) {
  Values values{};
  values.fill(no_letter);
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  return values;
}

constexpr Values standard_values = values_of(letters);
constexpr Values url_values = values_of(url_letters);

/// `text` without padding.
std::optional<std::string> decode(std::string_view text, const Values& values) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const std::uint8_t value = values[static_cast<unsigned char>(c)];
    if (value == no_letter) return std::nullopt;
    bits = (bits << 6U) | value;
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes += static_cast<char>((bits >> count) & 0xffU);
    }
  }
  if ((bits & ((1U << count) - 1U)) != 0) return std::nullopt;
  return bytes;
}

std::size_t padding_of(std::string_view text) noexcept {
  return text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
}

/// Appends `bytes` without padding.
void append(std::string& to, std::string_view bytes, std::string_view alphabet) {
  to.reserve(to.size() + (bytes.size() + 2) / 3 * 4);
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i])); };
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const std::uint32_t bits = (byte(i) << 16U) | (byte(i + 1) << 8U) | byte(i + 2);
    const char group[] = {alphabet[bits >> 18U], alphabet[(bits >> 12U) & 63U], alphabet[(bits >> 6U) & 63U],
                          alphabet[bits & 63U]};
    to.append(group, 4);
  }
  if (bytes.size() - i == 1) {
    const char group[] = {alphabet[byte(i) >> 2U], alphabet[(byte(i) << 4U) & 63U]};
    to.append(group, 2);
  } else if (bytes.size() - i == 2) {
    const std::uint32_t bits = (byte(i) << 8U) | byte(i + 1);
    const char group[] = {alphabet[bits >> 10U], alphabet[(bits >> 4U) & 63U], alphabet[(bits << 2U) & 63U]};
    to.append(group, 3);
  }
}

}  // namespace

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  return decode(text.substr(0, text.size() - padding_of(text)), standard_values);
}

std::optional<std::string> decode_base64url(std::string_view text) {
  const std::size_t padding = padding_of(text);
  if (padding > 0 && text.size() % 4 != 0) return std::nullopt;
  return decode(text.substr(0, text.size() - padding), url_values);
}

void append_base64(std::string& to, std::string_view bytes) {
  append(to, bytes, letters);
  to.append((3 - bytes.size() % 3) % 3, '=');
}

void append_base64url(std::string& to, std::string_view bytes) { append(to, bytes, url_letters); }

}  // namespace concord::base

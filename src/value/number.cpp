#include "value/number.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace concord::value {
namespace {

constexpr double two_63 = 9223372036854775808.0;
constexpr double two_64 = 18446744073709551616.0;

/// The power of ten of the first significant digit decides which end of the range a number fell off. Precondition: the
/// number is out of a double's range, so it has a digit that is not 0.
bool is_huge(std::string_view text) noexcept {
  const std::size_t exponent_at = std::min(text.find_first_of("eE"), text.size());
  const std::string_view digits = text.substr(0, exponent_at);
  const std::size_t point = std::min(digits.find('.'), digits.size());
  const std::size_t significant = digits.find_first_of("123456789");
  const auto position = significant < point ? static_cast<std::int64_t>(point - significant)
                                            : -static_cast<std::int64_t>(significant - point);
  if (exponent_at == text.size()) return position > 0;
  std::string_view exponent = text.substr(exponent_at + 1);
  const bool negative = exponent.starts_with('-');
  if (negative || exponent.starts_with('+')) exponent.remove_prefix(1);
  std::int64_t power = 0;
  const auto read = std::from_chars(exponent.data(), exponent.data() + exponent.size(), power);
  if (read.ec != std::errc()) return !negative;     // no text is long enough to make up for such an exponent
  power = std::min(power, std::int64_t{1} << 40U);  // nor for this one; keeps the sum in range
  return (negative ? position - power : position + power) > 0;
}

double double_from_text(std::string_view text) noexcept {
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec == std::errc() && std::isfinite(value)) return value;  // `-nan` can be read, but is in no stored text
  return text.starts_with('-') ? -0.0 : 0.0;  // stored text never overflows, so it fell below the smallest double
}

bool is_integer_text(std::string_view text) noexcept { return text.find_first_of(".eE") == std::string_view::npos; }

/// Precondition: `a` is finite.
std::strong_ordering compare_double_natural(double a, std::uint64_t b) noexcept {
  if (a < 0) return std::strong_ordering::less;
  if (a >= two_64) return std::strong_ordering::greater;
  const double whole = std::floor(a);
  if (const auto order = static_cast<std::uint64_t>(whole) <=> b; order != 0) return order;
  return a > whole ? std::strong_ordering::greater : std::strong_ordering::equal;
}

std::strong_ordering compare_double_negative(double a, std::int64_t b) noexcept {
  if (a >= 0) return std::strong_ordering::greater;
  if (a < -two_63) return std::strong_ordering::less;
  const double whole = std::ceil(a);
  if (const auto order = static_cast<std::int64_t>(whole) <=> b; order != 0) return order;
  return a < whole ? std::strong_ordering::less : std::strong_ordering::equal;
}

std::strong_ordering reversed(std::strong_ordering order) noexcept { return 0 <=> order; }

}  // namespace

Number Number::from_text(std::string_view text) noexcept {
  if (is_integer_text(text)) {
    if (const auto number = integer_from_text(text)) return *number;
  }
  return Number(double_from_text(text));
}

std::optional<std::int64_t> Number::exact_signed() const noexcept {
  switch (kind_) {
    case Kind::negative: return static_cast<std::int64_t>(bits_);
    case Kind::natural:
      if (bits_ > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
      return static_cast<std::int64_t>(bits_);
    case Kind::floating: break;
  }
  if (double_ < -two_63 || double_ >= two_63 || std::floor(double_) != double_) return std::nullopt;
  return static_cast<std::int64_t>(double_);
}

std::optional<std::uint64_t> Number::exact_unsigned() const noexcept {
  if (kind_ == Kind::natural) return bits_;
  if (kind_ == Kind::negative || double_ < 0 || double_ >= two_64 || std::floor(double_) != double_)
    return std::nullopt;
  return static_cast<std::uint64_t>(double_);
}

std::optional<double> Number::exact_double() const noexcept {
  if (kind_ == Kind::floating) return double_;
  const double nearest =
      kind_ == Kind::natural ? static_cast<double>(bits_) : static_cast<double>(static_cast<std::int64_t>(bits_));
  if (Number(nearest) != *this) return std::nullopt;
  return nearest;
}

std::strong_ordering operator<=>(const Number& a, const Number& b) noexcept {
  using enum Number::Kind;
  if (a.kind_ == floating && b.kind_ == floating) {
    if (a.double_ < b.double_) return std::strong_ordering::less;
    return a.double_ > b.double_ ? std::strong_ordering::greater : std::strong_ordering::equal;
  }
  if (b.kind_ == floating) return reversed(b <=> a);
  if (a.kind_ == floating) {
    return b.kind_ == natural ? compare_double_natural(a.double_, b.bits_)
                              : compare_double_negative(a.double_, static_cast<std::int64_t>(b.bits_));
  }
  if (a.kind_ != b.kind_) return a.kind_ == negative ? std::strong_ordering::less : std::strong_ordering::greater;
  return a.bits_ <=> b.bits_;  // two's complement keeps the order of negatives
}

std::optional<Number> integer_from_text(std::string_view text) noexcept {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  if (text.starts_with('-')) {
    std::int64_t value = 0;
    if (std::from_chars(begin, end, value).ec != std::errc()) return std::nullopt;
    return Number::from_signed(value);
  }
  std::uint64_t value = 0;
  if (std::from_chars(begin, end, value).ec != std::errc()) return std::nullopt;
  return Number::from_unsigned(value);
}

bool overflows_double(std::string_view text) noexcept {
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc::result_out_of_range && is_huge(text);
}

char* write_double(char* to, double value) noexcept {
  char* end = std::to_chars(to, to + max_number_bytes, value).ptr;
  if (std::all_of(to, end, [](char c) { return c != '.' && c != 'e'; })) {
    *end++ = '.';
    *end++ = '0';
  }
  return end;
}

}  // namespace concord::value

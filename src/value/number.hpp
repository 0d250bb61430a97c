// Numbers of JSON text: read exactly, compared exactly, written shortest.
//
// A number without fraction and exponent is an integer of 64 bits (signed, or unsigned up to 2^64-1); any other is the double
// nearest to what is written. `1`, `1.0` and `1e0` are equal; 9007199254740993 and 9007199254740992.0 are not, since neither
// side is rounded to compare. Thread rule: pure functions.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace concord::value {

/// Longest text `write_double` makes, and room for any 64-bit integer.
inline constexpr std::size_t max_number_bytes = 32;

class Number {
 public:
  enum class Kind : std::uint8_t { negative, natural, floating };

  /// Precondition: `text` is a number in stored form (see json.hpp).
  [[nodiscard]] static Number from_text(std::string_view text) noexcept;
  [[nodiscard]] static Number from_double(double value) noexcept { return Number(value); }
  [[nodiscard]] static Number from_signed(std::int64_t value) noexcept { return Number(value); }
  [[nodiscard]] static Number from_unsigned(std::uint64_t value) noexcept { return Number(value); }

  [[nodiscard]] Kind kind() const noexcept { return kind_; }

  /// The same number in another type, none when it has no exact form there. A double that is a whole number converts.
  [[nodiscard]] std::optional<std::int64_t> exact_signed() const noexcept;
  [[nodiscard]] std::optional<std::uint64_t> exact_unsigned() const noexcept;
  [[nodiscard]] std::optional<double> exact_double() const noexcept;

  friend std::strong_ordering operator<=>(const Number& a, const Number& b) noexcept;
  friend bool operator==(const Number& a, const Number& b) noexcept { return (a <=> b) == 0; }

 private:
  explicit Number(std::int64_t value) noexcept
      : kind_(value < 0 ? Kind::negative : Kind::natural), bits_(static_cast<std::uint64_t>(value)) {}
  explicit Number(std::uint64_t value) noexcept : kind_(Kind::natural), bits_(value) {}
  explicit Number(double value) noexcept : kind_(Kind::floating), double_(value) {}

  Kind kind_;
  std::uint64_t bits_ = 0;  ///< natural: the number; negative: its two's complement
  double double_ = 0;       ///< floating. Invariant: finite
};

/// Reads digits without fraction and exponent; none when 64 bits cannot hold it.
[[nodiscard]] std::optional<Number> integer_from_text(std::string_view text) noexcept;

/// Whether a number with fraction or exponent is too large for a double. Too small ones are zero, not an error.
[[nodiscard]] bool overflows_double(std::string_view text) noexcept;

/// Writes the shortest text that reads back as `value`, always with a fraction or an exponent (so it stays a double), and
/// returns its end. Precondition: `value` is finite; room for `max_number_bytes`.
char* write_double(char* to, double value) noexcept;

}  // namespace concord::value

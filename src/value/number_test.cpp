// Goal: numbers compare as the real numbers they are. Method: `long double` holds every 64-bit integer and every double
// exactly (64 or more bits of mantissa), so it is the reference.
#include "value/number.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/random.hpp"

namespace concord::value {
namespace {

static_assert(std::numeric_limits<long double>::digits >= 64);

struct Pair {
  Number number;
  long double exact;
};

std::vector<Pair> interesting_numbers(base::Random& random) {
  std::vector<Pair> numbers;
  const auto add_integer = [&](std::uint64_t bits) {
    numbers.push_back({Number::from_unsigned(bits), static_cast<long double>(bits)});
    const auto negative = static_cast<std::int64_t>(bits);
    numbers.push_back({Number::from_signed(negative), static_cast<long double>(negative)});
  };
  const auto add_double = [&](double value) {
    numbers.push_back({Number::from_double(value), static_cast<long double>(value)});
  };
  for (unsigned power = 0; power < 64; ++power) {
    const std::uint64_t bits = 1ULL << power;
    for (const std::uint64_t near : {bits - 1, bits, bits + 1}) add_integer(near);
    const auto value = static_cast<double>(bits);
    for (const double near : {value, std::nextafter(value, 0.0), std::nextafter(value, 1e300), value + 0.5}) {
      add_double(near);
      add_double(-near);
    }
  }
  for (const double value : {18446744073709551616.0, 1e300, 5e-324, 0.0, -0.0}) add_double(value);
  for (int i = 0; i < 50; ++i) add_integer(random.next() >> random.below(64));
  return numbers;
}

TEST(Number, OrderIsThatOfTheExactNumbers) {
  base::Random random(30);
  const std::vector<Pair> numbers = interesting_numbers(random);
  for (const Pair& a : numbers) {
    for (const Pair& b : numbers) {
      ASSERT_EQ(a.number < b.number, a.exact < b.exact)
          << static_cast<double>(a.exact) << " " << static_cast<double>(b.exact);
      ASSERT_EQ(a.number == b.number, a.exact == b.exact)
          << static_cast<double>(a.exact) << " " << static_cast<double>(b.exact);
    }
  }
}

TEST(Number, ConversionsAreExactOrRefused) {
  base::Random random(31);
  for (const Pair& pair : interesting_numbers(random)) {
    const bool whole = std::floor(pair.exact) == pair.exact;
    const bool fits_signed = whole && pair.exact >= -0x1p63L && pair.exact < 0x1p63L;
    const bool fits_unsigned = whole && pair.exact >= 0 && pair.exact < 0x1p64L;
    ASSERT_EQ(pair.number.exact_signed().has_value(), fits_signed) << static_cast<double>(pair.exact);
    ASSERT_EQ(pair.number.exact_unsigned().has_value(), fits_unsigned) << static_cast<double>(pair.exact);
    if (fits_signed) {
      EXPECT_EQ(static_cast<long double>(*pair.number.exact_signed()), pair.exact);
    }
    if (fits_unsigned) {
      EXPECT_EQ(static_cast<long double>(*pair.number.exact_unsigned()), pair.exact);
    }
    const bool fits_double = static_cast<long double>(static_cast<double>(pair.exact)) == pair.exact;
    ASSERT_EQ(pair.number.exact_double().has_value(), fits_double);
    if (fits_double) {
      EXPECT_EQ(static_cast<long double>(*pair.number.exact_double()), pair.exact);
    }
  }
}

TEST(Number, ADoubleReadsBackBitByBitAndNeverLooksLikeAnInteger) {
  base::Random random(32);
  for (int round = 0; round < 20000; ++round) {
    const auto value = round < 1000 ? static_cast<double>(round) : std::bit_cast<double>(random.next());
    if (!std::isfinite(value)) continue;
    char digits[max_number_bytes];
    const std::string text(digits, write_double(digits, value));
    EXPECT_NE(text.find_first_of(".e"), std::string::npos) << text;
    EXPECT_EQ(std::bit_cast<std::uint64_t>(*Number::from_text(text).exact_double()),
              std::bit_cast<std::uint64_t>(value))
        << text;
  }
}

TEST(Number, TextWithFractionOrExponentIsADouble) {
  EXPECT_EQ(Number::from_text("1e2"), Number::from_unsigned(100));
  EXPECT_EQ(Number::from_text("-0"), Number::from_text("0.0"));
  EXPECT_EQ(Number::from_text("1e-999"), Number::from_unsigned(0));
  EXPECT_EQ(Number::from_text("9007199254740993.0"), Number::from_text("9007199254740992"));
  EXPECT_NE(Number::from_text("9007199254740993"), Number::from_text("9007199254740992.0"));
  EXPECT_NE(Number::from_text("18446744073709551615"), Number::from_text("18446744073709551616.0"));
  EXPECT_FALSE(integer_from_text("18446744073709551616"));
  EXPECT_FALSE(integer_from_text("-9223372036854775809"));
}

}  // namespace
}  // namespace concord::value

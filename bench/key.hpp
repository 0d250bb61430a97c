// The keys of all benchmarks: 16 bytes, made from a number on the spot.
//
// A list of a million keys read in random order would cost a miss of the processor's caches a key, which the store under
// measure would have to answer for. So a key is written into the caller's own bytes by arithmetic, and a random order comes
// from a generator without memory. `BM_key_itself` says what that costs; every figure of a read has it in it.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace bench {

/// "key" and 13 decimal digits.
class Key {
 public:
  explicit Key(std::uint64_t number) noexcept {
    constexpr std::uint64_t word = 'k' | 'e' << 8U | 'y' << 16U;  // takes the place of three digits that are zeros
    const std::uint64_t high = (eight_digits(number / 100'000'000) & ~std::uint64_t{0xff'ffff}) | word;
    const std::uint64_t low = eight_digits(number % 100'000'000);
    std::memcpy(bytes_, &high, 8);  // each once and whole, so that a load soon after does not wait for two stores
    std::memcpy(bytes_ + 8, &low, 8);
  }
  [[nodiscard]] std::string_view view() const noexcept { return {bytes_, sizeof bytes_}; }
  operator std::string_view() const noexcept { return view(); }

 private:
  /// Halves the number again and again, all parts of a step at once: 4 + 4 digits, then 2 + 2, then 1 + 1. The products stand
  /// for divisions by 100 and by 10 that are exact below 10'000 and below 100.
  [[nodiscard]] static std::uint64_t eight_digits(std::uint64_t number) noexcept {
    const std::uint64_t fours = number / 10'000 | (number % 10'000) << 32U;
    const std::uint64_t hundreds = (fours * 10'486 >> 20U) & 0x0000'007f'0000'007fU;
    const std::uint64_t twos = hundreds | (fours - hundreds * 100) << 16U;
    const std::uint64_t tens = (twos * 103 >> 10U) & 0x000f'000f'000f'000fU;
    return (tens | (twos - tens * 10) << 8U) | 0x3030'3030'3030'3030U;
  }

  char bytes_[16];
};

/// Numbers below `count`, at random, with nothing to read.
class RandomOrder {
 public:
  RandomOrder(std::uint64_t count, std::uint64_t seed) noexcept : count_(count), state_(seed * odd) {}
  [[nodiscard]] std::uint64_t next() noexcept {
    state_ += odd;
    const std::uint64_t mixed = (state_ ^ state_ >> 29U) * 0xd6e8'feb8'6659'fd93U;
    return ((mixed >> 32U) * count_) >> 32U;
  }

 private:
  static constexpr std::uint64_t odd = 0x9e37'79b9'7f4a'7c15U;
  std::uint64_t count_;
  std::uint64_t state_;
};

}  // namespace bench

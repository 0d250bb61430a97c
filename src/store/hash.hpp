// The hash of keys and contents: multiply-and-fold over 16 bytes at a time. Not for secrets.
//
// The same bytes and seed give the same number on every machine (a digest is made of it); with a seed nobody knows, nobody
// can choose keys that collide.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace concord::store {

static_assert(std::endian::native == std::endian::little, "hashes read numbers as they lie in memory");

[[nodiscard]] inline std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

namespace detail {

// Odd constants of balanced bits: fractions of the square roots of 2, 3, 5 and 7.
inline constexpr std::uint64_t salt0 = 0x6a09e667f3bcc909U;
inline constexpr std::uint64_t salt1 = 0xbb67ae8584caa73bU;
inline constexpr std::uint64_t salt2 = 0x3c6ef372fe94f82bU;
inline constexpr std::uint64_t salt3 = 0xa54ff53a5f1d36f1U;

[[nodiscard]] inline std::uint64_t load64(const char* at) noexcept {
  std::uint64_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}
[[nodiscard]] inline std::uint64_t load32(const char* at) noexcept {
  std::uint32_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}

}  // namespace detail

[[nodiscard]] inline std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t seed) noexcept {
  using namespace detail;
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t state = seed ^ salt0;
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  if (left > 16) {
    if (left > 64) {  // two lanes that do not wait for each other
      std::uint64_t lane = seed ^ salt3;
      do {
        state = fold(load64(at) ^ salt1, load64(at + 8) ^ state);
        lane = fold(load64(at + 16) ^ salt2, load64(at + 24) ^ lane);
        at += 32;
        left -= 32;
      } while (left > 32);
      state ^= lane;
    }
    for (; left > 16; left -= 16, at += 16) state = fold(load64(at) ^ salt1, load64(at + 8) ^ state);
    low = load64(at + left - 16);  // the last 16 bytes, some of them for the second time
    high = load64(at + left - 8);
  } else if (left >= 8) {
    low = load64(at);
    high = load64(at + left - 8);
  } else if (left >= 4) {
    low = load32(at);
    high = load32(at + left - 4);
  } else if (left > 0) {
    low = static_cast<unsigned char>(at[0]) |
          static_cast<std::uint64_t>(static_cast<unsigned char>(at[left >> 1U])) << 8U |
          static_cast<std::uint64_t>(static_cast<unsigned char>(at[left - 1])) << 16U;
  }
  return fold(salt2 ^ bytes.size(), fold(low ^ salt1, high ^ state));
}

}  // namespace concord::store

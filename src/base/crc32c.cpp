#include "base/crc32c.hpp"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
#endif

namespace concord::base {
namespace {

constexpr std::uint32_t reversed_polynomial = 0x82f63b78U;

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? reversed_polynomial : 0U);
    table[byte] = crc;
  }
  return table;
}

constexpr auto table = make_table();

#if defined(__x86_64__)
// The instruction takes three cycles and one can begin in each: three lanes, each of so many bytes, keep it busy.
constexpr std::size_t lane_bytes = 256;

/// What a state becomes when `lane_bytes` zeros follow, taken apart by its bytes: the states of lanes are joined by it, because the
/// state over a whole is the sum of those over its parts, each moved up by what follows.
constexpr std::array<std::array<std::uint32_t, 256>, 4> make_lane_shift() {
  std::array<std::uint32_t, 32> of_bit{};
  for (unsigned bit = 0; bit < 32; ++bit) {
    std::uint32_t state = 1U << bit;
    for (std::size_t zero = 0; zero < lane_bytes; ++zero) state = (state >> 8U) ^ table[state & 0xffU];
    of_bit[bit] = state;
  }
  std::array<std::array<std::uint32_t, 256>, 4> shift{};
  for (unsigned byte = 0; byte < 4; ++byte) {
    for (unsigned value = 0; value < 256; ++value) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        if ((value >> bit & 1U) != 0) shift[byte][value] ^= of_bit[8 * byte + bit];
      }
    }
  }
  return shift;
}

constexpr auto lane_shift = make_lane_shift();

std::uint64_t shifted(std::uint64_t state) noexcept {
  return lane_shift[0][state & 0xffU] ^ lane_shift[1][state >> 8U & 0xffU] ^ lane_shift[2][state >> 16U & 0xffU] ^
         lane_shift[3][state >> 24U & 0xffU];
}

std::uint64_t load_word(const char* at) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

__attribute__((target("sse4.2"))) std::uint32_t extend_by_instruction(std::uint32_t crc,
                                                                      std::string_view bytes) noexcept {
  std::uint64_t state = ~crc;
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 3 * lane_bytes; left -= 3 * lane_bytes, at += 3 * lane_bytes) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t word = 0; word < lane_bytes; word += 8) {
      state = _mm_crc32_u64(state, load_word(at + word));
      second = _mm_crc32_u64(second, load_word(at + lane_bytes + word));
      third = _mm_crc32_u64(third, load_word(at + 2 * lane_bytes + word));
    }
    state = shifted(shifted(state) ^ second) ^ third;
  }
  for (; left >= 8; left -= 8, at += 8) {
    state = _mm_crc32_u64(state, load_word(at));
  }
  auto state32 = static_cast<std::uint32_t>(state);
  for (; left > 0; --left, ++at) state32 = _mm_crc32_u8(state32, static_cast<unsigned char>(*at));
  return ~state32;
}
bool has_instruction() noexcept { return __builtin_cpu_supports("sse4.2") != 0; }
#elif defined(__aarch64__)
__attribute__((target("+crc"))) std::uint32_t extend_by_instruction(std::uint32_t crc,
                                                                    std::string_view bytes) noexcept {
  std::uint32_t state = ~crc;
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, 8);
    state = __crc32cd(state, word);
  }
  for (; left > 0; --left, ++at) state = __crc32cb(state, static_cast<unsigned char>(*at));
  return ~state;
}
bool has_instruction() noexcept { return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0; }
#else
std::uint32_t extend_by_instruction(std::uint32_t crc, std::string_view bytes) noexcept {
  return crc32c_extend_portable(crc, bytes);
}
bool has_instruction() noexcept { return false; }
#endif

}  // namespace

std::uint32_t crc32c_extend_portable(std::uint32_t crc, std::string_view bytes) noexcept {
  std::uint32_t state = ~crc;
  for (const char c : bytes) state = (state >> 8U) ^ table[(state ^ static_cast<unsigned char>(c)) & 0xffU];
  return ~state;
}

std::uint32_t crc32c_extend(std::uint32_t crc, std::string_view bytes) noexcept {
  static const bool by_instruction = has_instruction();
  return by_instruction ? extend_by_instruction(crc, bytes) : crc32c_extend_portable(crc, bytes);
}

}  // namespace concord::base

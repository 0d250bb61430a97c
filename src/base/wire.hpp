// Little-endian numbers and varints: the alphabet of every format on disk and wire.
//
//   fixed32, fixed64   little endian
//   varint             LEB128: 7 bits a byte, low bits first, at most 10 bytes, shortest form only
//   bytes              varint length, then that many bytes
//
// Reading never runs past the end and never allocates: a `Reader` that met bad input stays failed and returns zeros, so a
// decoder may read a whole record and ask `ok()` once.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace concord::base {

static_assert(std::endian::native == std::endian::little, "formats are written by memcpy on little-endian hosts");

inline constexpr std::size_t max_varint_bytes = 10;

inline void append_fixed32(std::string& to, std::uint32_t value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}
inline void append_fixed64(std::string& to, std::uint64_t value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}
inline void append_varint(std::string& to, std::uint64_t value) {
  char buffer[max_varint_bytes];
  std::size_t size = 0;
  for (; value >= 0x80U; value >>= 7U) buffer[size++] = static_cast<char>(value | 0x80U);
  buffer[size++] = static_cast<char>(value);
  to.append(buffer, size);
}
inline void append_bytes(std::string& to, std::string_view bytes) {
  append_varint(to, bytes.size());
  to.append(bytes);
}

/// Small magnitudes of either sign to small varints.
[[nodiscard]] constexpr std::uint64_t zigzag(std::int64_t value) noexcept {
  return (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63);
}
[[nodiscard]] constexpr std::int64_t unzigzag(std::uint64_t value) noexcept {
  return static_cast<std::int64_t>((value >> 1U) ^ (~(value & 1U) + 1U));
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) noexcept : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()) {}

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  /// Everything was read and nothing was bad.
  [[nodiscard]] bool finished() const noexcept { return ok_ && at_ == end_; }
  [[nodiscard]] std::size_t remaining() const noexcept { return static_cast<std::size_t>(end_ - at_); }
  /// Where reading stands, or where it failed.
  [[nodiscard]] std::size_t offset() const noexcept { return static_cast<std::size_t>(at_ - begin_); }

  std::uint8_t byte() noexcept {
    if (at_ == end_) return fail();
    return static_cast<std::uint8_t>(*at_++);
  }
  std::uint32_t fixed32() noexcept { return fixed<std::uint32_t>(); }
  std::uint64_t fixed64() noexcept { return fixed<std::uint64_t>(); }

  std::uint64_t varint() noexcept {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at_ == end_) return fail();
      const auto byte = static_cast<std::uint8_t>(*at_++);
      if (shift == 63 && byte > 1) return fail();  // more than 64 bits
      if (byte == 0 && shift > 0) return fail();   // not the shortest form
      value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if (byte < 0x80U) return value;
    }
    return fail();
  }

  std::string_view bytes() noexcept { return take(varint()); }

  std::string_view take(std::uint64_t size_bytes) noexcept {
    if (!ok_ || size_bytes > remaining()) {
      fail();
      return {};
    }
    const std::string_view taken(at_, static_cast<std::size_t>(size_bytes));
    at_ += size_bytes;
    return taken;
  }

  std::uint8_t fail() noexcept {
    ok_ = false;
    end_ = at_;
    return 0;
  }

 private:
  template <class T>
  T fixed() noexcept {
    if (remaining() < sizeof(T)) return fail();
    T value = 0;
    std::memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
    return value;
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  bool ok_ = true;
};

}  // namespace concord::base

// The alphabet of wire.hpp written behind a pointer: for what is encoded so often that a look at a string's room for each piece counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace concord::base {

/// What `write_bytes` takes.
[[nodiscard]] inline std::size_t bytes_size(std::string_view bytes) noexcept {
  std::size_t size = 1 + bytes.size();
  for (std::size_t left = bytes.size() >> 7U; left > 0; left >>= 7U) ++size;
  return size;
}

// Precondition: there is room. Each returns the place behind what it wrote.
inline char* write_varint(char* to, std::uint64_t value) noexcept {
  for (; value >= 0x80U; value >>= 7U) *to++ = static_cast<char>(value | 0x80U);
  *to++ = static_cast<char>(value);
  return to;
}
inline char* write_bytes(char* to, std::string_view bytes) noexcept {
  to = write_varint(to, bytes.size());
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

/// Appends what `write(char* behind) -> char*` writes, at most `most_bytes`. It must not throw.
template <class Write>
void append_at_most(std::string& to, std::size_t most_bytes, Write write) {
  const std::size_t before = to.size();
  to.resize_and_overwrite(before + most_bytes, [before, &write](char* bytes, std::size_t) {
    return static_cast<std::size_t>(write(bytes + before) - bytes);
  });
}

}  // namespace concord::base

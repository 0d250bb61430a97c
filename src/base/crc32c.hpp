// CRC-32C (Castagnoli, RFC 3720 B.4), with the processor's instruction where it has one.
// Ours because no C++ package of Debian 12 offers it for linking; the whole of it is one table and one loop.
#pragma once

#include <cstdint>
#include <string_view>

namespace concord::base {

/// Extends `crc` (the result over what came before; 0 to begin) by `bytes`.
[[nodiscard]] std::uint32_t crc32c_extend(std::uint32_t crc, std::string_view bytes) noexcept;

[[nodiscard]] inline std::uint32_t crc32c(std::string_view bytes) noexcept { return crc32c_extend(0, bytes); }

/// The same by table: what the instruction must agree with (tested).
[[nodiscard]] std::uint32_t crc32c_extend_portable(std::uint32_t crc, std::string_view bytes) noexcept;

}  // namespace concord::base

// The packed form of a value: a stored form (see <concord/value.hpp>) in fewer bytes.
//
//   packed        := tag:u8 original_size:varint stream
//   tag           := 0x10 + 2 * algorithm + kind        so that the tags 0x10 to 0x17 are packed forms and no others are
//   algorithm     := 0 zlib | 1 gzip | 2 zstd | 3 lz4   the numbers of CompressionAlgorithm; never renumber
//   kind          := 0 JSON | 1 bytes                   the tag of the plain form
//   original_size := size of the plain form without its tag
//   stream        := what the algorithm makes of the plain form without its tag; see codec.hpp
//
// Reading needs no settings, and trusts nothing: the result has exactly the size that was declared, or there is none. No
// memory is taken for a size above the limit, or for one that a stream of that length cannot have.
//
// The same plain form may be packed in different bytes by another version of a library. So packing is done before the log,
// never by a replica while it applies, and nothing may depend on packed bytes being equal.
//
// Errors: `value_too_large` for a declared size above the limit, `invalid_request` for damage.
// Thread rule: free functions are pure; an `Unpacker` may be used by many threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <concord/compression.hpp>
#include <concord/error.hpp>
#include <concord/value.hpp>

#include "compress/codec.hpp"
#include "compress/pool.hpp"

namespace concord::compress {

inline constexpr unsigned char first_packed_tag = 0x10;

/// Whether a stored form is packed. Precondition: it is not empty, as no stored form is.
[[nodiscard]] inline bool is_packed(std::string_view stored) noexcept {
  static_assert(algorithm_count * 2 == 8, "the packed tags are those that share their upper five bits");
  return (static_cast<unsigned char>(stored.front()) & 0xf8U) == first_packed_tag;
}

/// The tag of a packed form. Precondition: `plain_tag` is that of JSON or bytes.
[[nodiscard]] constexpr unsigned char packed_tag(CompressionAlgorithm algorithm, unsigned char plain_tag) noexcept {
  return static_cast<unsigned char>(first_packed_tag + 2U * static_cast<unsigned>(algorithm) + plain_tag);
}

struct PackedHead {
  CompressionAlgorithm algorithm;
  unsigned char plain_tag;
  std::uint64_t original_size_bytes;
  std::string_view stream;
};

/// Reads what stands before the stream. Any bytes may be given.
[[nodiscard]] Result<PackedHead> read_head(std::string_view packed);

/// The declared size of the value, 0 when the head is damaged. Precondition: `is_packed(packed)`.
[[nodiscard]] std::uint64_t unpacked_size_bytes(std::string_view packed) noexcept;

/// Makes `out` the plain stored form, in the memory it has if that is enough; empty on an error.
[[nodiscard]] Result<void> unpack(std::string_view packed, std::size_t max_size_bytes, std::string& out);

/// The value, decompressed right into where it will live. JSON is taken to be what was packed and is not looked at.
[[nodiscard]] Result<Value> unpack_value(std::string_view packed, std::size_t max_size_bytes);

/// The same two calls with decompressors that are kept between them. A decompressor for zstd takes longer to make than to use
/// on 1 KiB; for the others it makes no difference.
class Unpacker {
 public:
  [[nodiscard]] Result<void> unpack(std::string_view packed, std::size_t max_size_bytes, std::string& out) const;
  [[nodiscard]] Result<Value> unpack_value(std::string_view packed, std::size_t max_size_bytes) const;

 private:
  [[nodiscard]] bool decompress(const PackedHead& head, std::span<char> to) const;

  mutable Pool<Decompressor> decompressors_;
};

}  // namespace concord::compress

// The four algorithms in one shape, over libdeflate (zlib, gzip), libzstd and liblz4.
//
// Streams: zlib RFC 1950, gzip RFC 1952, zstd RFC 8878 (one frame, with checksum), lz4 one block without a frame. Compressors
// and decompressors are expensive to make, hold no data between calls, and are used by one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <concord/compression.hpp>

namespace concord::compress {

inline constexpr std::uint8_t algorithm_count = 4;

class Compressor {
 public:
  virtual ~Compressor() = default;

  /// Returns the size of what it wrote to `to`, 0 when that has too little room or `from` is too large for the algorithm.
  [[nodiscard]] virtual std::size_t compress(std::string_view from, std::span<char> to) = 0;
};

/// Precondition: `Compression::check` accepts algorithm and level.
[[nodiscard]] std::unique_ptr<Compressor> make_compressor(CompressionAlgorithm algorithm, int level);

/// Room in which `compress` succeeds with everything that the algorithm takes.
[[nodiscard]] std::size_t compressed_bound(CompressionAlgorithm algorithm, std::size_t size_bytes) noexcept;

/// No stream of the algorithm with this many bytes gives more than this.
[[nodiscard]] std::uint64_t expanded_bound(CompressionAlgorithm algorithm, std::size_t size_bytes) noexcept;

/// Decompresses every algorithm; makes what each needs at its first use.
class Decompressor {
 public:
  Decompressor() noexcept;
  Decompressor(Decompressor&&) noexcept;
  Decompressor& operator=(Decompressor&&) noexcept;
  ~Decompressor();

  /// True when `from` is one undamaged stream, without anything behind it, that gives exactly `to.size()` bytes. Writes
  /// nowhere else; else what `to` holds means nothing.
  [[nodiscard]] bool decompress(CompressionAlgorithm algorithm, std::string_view from, std::span<char> to);

 private:
  struct Contexts;

  std::unique_ptr<Contexts> contexts_;
};

}  // namespace concord::compress

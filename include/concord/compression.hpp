// Compression of values: the settings a store packs large values with, and the same machinery for values of your own.
//
// A store with compression enabled packs values that are larger than a threshold and gives them back as they were; nothing
// of it can be seen but the memory saved. This header is for looking at what it would do, and for packing by hand:
//
//     concord::Compression compression({.algorithm = concord::CompressionAlgorithm::zstd, .level = 3});
//     concord::Value article = long_text;
//     if (compression.should_compress(article)) {                         // larger than 1024 bytes
//       concord::Result<concord::Compressed> small = compression.compress(article);
//       file << small->bytes();                                           // ... any time later, with any settings:
//     }
//     auto read = concord::Compressed::from_bytes(bytes_of_the_file);
//     concord::Result<concord::Value> same = compression.decompress(*read); // JSON is JSON again, bytes are bytes
//
//     auto stats = compression.stats(article);                            // stats->savings_percent == 87.5, say
//
// Compressed bytes name their algorithm, so anybody can decompress them. They may come from anywhere: whatever they hold,
// `decompress` gives a value or an error, and takes no memory for a value larger than it was allowed to be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <concord/error.hpp>
#include <concord/export.hpp>
#include <concord/value.hpp>

namespace concord {

/// The numbers are part of stored data: never renumber, never reuse.
enum class CompressionAlgorithm : std::uint8_t {
  zlib = 0,  ///< Deflate with a checksum; the default.
  gzip = 1,  ///< The same with another frame, 12 bytes longer.
  zstd = 2,  ///< As small as zlib in less time; with a checksum.
  lz4 = 3,   ///< Much faster and less small; without a checksum.
};

struct CompressionOptions {
  static constexpr int min_level = 0;
  static constexpr int max_level = 9;

  /// Whether values over the threshold are compressed without being asked for it.
  bool enabled = true;
  CompressionAlgorithm algorithm = CompressionAlgorithm::zlib;
  /// Values larger than this are compressed: bytes, or compact JSON text, as `Value::size_bytes()` counts them.
  std::size_t threshold_bytes = 1024;
  /// 0 to 9: more takes longer and gets smaller; 0 stores without compressing, as in zlib. Each algorithm's own level of
  /// that number; for lz4, 1 and 2 are its fast form (the same one) and from 3 on its thorough one.
  int level = 6;
};

struct CompressionStats {
  std::uint64_t original_size_bytes = 0;    ///< `Value::size_bytes()`
  std::uint64_t compressed_size_bytes = 0;  ///< `Compressed::bytes().size()`
  double compression_ratio = 100;           ///< compressed size in percent of the original; 100 for an empty value
  std::int64_t savings_bytes = 0;           ///< negative when the value grew
  double savings_percent = 0;               ///< 100 - compression_ratio
};

/// A compressed value: bytes that can be kept anywhere. Thread rule: an ordinary value.
class CONCORD_API Compressed {
 public:
  /// Takes back what `bytes()` gave. Errors: `invalid_request` when the bytes do not begin like a compressed value; what
  /// follows is looked at by `Compression::decompress`.
  [[nodiscard]] static Result<Compressed> from_bytes(std::string bytes);

  [[nodiscard]] CompressionAlgorithm algorithm() const noexcept { return algorithm_; }

  /// The size that the value says it had, in bytes. Not to be trusted before it is decompressed.
  [[nodiscard]] std::uint64_t original_size_bytes() const noexcept { return original_size_bytes_; }

  /// The form is in docs/FORMATS.md and stays readable by later versions.
  [[nodiscard]] const std::string& bytes() const& noexcept { return bytes_; }
  [[nodiscard]] std::string bytes() && noexcept { return std::move(bytes_); }

 private:
  Compressed(std::string bytes, CompressionAlgorithm algorithm, std::uint64_t original_size_bytes) noexcept
      : bytes_(std::move(bytes)), original_size_bytes_(original_size_bytes), algorithm_(algorithm) {}

  std::string bytes_;
  std::uint64_t original_size_bytes_;
  CompressionAlgorithm algorithm_;
};

/// Compresses with one set of options. Keeps idle compressors for the next call (under a megabyte each), so make one and
/// use it often. Thread rule: all calls may run on many threads at once. Moving from it leaves one that may only be
/// assigned to or destroyed.
class CONCORD_API Compression {
 public:
  static constexpr std::size_t default_max_size_bytes = std::size_t{64} << 20U;

  /// With options that `check` refuses, `compress` and `stats` give that error; the other calls work.
  explicit Compression(CompressionOptions options = {});
  Compression(Compression&& other) noexcept;
  Compression& operator=(Compression&& other) noexcept;
  ~Compression();

  /// Errors: `invalid_request` for a level outside 0 to 9 or an algorithm that does not exist.
  [[nodiscard]] static Result<void> check(const CompressionOptions& options);

  [[nodiscard]] const CompressionOptions& config() const noexcept { return options_; }

  /// Whether a store with these options compresses `value` without being asked: enabled, and larger than the threshold. (It
  /// then keeps the original if that is not larger.)
  [[nodiscard]] bool should_compress(const Value& value) const noexcept;

  /// Compresses whatever it is given, small values and with `enabled` false too; the result may be larger than the value.
  /// Errors: `invalid_request` for an invalid value or bad options; `value_too_large` for what the algorithm can't take
  /// (lz4: over 2 113 929 216 bytes).
  [[nodiscard]] Result<Compressed> compress(const Value& value) const;

  /// Gives the value back, whatever options it was compressed with. Errors: `value_too_large` when it says to be larger
  /// than `max_size_bytes`; `invalid_request` when the bytes are damaged, or hold JSON that is not valid. Damage is always
  /// found with zlib, gzip and zstd, which have checksums (a changed mark for JSON or bytes only if the JSON is not valid).
  /// Takes at most twice `max_size_bytes` of memory: JSON is read again, to be sure that it is valid.
  [[nodiscard]] Result<Value> decompress(const Compressed& compressed,
                                         std::size_t max_size_bytes = default_max_size_bytes) const;

  /// Compresses `value` and tells the sizes. Errors: as `compress`.
  [[nodiscard]] Result<CompressionStats> stats(const Value& value) const;

 private:
  struct Machinery;

  CompressionOptions options_;
  std::unique_ptr<const Machinery> machinery_;
};

}  // namespace concord

// Packs stored forms (packed.hpp) with one set of options.
//
//     if (packer.pack_if_wanted(stored, options.compress, packed)) keep(packed) else keep(stored);
//
// Idle compressors wait in a pool inside; a call takes one or makes one. Thread rule: all calls may run on many threads at
// once.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <concord/compression.hpp>

#include "compress/codec.hpp"
#include "compress/compressible.hpp"
#include "compress/pool.hpp"

namespace concord::compress {

class Packer {
 public:
  /// Precondition: `Compression::check(options)`.
  explicit Packer(const CompressionOptions& options);

  /// Whether to try: `compress` says so, or says nothing, packing is enabled and the value is larger than the threshold.
  /// Never for what is packed already. Precondition: a stored form.
  [[nodiscard]] bool wants(std::string_view stored, std::optional<bool> compress) const noexcept;

  /// Packs what `wants` says, if that makes it smaller. What nobody asked to compress, and doesn't look as if it could get
  /// smaller (compressible.hpp), is left alone.
  [[nodiscard]] bool pack_if_wanted(std::string_view stored, std::optional<bool> compress, std::string& out) const {
    return wants(stored, compress) && (compress || looks_compressible(stored.substr(1))) && pack(stored, out);
  }

  /// Makes `out` the packed form if that is smaller than `stored`; else false, and what `out` holds means nothing.
  /// Precondition: the stored form of JSON or bytes.
  [[nodiscard]] bool pack(std::string_view stored, std::string& out) const;

  /// The same also when that is not smaller. False: too large for the algorithm.
  [[nodiscard]] bool pack_always(std::string_view stored, std::string& out) const;

 private:
  /// Packs into at most `max_size_bytes`.
  [[nodiscard]] bool pack_within(std::size_t max_size_bytes, std::string_view stored, std::string& out) const;

  CompressionOptions options_;
  mutable Pool<std::unique_ptr<Compressor>> compressors_;
};

}  // namespace concord::compress

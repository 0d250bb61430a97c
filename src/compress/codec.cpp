#include "compress/codec.hpp"

#include <cstring>
#include <limits>
#include <new>

#include <libdeflate.h>
#include <lz4.h>
#include <lz4hc.h>
#include <zstd.h>

#include "base/check.hpp"

namespace concord::compress {
namespace {

struct Deleter {
  void operator()(libdeflate_compressor* compressor) const noexcept { libdeflate_free_compressor(compressor); }
  void operator()(libdeflate_decompressor* decompressor) const noexcept { libdeflate_free_decompressor(decompressor); }
  void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
  void operator()(LZ4_streamHC_t* stream) const noexcept { LZ4_freeStreamHC(stream); }
};

template <class T>
using Owned = std::unique_ptr<T, Deleter>;

/// The libraries return null only without memory, once the arguments are good.
template <class T>
Owned<T> owned(T* made) {
  if (made == nullptr) throw std::bad_alloc();
  return Owned<T>(made);
}

class DeflateCompressor final : public Compressor {
 public:
  using Format = decltype(&libdeflate_zlib_compress);

  DeflateCompressor(Format format, int level) : state_(owned(libdeflate_alloc_compressor(level))), format_(format) {}

  std::size_t compress(std::string_view from, std::span<char> to) override {
    return format_(state_.get(), from.data(), from.size(), to.data(), to.size());
  }

 private:
  Owned<libdeflate_compressor> state_;
  Format format_;
};

class ZstdCompressor final : public Compressor {
 public:
  explicit ZstdCompressor(int level) : context_(owned(ZSTD_createCCtx())) {
    // zstd's own 0 means its default. Its lowest level looks for matches in strides longer than a block: it only stores.
    set(ZSTD_c_compressionLevel, level == 0 ? ZSTD_minCLevel() : level);
    set(ZSTD_c_checksumFlag, 1);
  }

  std::size_t compress(std::string_view from, std::span<char> to) override {
    const std::size_t size = ZSTD_compress2(context_.get(), to.data(), to.size(), from.data(), from.size());
    return ZSTD_isError(size) != 0U ? 0 : size;
  }

 private:
  void set(ZSTD_cParameter parameter, int value) {
    const std::size_t code = ZSTD_CCtx_setParameter(context_.get(), parameter, value);
    CONCORD_CHECK(ZSTD_isError(code) == 0U, "zstd takes its own levels");
  }

  Owned<ZSTD_CCtx> context_;
};

[[nodiscard]] bool fits_lz4(std::size_t size_bytes) noexcept { return size_bytes <= LZ4_MAX_INPUT_SIZE; }

[[nodiscard]] int lz4_room(std::span<char> to) noexcept {
  constexpr std::size_t most = std::numeric_limits<int>::max();
  return static_cast<int>(to.size() < most ? to.size() : most);
}

/// Levels 1 and 2. Its state of 16 KiB lives on the stack.
class Lz4FastCompressor final : public Compressor {
 public:
  std::size_t compress(std::string_view from, std::span<char> to) override {
    if (!fits_lz4(from.size())) return 0;
    return static_cast<std::size_t>(
        LZ4_compress_default(from.data(), to.data(), static_cast<int>(from.size()), lz4_room(to)));
  }
};

/// Levels from 3 on.
class Lz4ThoroughCompressor final : public Compressor {
 public:
  explicit Lz4ThoroughCompressor(int level) : stream_(owned(LZ4_createStreamHC())), level_(level) {}

  std::size_t compress(std::string_view from, std::span<char> to) override {
    if (!fits_lz4(from.size())) return 0;
    // As a stream of a single block: a reset costs much less than LZ4_compress_HC, which clears 256 KiB.
    LZ4_resetStreamHC_fast(stream_.get(), level_);
    return static_cast<std::size_t>(
        LZ4_compress_HC_continue(stream_.get(), from.data(), to.data(), static_cast<int>(from.size()), lz4_room(to)));
  }

 private:
  Owned<LZ4_streamHC_t> stream_;
  int level_;
};

/// Level 0: a block of literals only. The upper half of its first byte is their count, 15 says that bytes to be added follow,
/// and each 255 among these that another one does.
class Lz4StoringCompressor final : public Compressor {
 public:
  std::size_t compress(std::string_view from, std::span<char> to) override {
    const std::size_t more = from.size() < 15 ? 0 : (from.size() - 15) / 255 + 1;
    if (!fits_lz4(from.size()) || to.size() < 1 + more + from.size()) return 0;
    char* at = to.data();
    *at++ = static_cast<char>((more == 0 ? from.size() : 15) << 4U);
    if (more > 0) {
      std::memset(at, 0xff, more - 1);
      at += more - 1;
      *at++ = static_cast<char>((from.size() - 15) % 255);
    }
    if (!from.empty()) std::memcpy(at, from.data(), from.size());
    return 1 + more + from.size();
  }
};

std::unique_ptr<Compressor> make_lz4_compressor(int level) {
  if (level == 0) return std::make_unique<Lz4StoringCompressor>();
  if (level < LZ4HC_CLEVEL_MIN) return std::make_unique<Lz4FastCompressor>();
  return std::make_unique<Lz4ThoroughCompressor>(level);
}

using DeflateFormat = decltype(&libdeflate_zlib_decompress_ex);

bool decompress_deflate(DeflateFormat format, libdeflate_decompressor* state, std::string_view from,
                        std::span<char> to) {
  std::size_t read = 0;  // without a place for the size written, fewer bytes than asked for are an error too
  const auto result = format(state, from.data(), from.size(), to.data(), to.size(), &read, nullptr);
  return result == LIBDEFLATE_SUCCESS && read == from.size();
}

bool decompress_zstd(ZSTD_DCtx* context, std::string_view from, std::span<char> to) {
  // Of several frames in a row zstd would give all the content.
  if (ZSTD_findFrameCompressedSize(from.data(), from.size()) != from.size()) return false;
  return ZSTD_decompressDCtx(context, to.data(), to.size(), from.data(), from.size()) == to.size();
}

bool decompress_lz4(std::string_view from, std::span<char> to) {
  constexpr std::size_t most = std::numeric_limits<int>::max();
  if (from.size() > most || to.size() > most) return false;
  const int size =
      LZ4_decompress_safe(from.data(), to.data(), static_cast<int>(from.size()), static_cast<int>(to.size()));
  return size >= 0 && static_cast<std::size_t>(size) == to.size();
}

}  // namespace

std::unique_ptr<Compressor> make_compressor(CompressionAlgorithm algorithm, int level) {
  switch (algorithm) {
    case CompressionAlgorithm::zlib: return std::make_unique<DeflateCompressor>(libdeflate_zlib_compress, level);
    case CompressionAlgorithm::gzip: return std::make_unique<DeflateCompressor>(libdeflate_gzip_compress, level);
    case CompressionAlgorithm::zstd: return std::make_unique<ZstdCompressor>(level);
    case CompressionAlgorithm::lz4: return make_lz4_compressor(level);
  }
  CONCORD_CHECK(false, "the algorithm was checked");
}

std::size_t compressed_bound(CompressionAlgorithm algorithm, std::size_t size_bytes) noexcept {
  switch (algorithm) {
    case CompressionAlgorithm::zlib: return libdeflate_zlib_compress_bound(nullptr, size_bytes);
    case CompressionAlgorithm::gzip: return libdeflate_gzip_compress_bound(nullptr, size_bytes);
    case CompressionAlgorithm::zstd: return ZSTD_compressBound(size_bytes);
    case CompressionAlgorithm::lz4: return size_bytes + size_bytes / 255 + 16;
  }
  return 0;
}

std::uint64_t expanded_bound(CompressionAlgorithm algorithm, std::size_t size_bytes) noexcept {
  const std::uint64_t size = size_bytes;
  switch (algorithm) {
    case CompressionAlgorithm::zlib:
    case CompressionAlgorithm::gzip: return size * 1032;  // 258 bytes by a length and a distance of one bit each
    case CompressionAlgorithm::zstd: return size << 15U;  // a block of 128 KiB in 4 bytes
    case CompressionAlgorithm::lz4: return size * 255;    // what one more byte adds to a length
  }
  return 0;
}

struct Decompressor::Contexts {
  Owned<libdeflate_decompressor> deflate;
  Owned<ZSTD_DCtx> zstd;
};

Decompressor::Decompressor() noexcept = default;
Decompressor::Decompressor(Decompressor&&) noexcept = default;
Decompressor& Decompressor::operator=(Decompressor&&) noexcept = default;
Decompressor::~Decompressor() = default;

bool Decompressor::decompress(CompressionAlgorithm algorithm, std::string_view from, std::span<char> to) {
  if (algorithm == CompressionAlgorithm::lz4) return decompress_lz4(from, to);
  if (!contexts_) contexts_ = std::make_unique<Contexts>();
  auto& [deflate, zstd] = *contexts_;
  if (algorithm == CompressionAlgorithm::zstd) {
    if (!zstd) zstd = owned(ZSTD_createDCtx());
    return decompress_zstd(zstd.get(), from, to);
  }
  if (!deflate) deflate = owned(libdeflate_alloc_decompressor());
  const bool is_zlib = algorithm == CompressionAlgorithm::zlib;
  return decompress_deflate(is_zlib ? libdeflate_zlib_decompress_ex : libdeflate_gzip_decompress_ex, deflate.get(),
                            from, to);
}

}  // namespace concord::compress

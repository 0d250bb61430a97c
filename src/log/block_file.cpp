#include "log/block_file.hpp"

#include <openssl/evp.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.hpp"
#include "base/crc32c.hpp"
#include "base/mutant.hpp"
#include "base/wire.hpp"

namespace concord::log {
namespace {

constexpr std::uint32_t block_tag = 1;
constexpr std::uint32_t footer_tag = 2;
constexpr std::size_t magic_bytes = 8;
constexpr std::size_t header_fixed_bytes = 16;
constexpr std::size_t block_header_bytes = 16;
constexpr std::size_t digest_bytes = 32;
constexpr std::size_t footer_bytes = 4 + 8 + digest_bytes + 4;
constexpr std::uint32_t max_meta_bytes = 1U << 20U;
// Level 1: a snapshot competes with puts for the processor.
constexpr int compression_level = 1;

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new()) {
    CONCORD_CHECK(context_ != nullptr && EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) == 1,
                  "SHA-256 is available");
  }
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  ~Sha256() { EVP_MD_CTX_free(context_); }

  void add(std::string_view bytes) { EVP_DigestUpdate(context_, bytes.data(), bytes.size()); }
  /// Of what came so far; more may come.
  [[nodiscard]] std::string value() const {
    Sha256 copy;
    CONCORD_CHECK(EVP_MD_CTX_copy_ex(copy.context_, context_) == 1, "a digest can be copied");
    std::array<unsigned char, digest_bytes> digest{};
    EVP_DigestFinal_ex(copy.context_, digest.data(), nullptr);
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
  }

 private:
  EVP_MD_CTX* context_;
};

struct CompressorDeleter {
  void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
};

}  // namespace

struct BlockFileWriter::State {
  env::FileSystem& files;
  std::string temporary_path;
  std::unique_ptr<env::File> file;
  std::unique_ptr<ZSTD_CCtx, CompressorDeleter> compressor{ZSTD_createCCtx()};
  Sha256 hash;
  std::uint64_t offset = 0;
  std::uint64_t block_count = 0;
  std::string buffer;
  std::string sha256;
};

BlockFileWriter::BlockFileWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}

BlockFileWriter::~BlockFileWriter() {
  if (!state_->file) return;
  state_->file.reset();
  (void)state_->files.remove(state_->temporary_path);
}

std::uint64_t BlockFileWriter::size_bytes() const noexcept { return state_->offset; }
const std::string& BlockFileWriter::sha256() const noexcept { return state_->sha256; }

Result<std::unique_ptr<BlockFileWriter>> BlockFileWriter::create(env::FileSystem& files,
                                                                 const std::string& temporary_path,
                                                                 const BlockFileKind& kind, std::string_view meta) {
  CONCORD_CHECK(meta.size() <= max_meta_bytes && kind.magic.size() == magic_bytes, "the meta data are small");
  auto file = files.open(temporary_path, kind.mode);
  if (!file) return std::unexpected(std::move(file.error()));
  std::unique_ptr<BlockFileWriter> writer(
      new BlockFileWriter(std::unique_ptr<State>(new State{.files = files,
                                                           .temporary_path = temporary_path,
                                                           .file = std::move(*file),
                                                           .hash = {},
                                                           .buffer = {},
                                                           .sha256 = {}})));
  std::string header(kind.magic);
  base::append_fixed32(header, kind.format);
  base::append_fixed32(header, static_cast<std::uint32_t>(meta.size()));
  header.append(meta);
  base::append_fixed32(header, base::crc32c(header));
  if (auto written = writer->write(header); !written) return std::unexpected(std::move(written.error()));
  return writer;
}

Result<void> BlockFileWriter::write(std::string_view bytes) {
  state_->hash.add(bytes);
  if (auto written = state_->file->write_at(state_->offset, bytes); !written) return written;
  state_->file->begin_writing(state_->offset, bytes.size());
  state_->offset += bytes.size();
  return {};
}

Result<void> BlockFileWriter::add_block(std::string_view raw) {
  CONCORD_CHECK(raw.size() <= max_block_bytes, "blocks are bounded");
  std::string& buffer = state_->buffer;
  buffer.resize(block_header_bytes + ZSTD_compressBound(raw.size()));
  const std::size_t size =
      ZSTD_compressCCtx(state_->compressor.get(), buffer.data() + block_header_bytes,
                        buffer.size() - block_header_bytes, raw.data(), raw.size(), compression_level);
  CONCORD_CHECK(ZSTD_isError(size) == 0U, "compressing into a large enough buffer succeeds");
  buffer.resize(block_header_bytes + size);
  std::string sizes;
  base::append_fixed32(sizes, static_cast<std::uint32_t>(size));
  base::append_fixed32(sizes, static_cast<std::uint32_t>(raw.size()));
  const std::uint32_t crc =
      base::crc32c_extend(base::crc32c(sizes), std::string_view(buffer).substr(block_header_bytes));
  std::string header;
  base::append_fixed32(header, block_tag);
  header += sizes;
  base::append_fixed32(header, crc);
  buffer.replace(0, block_header_bytes, header);
  ++state_->block_count;
  return write(buffer);
}

Result<void> BlockFileWriter::finish(const std::string& path) {
  std::string footer;
  base::append_fixed32(footer, footer_tag);
  base::append_fixed64(footer, state_->block_count);
  footer += state_->hash.value();
  base::append_fixed32(footer, base::crc32c(footer));
  if (auto done = write(footer); !done) return done;
  state_->sha256 = state_->hash.value();
  if (!CONCORD_MUTANT("a-snapshot-is-named-before-it-is-synced")) {
    if (auto done = state_->file->sync(); !done) return done;
  }
  if (auto done = state_->files.rename(state_->temporary_path, path); !done) return done;
  state_->file.reset();
  return state_->files.sync_directory(env::directory_of(path));
}

// ---------------------------------------------------------------------------------------------------------------------

struct BlockFileReader::State {
  std::string path;
  BlockFileKind kind;
  std::unique_ptr<env::File> file;
  std::uint64_t size_bytes = 0;
  std::string meta;
  std::unique_ptr<ZSTD_DCtx, CompressorDeleter> decompressor{ZSTD_createDCtx()};
  Sha256 hash;
  std::uint64_t offset = 0;
  std::uint64_t block_count = 0;
  std::string buffer;
  std::string sha256;

  [[nodiscard]] std::unexpected<Error> damaged(const std::string& what) const {
    return fail(kind.damage, path + ": damaged at offset " + std::to_string(offset) + ": " + what);
  }
  /// Reads exactly so many bytes into `buffer`, without going on.
  Result<void> peek(std::uint64_t size) {
    if (size > size_bytes - offset) return damaged("the file ends too early");
    buffer.resize(static_cast<std::size_t>(size));
    const auto read = file->read_at(offset, buffer.data(), buffer.size());
    if (!read) return std::unexpected(read.error());
    if (*read != size) return damaged("the file ends too early");
    return {};
  }
  Result<void> check_header();
  Result<void> check_footer();
};

BlockFileReader::BlockFileReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
BlockFileReader::~BlockFileReader() = default;

Result<std::unique_ptr<BlockFileReader>> BlockFileReader::open(env::FileSystem& files, const std::string& path,
                                                               const BlockFileKind& kind) {
  auto file = files.open(path, env::OpenMode::read);
  if (!file) return std::unexpected(std::move(file.error()));
  const auto size = (*file)->size_bytes();
  if (!size) return std::unexpected(size.error());
  std::unique_ptr<State> state(new State{.path = path,
                                         .kind = kind,
                                         .file = std::move(*file),
                                         .size_bytes = *size,
                                         .meta = {},
                                         .hash = {},
                                         .buffer = {},
                                         .sha256 = {}});
  if (auto done = state->check_header(); !done) return std::unexpected(std::move(done.error()));
  return std::unique_ptr<BlockFileReader>(new BlockFileReader(std::move(state)));
}

Result<void> BlockFileReader::State::check_header() {
  if (auto done = peek(header_fixed_bytes); !done) return done;
  base::Reader fixed(buffer);
  if (fixed.take(magic_bytes) != kind.magic) return damaged("not a " + std::string(kind.name) + " of Concord");
  if (const std::uint32_t format = fixed.fixed32(); format != kind.format) {
    return damaged("format " + std::to_string(format) + " is not known to this version (it knows " +
                   std::to_string(kind.format) + ")");
  }
  const std::uint32_t meta_size = fixed.fixed32();
  if (meta_size > max_meta_bytes) return damaged("the meta data is too large");
  if (auto done = peek(header_fixed_bytes + meta_size + 4); !done) return done;
  const std::string_view header(buffer);
  base::Reader crc(header.substr(header.size() - 4));
  if (crc.fixed32() != base::crc32c(header.substr(0, header.size() - 4)))
    return damaged("the header's checksum is wrong");
  meta = header.substr(header_fixed_bytes, meta_size);
  hash.add(header);
  offset = header.size();
  return {};
}

std::string_view BlockFileReader::meta() const noexcept { return state_->meta; }
std::uint64_t BlockFileReader::size_bytes() const noexcept { return state_->size_bytes; }
std::uint64_t BlockFileReader::offset() const noexcept { return state_->offset; }
const std::string& BlockFileReader::sha256() const noexcept { return state_->sha256; }

Result<bool> BlockFileReader::next(std::string& raw) {
  State& state = *state_;
  if (auto done = state.peek(block_header_bytes); !done) return std::unexpected(std::move(done.error()));
  base::Reader reader(state.buffer);
  const std::uint32_t tag = reader.fixed32();
  if (tag == footer_tag) {
    if (auto done = state.check_footer(); !done) return std::unexpected(std::move(done.error()));
    return false;
  }
  if (tag != block_tag) return state.damaged("neither a block nor the footer");
  const std::uint32_t stored_size = reader.fixed32();
  const std::uint32_t raw_size = reader.fixed32();
  const std::uint32_t crc = reader.fixed32();
  if (raw_size > max_block_bytes || stored_size > ZSTD_compressBound(raw_size))
    return state.damaged("a block is too large");
  if (auto done = state.peek(block_header_bytes + std::uint64_t{stored_size}); !done)
    return std::unexpected(std::move(done.error()));
  const std::string_view block(state.buffer);
  const std::string_view frame = block.substr(block_header_bytes);
  if (crc != base::crc32c_extend(base::crc32c(block.substr(4, 8)), frame) &&
      !CONCORD_MUTANT("a-damaged-snapshot-is-taken")) {
    return state.damaged("a block's checksum is wrong");
  }
  raw.resize(raw_size);
  const std::size_t size =
      ZSTD_decompressDCtx(state.decompressor.get(), raw.data(), raw.size(), frame.data(), frame.size());
  if (ZSTD_isError(size) != 0U || size != raw_size) return state.damaged("a block can't be decompressed");
  state.hash.add(block);
  state.offset += block.size();
  ++state.block_count;
  return true;
}

Result<void> BlockFileReader::State::check_footer() {
  if (auto done = peek(footer_bytes); !done) return done;
  const std::string_view footer(buffer);
  base::Reader reader(footer);
  (void)reader.fixed32();
  const std::uint64_t blocks = reader.fixed64();
  const std::string_view digest = reader.take(digest_bytes);
  if (reader.fixed32() != base::crc32c(footer.substr(0, footer_bytes - 4)))
    return damaged("the footer's checksum is wrong");
  if (blocks != block_count) return damaged("blocks are missing");
  if (CONCORD_MUTANT("a-damaged-snapshot-is-taken")) return {};
  if (digest != hash.value()) return damaged("the SHA-256 of the whole is wrong");
  if (offset + footer_bytes != size_bytes) return damaged("bytes behind the footer");
  hash.add(footer);
  sha256 = hash.value();
  offset = size_bytes;
  return {};
}

Result<std::string> sha256_of_file(env::FileSystem& files, const std::string& path) {
  auto file = files.open(path, env::OpenMode::read);
  if (!file) return std::unexpected(std::move(file.error()));
  std::string buffer(std::size_t{1} << 20U, '\0');
  Sha256 hash;
  for (std::uint64_t offset = 0;;) {
    const auto read = (*file)->read_at(offset, buffer.data(), buffer.size());
    if (!read) return std::unexpected(read.error());
    hash.add(std::string_view(buffer).substr(0, *read));
    offset += *read;
    if (*read < buffer.size()) return hash.value();
  }
}

}  // namespace concord::log

#include "log/snapshot_file.hpp"

#include <openssl/evp.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

#include "base/check.hpp"
#include "base/crc32c.hpp"
#include "base/mutant.hpp"
#include "base/wire.hpp"
#include "log/received_snapshot.hpp"

namespace concord::log {
namespace {

constexpr std::string_view magic = "CNCRDSNP";
constexpr std::string_view temporary_ending = ".tmp";
constexpr std::uint32_t block_tag = 1;
constexpr std::uint32_t footer_tag = 2;
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
  [[nodiscard]] std::string finish() {
    std::array<unsigned char, digest_bytes> digest{};
    EVP_DigestFinal_ex(context_, digest.data(), nullptr);
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
  }

 private:
  EVP_MD_CTX* context_;
};

struct CompressorDeleter {
  void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
};

std::string file_name(base::Index index, base::Term term) {
  char name[80];
  std::snprintf(name, sizeof name, "snapshot-%020llu-%020llu.snap", static_cast<unsigned long long>(index.value()),
                static_cast<unsigned long long>(term.value()));
  return name;
}

}  // namespace

SnapshotFileInfo snapshot_file(const std::string& directory, base::Index index, base::Term term) {
  return {.path = directory + "/" + file_name(index, term), .index = index, .term = term};
}

std::optional<SnapshotFileInfo> parse_snapshot_name(const std::string& directory, const std::string& name) {
  std::uint64_t index = 0;
  std::uint64_t term = 0;
  if (name.size() != file_name({}, {}).size() || !name.starts_with("snapshot-")) return std::nullopt;
  std::from_chars(name.data() + 9, name.data() + 29, index);
  std::from_chars(name.data() + 30, name.data() + 50, term);
  SnapshotFileInfo info{.path = directory + "/" + name, .index = base::Index(index), .term = base::Term(term)};
  if (name != file_name(info.index, info.term)) return std::nullopt;
  return info;
}

Result<std::vector<SnapshotFileInfo>> list_snapshots(env::FileSystem& files, const std::string& directory) {
  const auto names = files.list(directory);
  if (!names) return std::unexpected(names.error());
  std::vector<SnapshotFileInfo> found;
  for (const std::string& name : *names) {
    if (name.ends_with(temporary_ending) || name.ends_with(received_ending)) continue;
    auto info = parse_snapshot_name(directory, name);
    if (!info) return fail(Errc::storage_failed, directory + "/" + name + ": not a snapshot file");
    found.push_back(std::move(*info));
  }
  std::ranges::sort(found, [](const auto& a, const auto& b) { return a.index > b.index; });
  return found;
}

Result<void> remove_unfinished_snapshots(env::FileSystem& files, const std::string& directory) {
  const auto names = files.list(directory);
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names) {
    if (!name.ends_with(temporary_ending)) continue;
    if (auto removed = files.remove(directory + "/" + name); !removed) return removed;
  }
  return {};
}

Result<void> remove_old_snapshots(env::FileSystem& files, const std::string& directory, std::size_t keep) {
  const auto found = list_snapshots(files, directory);
  if (!found) return std::unexpected(found.error());
  for (std::size_t at = keep; at < found->size(); ++at) {
    if (auto removed = files.remove((*found)[at].path); !removed) return removed;
  }
  return found->size() > keep ? files.sync_directory(directory) : Result<void>();
}

// ---------------------------------------------------------------------------------------------------------------------

struct SnapshotWriter::State {
  env::FileSystem& files;
  std::string directory;
  std::string temporary_path;
  SnapshotFileInfo info;
  std::unique_ptr<env::File> file;
  std::unique_ptr<ZSTD_CCtx, CompressorDeleter> compressor{ZSTD_createCCtx()};
  Sha256 hash;
  std::uint64_t offset = 0;
  std::uint64_t block_count = 0;
  std::string buffer;
};

SnapshotWriter::SnapshotWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}

SnapshotWriter::~SnapshotWriter() {
  if (!state_->file) return;
  state_->file.reset();
  (void)state_->files.remove(state_->temporary_path);
}

Result<std::unique_ptr<SnapshotWriter>> SnapshotWriter::create(env::FileSystem& files, const std::string& directory,
                                                               base::Index index, base::Term term,
                                                               std::string_view meta) {
  CONCORD_CHECK(meta.size() <= max_meta_bytes, "a snapshot's meta data is small");
  SnapshotFileInfo info = snapshot_file(directory, index, term);
  const std::string temporary = info.path + std::string(temporary_ending);
  if (auto removed = files.remove(temporary); !removed && removed.error().code() != Errc::not_found) {
    return std::unexpected(std::move(removed.error()));
  }
  auto file = files.open(temporary, env::OpenMode::create_new);
  if (!file) return std::unexpected(std::move(file.error()));
  std::unique_ptr<SnapshotWriter> writer(
      new SnapshotWriter(std::unique_ptr<State>(new State{.files = files,
                                                          .directory = directory,
                                                          .temporary_path = temporary,
                                                          .info = std::move(info),
                                                          .file = std::move(*file),
                                                          .hash = {},
                                                          .buffer = {}})));
  std::string header(magic);
  base::append_fixed32(header, snapshot_format);
  base::append_fixed32(header, static_cast<std::uint32_t>(meta.size()));
  header.append(meta);
  base::append_fixed32(header, base::crc32c(header));
  if (auto written = writer->write(header); !written) return std::unexpected(std::move(written.error()));
  return writer;
}

Result<void> SnapshotWriter::write(std::string_view bytes) {
  state_->hash.add(bytes);
  if (auto written = state_->file->write_at(state_->offset, bytes); !written) return written;
  state_->offset += bytes.size();
  return {};
}

Result<void> SnapshotWriter::add_block(std::string_view raw) {
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

Result<SnapshotFileInfo> SnapshotWriter::finish() {
  std::string footer;
  base::append_fixed32(footer, footer_tag);
  base::append_fixed64(footer, state_->block_count);
  footer += state_->hash.finish();
  base::append_fixed32(footer, base::crc32c(footer));
  if (auto done = state_->file->write_at(state_->offset, footer); !done)
    return std::unexpected(std::move(done.error()));
  if (!CONCORD_MUTANT("a-snapshot-is-named-before-it-is-synced")) {
    if (auto done = state_->file->sync(); !done) return std::unexpected(std::move(done.error()));
  }
  if (auto done = state_->files.rename(state_->temporary_path, state_->info.path); !done) {
    return std::unexpected(std::move(done.error()));
  }
  state_->file.reset();
  if (auto done = state_->files.sync_directory(state_->directory); !done)
    return std::unexpected(std::move(done.error()));
  return state_->info;
}

// ---------------------------------------------------------------------------------------------------------------------

struct SnapshotReader::State {
  std::string path;
  std::unique_ptr<env::File> file;
  std::uint64_t size_bytes = 0;
  std::string meta;
  std::unique_ptr<ZSTD_DCtx, CompressorDeleter> decompressor{ZSTD_createDCtx()};
  Sha256 hash;
  std::uint64_t offset = 0;
  std::uint64_t block_count = 0;
  std::string buffer;

  [[nodiscard]] std::unexpected<Error> damaged(const std::string& what) const {
    return fail(Errc::storage_failed, path + ": damaged at offset " + std::to_string(offset) + ": " + what);
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
  Result<void> check_footer();
};

SnapshotReader::SnapshotReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
SnapshotReader::~SnapshotReader() = default;

Result<std::unique_ptr<SnapshotReader>> SnapshotReader::open(env::FileSystem& files, const std::string& path) {
  auto file = files.open(path, env::OpenMode::read);
  if (!file) return std::unexpected(std::move(file.error()));
  const auto size = (*file)->size_bytes();
  if (!size) return std::unexpected(size.error());
  std::unique_ptr<State> state(
      new State{.path = path, .file = std::move(*file), .size_bytes = *size, .meta = {}, .hash = {}, .buffer = {}});
  if (auto done = state->peek(header_fixed_bytes); !done) return std::unexpected(std::move(done.error()));
  base::Reader fixed(state->buffer);
  if (fixed.take(magic.size()) != magic) return state->damaged("not a snapshot of Concord");
  if (const std::uint32_t format = fixed.fixed32(); format != snapshot_format) {
    return state->damaged("format " + std::to_string(format) + " is not known to this version (it knows " +
                          std::to_string(snapshot_format) + ")");
  }
  const std::uint32_t meta_size = fixed.fixed32();
  if (meta_size > max_meta_bytes) return state->damaged("the meta data is too large");
  if (auto done = state->peek(header_fixed_bytes + meta_size + 4); !done)
    return std::unexpected(std::move(done.error()));
  const std::string_view header(state->buffer);
  base::Reader crc(header.substr(header.size() - 4));
  if (crc.fixed32() != base::crc32c(header.substr(0, header.size() - 4)))
    return state->damaged("the header's checksum is wrong");
  state->meta = header.substr(header_fixed_bytes, meta_size);
  state->hash.add(header);
  state->offset = header.size();
  return std::unique_ptr<SnapshotReader>(new SnapshotReader(std::move(state)));
}

std::string_view SnapshotReader::meta() const noexcept { return state_->meta; }

Result<bool> SnapshotReader::next(std::string& raw) {
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

Result<void> SnapshotReader::State::check_footer() {
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
  if (digest != hash.finish()) return damaged("the SHA-256 of the whole is wrong");
  if (offset + footer_bytes != size_bytes) return damaged("bytes behind the footer");
  return {};
}

}  // namespace concord::log

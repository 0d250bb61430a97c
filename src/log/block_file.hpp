// Files of blocks behind a description: snapshots (snapshot_file.hpp), histories of events, backups.
//
//   file     := header block* footer
//   header   := magic:8 format:u32 meta_size:u32 meta crc:u32                          crc over all before it
//   block    := 1:u32 stored_size:u32 raw_size:u32 crc:u32 zstd-frame                  crc over the two sizes and the frame
//   footer   := 2:u32 block_count:u64 sha256:32 crc:u32                                sha256 over header and blocks, crc over the
//                                                                                     footer before it; nothing follows
//
// `meta` and the raw bytes of blocks belong to who writes them. A file is written under a temporary name, synced, and then renamed: a
// file with its later name is whole, or it was damaged since.
//
// Errors: storage_full; storage_failed; what a reader finds wrong has the code of the kind, and names file and offset.
// Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <concord/error.hpp>

#include "env/file_system.hpp"

namespace concord::log {

/// A reader refuses blocks beyond: no file can make it take more memory than this.
/// The largest event of a history (store/history.hpp) and the largest value with what may stand before them.
inline constexpr std::uint32_t max_block_bytes = (1U << 30U) + (64U << 20U);

struct BlockFileKind {
  std::string_view magic;  ///< 8 bytes
  std::uint32_t format = 1;
  std::string_view name;                           ///< "snapshot"
  Errc damage = Errc::storage_failed;              ///< of what can't be read
  env::OpenMode mode = env::OpenMode::create_new;  ///< of a file that is made
};

class BlockFileWriter {
 public:
  /// Precondition: no file has that name.
  [[nodiscard]] static Result<std::unique_ptr<BlockFileWriter>> create(env::FileSystem& files,
                                                                       const std::string& temporary_path,
                                                                       const BlockFileKind& kind,
                                                                       std::string_view meta);
  /// Without `finish`: removes what was written.
  ~BlockFileWriter();
  BlockFileWriter(const BlockFileWriter&) = delete;
  BlockFileWriter& operator=(const BlockFileWriter&) = delete;

  /// At most max_block_bytes.
  [[nodiscard]] Result<void> add_block(std::string_view raw);
  /// The file is durable under `path` from here on; the name is in the directory of the temporary one.
  [[nodiscard]] Result<void> finish(const std::string& path);

  [[nodiscard]] std::uint64_t size_bytes() const noexcept;
  /// Of the whole file, 32 bytes. Precondition: finished.
  [[nodiscard]] const std::string& sha256() const noexcept;

 private:
  struct State;
  explicit BlockFileWriter(std::unique_ptr<State> state);
  Result<void> write(std::string_view bytes);
  std::unique_ptr<State> state_;
};

class BlockFileReader {
 public:
  /// Checks the header.
  [[nodiscard]] static Result<std::unique_ptr<BlockFileReader>> open(env::FileSystem& files, const std::string& path,
                                                                     const BlockFileKind& kind);
  ~BlockFileReader();
  BlockFileReader(const BlockFileReader&) = delete;
  BlockFileReader& operator=(const BlockFileReader&) = delete;

  [[nodiscard]] std::string_view meta() const noexcept;
  /// The next block's raw bytes; false at the end, after the footer was checked. Only then is the whole file known to be good.
  [[nodiscard]] Result<bool> next(std::string& raw);

  [[nodiscard]] std::uint64_t size_bytes() const noexcept;
  /// How far it has read.
  [[nodiscard]] std::uint64_t offset() const noexcept;
  /// Of the whole file, 32 bytes. Precondition: `next` came to the end.
  [[nodiscard]] const std::string& sha256() const noexcept;

 private:
  struct State;
  explicit BlockFileReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Of a file as it is, 32 bytes.
[[nodiscard]] Result<std::string> sha256_of_file(env::FileSystem& files, const std::string& path);

}  // namespace concord::log

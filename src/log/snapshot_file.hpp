// Snapshot files: the state of the store at one index, in a directory of its own.
//
//   name     := "snapshot-" index:20 digits "-" term:20 digits ".snap"
//   file     := header block* footer
//   header   := magic:8 "CNCRDSNP" format:u32(=1) meta_size:u32 meta crc:u32           crc over all before it
//   block    := 1:u32 stored_size:u32 raw_size:u32 crc:u32 zstd-frame                  crc over the two sizes and the frame
//   footer   := 2:u32 block_count:u64 sha256:32 crc:u32                                sha256 over header and blocks, crc over the
//                                                                                     footer before it; nothing follows
//
// A temporary name is the later one with ".tmp" behind it (written here), or ".incoming.tmp" (incoming_snapshot.hpp).
//
// `meta` and the raw bytes of blocks belong to who writes them (store/snapshot.hpp). A file is written under a temporary
// name, synced, and then renamed: a file with a snapshot's name is whole, or it was damaged later.
//
// Errors: storage_full; storage_failed, with file and offset when bytes are wrong. Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concord/error.hpp>

#include "base/ids.hpp"
#include "env/file_system.hpp"

namespace concord::log {

inline constexpr std::uint32_t snapshot_format = 1;
/// A reader refuses blocks beyond: no file can make it take more memory than this.
inline constexpr std::uint32_t max_block_bytes = 64U << 20U;

struct SnapshotFileInfo {
  std::string path;
  base::Index index;
  base::Term term;
};

/// Where the snapshot of that place stands.
[[nodiscard]] SnapshotFileInfo snapshot_file(const std::string& directory, base::Index index, base::Term term);
/// Nothing when it is not a snapshot's name.
[[nodiscard]] std::optional<SnapshotFileInfo> parse_snapshot_name(const std::string& directory,
                                                                  const std::string& name);
/// Newest first. Files with a temporary name are passed over: somebody may be writing them.
[[nodiscard]] Result<std::vector<SnapshotFileInfo>> list_snapshots(env::FileSystem& files,
                                                                   const std::string& directory);
/// Removes what a process that ended has left under temporary names; for a start, when nobody is writing yet.
[[nodiscard]] Result<void> remove_unfinished_snapshots(env::FileSystem& files, const std::string& directory);
/// Removes all but the `keep` newest.
[[nodiscard]] Result<void> remove_old_snapshots(env::FileSystem& files, const std::string& directory, std::size_t keep);

class SnapshotWriter {
 public:
  [[nodiscard]] static Result<std::unique_ptr<SnapshotWriter>> create(env::FileSystem& files,
                                                                      const std::string& directory, base::Index index,
                                                                      base::Term term, std::string_view meta);
  /// Without `finish`: removes what was written.
  ~SnapshotWriter();
  SnapshotWriter(const SnapshotWriter&) = delete;
  SnapshotWriter& operator=(const SnapshotWriter&) = delete;

  /// At most max_block_bytes.
  [[nodiscard]] Result<void> add_block(std::string_view raw);
  /// The snapshot is durable under its name from here on.
  [[nodiscard]] Result<SnapshotFileInfo> finish();

 private:
  struct State;
  explicit SnapshotWriter(std::unique_ptr<State> state);
  Result<void> write(std::string_view bytes);
  std::unique_ptr<State> state_;
};

class SnapshotReader {
 public:
  /// Checks the header.
  [[nodiscard]] static Result<std::unique_ptr<SnapshotReader>> open(env::FileSystem& files, const std::string& path);
  ~SnapshotReader();
  SnapshotReader(const SnapshotReader&) = delete;
  SnapshotReader& operator=(const SnapshotReader&) = delete;

  [[nodiscard]] std::string_view meta() const noexcept;
  /// The next block's raw bytes; false at the end, after the footer was checked. Only then is the whole file known to be good.
  [[nodiscard]] Result<bool> next(std::string& raw);

 private:
  struct State;
  explicit SnapshotReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace concord::log

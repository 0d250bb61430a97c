// Snapshot files: the state of the store at one index, in a directory of its own.
//
//   name     := "snapshot-" index:20 digits "-" term:20 digits ".snap"
//   file     := a file of blocks (block_file.hpp) with magic "CNCRDSNP", format 1
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
#include <utility>
#include <vector>

#include <concord/error.hpp>

#include "base/ids.hpp"
#include "env/file_system.hpp"
#include "log/block_file.hpp"

namespace concord::log {

inline constexpr std::uint32_t snapshot_format = 1;

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
  /// At most max_block_bytes.
  [[nodiscard]] Result<void> add_block(std::string_view raw) { return file_->add_block(raw); }
  /// The snapshot is durable under its name from here on; without, what was written is removed.
  [[nodiscard]] Result<SnapshotFileInfo> finish();

 private:
  SnapshotWriter(SnapshotFileInfo info, std::unique_ptr<BlockFileWriter> file)
      : info_(std::move(info)), file_(std::move(file)) {}

  SnapshotFileInfo info_;
  std::unique_ptr<BlockFileWriter> file_;
};

[[nodiscard]] Result<std::unique_ptr<BlockFileReader>> open_snapshot(env::FileSystem& files, const std::string& path);

}  // namespace concord::log

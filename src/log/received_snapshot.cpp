#include "log/received_snapshot.hpp"

#include <utility>

#include "base/mutant.hpp"

namespace concord::log {

Result<SnapshotFileInfo> take_received(env::FileSystem& files, const SnapshotFileInfo& received) {
  SnapshotFileInfo taken = received;
  if (taken.path.ends_with(received_ending)) taken.path.resize(taken.path.size() - received_ending.size());
  if (auto renamed = files.rename(received.path, taken.path); !renamed)
    return std::unexpected(std::move(renamed.error()));
  const std::string directory = taken.path.substr(0, taken.path.rfind('/'));
  if (auto synced = files.sync_directory(directory); !synced) return std::unexpected(std::move(synced.error()));
  return taken;
}

Result<void> settle_received(env::FileSystem& files, const std::string& directory, base::Index log_first_index) {
  const auto names = files.list(directory);
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names) {
    if (!name.ends_with(received_ending)) continue;
    const std::string path = directory + "/" + name;
    const auto info = parse_snapshot_name(directory, name.substr(0, name.size() - received_ending.size()));
    if (info && info->index.next() == log_first_index && !CONCORD_MUTANT("a-received-snapshot-is-forgotten")) {
      auto taken = take_received(files, {.path = path, .index = info->index, .term = info->term});
      if (!taken) return std::unexpected(std::move(taken.error()));
    } else if (auto removed = files.remove(path); !removed) {
      return removed;
    }
  }
  return {};
}

}  // namespace concord::log

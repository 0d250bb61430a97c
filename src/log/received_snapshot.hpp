// Snapshots that came whole from a peer (incoming_snapshot.hpp), and when they count.
//
// Such a file stands under its snapshot's name with ".received" behind it until the log has been restarted after it
// (Log::restart_after): a snapshot that is newer than the log's end would else look as if the log had lost its tail. After a
// crash the log says which it was: if it begins behind the snapshot, the snapshot counts; else it never came.
//
// Thread rule: one thread at a time.
#pragma once

#include <string>

#include <concord/error.hpp>

#include "base/ids.hpp"
#include "env/file_system.hpp"
#include "log/snapshot_file.hpp"

namespace concord::log {

inline constexpr std::string_view received_ending = ".received";

/// The log begins behind it now: it gets its name. Returns it under that name.
[[nodiscard]] Result<SnapshotFileInfo> take_received(env::FileSystem& files, const SnapshotFileInfo& received);
/// At a start: takes the one that the log begins behind, removes the others.
[[nodiscard]] Result<void> settle_received(env::FileSystem& files, const std::string& directory,
                                           base::Index log_first_index);

}  // namespace concord::log

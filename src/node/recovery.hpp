// From a data directory to a replica that is ready to run: newest snapshot, then the log behind it.
//
// Errors: those of the data directory, the log and the snapshot files, which name file and offset; storage_failed too when
// they don't fit together (a log that begins behind the snapshot's end). A damaged newest snapshot is no loss while the one
// before it and the log behind that are whole: it is passed over, and said so.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <concord/error.hpp>
#include <concord/options.hpp>

#include "base/ids.hpp"
#include "env/file_system.hpp"
#include "log/data_directory.hpp"
#include "log/log.hpp"
#include "log/snapshot_file.hpp"
#include "node/place.hpp"
#include "replica/replica.hpp"
#include "store/history.hpp"
#include "store/snapshot.hpp"

namespace concord::node {

/// Numbers drawn at random by the caller: recovery itself decides nothing by chance.
struct Drawn {
  std::uint64_t cluster_id = 0;
  std::uint64_t node_id = 0;
  std::uint64_t directory = 0;
  std::uint64_t election_seed = 0;
  std::uint64_t hash_seed = 0;
  std::uint64_t log_salt = 0;
  std::uint64_t read_contexts = 0;
};

struct Recovered {
  std::unique_ptr<log::Log> log;
  std::unique_ptr<replica::Replica> replica;
  base::Index snapshot_index;  ///< of the newest good snapshot; 0: none
  log::SnapshotFileInfo newest_snapshot = {};
  replica::Membership snapshot_members = {};
};

using Say = std::function<void(LogLevel, const std::string&)>;

/// Tells one boot of this machine from the next.
[[nodiscard]] std::uint64_t boot_id(env::FileSystem& files);

/// `place` is used by a directory that is not formed yet: it takes it, for good. `history`, if there is one, gets what was saved of it
/// with the snapshot, and then all that is applied.
[[nodiscard]] Result<Recovered> recover(env::FileSystem& files, const Options& options, const Drawn& drawn,
                                        log::DataDirectory& directory, const Place& place, std::uint64_t boot_id,
                                        std::uint64_t segment_bytes, const Say& say, store::History* history = nullptr);

// The two halves of `recover`.

/// The newest snapshot's state, and the log whose entries behind it are still to come.
[[nodiscard]] Result<Recovered> load(env::FileSystem& files, const Options& options, const Drawn& drawn,
                                     log::DataDirectory& directory, const Place& place, std::uint64_t boot_id,
                                     std::uint64_t segment_bytes, const Say& say);
/// `seen` is shown each entry first, if it is given.
[[nodiscard]] Result<void> replay(Recovered& recovered, const log::Log::Visitor& seen = {});

/// A snapshot file, read as a whole and checked.
[[nodiscard]] Result<std::unique_ptr<store::LoadedState>> load_snapshot(env::FileSystem& files,
                                                                        const std::string& path);

}  // namespace concord::node

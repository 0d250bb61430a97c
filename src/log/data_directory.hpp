// The directory a node lives in: whose it is, and that nobody else has it open.
//
//   DIR/LOCK        locked while a node has the directory open; its text, the process id, is for people
//   DIR/identity    identity := "concord data directory\nformat " ("2"|"3") "\ncluster " hex16 "\nnode " hex16 "\ndirectory " hex16
//                               "\nincarnation " decimal "\nformed " ("yes"|"no") "\nremoved " ("yes"|"no")
//                               ["\nrecoveries " decimal "\nformer " hex16]            format 3
//                               "\ncrc " hex8 "\n"                                     crc over all lines before it
//                   Format 1 has no lines "directory" and "removed": its directory number is its node id, it was not removed.
//                   It is read, and written as format 2 at the next open. Format 3 is that of a directory that was recovered.
//   DIR/log/        log segments (record.hpp)
//   DIR/snapshots/  snapshot files (snapshot_file.hpp)
//   DIR/log.N/, DIR/snapshots.N/   the same after N recoveries, instead of those without a number, which are left as they were
//   DIR/identity.before.N          the identity before recovery N
//
// `directory` is drawn once, for good: it tells a directory from one that a node of the same name had before and lost.
// `cluster` and `node` may be 0 until the first log segment is there: the node waits to be told by its cluster (`adopt`).
// "removed yes" says that its cluster has removed the node: it must never take part from this directory again.
// `recoveries` counts how often the node went on as a cluster of its own after the others were lost (node/survivor.hpp); `former` is
// the cluster that it belonged to before the last time. A version that does not know of it refuses the directory by its format: it
// would go on with the log from before.
//
// `incarnation` counts the opens, durably and before anything is done: with the node's id it makes request ids that never
// repeat. "formed no" says that the log's first segment was never completed, so nothing was ever acknowledged, and the next
// open begins again. A directory that holds anything else than a Concord directory does is refused and left as it is.
//
// Thread rule: `identity` and `path` from any thread, what changes the identity from one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <concord/error.hpp>

#include "base/ids.hpp"
#include "base/mutex.hpp"
#include "env/file_system.hpp"

namespace concord::log {

struct Identity {
  base::ClusterId cluster = {};
  base::NodeId node = {};
  std::uint64_t directory = 0;
  std::uint64_t incarnation = 0;
  bool formed = false;   ///< the first log segment is durable; from then on cluster and node stay as they are
  bool removed = false;  ///< by its cluster
  std::uint64_t recoveries = 0;
  base::ClusterId former_cluster = {};  ///< before the last recovery; 0: there was none

  friend bool operator==(const Identity&, const Identity&) = default;
};

class DataDirectory {
 public:
  /// `drawn` is what a new directory gets: random ids; cluster and node may be 0, not decided yet. One that exists keeps its own.
  /// A directory of a removed node is opened like any other: the caller decides what that means.
  /// Errors: invalid_request (a foreign directory), cluster_not_ready (open elsewhere), storage_failed, storage_full.
  [[nodiscard]] static Result<DataDirectory> open(env::FileSystem& files, std::string path, const Identity& drawn);

  [[nodiscard]] Identity identity() const {
    const base::MutexLock lock(shown_->mutex);
    return shown_->identity;
  }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] std::string log_path() const { return path_ + log_name(identity().recoveries); }
  [[nodiscard]] std::string snapshots_path() const { return path_ + snapshots_name(identity().recoveries); }
  /// Histories of events (node/history_file.hpp); made when there is one.
  [[nodiscard]] std::string history_path() const { return path_ + history_name(identity().recoveries); }
  // Durable when they return; after an error the identity is what it was, here, and on disk what it was or what it was to be.

  /// Takes the ids that its cluster gives. Errors: invalid_request (an id is 0; it is formed already).
  [[nodiscard]] Result<void> adopt(env::FileSystem& files, base::ClusterId cluster, base::NodeId node);
  /// The first log segment is durable. Precondition: the ids are decided.
  [[nodiscard]] Result<void> mark_formed(env::FileSystem& files);
  /// The cluster has removed this node.
  [[nodiscard]] Result<void> mark_removed(env::FileSystem& files);

  /// Where log and snapshots are to stand after the next recovery.
  struct Places {
    std::string log = {};
    std::string snapshots = {};
  };
  /// Makes them, without anything that an attempt before has left there.
  [[nodiscard]] Result<Places> prepare_recovery(env::FileSystem& files);
  /// What stands in these places counts from here on, under another cluster's id, and nothing before it. Precondition: it is durable.
  [[nodiscard]] Result<void> recover(env::FileSystem& files, base::ClusterId cluster);

 private:
  /// What others may look at while it is changed. Apart, so that a directory can be moved.
  struct Shown {
    base::Mutex mutex;
    Identity identity ABSL_GUARDED_BY(mutex);
  };

  DataDirectory(std::string path, std::unique_ptr<env::FileLock> lock, const Identity& identity)
      : path_(std::move(path)), lock_(std::move(lock)), shown_(std::make_unique<Shown>()) {
    show(identity);
  }

  void show(const Identity& identity) {
    const base::MutexLock lock(shown_->mutex);
    shown_->identity = identity;
  }

  [[nodiscard]] Result<void> save(env::FileSystem& files, const Identity& identity);
  [[nodiscard]] static std::string log_name(std::uint64_t recoveries);
  [[nodiscard]] static std::string snapshots_name(std::uint64_t recoveries);
  [[nodiscard]] static std::string history_name(std::uint64_t recoveries);

  std::string path_;
  std::unique_ptr<env::FileLock> lock_;
  std::unique_ptr<Shown> shown_;
};

}  // namespace concord::log

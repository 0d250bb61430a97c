// What a node measures below its API: the log's syncs, commits, the state machine, snapshots. Written by room node.
//
// Thread rule: any thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "observe/histogram.hpp"

namespace concord::observe {

using Counter = std::atomic<std::uint64_t>;

struct NodeMetrics {
  Histogram fsync;               ///< of the log, that a write waits for
  Histogram commit;              ///< from a proposal of this node to its being applied here
  Histogram apply;               ///< a command, on average over those applied together
  Counter applied_commands = 0;  ///< exact; durations are those of a part of them
  Counter role_changes = 0;      ///< this node became or ceased to be the leader
  Counter snapshots_created = 0;
  Counter snapshots_installed = 0;
  Counter snapshot_failures = 0;
  Counter snapshot_created_bytes = 0;  ///< of the last one
  Counter snapshot_installed_bytes = 0;
};

}  // namespace concord::observe

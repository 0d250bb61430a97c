// What a node says about itself.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concord/export.hpp>
#include <concord/revision.hpp>

namespace concord {

enum class NodeState : std::uint8_t { follower, candidate, leader, learner, failed };

/// "follower", "candidate", "leader", "learner", "failed".
[[nodiscard]] CONCORD_API std::string_view node_state_name(NodeState state) noexcept;

struct MemberStatus {
  std::string name;
  std::uint64_t id = 0;
  std::string peer;  ///< Address other members reach it at; empty when it runs alone.
  std::string api;   ///< URL of its HTTP API; empty without one.
  bool voter = true;
  bool healthy = true;
  std::uint64_t match_index = 0;  ///< Highest log index known to be stored there.
  /// Since this node heard of it; none: it is this node, or was never heard of.
  std::optional<std::chrono::milliseconds> silent = {};
  std::uint64_t snapshot_sent_bytes = 0;  ///< Of a snapshot that this node is sending to it ...
  std::uint64_t snapshot_bytes = 0;       ///< ... of this size; 0: none is.
};

struct ClusterStatus {
  std::uint64_t id = 0;
  std::string name;
  std::optional<std::string> leader;  ///< Name of the leader, when known.
  NodeState state = NodeState::follower;
  std::uint64_t term = 0;
  std::uint64_t commit_index = 0;
  std::uint64_t applied_index = 0;
  std::vector<MemberStatus> members;
};

struct StorageStatus {
  std::uint64_t size = 0;          ///< Keys.
  std::uint64_t memory_bytes = 0;  ///< Held by keys, values and their indexes; falls when values go.
  Revision revision;
  std::uint64_t snapshot_index = 0;  ///< Last log index in the newest snapshot.
  std::uint64_t log_bytes = 0;
  std::uint64_t data_dir_free_bytes = 0;
  bool writable = true;
  std::string reason;  ///< Why it is not writable; else empty.
};

struct Status {
  std::string node;
  std::string version;
  std::chrono::seconds uptime{0};
  ClusterStatus cluster;
  StorageStatus storage;
};

}  // namespace concord

// A stopped node that is left of a cluster whose other voters are lost for good: what its directory holds, and how it goes on as a
// cluster of its own.
//
//     auto survivor = Survivor::open(files, "data");        // reads everything, changes nothing
//     survivor->report();                                    // what is there, and how much of it the lost ones had agreed to
//     survivor->go_on_alone(drawn);                          // from here on it is a cluster of one
//
// Going on alone breaks what raft promises: what only the lost majority had is lost, and entries that it had not agreed to count from
// here on. So it happens only when somebody asks for it, and the old cluster and the new one never mix:
//   - the cluster gets a new id: members that come back are refused by the handshake, from whichever end, and so are two survivors
//     that both went on. They may join with empty directories, under new ids;
//   - all entries of the log are applied, the term goes on, and the revision goes up by `revision_gap`, beyond any that the lost ones
//     may have given out: no revision names two changes.
//
// The new state is a snapshot and the beginning of a log beside the old ones (log::DataDirectory); one write of the identity makes it
// count. A process that is ended at any time leaves the old state or the new one, and the old files stay as they were.
//
// Errors: invalid_request (no directory of a node, or nothing to go on with), cluster_not_ready (a node has it open), storage_failed
// (damage, a format of a newer version), storage_full. Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <concord/error.hpp>
#include <concord/revision.hpp>

#include "base/ids.hpp"
#include "env/file_system.hpp"
#include "log/data_directory.hpp"
#include "node/recovery.hpp"
#include "replica/membership.hpp"

namespace concord::env {
class OverlayFileSystem;
}

namespace concord::node {

/// A million writes a second would take 11 days to get there. Readers of JSON that know doubles only count on to 2^53.
inline constexpr std::uint64_t revision_gap = 1'000'000'000'000;

/// The state behind an entry.
struct StateAt {
  base::Index index = {};
  base::Term term = {};
  Revision revision = {};
  std::uint64_t keys = 0;
  std::uint64_t digest = 0;

  friend bool operator==(const StateAt&, const StateAt&) = default;
};

struct SurvivorReport {
  std::string path = {};
  log::Identity identity = {};
  replica::Member self = {};              ///< without a name when the cluster has never written one down
  base::Term term = {};                   ///< the newest that the node has heard of
  StateAt committed = {};                 ///< as far as the node knows what the cluster agreed to
  StateAt all = {};                       ///< with every entry of its log
  replica::Membership members = {};       ///< as of `committed`
  std::vector<std::string> remarks = {};  ///< what reading it came across: an unfinished write, a damaged snapshot

  std::vector<base::NodeId> changed_later = {};  ///< members that entries behind `committed` are about

  /// It is the only voter, and no entry is about others: it has a quorum, nothing is lost. An entry that makes somebody else a
  /// voter is committed as soon as this node starts; from then on it needs that one.
  [[nodiscard]] bool is_alone() const;
};

/// Whom raft would elect: true when `other` has a newer log. Both are of one cluster.
[[nodiscard]] bool is_behind(const SurvivorReport& one, const SurvivorReport& other);

struct KeptEntry;

class Survivor {
 public:
  /// The directory stays locked as long as this lives.
  [[nodiscard]] static Result<std::unique_ptr<Survivor>> open(env::FileSystem& files, std::string path);
  ~Survivor();
  Survivor(const Survivor&) = delete;
  Survivor& operator=(const Survivor&) = delete;

  [[nodiscard]] const SurvivorReport& report() const noexcept { return report_; }
  /// Once; durable when it returns. `drawn.cluster_id` is the new cluster's. Precondition: it is not alone.
  [[nodiscard]] Result<void> go_on_alone(const Drawn& drawn, std::uint64_t segment_bytes = 64U << 20U);
  /// As it is now.
  [[nodiscard]] const log::DataDirectory& directory() const noexcept { return *directory_; }

 private:
  Survivor(env::FileSystem& files, std::string path);
  Result<void> look();
  Result<void> apply_rest(const std::vector<KeptEntry>& rest);
  [[nodiscard]] StateAt state() const;
  [[nodiscard]] replica::Membership alone() const;
  Result<void> write_snapshot(const std::string& directory);

  env::FileSystem& files_;
  std::unique_ptr<env::OverlayFileSystem> overlay_;  // where it is read, so that nothing is repaired
  std::unique_ptr<log::DataDirectory> directory_;
  Recovered recovered_;
  SurvivorReport report_;
};

}  // namespace concord::node

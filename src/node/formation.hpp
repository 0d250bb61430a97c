// How a node with an empty data directory finds its place: it forms a cluster with others, or joins one that runs.
//
// It asks every address it knows (`cluster.initial`, `cluster.join`) who is there:
//   - somebody belongs to a cluster: this node joins that one. If its name is listed there and no directory was ever seen under
//     it, it takes that place; if another directory was, it is refused: it does not remember what that one promised
//     (reliability 18). Else it asks to be added;
//   - nobody does, and more than half of `initial`, this node among them, wait for the same cluster: it forms it. What it
//     begins with follows from the configuration alone, so all that do so begin with the same: ids from names, no directories. One
//     that has formed it, and knows of nothing committed since, counts like one that waits.
//     Their directories are then written into the log by the first leader;
//   - neither: it asks again.
// With `cluster.discovery` the addresses are found, and which nodes are to form a cluster is agreed upon by them (bootstrap.hpp).
// Else a node that knows no other address forms a cluster of one. Two clusters can't form from one list, because two halves that are
// more than half have a node in common, and a node forms once.
//
// `Formation` decides; who asks it does the waiting. Thread rule: one thread at a time; blocks while it asks.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <concord/error.hpp>
#include <concord/options.hpp>

#include "base/ids.hpp"
#include "node/bootstrap.hpp"
#include "node/finder.hpp"
#include "node/peers.hpp"
#include "node/place.hpp"
#include "replica/membership.hpp"

namespace concord::node {

/// What a set of initial members is known by: equal on all nodes that are configured alike.
[[nodiscard]] std::uint64_t formation_digest(const ClusterOptions& options);
/// The cluster that `options` describe, as each of its nodes forms it.
[[nodiscard]] Place found_cluster(const ClusterOptions& options, std::string_view own_name);

class Formation {
 public:
  /// `own` has name, directory and addresses of this node, and no id. `finder`, `bootstrap`: both or none.
  Formation(const ClusterOptions& options, replica::Member own, std::uint64_t drawn_cluster, std::uint64_t drawn_id,
            Peers& peers, Finder* finder, Bootstrap* bootstrap)
      : options_(options),
        own_(std::move(own)),
        drawn_cluster_(drawn_cluster),
        drawn_id_(drawn_id),
        peers_(peers),
        finder_(finder),
        bootstrap_(bootstrap) {}

  /// One round. `drawn_proposal`: a number that was never given before. Errors: forbidden, condition_failed: refused, with the reason; cluster_not_ready: not yet, with what is waited for.
  [[nodiscard]] Result<Place> attempt(std::uint64_t now_ms, std::uint64_t drawn_proposal);
  /// Who are the members, as one of `cluster` says: for a node that has its place and nothing else yet.
  [[nodiscard]] std::optional<replica::Membership> contacts(base::ClusterId cluster);
  /// Where members of `cluster` answer now, of the addresses that discovery finds: for a member that does not reach all others.
  [[nodiscard]] std::map<base::NodeId, std::string> members_around(base::ClusterId cluster, std::uint64_t now_ms);

 private:
  [[nodiscard]] std::vector<std::string> addresses();
  Result<Place> attempt_listed();
  Result<Place> attempt_discovered(std::uint64_t now_ms, std::uint64_t drawn_proposal);
  [[nodiscard]] std::map<std::string, Met> look_around(std::uint64_t now_ms, std::string& silent);
  Result<Place> take_step(const Bootstrap::Next& step, const std::map<std::string, Met>& met,
                          const std::string& silent);
  Result<Place> join(const std::string& address, const ProbeAnswer& answer);

  const ClusterOptions& options_;
  const replica::Member own_;
  const std::uint64_t drawn_cluster_;
  const std::uint64_t drawn_id_;
  Peers& peers_;
  Finder* const finder_;
  Bootstrap* const bootstrap_;
  bool was_called_ = false;                            ///< by a member: there is a cluster, and it is not to be founded
  std::map<std::string, std::uint64_t> own_until_ms_;  ///< addresses at which this node itself answers; for a while
};

}  // namespace concord::node

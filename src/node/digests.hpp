// Whether the members' states are one: each notes its digest at every 1000th entry and tells the others (reliability 49, 95).
//
// A node that differs from a quorum, or where nobody has one from the leader, is wrong for certain and must stop. Nodes of which
// one has no digest for an entry (it came by snapshot) say nothing about each other there.
//
// Pure. Thread rule: the driver's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/mutant.hpp"

namespace concord::node {

class Digests {
 public:
  struct At {
    base::Index index;
    std::uint64_t digest = 0;
  };

  void note(base::Index index, std::uint64_t digest) {
    own_[index] = digest;
    if (own_.size() > kept) own_.erase(own_.begin());
  }
  [[nodiscard]] std::optional<At> newest() const {
    if (own_.empty()) return std::nullopt;
    return At{.index = own_.rbegin()->first, .digest = own_.rbegin()->second};
  }
  /// What another voter has at `index`.
  void hear(base::NodeId from, base::Index index, std::uint64_t digest) {
    if (index.is_zero()) return;
    heard_[index][from] = digest;
    if (heard_.size() > kept) heard_.erase(heard_.begin());
  }

  /// Why this node must stop; nothing: all is well as far as is known. `voters` counts this node too, if it is one.
  [[nodiscard]] std::optional<std::string> contradiction(std::size_t voters, base::NodeId leader) const {
    if (CONCORD_MUTANT("states-that-differ-are-passed-over")) return std::nullopt;
    for (const auto& [index, digests] : heard_) {
      const auto mine = own_.find(index);
      if (mine == own_.end()) continue;
      if (is_outvoted(mine->second, digests, voters, leader)) {
        return "the state at index " + std::to_string(index.value()) + " differs from that of the other members";
      }
    }
    return std::nullopt;
  }

 private:
  static constexpr std::size_t kept = 64;
  using ByNode = std::map<base::NodeId, std::uint64_t>;

  static bool is_outvoted(std::uint64_t mine, const ByNode& digests, std::size_t voters, base::NodeId leader) {
    std::map<std::uint64_t, std::size_t> counts;
    ++counts[mine];
    for (const auto& [node, digest] : digests) ++counts[digest];
    for (const auto& [digest, count] : counts) {
      if (count > voters / 2) return digest != mine;
    }
    const auto of_leader = digests.find(leader);
    return of_leader != digests.end() && of_leader->second != mine;
  }

  std::map<base::Index, std::uint64_t> own_;
  std::map<base::Index, ByNode> heard_;
};

}  // namespace concord::node

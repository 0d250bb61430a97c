// Whether the members' states are one: each notes its digest at every 1000th entry and tells the others (reliability 49, 95).
//
// A node that differs from a quorum is wrong for certain and must stop. Who has heard of fewer can't know it: the one that differs may be
// the leader. Where all voters have told and no quorum is of one mind (of two voters, say), or some have been silent about the entry for
// too long, the leader is believed. Nodes of which one has no digest for an entry (it came by snapshot) say nothing about each other there.
//
// All tell their digests in beats, each at moments of its own, and note new ones meanwhile. So each tells of the entry that the leader
// told of last; else no two of them might ever speak of the same one.
//
// Pure. Thread rule: the driver's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <ranges>
#include <span>
#include <string>

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
    if (own_.size() > own_limit) own_.erase(own_.begin());
  }
  /// What the others are told.
  [[nodiscard]] std::optional<At> to_tell(base::NodeId leader) const {
    for (const auto& [index, told] : heard_ | std::views::reverse) {
      const auto mine = own_.find(index);
      if (mine != own_.end() && told.digests.contains(leader)) return At{.index = index, .digest = mine->second};
    }
    if (own_.empty()) return std::nullopt;
    return At{.index = own_.rbegin()->first, .digest = own_.rbegin()->second};
  }
  /// What another voter has at `index`.
  void hear(base::NodeId from, base::Index index, std::uint64_t digest, std::uint64_t now_ms) {
    if (index.is_zero()) return;
    heard_.try_emplace(index, now_ms).first->second.digests[from] = digest;
    if (heard_.size() > heard_limit) heard_.erase(heard_.begin());
  }

  /// Who is to have the same state.
  struct Members {
    std::span<const base::NodeId> voters;
    base::NodeId self;  ///< a voter or not
    base::NodeId leader;
  };
  /// Why this node must stop; nothing: all is well as far as is known.
  [[nodiscard]] std::optional<std::string> contradiction(const Members& members, std::uint64_t now_ms) const {
    if (CONCORD_MUTANT("states-that-differ-are-passed-over")) return std::nullopt;
    for (const auto& [index, told] : heard_) {
      const auto mine = own_.find(index);
      if (mine == own_.end()) continue;
      if (is_outvoted(mine->second, told, members, now_ms)) {
        return "the state at index " + std::to_string(index.value()) + " differs from that of the other members";
      }
    }
    return std::nullopt;
  }

 private:
  static constexpr std::size_t own_limit = 1024;  // an entry is told of seconds after it was applied
  static constexpr std::size_t heard_limit = 64;
  /// So long after the first has told of an entry nobody waits for the others: ten beats.
  static constexpr std::uint64_t patience_ms = 5000;

  struct Told {
    explicit Told(std::uint64_t now_ms) : since_ms(now_ms) {}
    std::uint64_t since_ms;
    std::map<base::NodeId, std::uint64_t> digests = {};
  };

  static bool is_outvoted(std::uint64_t mine, const Told& told, const Members& members, std::uint64_t now_ms) {
    std::map<std::uint64_t, std::size_t> counts;
    std::size_t told_count = 0;
    for (const base::NodeId voter : members.voters) {
      const auto said = told.digests.find(voter);
      if (voter != members.self && said == told.digests.end()) continue;
      ++counts[voter == members.self ? mine : said->second];
      ++told_count;
    }
    for (const auto& [digest, count] : counts) {
      if (count > members.voters.size() / 2) return digest != mine;
    }
    const bool waits_for_others = told_count < members.voters.size() && now_ms < told.since_ms + patience_ms;
    if (waits_for_others && !CONCORD_MUTANT("a-leader-is-believed-before-the-others-have-told")) return false;
    const auto of_leader = told.digests.find(members.leader);
    return of_leader != told.digests.end() && of_leader->second != mine;
  }

  std::map<base::Index, std::uint64_t> own_;
  std::map<base::Index, Told> heard_;
};

}  // namespace concord::node

// To whom a leader hands over.
#include "node/membership_change.hpp"

#include <initializer_list>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace concord::node {
namespace {

using base::Index;
using base::NodeId;

constexpr NodeId self{1};

class HandOver : public testing::Test {
 protected:
  HandOver() {
    for (const std::uint64_t id : {1, 2, 3}) {
      members_.conf.voters.push_back(NodeId(id));
      members_.members.push_back({.id = NodeId(id), .name = "n" + std::to_string(id)});
    }
  }
  void answers(std::uint64_t id, std::uint64_t match, bool recently_active = true) {
    raft::PeerProgress peer;
    peer.node = NodeId(id);
    peer.match = Index(match);
    peer.recently_active = recently_active;
    progress_.push_back(peer);
  }
  /// The name of who is to lead; empty: nobody.
  [[nodiscard]] std::string due(std::set<NodeId> full) const {
    full.insert(self);
    const auto change = due_hand_over(
        {.members = members_, .self = self, .last_index = Index(10), .progress = progress_, .full = std::move(full)});
    return change ? change->member.name : std::string();
  }

 private:
  replica::Membership members_;
  std::vector<raft::PeerProgress> progress_;
};

TEST_F(HandOver, GoesToWhoKnowsMost) {
  answers(2, 9);
  answers(3, 10);
  EXPECT_EQ(due({}), "n3");
}

TEST_F(HandOver, GoesToWhoHasRoomThoughItKnowsLess) {
  answers(2, 9);
  answers(3, 10);
  EXPECT_EQ(due({NodeId(3)}), "n2");
}

TEST_F(HandOver, GoesToNobodyWhenAllAreFull) {
  answers(2, 9);
  answers(3, 10);
  EXPECT_EQ(due({NodeId(2), NodeId(3)}), "");
}

TEST_F(HandOver, GoesToNobodyWhoIsSilent) {
  answers(2, 9, false);
  answers(3, 10);
  EXPECT_EQ(due({NodeId(3)}), "");
}

}  // namespace
}  // namespace concord::node

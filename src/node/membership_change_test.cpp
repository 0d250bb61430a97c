// What a leader does next about a change of members, and to whom it hands over.
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

/// Three voters, this node leads, and a learner.
class NextStep : public testing::Test {
 protected:
  using Kind = ChangeStep::Kind;

  NextStep() {
    for (const std::uint64_t id : {1, 2, 3, 4}) {
      (id == 4 ? members_.conf.learners : members_.conf.voters).push_back(NodeId(id));
      members_.members.push_back({.id = NodeId(id), .directory = 10 + id, .name = "n" + std::to_string(id)});
      if (id > 1) hear(id, 10'000);
    }
    members_.removed = {NodeId(99)};
  }
  void hear(std::uint64_t id, std::uint64_t match, bool recently_active = true) {
    std::erase_if(progress_, [&](const raft::PeerProgress& peer) { return peer.node == NodeId(id); });
    raft::PeerProgress peer;
    peer.node = NodeId(id);
    peer.match = Index(match);
    peer.recently_active = recently_active;
    peer.is_learner = id == 4;
    progress_.push_back(peer);
  }
  [[nodiscard]] ChangeStep step(ChangeKind kind, replica::Member member, std::uint64_t drawn_id = 50,
                                bool was_there = false) const {
    return next_step({.kind = kind, .member = std::move(member), .drawn_id = NodeId(drawn_id)},
                     {.members = members_,
                      .self = self,
                      .self_leads = self_leads_,
                      .last_index = Index(10'000),
                      .progress = progress_,
                      .auto_join = auto_join_,
                      .full = full_},
                     was_there);
  }
  [[nodiscard]] static Errc refusal(const ChangeStep& step) {
    return step.refusal ? step.refusal->code() : Errc::internal;
  }

  replica::Membership members_;
  std::vector<raft::PeerProgress> progress_;
  bool self_leads_ = true;
  bool auto_join_ = true;
  std::set<NodeId> full_;
};

TEST_F(NextStep, ANewMemberBeginsAsLearnerUnderTheDrawnId) {
  const ChangeStep added = step(ChangeKind::add, {.name = "n5", .peer = "a:1"});
  EXPECT_EQ(added.kind, Kind::propose);
  EXPECT_EQ(added.conf_kind, raft::ConfChangeKind::add_learner);
  EXPECT_EQ(added.member.id, NodeId(50));
  members_.conf.learners.push_back(NodeId(50));
  members_.members.push_back(added.member);
  EXPECT_EQ(step(ChangeKind::add, {.name = "n5", .peer = "a:1"}).kind, Kind::done) << "the same change, gone on with";
  EXPECT_EQ(refusal(step(ChangeKind::add, {.name = "n5", .peer = "a:1"}, 51)), Errc::already_exists);
}

TEST_F(NextStep, AnIdThatMeansSomebodyOrNobodyIsNotGiven) {
  for (const std::uint64_t id : {0U, 1U, 4U, 99U}) {
    EXPECT_EQ(refusal(step(ChangeKind::join, {.directory = 7, .name = "n5"}, id)), Errc::invalid_request) << id;
  }
}

TEST_F(NextStep, WhoWasRemovedWhileItJoinedIsToldToStartAgain) {
  const ChangeStep refused = step(ChangeKind::join, {.directory = 7, .name = "n5"}, 99);
  ASSERT_EQ(refused.kind, Kind::refuse);
  EXPECT_NE(refused.refusal->message().find("was removed from the cluster while it was joining"), std::string::npos);
}

TEST_F(NextStep, WhoJoinsTakesAPlaceThatNobodyWasSeenIn) {
  members_.members[2].directory = 0;
  hear(3, 0);
  const ChangeStep joined = step(ChangeKind::join, {.directory = 7, .name = "n3"});
  EXPECT_EQ(joined.kind, Kind::propose);
  EXPECT_EQ(joined.conf_kind, raft::ConfChangeKind::add_voter) << "it stays what it is";
  EXPECT_EQ(joined.member.id, NodeId(3));
  hear(3, 5);
  EXPECT_EQ(refusal(step(ChangeKind::join, {.directory = 7, .name = "n3"})), Errc::condition_failed)
      << "somebody has acknowledged entries under that id";
}

TEST_F(NextStep, AWipedDirectoryIsRefusedAndItsOwnIsNot) {
  EXPECT_EQ(refusal(step(ChangeKind::join, {.directory = 7, .name = "n2"})), Errc::condition_failed);
  EXPECT_EQ(step(ChangeKind::join, {.directory = 12, .name = "n2"}).kind, Kind::done);
}

TEST_F(NextStep, WithoutAutoJoinNobodyJoinsWhoWasNotAdded) {
  auto_join_ = false;
  EXPECT_EQ(refusal(step(ChangeKind::join, {.directory = 7, .name = "n5"})), Errc::forbidden);
}

TEST_F(NextStep, ALearnerIsPromotedOnceItHasCaughtUpAndAnswers) {
  EXPECT_EQ(step(ChangeKind::promote, {.name = "n4"}).conf_kind, raft::ConfChangeKind::add_voter);
  hear(4, 10);
  EXPECT_EQ(step(ChangeKind::promote, {.name = "n4"}).kind, Kind::wait);
  hear(4, 10'000, false);
  EXPECT_EQ(step(ChangeKind::promote, {.name = "n4"}).kind, Kind::wait);
  EXPECT_EQ(step(ChangeKind::promote, {.name = "n2"}).kind, Kind::done);
  EXPECT_EQ(refusal(step(ChangeKind::promote, {.name = "n9"})), Errc::not_found);
}

TEST_F(NextStep, ARemovalThatWouldLoseTheQuorumIsRefused) {
  EXPECT_EQ(step(ChangeKind::remove, {.name = "n2"}).conf_kind, raft::ConfChangeKind::remove_node);
  hear(3, 10'000, false);
  EXPECT_EQ(refusal(step(ChangeKind::remove, {.name = "n2"})), Errc::condition_failed) << "one of two would answer";
  EXPECT_EQ(step(ChangeKind::remove, {.name = "n3"}).kind, Kind::propose) << "the dead one may go";
  EXPECT_EQ(step(ChangeKind::remove, {.name = "n4"}).kind, Kind::propose) << "a learner has no vote";
}

TEST_F(NextStep, AVoterWithoutRoomOnItsDiskMakesNoQuorum) {
  full_ = {NodeId(3)};
  EXPECT_EQ(refusal(step(ChangeKind::remove, {.name = "n2"})), Errc::condition_failed);
  EXPECT_EQ(step(ChangeKind::remove, {.name = "n3"}).kind, Kind::propose) << "the full one may go";
}

TEST_F(NextStep, TheLastVoterIsNotRemoved) {
  members_.conf.voters = {self};
  EXPECT_EQ(refusal(step(ChangeKind::remove, {.name = "n1"})), Errc::condition_failed);
}

TEST_F(NextStep, ALeaderHandsOverBeforeItLeaves) {
  const ChangeStep leaves = step(ChangeKind::remove, {.name = "n1"});
  EXPECT_EQ(leaves.kind, Kind::transfer);
  EXPECT_NE(leaves.transferee, self);
}

TEST_F(NextStep, WhoIsGoneWasRemovedOrWasNeverThere) {
  EXPECT_EQ(refusal(step(ChangeKind::remove, {.name = "n9"})), Errc::not_found);
  EXPECT_EQ(step(ChangeKind::remove, {.name = "n9"}, 50, true).kind, Kind::done);
}

TEST_F(NextStep, LeadershipGoesToAVoterOnly) {
  EXPECT_EQ(step(ChangeKind::transfer, {.name = "n2"}).transferee, NodeId(2));
  EXPECT_EQ(step(ChangeKind::transfer, {.name = "n1"}).kind, Kind::done);
  EXPECT_EQ(refusal(step(ChangeKind::transfer, {.name = "n4"})), Errc::condition_failed);
  EXPECT_EQ(refusal(step(ChangeKind::transfer, {.name = "n9"})), Errc::not_found);
  self_leads_ = false;
  EXPECT_EQ(step(ChangeKind::transfer, {.name = "n2"}).kind, Kind::done);
}

TEST_F(NextStep, LeadershipGoesToNobodyWhoCannotTakeIt) {
  hear(2, 10'000, false);
  EXPECT_EQ(refusal(step(ChangeKind::transfer, {.name = "n2"})), Errc::condition_failed) << "it does not answer";
  full_ = {NodeId(3)};
  EXPECT_EQ(refusal(step(ChangeKind::transfer, {.name = "n3"})), Errc::condition_failed) << "its disk is full";
  self_leads_ = false;
  EXPECT_EQ(step(ChangeKind::transfer, {.name = "n3"}).kind, Kind::done) << "it leads already, full or not";
}

TEST_F(NextStep, WhatIsKnownOfAMemberChangesWithoutItsPart) {
  EXPECT_EQ(step(ChangeKind::update, members_.members[3]).kind, Kind::done);
  replica::Member moved = members_.members[3];
  moved.peer = "b:2";
  EXPECT_EQ(step(ChangeKind::update, moved).conf_kind, raft::ConfChangeKind::add_learner);
  moved.name = "n1";
  EXPECT_EQ(refusal(step(ChangeKind::update, moved)), Errc::condition_failed) << "names are not taken from others";
  EXPECT_EQ(refusal(step(ChangeKind::update, {.id = NodeId(77), .name = "x"})), Errc::not_found);
}

TEST(MembershipChangeBytes, AreReadBackAndNothingElseIs) {
  const MembershipChange change{
      .kind = ChangeKind::join, .member = {.id = NodeId(0), .directory = 8, .name = "n"}, .drawn_id = NodeId(5)};
  const auto read = decode_change(encode_change(change));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->member, change.member);
  EXPECT_EQ(read->drawn_id, NodeId(5));
  const std::string bytes = encode_change(change);
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(decode_change(bytes.substr(0, size)));
  for (const char kind : {'\0', '\x7f'}) EXPECT_FALSE(decode_change(kind + bytes.substr(1)));
}

}  // namespace
}  // namespace concord::node

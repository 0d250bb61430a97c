#include "replica/membership.hpp"

#include <gtest/gtest.h>

namespace concord::replica {
namespace {

using base::NodeId;
using raft::ConfChange;
using raft::ConfChangeKind;

Member member(std::uint64_t id, std::string name) {
  return {.id = NodeId(id),
          .directory = id * 7,
          .name = std::move(name),
          .peer = "10.0.0.1:9100",
          .api = "http://10.0.0.1:4000"};
}

ConfChange change(ConfChangeKind kind, const Member& about) {
  return {.kind = kind, .node = about.id, .context = encode_member(about)};
}

Membership three() {
  Membership membership;
  membership.conf.voters = {NodeId(1), NodeId(2)};
  membership.conf.learners = {NodeId(9)};
  membership.members = {member(1, "a"), member(2, "b"), member(9, "c")};
  membership.removed = {NodeId(5), NodeId(4)};
  return membership;
}

TEST(Membership, IsReadBackAsItWasWritten) {
  const auto read = decode_membership(encode_membership(three()));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(*read, three());
}

TEST(Membership, OfAVersionThatKnewOneNodeOnlyHasNoNames) {
  const auto read = decode_membership(raft::encode_conf_state(three().conf));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->conf, three().conf);
  EXPECT_TRUE(read->members.empty());
}

TEST(Membership, CutOrDamagedBytesAreRefusedOrMeanSomethingElseThatIsWhole) {
  const std::string bytes = encode_membership(three());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_membership(std::string_view(bytes).substr(0, size))) << size;
  }
  EXPECT_FALSE(decode_membership(bytes + '\0'));
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x81);
    const auto read = decode_membership(damaged);
    if (read) {
      EXPECT_TRUE(decode_membership(encode_membership(*read)));
    }
  }
}

TEST(Membership, AChangeBringsItsMember) {
  Membership membership = three();
  raft::ConfState after = membership.conf;
  after.learners.push_back(NodeId(11));
  membership.apply(change(ConfChangeKind::add_learner, member(11, "d")), after);
  ASSERT_NE(membership.find("d"), nullptr);
  EXPECT_EQ(membership.find("d")->id, NodeId(11));
  EXPECT_TRUE(membership.is_learner(NodeId(11)));
  EXPECT_TRUE(membership.contains(NodeId(11)));
}

TEST(Membership, AChangeOfAMemberReplacesWhatWasKnownOfIt) {
  Membership membership = three();
  Member moved = member(2, "b");
  moved.peer = "10.0.0.77:9100";
  membership.apply(change(ConfChangeKind::add_voter, moved), membership.conf);
  ASSERT_EQ(membership.members.size(), 3U);
  EXPECT_EQ(membership.find(NodeId(2))->peer, "10.0.0.77:9100");
}

TEST(Membership, WhoWasRemovedIsRemembered) {
  Membership membership = three();
  raft::ConfState after = membership.conf;
  after.voters = {NodeId(1)};
  membership.apply({.kind = ConfChangeKind::remove_node, .node = NodeId(2), .context = {}}, after);
  EXPECT_EQ(membership.find("b"), nullptr);
  EXPECT_FALSE(membership.contains(NodeId(2)));
  EXPECT_TRUE(membership.was_removed(NodeId(2)));
  EXPECT_FALSE(membership.was_removed(NodeId(1)));
}

TEST(Membership, OfAFormatThatIsNotKnownIsRefusedByName) {
  std::string bytes = encode_membership(three());
  bytes[0] = 3;
  const auto decoded = decode_membership(bytes);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().message(), "members: unknown format 3");
}

TEST(Membership, RemembersABoundedNumberOfTheRemoved) {
  Membership membership;
  for (std::uint64_t id = 1; id <= remembered_removed + 3; ++id) {
    membership.apply({.kind = ConfChangeKind::remove_node, .node = NodeId(id), .context = {}}, {});
  }
  EXPECT_EQ(membership.removed.size(), remembered_removed);
  EXPECT_FALSE(membership.was_removed(NodeId(3)));
  EXPECT_TRUE(membership.was_removed(NodeId(4)));
}

TEST(Membership, AContextThatIsNoMemberOfThisIdLeavesAMemberWithoutAName) {
  Membership membership = three();
  for (const std::string& context : {std::string("junk"), encode_member(member(3, "x"))}) {
    membership.apply({.kind = ConfChangeKind::add_voter, .node = NodeId(2), .context = context}, membership.conf);
    ASSERT_NE(membership.find(NodeId(2)), nullptr);
    EXPECT_EQ(membership.find(NodeId(2))->name, "");
  }
}

}  // namespace
}  // namespace concord::replica

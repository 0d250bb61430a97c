#include "raft/raft_node.hpp"

#include <gtest/gtest.h>

#include "raft/test_peer.hpp"

namespace concord::raft {
namespace {

const auto nobody = [](const Envelope& envelope) { ADD_FAILURE() << "a message to " << envelope.to.value(); };

TestPeer lone_peer() { return TestPeer({.id = NodeId(1), .seed = 7}, Disk::formed({NodeId(1)})); }

TestPeer lone_leader() {
  TestPeer peer = lone_peer();
  EXPECT_TRUE(peer.node().campaign());
  peer.run(nobody);
  return peer;
}

TEST(RaftNode, ASoleVoterLeadsAfterOneTurn) {
  TestPeer peer = lone_peer();
  ASSERT_TRUE(peer.node().campaign());
  EXPECT_TRUE(peer.leads());
  EXPECT_EQ(peer.run(nobody), 1);
  const RaftStatus status = peer.node().status();
  EXPECT_EQ(status.leader, NodeId(1));
  EXPECT_EQ(status.term, Term(2));
  EXPECT_EQ(status.commit, Index(2)) << "the empty entry of its term";
  EXPECT_EQ(status.applied, Index(2));
}

TEST(RaftNode, ASoleVoterElectsItselfByTicks) {
  TestPeer peer = lone_peer();
  int ticks = 0;
  for (; !peer.leads() && ticks < 100; ++ticks) ASSERT_TRUE(peer.node().tick());
  EXPECT_GE(ticks, 10);
  EXPECT_LT(ticks, 20);
}

TEST(RaftNode, ACommitNeedsThePersistedEntry) {
  TestPeer peer = lone_leader();
  ASSERT_EQ(peer.node().propose("a"), ProposeResult::accepted);
  const auto batch = peer.node().ready();
  ASSERT_TRUE(batch);
  ASSERT_EQ(batch->entries.size(), 1U);
  EXPECT_EQ(batch->entries[0].data, "a");
  EXPECT_TRUE(batch->must_sync);
  EXPECT_TRUE(batch->committed.empty()) << "committed before it is durable";
  const auto more = peer.node().advance();
  ASSERT_TRUE(more);
  ASSERT_EQ(more->committed.size(), 1U);
  EXPECT_EQ(more->committed[0].data, "a");
  EXPECT_EQ(more->commit, batch->entries[0].index);
}

TEST(RaftNode, ViewsOfATurnOutliveTheAdvanceAndAMove) {
  TestPeer peer = lone_leader();
  const std::string large(100'000, 'x');
  ASSERT_EQ(peer.node().propose(large), ProposeResult::accepted);
  const auto batch = peer.node().ready();
  const auto more = peer.node().advance();
  ASSERT_TRUE(batch && more);
  RaftNode moved = std::move(peer.node());
  ASSERT_EQ(moved.propose("b"), ProposeResult::accepted);
  EXPECT_EQ(batch->entries[0].data, large);
  EXPECT_EQ(more->committed[0].data, large);
}

TEST(RaftNode, RefusesInputsBetweenReadyAndAdvanceAndGoesOn) {
  TestPeer peer = lone_leader();
  ASSERT_EQ(peer.node().propose("a"), ProposeResult::accepted);
  ASSERT_TRUE(peer.node().ready());
  EXPECT_EQ(peer.node().propose("b").error().code(), Errc::internal);
  EXPECT_EQ(peer.node().tick().error().code(), Errc::internal);
  EXPECT_EQ(peer.node().compact(Index(2)).error().code(), Errc::internal);
  EXPECT_EQ(peer.node().ready().error().code(), Errc::internal);
  EXPECT_FALSE(peer.node().has_ready());
  EXPECT_FALSE(peer.node().failed());
  ASSERT_TRUE(peer.node().advance());
  EXPECT_EQ(peer.node().advance().error().code(), Errc::internal) << "advance without ready";
  EXPECT_EQ(peer.node().propose("b"), ProposeResult::accepted);
}

TEST(RaftNode, AFollowerProposesNothing) {
  TestPeer peer({.id = NodeId(1)}, Disk::formed({NodeId(1), NodeId(2)}));
  EXPECT_EQ(peer.node().propose("a"), ProposeResult::not_leader);
  EXPECT_EQ(peer.node().read_index(1), ProposeResult::not_leader);
  EXPECT_FALSE(peer.node().read_point());
  EXPECT_FALSE(peer.node().has_ready());
}

TEST(RaftNode, BoundsWhatIsUncommittedAndTakesItBackWhenItCommits) {
  TestPeer peer({.id = NodeId(1), .max_uncommitted_bytes = 1000}, Disk::formed({NodeId(1)}));
  ASSERT_TRUE(peer.node().campaign());
  peer.run(nobody);
  const std::string half(500, 'x');
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(peer.node().propose(half), ProposeResult::accepted);
    EXPECT_EQ(peer.node().propose(half), ProposeResult::accepted);
    EXPECT_EQ(peer.node().status().uncommitted_bytes, 1000U);
    EXPECT_EQ(peer.node().propose("x"), ProposeResult::dropped);
    peer.run(nobody);
    EXPECT_EQ(peer.node().status().uncommitted_bytes, 0U);
  }
  EXPECT_EQ(peer.node().propose(std::string(5000, 'x')), ProposeResult::accepted) << "one always fits";
}

TEST(RaftNode, ReadsOnASoleVoterAreAnsweredAtOnceAndByATurn) {
  TestPeer peer = lone_peer();
  ASSERT_TRUE(peer.node().campaign());
  EXPECT_FALSE(peer.node().read_point()) << "nothing is committed in its term yet";
  EXPECT_EQ(peer.node().read_index(1), ProposeResult::dropped);
  peer.run(nobody);
  EXPECT_EQ(peer.node().read_point(), Index(2));
  EXPECT_EQ(peer.node().read_index(5), ProposeResult::accepted);
  peer.run(nobody);
  ASSERT_EQ(peer.reads().size(), 1U);
  EXPECT_EQ(peer.reads()[0].context, 5U);
  EXPECT_EQ(peer.reads()[0].index, Index(2));
}

TEST(RaftNode, CommittedBytesOfOneBatchAreBounded) {
  TestPeer first = lone_leader();
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(first.node().propose(std::string(100, 'x')), ProposeResult::accepted);
    first.run(nobody);
  }
  TestPeer peer({.id = NodeId(1), .max_committed_per_ready_bytes = 500}, first.disk());
  int batches = 0;
  std::size_t entries = 0;
  while (peer.node().has_ready()) {
    const auto batch = peer.node().ready();
    ASSERT_TRUE(batch);
    const auto more = peer.node().advance();
    ASSERT_TRUE(more);
    for (const auto& run : {batch->committed, more->committed}) {
      if (run.empty()) continue;
      EXPECT_LE(run.size(), 5U);
      entries += run.size();
      ++batches;
    }
  }
  EXPECT_EQ(entries, 21U);
  EXPECT_GE(batches, 5);
}

TEST(RaftNode, CompactsToTheLastEntryAndGoesOn) {
  TestPeer peer = lone_leader();
  for (int round = 0; round < 50; ++round) {
    ASSERT_EQ(peer.node().propose("abc"), ProposeResult::accepted);
    peer.run(nobody);
    const RaftStatus before = peer.node().status();
    ASSERT_TRUE(peer.node().compact(before.applied));
    const RaftStatus after = peer.node().status();
    EXPECT_EQ(after.first, before.last.next());
    EXPECT_EQ(after.last, before.last);
    EXPECT_EQ(after.log_bytes, 0U);
    EXPECT_EQ(peer.node().term_at(before.last), Term(2)) << "the term of the compaction point is kept";
    EXPECT_FALSE(peer.node().term_at(before.last.previous()));
  }
  EXPECT_TRUE(peer.node().compact(Index(3))) << "already forgotten";
  EXPECT_EQ(peer.node().compact(peer.node().status().last.next()).error().code(), Errc::invalid_request);
}

TEST(RaftNode, RestartsFromItsDiskAndAppliesTheSame) {
  TestPeer peer = lone_leader();
  for (int i = 0; i < 30; ++i) {
    ASSERT_EQ(peer.node().propose(std::to_string(i)), ProposeResult::accepted);
    if (i % 3 == 0) peer.run(nobody);
    if (i == 15) peer.snapshot_and_compact(2);
  }
  peer.run(nobody);
  const std::vector<std::string> before = peer.applied();
  const Term term = peer.node().status().term;
  ASSERT_EQ(before.size(), 30U);
  for (int round = 0; round < 3; ++round) {
    peer.restart();
    peer.run(nobody);
    EXPECT_EQ(peer.applied(), before);
    EXPECT_EQ(peer.node().status().term, term);
    peer.snapshot_and_compact(static_cast<std::uint64_t>(2 - round));
  }
}

struct BadStart {
  const char* why;
  Start start;
  std::vector<EntryView> entries;
};

TEST(RaftNode, RefusesARestartThatCannotBe) {
  const ConfState members{{NodeId(1)}, {}, {}, {}};
  const ConfState both{{NodeId(1)}, {NodeId(1)}, {}, {}};
  const ConfState learners_only{{}, {NodeId(1)}, {}, {}};
  const auto entry = [](std::uint64_t index, std::uint64_t term) {
    return EntryView{Index(index), Term(term), base::EntryType::normal, {}};
  };
  const auto hard = [](std::uint64_t term, std::uint64_t vote, std::uint64_t commit) {
    return HardState{Term(term), NodeId(vote), Index(commit)};
  };
  const std::vector<BadStart> table = {
      {"commit behind the last entry", {hard(1, 0, 3), members, Index(), Index(), Term()}, {entry(1, 1), entry(2, 1)}},
      {"entry of a later term", {hard(1, 0, 1), members, Index(), Index(), Term()}, {entry(1, 2)}},
      {"applied behind commit", {hard(1, 0, 1), members, Index(2), Index(), Term()}, {entry(1, 1), entry(2, 1)}},
      {"entries missing", {hard(1, 0, 6), members, Index(3), Index(5), Term(1)}, {entry(6, 1)}},
      {"a gap", {hard(1, 0, 1), members, Index(), Index(), Term()}, {entry(2, 1)}},
      {"a term that falls", {hard(3, 0, 1), members, Index(), Index(), Term()}, {entry(1, 3), entry(2, 2)}},
      {"term 0", {hard(3, 0, 1), members, Index(), Index(), Term()}, {entry(1, 0)}},
      {"a vote without a term", {hard(0, 1, 0), members, Index(), Index(), Term()}, {}},
      {"compaction point without a term", {hard(1, 0, 5), members, Index(5), Index(5), Term()}, {}},
      {"lost hard state", {hard(0, 0, 0), members, Index(5), Index(5), Term(1)}, {}},
      {"learner and voter", {hard(1, 0, 1), both, Index(1), Index(1), Term(1)}, {}},
      {"learners without a voter", {hard(1, 0, 1), learners_only, Index(1), Index(1), Term(1)}, {}},
  };
  for (const BadStart& row : table) {
    const auto whole = [&]() -> Result<void> {
      auto node = RaftNode::create({.id = NodeId(1)}, row.start);
      if (!node) return std::unexpected(node.error());
      for (const EntryView& given : row.entries) {
        if (auto appended = node->append_initial(given); !appended) return appended;
      }
      return node->start();
    };
    const auto result = whole();
    ASSERT_FALSE(result) << row.why;
    EXPECT_EQ(result.error().code(), Errc::invalid_request) << row.why << ": " << result.error().message();
    EXPECT_GT(result.error().message().size(), 10U) << row.why;
  }
  EXPECT_FALSE(RaftNode::create({.id = NodeId()}, {}));
}

TEST(RaftNode, RefusesSettingsThatCannotBe) {
  for (const Config& config : {Config{.id = NodeId(1), .election_ticks = 1, .heartbeat_ticks = 1},
                               Config{.id = NodeId(1), .election_ticks = 0, .heartbeat_ticks = 0},
                               Config{.id = NodeId(1), .max_inflight_messages = 0}}) {
    auto node = RaftNode::create(config, {});
    const auto started = node ? node->start() : Result<void>(std::unexpected(node.error()));
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code(), Errc::invalid_request) << started.error().message();
  }
}

TEST(RaftNode, IsOfNoUseBeforeItIsStarted) {
  auto node = RaftNode::create({.id = NodeId(1)}, {});
  ASSERT_TRUE(node);
  EXPECT_EQ(node->tick().error().code(), Errc::internal);
  EXPECT_EQ(node->ready().error().code(), Errc::internal);
  EXPECT_FALSE(node->has_ready());
  ASSERT_TRUE(node->start());
  EXPECT_EQ(node->start().error().code(), Errc::internal);
  EXPECT_TRUE(node->tick());
}

TEST(RaftNode, RefusesBytesThatAreNoMessage) {
  TestPeer peer({.id = NodeId(1)}, Disk::formed({NodeId(1), NodeId(2)}));
  for (const std::string& bytes : {std::string(), std::string("\xff\xff\xff"), std::string(1000, 'x')}) {
    const auto stepped = peer.node().step(NodeId(2), bytes);
    ASSERT_FALSE(stepped);
    EXPECT_EQ(stepped.error().code(), Errc::invalid_request);
  }
  EXPECT_FALSE(peer.node().failed());
}

TEST(RaftNode, MembershipChangesOneAtATimeAndTellsWhatItSays) {
  TestPeer peer = lone_leader();
  const ConfChange add{ConfChangeKind::add_learner, NodeId(2), "name=b"};
  ASSERT_EQ(peer.node().propose_conf_change(add), ProposeResult::accepted);
  EXPECT_EQ(peer.node().propose_conf_change(add), ProposeResult::dropped) << "one is pending";
  EXPECT_TRUE(peer.node().status().pending_conf_change);
  const auto batch = peer.node().ready();
  ASSERT_TRUE(batch);
  ASSERT_EQ(batch->entries.size(), 1U);
  const auto said = decode_conf_change(batch->entries[0]);
  ASSERT_TRUE(said);
  EXPECT_EQ(said->kind, add.kind);
  EXPECT_EQ(said->node, add.node);
  EXPECT_EQ(said->context, add.context);
  const auto more = peer.node().advance();
  ASSERT_TRUE(more);
  ASSERT_EQ(more->committed.size(), 1U);
  const auto members = peer.node().apply_conf_change(more->committed[0]);
  ASSERT_TRUE(members);
  EXPECT_EQ(*members, (ConfState{{NodeId(1)}, {NodeId(2)}, {}, {}}));
  EXPECT_EQ(peer.node().conf_state(), *members);
  ASSERT_TRUE(peer.node().advance_apply(more->committed[0].index));
  EXPECT_FALSE(peer.node().status().pending_conf_change);
  ASSERT_EQ(peer.node().progress().size(), 1U);
  EXPECT_TRUE(peer.node().progress()[0].is_learner);
}

TEST(RaftNode, KeepsItsLastVoter) {
  TestPeer peer = lone_leader();
  ASSERT_EQ(peer.node().propose_conf_change({ConfChangeKind::remove_node, NodeId(1), ""}), ProposeResult::accepted);
  peer.run(nobody);
  EXPECT_EQ(peer.members().voters, std::vector{NodeId(1)});
  EXPECT_TRUE(peer.leads());
  EXPECT_EQ(peer.node().propose("a"), ProposeResult::accepted);
}

TEST(RaftNode, AnEntryThatIsNoChangeSaysNothing) {
  EXPECT_FALSE(decode_conf_change({Index(1), Term(1), base::EntryType::normal, "x"}));
  EXPECT_FALSE(decode_conf_change({Index(1), Term(1), base::EntryType::conf_change, "\x22\x7f"}));
  EXPECT_FALSE(decode_conf_change({Index(1), Term(1), base::EntryType::conf_change, "\x10\x09"}));
}

TEST(RaftNode, RefusesACommittedChangeOfAnUnknownKind) {
  TestPeer peer = lone_leader();
  const auto refuses = [&](base::EntryType type, std::string_view data) {
    const auto applied = peer.node().apply_conf_change({Index(1), Term(1), type, data});
    EXPECT_FALSE(peer.node().failed()) << peer.node().failure();
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().code(), Errc::invalid_request);
  };
  refuses(base::EntryType::conf_change, "\x10\x07\x18\x02");             // kind 7 for node 2
  refuses(base::EntryType::conf_change_v2, "\x12\x04\x08\x07\x10\x02");  // the same
  refuses(base::EntryType::conf_change_v2, "\x08\x07");                  // transition 7
  EXPECT_EQ(peer.members().voters, std::vector{NodeId(1)});
  EXPECT_EQ(peer.node().propose("a"), ProposeResult::accepted);
}

}  // namespace
}  // namespace concord::raft

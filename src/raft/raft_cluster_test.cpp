// Whole clusters in memory: elections, losses, restarts, membership, snapshots.
#include <algorithm>
#include <deque>
#include <set>
#include <utility>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "raft/test_peer.hpp"

namespace concord::raft {
namespace {

class Cluster {
 public:
  Cluster(const std::vector<NodeId>& ids, std::uint64_t seed) : seed_(seed) {
    for (const NodeId id : ids) add(id, Disk::formed(ids));
  }

  TestPeer& add(NodeId id, Disk disk) {
    return peers_.try_emplace(id, Config{.id = id, .seed = seed_}, std::move(disk)).first->second;
  }

  TestPeer& peer(NodeId id) { return peers_.at(id); }
  std::map<NodeId, TestPeer>& peers() { return peers_; }
  std::deque<Envelope>& network() { return network_; }
  std::set<NodeId>& cut_off() { return cut_off_; }
  [[nodiscard]] int snapshots_sent() const { return snapshots_sent_; }

  void run(TestPeer& peer) {
    peer.run([this](Envelope envelope) { network_.push_back(std::move(envelope)); });
  }

  /// A snapshot arrives whole or not at all; its sender is told.
  void deliver(const Envelope& envelope) {
    const bool arrives = !cut_off_.contains(envelope.from) && !cut_off_.contains(envelope.to);
    if (arrives) {
      if (auto to = peers_.find(envelope.to); to != peers_.end()) {
        const auto stepped = to->second.node().step(envelope.from, envelope.bytes);
        EXPECT_TRUE(stepped || comes_too_late(stepped.error())) << stepped.error().message();
      }
    }
    if (envelope.is_snapshot) {
      ++snapshots_sent_;
      EXPECT_TRUE(peer(envelope.from).node().report_snapshot(envelope.to, arrives));
    }
  }

  void settle() {
    for (bool moved = true; moved;) {
      for (auto& [id, peer] : peers_) run(peer);
      moved = !network_.empty();
      while (!network_.empty()) {
        const Envelope envelope = std::move(network_.front());
        network_.pop_front();
        deliver(envelope);
      }
    }
  }

  void tick() {
    for (auto& [id, peer] : peers_) ASSERT_TRUE(peer.node().tick());
    settle();
  }

  TestPeer& elect() {
    for (int ticks = 0; ticks < 300; ++ticks) {
      if (TestPeer* leader = find_leader()) return *leader;
      tick();
    }
    throw std::runtime_error("no leader in 300 ticks, seed " + std::to_string(seed_));
  }

  void say(std::string_view data) {
    ASSERT_EQ(elect().node().propose(data), ProposeResult::accepted);
    settle();
  }

  void change(ConfChangeKind kind, NodeId node) {
    ASSERT_EQ(elect().node().propose_conf_change({kind, node, ""}), ProposeResult::accepted);
    settle();
  }

 private:
  /// Who leads and who is a member may change on the way; any other refusal of an honest peer is a defect.
  static bool comes_too_late(const Error& error) {
    return error.message().find("lead") != std::string::npos || error.message().find("no member") != std::string::npos;
  }

  TestPeer* find_leader() {
    for (auto& [id, peer] : peers_) {
      if (peer.leads() && !cut_off_.contains(id)) return &peer;
    }
    return nullptr;
  }

  std::uint64_t seed_;
  std::map<NodeId, TestPeer> peers_;
  std::deque<Envelope> network_;
  std::set<NodeId> cut_off_;
  int snapshots_sent_ = 0;
};

const std::vector<NodeId> three = {NodeId(1), NodeId(2), NodeId(3)};

TEST(RaftCluster, ThreeNodesCommitTheSame) {
  Cluster cluster(three, 1);
  std::vector<std::string> said;
  for (int i = 0; i < 20; ++i) {
    said.push_back(std::to_string(i));
    cluster.say(said.back());
  }
  for (auto& [id, peer] : cluster.peers()) EXPECT_EQ(peer.applied(), said) << id.value();
}

TEST(RaftCluster, AnotherLeadsWhenTheLeaderIsCutOffAndTheLogHeals) {
  Cluster cluster(three, 2);
  cluster.say("a");
  TestPeer& old = cluster.elect();
  cluster.cut_off().insert(old.id());
  ASSERT_EQ(old.node().propose("lost"), ProposeResult::accepted);
  TestPeer& next = cluster.elect();
  EXPECT_NE(next.id(), old.id());
  cluster.say("b");
  for (int i = 0; i < 30; ++i) cluster.tick();
  EXPECT_FALSE(old.leads()) << "a leader without a quorum steps down";
  cluster.cut_off().clear();
  for (int i = 0; i < 30; ++i) cluster.tick();
  cluster.say("c");
  for (auto& [id, peer] : cluster.peers()) EXPECT_EQ(peer.applied(), (std::vector<std::string>{"a", "b", "c"}));
}

TEST(RaftCluster, APeerThatComesBackToANewLeaderGetsEntriesAndNoSnapshot) {
  Cluster cluster(three, 11);
  cluster.say("a");
  TestPeer& old = cluster.elect();
  cluster.cut_off().insert(old.id());
  TestPeer& next = cluster.elect();
  cluster.say("b");
  for (int times = 0; times < 2; ++times) {
    old.restart();
    ASSERT_TRUE(next.node().peer_restarted(old.id()));
  }
  cluster.cut_off().clear();
  for (int i = 0; i < 30; ++i) cluster.tick();
  EXPECT_EQ(old.applied(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(cluster.snapshots_sent(), 0);
}

TEST(RaftCluster, AFollowerFarBehindGetsASnapshot) {
  Cluster cluster(three, 3);
  TestPeer& leader = cluster.elect();
  const NodeId behind = leader.id() == NodeId(1) ? NodeId(2) : NodeId(1);
  cluster.cut_off().insert(behind);
  std::vector<std::string> said;
  for (int i = 0; i < 20; ++i) {
    said.push_back(std::to_string(i));
    cluster.say(said.back());
  }
  for (auto& [id, peer] : cluster.peers()) {
    if (id != behind) peer.snapshot_and_compact(2);
  }
  cluster.cut_off().clear();
  for (int i = 0; i < 30; ++i) cluster.tick();
  EXPECT_EQ(cluster.peer(behind).applied(), said);
  EXPECT_GT(cluster.peer(behind).disk().snapshot_index, Index(1));
  cluster.say("after");
  EXPECT_EQ(cluster.peer(behind).applied().back(), "after");
}

TEST(RaftCluster, ANodeJoinsAsLearnerIsPromotedAndTheOldLeaderLeaves) {
  Cluster cluster(three, 4);
  cluster.say("before");
  const NodeId joiner(4);
  cluster.add(joiner, Disk());
  cluster.change(ConfChangeKind::add_learner, joiner);
  for (int i = 0; i < 5; ++i) cluster.tick();
  EXPECT_TRUE(cluster.peer(joiner).applied().empty()) << "the forming snapshot does not count it as a member";
  EXPECT_TRUE(cluster.elect().node().status().snapshot_wanted);
  cluster.elect().snapshot_and_compact(100);
  EXPECT_FALSE(cluster.elect().node().status().snapshot_wanted);
  for (int i = 0; i < 5; ++i) cluster.tick();
  EXPECT_EQ(cluster.peer(joiner).applied(), std::vector<std::string>{"before"});
  EXPECT_EQ(cluster.peer(joiner).members().learners, std::vector{joiner});
  EXPECT_FALSE(cluster.peer(joiner).node().campaign()) << "a learner does not campaign";
  cluster.change(ConfChangeKind::add_voter, joiner);
  TestPeer& old = cluster.elect();
  ASSERT_TRUE(old.node().transfer_leader(joiner));
  EXPECT_EQ(old.node().propose("x"), ProposeResult::dropped);
  cluster.settle();
  EXPECT_TRUE(cluster.peer(joiner).leads());
  cluster.change(ConfChangeKind::remove_node, old.id());
  cluster.cut_off().insert(old.id());
  cluster.say("after");
  EXPECT_EQ(cluster.peer(joiner).members().voters.size(), 3U);
  EXPECT_EQ(cluster.peer(joiner).applied().back(), "after");
}

TEST(RaftCluster, ALeaderThatRemovesItselfStepsDownUnharmed) {
  Cluster cluster(three, 5);
  TestPeer& leader = cluster.elect();
  ASSERT_EQ(leader.node().propose_conf_change({ConfChangeKind::remove_node, leader.id(), ""}), ProposeResult::accepted);
  for (int i = 0; i < 5; ++i) ASSERT_EQ(leader.node().propose("x"), ProposeResult::accepted);
  cluster.settle();
  EXPECT_FALSE(leader.leads());
  EXPECT_FALSE(leader.node().failed());
  cluster.cut_off().insert(leader.id());
  cluster.say("after");
  EXPECT_EQ(cluster.elect().members().voters.size(), 2U);
}

TEST(RaftCluster, ReadsOfALeaderWithoutQuorumAreNeverAnswered) {
  Cluster cluster(three, 6);
  TestPeer& leader = cluster.elect();
  ASSERT_EQ(leader.node().read_index(1), ProposeResult::accepted);
  cluster.settle();
  ASSERT_EQ(leader.reads().size(), 1U);
  cluster.cut_off().insert(leader.id());
  ASSERT_EQ(leader.node().read_index(2), ProposeResult::accepted);
  EXPECT_FALSE(leader.node().read_point());
  for (int i = 0; i < 60; ++i) cluster.tick();
  EXPECT_EQ(leader.reads().size(), 1U);
}

TEST(RaftCluster, AppendsAndHeartbeatsSayWhatIsCommittedAndAnswersDoNot) {
  Cluster cluster(three, 7);
  cluster.say("a");
  TestPeer& leader = cluster.elect();
  const Index commit = leader.node().status().commit;
  ASSERT_EQ(leader.node().propose("b"), ProposeResult::accepted);
  ASSERT_TRUE(leader.node().ping());
  cluster.run(leader);
  ASSERT_EQ(cluster.network().size(), 4U);
  for (const Envelope& envelope : cluster.network()) EXPECT_EQ(announced_commit(envelope.bytes), commit);
  const std::deque<Envelope> sent = std::exchange(cluster.network(), {});
  for (const Envelope& envelope : sent) cluster.deliver(envelope);
  for (auto& [id, peer] : cluster.peers()) {
    if (id != leader.id()) cluster.run(peer);
  }
  EXPECT_FALSE(cluster.network().empty());
  for (const Envelope& envelope : cluster.network()) EXPECT_FALSE(announced_commit(envelope.bytes));
  EXPECT_FALSE(announced_commit(""));
  EXPECT_FALSE(announced_commit("\x08\x03\x3a\xff"));
}

TEST(RaftCluster, ALeaderShowsHowFarTheOthersAre) {
  Cluster cluster(three, 7);
  cluster.say("a");
  TestPeer& leader = cluster.elect();
  const std::vector<PeerProgress> progress = leader.node().progress();
  ASSERT_EQ(progress.size(), 2U);
  EXPECT_LT(progress[0].node, progress[1].node);
  for (const PeerProgress& peer : progress) {
    EXPECT_EQ(peer.match, leader.node().status().last);
    EXPECT_EQ(peer.state, PeerState::replicate);
    EXPECT_FALSE(peer.is_learner);
  }
}

// --- a random life ---------------------------------------------------------------------------------------------------

/// Losses, duplicates, reordering, crashes, snapshots and partitions of `steps` steps. What two nodes applied must agree in
/// every moment, and what was seen applied anywhere must never be lost.
class RandomLife {
 public:
  explicit RandomLife(std::uint64_t seed) : random_(seed), cluster_(three, seed) {}

  void live(int steps) {
    for (int step = 0; step < steps; ++step) {
      this->step(step);
      if (::testing::Test::HasFatalFailure()) return;
      check();
    }
  }

  /// Everything heals: one leader, and all catch up.
  void heal() {
    cluster_.cut_off().clear();
    cluster_.settle();
    for (int i = 0; i < 100; ++i) cluster_.tick();
    cluster_.say("end");
    for (int i = 0; i < 10; ++i) cluster_.tick();
    check();
    for (auto& [id, peer] : cluster_.peers()) EXPECT_EQ(peer.applied(), longest_) << id.value();
    ASSERT_FALSE(longest_.empty());
    EXPECT_EQ(longest_.back(), "end");
  }

  [[nodiscard]] std::size_t applied() const { return longest_.size(); }

 private:
  void step(int number) {
    TestPeer& peer = cluster_.peer(three[random_.below(3)]);
    switch (random_.below(12)) {
      case 0: ASSERT_TRUE(peer.node().tick()); break;
      case 1: ASSERT_TRUE(peer.node().propose(std::to_string(number))); break;
      case 2: ASSERT_TRUE(peer.node().read_index(static_cast<std::uint64_t>(number))); break;
      case 3: rarely(peer); break;
      default: deliver_one(); break;
    }
    if (!random_.one_in(4)) cluster_.run(peer);
  }

  void rarely(TestPeer& peer) {
    if (random_.one_in(30)) peer.restart();
    if (random_.one_in(20) && !peer.node().has_ready()) {
      if (peer.applied_index() > peer.disk().snapshot_index) peer.snapshot_and_compact(random_.below(5));
    }
    if (random_.one_in(20)) cluster_.cut_off().insert(peer.id());
    if (random_.one_in(10)) cluster_.cut_off().clear();
    if (random_.one_in(10)) {
      ASSERT_TRUE(peer.node().report_unreachable(three[random_.below(3)]));
    }
    if (random_.one_in(20)) {
      ASSERT_TRUE(peer.node().campaign());
    }
  }

  void deliver_one() {
    auto& network = cluster_.network();
    if (network.empty()) return;
    const auto at =
        network.begin() + static_cast<std::ptrdiff_t>(random_.below(std::min<std::size_t>(8, network.size())));
    const Envelope envelope = *at;
    if (!random_.one_in(20)) network.erase(at);  // else it comes again
    if (random_.one_in(20) && !envelope.is_snapshot) return;
    cluster_.deliver(envelope);
  }

  void check() {
    for (auto& [id, peer] : cluster_.peers()) {
      ASSERT_FALSE(peer.node().failed()) << peer.node().failure();
      const std::vector<std::string>& applied = peer.applied();
      const std::size_t common = std::min(applied.size(), longest_.size());
      const std::size_t known = std::min(common, checked_[id]);
      ASSERT_TRUE(std::equal(applied.begin() + static_cast<std::ptrdiff_t>(known),
                             applied.begin() + static_cast<std::ptrdiff_t>(common),
                             longest_.begin() + static_cast<std::ptrdiff_t>(known)))
          << "node " << id.value() << " applied something else";
      checked_[id] = common;
      if (applied.size() > longest_.size()) longest_ = applied;
    }
  }

  base::Random random_;
  Cluster cluster_;
  std::vector<std::string> longest_;
  std::map<NodeId, std::size_t> checked_;
};

TEST(RaftCluster, RandomLivesAgreeAndHeal) {
  std::size_t applied = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomLife life(seed);
    life.live(4000);
    if (HasFatalFailure()) return;
    life.heal();
    applied += life.applied();
    if (HasFailure()) return;
  }
  EXPECT_GT(applied, 500U) << "the lives did nothing";
}

}  // namespace
}  // namespace concord::raft

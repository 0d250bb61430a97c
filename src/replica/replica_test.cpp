// Replicas against the truth: one log, the state that a plain state machine makes of it, and what was acknowledged.
#include "replica/replica.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "command/entry.hpp"
#include "replica/testing_cluster.hpp"

namespace concord::replica {
namespace {

using command::Guard;
using command::GuardKind;
using command::Operation;
using command::OperationKind;

std::string stored(std::uint64_t number) { return std::string(1, '\0') + std::to_string(number); }

struct Faults {
  std::uint64_t loses_one_in = 10;
  std::uint64_t doubles_one_in = 10;
  std::uint64_t crashes_one_in = 60;
};

class Cluster {
 public:
  Cluster(std::uint64_t size, std::uint64_t seed) : random_(seed) {
    std::vector<NodeId> ids;
    for (std::uint64_t id = 1; id <= size; ++id) ids.push_back(NodeId(id));
    for (const NodeId id : ids) {
      peers_.push_back(std::make_unique<Peer>(id, ids, seed, truth_));
      peers_.back()->clock().start_fresh(host_time(*peers_.back()));
    }
  }

  /// One thing happens.
  void step(const Faults& faults) {
    Peer& peer = any_peer();
    switch (random_.below(16)) {
      case 0:
      case 1: must(peer.replica().tick()); break;
      case 2: now_ms_ += random_.below(300); break;
      case 3: propose(peer); break;
      case 4: crash_sometimes(peer, faults); break;
      case 5:
        if (random_.one_in(20)) peer.save_snapshot();
        if (random_.one_in(30)) cut_off_ = random_.one_in(2) ? NodeId(random_.below(peers_.size() + 1)) : NodeId(0);
        break;
      case 6:
      case 7:
      case 8:
      case 9: run_one(peer, CrashPoint::none); break;
      default: deliver_one(faults); break;
    }
    look();
  }

  /// Everything works again: all replicas come to the same state.
  void settle() {
    cut_off_ = NodeId(0);
    const Faults none{.loses_one_in = 0, .doubles_one_in = 0, .crashes_one_in = 0};
    for (int round = 0; round < 5000 && !is_settled(); ++round) {
      for (auto& peer : peers_) must(peer->replica().tick());
      for (int i = 0; i < 5; ++i) {
        for (auto& peer : peers_) run_all(*peer);
        while (!network_.empty()) deliver_one(none);
      }
      if (round % 100 == 99) help_who_lags();
      look();
    }
    ASSERT_TRUE(is_settled()) << "no agreement";
  }

  /// Everybody loses everything but the disk.
  void restart_all(Restart how) {
    network_.clear();
    for (auto& peer : peers_) restart(*peer, how);
  }

  /// Of what was acknowledged nothing is missing, and each was told its own revision.
  void check_acknowledged() const {
    for (const auto& [request, revision] : acknowledged_) {
      const auto found = truth_.revisions().find(request);
      ASSERT_TRUE(found != truth_.revisions().end()) << "an acknowledged write is not in the log";
      ASSERT_EQ(found->second, revision);
    }
  }
  void check_equal() {
    for (auto& peer : peers_) {
      ASSERT_EQ(peer->replica().applied_index(), truth_.state().applied_index());
      ASSERT_EQ(peer->replica().state().digest(), truth_.state().digest());
    }
  }
  void check_none_came_back() {
    Value ignored;
    for (const std::string& key : gone_) ASSERT_FALSE(truth_.state().get(key, ignored)) << key;
  }

  [[nodiscard]] std::size_t acknowledged() const { return acknowledged_.size(); }
  [[nodiscard]] std::size_t expired() const { return gone_.size(); }
  [[nodiscard]] std::uint64_t leaders() const { return leaders_.size(); }
  [[nodiscard]] Peer& peer(std::size_t at) { return *peers_[at]; }
  [[nodiscard]] std::vector<Envelope>& network() { return network_; }

 private:
  /// No two hosts agree about the time of day.
  [[nodiscard]] HostTime host_time(const Peer& peer) const {
    return {.monotonic_ms = now_ms_,
            .wall_ms = 1'700'000'000'000 + static_cast<std::int64_t>(now_ms_ + peer.id().value() * 700)};
  }
  [[nodiscard]] Peer& any_peer() { return *peers_[random_.below(peers_.size())]; }

  void restart(Peer& peer, Restart how) {
    peer.start(how);
    const store::StateMachine& state = peer.replica().state();
    peer.clock() = {};
    if (state.cluster_time_ms() == 0) {
      peer.clock().start_fresh(host_time(peer));
    } else {
      peer.clock().restart({state.cluster_time_ms(), state.wall_offset_ms()}, host_time(peer));
    }
  }

  void crash_sometimes(Peer& peer, const Faults& faults) {
    if (!random_.one_in(faults.crashes_one_in)) return;
    if (peer.replica().has_work() && !random_.one_in(3)) {
      run_one(peer, random_.one_in(2) ? CrashPoint::before_persist : CrashPoint::after_persist);
    }
    restart(peer, random_.one_in(2) ? Restart::from_log : Restart::from_snapshot);
  }

  void run_one(Peer& peer, CrashPoint crash) {
    if (!peer.replica().has_work()) return;
    std::vector<store::Applied> acknowledged;
    peer.turn(network_, crash, acknowledged);
    for (const store::Applied& one : acknowledged) {
      acknowledged_[one.request] = one.outcome.revision.value();
      newest_acknowledged_ = std::max(newest_acknowledged_, one.outcome.revision.value());
    }
    peer.clock().observe(peer.replica().state().cluster_time_ms(), host_time(peer));
  }
  void run_all(Peer& peer) {
    while (peer.replica().has_work()) run_one(peer, CrashPoint::none);
  }

  /// In any order; lost, once, or once more later.
  void deliver_one(const Faults& faults) {
    if (network_.empty()) return;
    const std::size_t at = random_.below(network_.size());
    std::swap(network_[at], network_.back());
    const Envelope envelope = std::move(network_.back());
    network_.pop_back();
    const bool is_cut = envelope.from == cut_off_ || envelope.to == cut_off_;
    if (is_cut || network_.size() > 300 || (faults.loses_one_in != 0 && random_.one_in(faults.loses_one_in))) return;
    if (faults.doubles_one_in != 0 && random_.one_in(faults.doubles_one_in)) network_.push_back(envelope);
    const auto received = peers_[envelope.to.value() - 1]->replica().receive(envelope.from, envelope.bytes);
    if (!received) {
      ASSERT_EQ(received.error().code(), Errc::invalid_request) << received.error().message();
    }
  }

  void propose(Peer& peer) {
    // Who leads and has not yet applied all of the terms before may know less of the time than the log does.
    if (!peer.replica().is_serving_leader()) return;
    std::string entry;
    command::begin_entry(entry, peer.clock().stamp(host_time(peer)));
    const std::uint64_t due_ms = peer.clock().at(host_time(peer));
    for (std::uint64_t count = 1 + random_.below(3); count > 0; --count) append_command(entry, peer, due_ms);
    (void)must(peer.replica().propose(entry));
  }

  void append_command(std::string& entry, Peer& peer, std::uint64_t due_ms) {
    const std::string key = "k" + std::to_string(random_.below(12));
    const std::string value = stored(random_.next());
    switch (random_.below(6)) {
      case 0: command::append_remove(entry, peer.next_request(), key); break;
      case 1: command::append_expire(entry, peer.next_request(), due_ms, 1 + random_.below(4)); break;
      case 2: {
        const std::string once = "once" + std::to_string(keys_with_ttl_++);
        command::append_put(entry, peer.next_request(), once, value, static_cast<std::uint32_t>(1 + random_.below(3)));
        break;
      }
      case 3: {
        const GuardKind guard = random_.one_in(2) ? GuardKind::exists : GuardKind::absent;
        const command::Transaction transaction{
            .guards = {Guard{.kind = guard, .key = key}},
            .then = {Operation{.kind = OperationKind::put, .key = key, .value = value},
                     Operation{.kind = OperationKind::remove, .key = "k0"}},
            .otherwise = {Operation{.kind = OperationKind::touch, .key = key, .ttl_s = 100}}};
        command::append_transaction(entry, peer.next_request(), transaction);
        break;
      }
      default: command::append_put(entry, peer.next_request(), key, value, 0); break;
    }
  }

  /// At every moment: one serving leader a term; the one of the newest term has everything that was acknowledged, and none of
  /// the keys that one before it saw expire.
  void look() {
    Peer* serving = nullptr;
    for (auto& peer : peers_) {
      if (!peer->replica().is_serving_leader()) continue;
      const raft::RaftStatus status = peer->replica().raft_status();
      ASSERT_EQ(leaders_.try_emplace(status.term, peer->id()).first->second, peer->id()) << "two leaders in a term";
      if (serving == nullptr || serving->replica().raft_status().term < status.term) serving = peer.get();
    }
    if (serving == nullptr || serving->replica().raft_status().term < leaders_.rbegin()->first) return;
    const store::StateMachine& state = serving->replica().state();
    ASSERT_GE(state.revision().value(), newest_acknowledged_) << "the leader is behind what was acknowledged";
    Value ignored;
    for (std::uint64_t number = 0; number < keys_with_ttl_; ++number) {
      const std::string key = "once" + std::to_string(number);
      const bool is_there = state.get(key, ignored);
      if (is_there) {
        ASSERT_FALSE(gone_.contains(key)) << key << " came back";
        seen_.insert(key);
      } else if (seen_.contains(key)) {
        gone_.insert(key);
      }
    }
  }

  [[nodiscard]] bool is_settled() {
    const auto serves = [](const auto& peer) { return peer->replica().is_serving_leader(); };
    const Index applied = peers_.front()->replica().applied_index();
    return network_.empty() && std::ranges::any_of(peers_, serves) &&
           std::ranges::all_of(peers_, [&](const auto& peer) {
             return peer->replica().applied_index() == applied && peer->disk().last() == applied &&
                    !peer->replica().has_work();
           });
  }

  /// A follower that needs entries which its leader no longer has in memory gets the leader's snapshot.
  void help_who_lags() {
    for (auto& leader : peers_) {
      if (!leader->replica().is_serving_leader()) continue;
      leader->save_snapshot();
      for (auto& peer : peers_) {
        if (peer->replica().applied_index() < leader->replica().applied_index()) peer->receive_snapshot(leader->disk());
      }
    }
  }

  base::Random random_;
  Truth truth_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<Envelope> network_;
  NodeId cut_off_;
  std::uint64_t now_ms_ = 1'000'000;
  std::uint64_t keys_with_ttl_ = 0;  // each is written once
  std::set<std::string> seen_;       // on a serving leader
  std::set<std::string> gone_;       // afterwards
  std::map<base::RequestId, std::uint64_t> acknowledged_;
  std::uint64_t newest_acknowledged_ = 0;
  std::map<Term, NodeId> leaders_;  // that served
};

/// CONCORD_SEEDS=5000 tries more.
std::uint64_t seed_count(std::uint64_t usual) {
  const char* asked = std::getenv("CONCORD_SEEDS");
  return asked == nullptr ? usual : std::strtoull(asked, nullptr, 10);
}

struct Totals {
  std::size_t acknowledged = 0;
  std::size_t expired = 0;
  std::size_t leaders = 0;
};

void live(std::uint64_t size, std::uint64_t seed, Totals& totals) {
  Cluster cluster(size, seed);
  for (int step = 0; step < 6000 && !testing::Test::HasFatalFailure(); ++step) cluster.step({});
  totals.acknowledged += cluster.acknowledged();
  totals.expired += cluster.expired();
  totals.leaders += cluster.leaders();
  for (const Restart how : {Restart::from_log, Restart::from_snapshot}) {
    if (testing::Test::HasFatalFailure()) return;
    cluster.settle();
    cluster.check_equal();
    cluster.check_acknowledged();
    cluster.check_none_came_back();
    cluster.restart_all(how);
  }
}

TEST(Replica, OneVoterDecidesAloneAndOnlyWhatIsPersisted) {
  for (const CrashPoint crash : {CrashPoint::before_persist, CrashPoint::after_persist}) {
    Truth truth;
    Peer peer(NodeId(1), {NodeId(1)}, 1, truth);
    std::vector<Envelope> network;
    std::vector<store::Applied> acknowledged;
    const auto lead = [&] {
      must(peer.replica().campaign());
      while (peer.replica().has_work()) peer.turn(network, CrashPoint::none, acknowledged);
      ASSERT_TRUE(peer.replica().is_serving_leader());
    };
    lead();
    std::string entry;
    command::begin_entry(entry, {.cluster_time_ms = 1, .wall_offset_ms = 0});
    command::append_put(entry, peer.next_request(), "k", stored(1), 0);
    ASSERT_EQ(must(peer.replica().propose(entry)), raft::ProposeResult::accepted);
    peer.turn(network, crash, acknowledged);
    peer.start(Restart::from_log);
    lead();
    Value ignored;
    EXPECT_EQ(peer.replica().state().get("k", ignored), crash == CrashPoint::after_persist);
    EXPECT_TRUE(acknowledged.empty());
    EXPECT_TRUE(network.empty());
  }
}

TEST(Replica, AllReplicasAreWhatTheLogSaysThroughLossesCrashesAndChangesOfTheLeader) {
  Totals totals;
  for (std::uint64_t seed = 1; seed <= seed_count(60); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    live(seed % 4 == 0 ? 5 : 3, seed, totals);
    if (HasFailure()) return;
  }
  EXPECT_GT(totals.acknowledged, 60U);
  EXPECT_GT(totals.expired, 10U);
  EXPECT_GT(totals.leaders, 60U);
}

TEST(Replica, ASoleVoterLosesNothingAcknowledgedWhereverItCrashes) {
  Totals totals;
  for (std::uint64_t seed = 1; seed <= seed_count(60); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    live(1, seed, totals);
    if (HasFailure()) return;
  }
  EXPECT_GT(totals.acknowledged, 60U);
}

/// What `replica` sends in all the turns it has to do.
std::vector<Envelope> finish(Replica& replica, const SavedSnapshot* snapshot = nullptr) {
  std::vector<Envelope> sent;
  const auto post = [&](std::span<const raft::Message> messages) {
    for (const raft::Message& one : messages) sent.push_back({{}, one.to, one.is_snapshot, std::string(one.bytes)});
  };
  std::vector<store::Applied> applied;
  while (replica.has_work()) {
    const PersistRequest request = must(replica.begin_turn());
    post(request.messages);
    if (request.snapshot) {
      store::SnapshotLoader loader(snapshot->decoded());
      for (const std::string& block : snapshot->blocks) must(loader.add_block(block));
      must(replica.install(must(loader.finish())));
    }
    const TurnResult result = must(replica.finish_turn(applied));
    post(result.persisted_messages);
    post(result.messages);
  }
  return sent;
}

TEST(Replica, AFollowerThatLosesItsLeaderRightBehindASnapshotAsksForVotes) {
  Truth truth;
  Peer leader(NodeId(1), {NodeId(1)}, 1, truth);
  must(leader.replica().campaign());
  (void)finish(leader.replica());
  for (int turn = 0; turn < 600; ++turn) {  // a sole voter keeps no entries for others
    std::string entry;
    command::begin_entry(entry, {.cluster_time_ms = 1, .wall_offset_ms = 0});
    command::append_put(entry, leader.next_request(), "k", stored(1), 0);
    ASSERT_EQ(must(leader.replica().propose(entry)), raft::ProposeResult::accepted);
    (void)finish(leader.replica());
  }
  must(leader.replica().propose_change(raft::ConfChangeKind::add_voter, {.id = NodeId(2), .name = "two"}));
  (void)finish(leader.replica());
  leader.save_snapshot();
  const SavedSnapshot& saved = *leader.disk().snapshot;
  must(leader.replica().offer_snapshot(saved.decoded().index, saved.decoded().term, leader.replica().members()));

  Config config;
  config.raft.id = NodeId(2);
  Replica follower(config, std::make_unique<store::StateMachine>());
  must(follower.begin_replay({}));
  must(follower.start());
  for (int tick = 0; tick < 20 && follower.applied_index().is_zero(); ++tick) {
    must(leader.replica().tick());
    for (const Envelope& to_follower : finish(leader.replica())) {
      must(follower.receive(NodeId(1), to_follower.bytes));
    }
    for (const Envelope& to_leader : finish(follower, &saved))
      must(leader.replica().receive(NodeId(2), to_leader.bytes));
  }
  ASSERT_EQ(follower.applied_index(), saved.decoded().index);
  must(follower.forget_leader());
  must(follower.campaign());
  EXPECT_FALSE(finish(follower).empty());
}

}  // namespace
}  // namespace concord::replica

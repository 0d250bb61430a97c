// Several embedded nodes in one process that are one cluster: what each offers to its host.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "database/testing_store.hpp"

namespace concord::database {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

constexpr auto patience = 60s;

/// Waits for what comes by itself; the test fails when it doesn't.
template <class Holds>
void wait_until(const char* what, const Holds& holds) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << what;
    std::this_thread::sleep_for(5ms);
  }
}

class EmbeddedCluster : public testing::Test {
 protected:
  EmbeddedCluster() {
    std::filesystem::remove_all(directory_.options().data_dir);
    std::filesystem::create_directories(directory_.options().data_dir);
  }

  [[nodiscard]] Options options(const std::string& name) const {
    Options options = directory_.options();
    options.name = name;
    options.data_dir /= name;
    options.cluster.cookie = "a secret";
    const auto known = ports_.find(name);
    options.cluster.peer_port = known == ports_.end() ? std::uint16_t{0} : known->second;
    return options;
  }

  /// The address others reach a node at.
  static std::string peer_of(Node& node) {
    const auto members = node.members();
    EXPECT_TRUE(members) << message(members);
    const auto status = node.status();
    for (const MemberStatus& member : members.value()) {
      if (member.name == status->node) return member.peer;
    }
    ADD_FAILURE() << status->node << " is no member";
    return {};
  }

  std::unique_ptr<Node> open(Options options) {
    auto node = Node::open(std::move(options));
    EXPECT_TRUE(node) << message(node);
    return std::make_unique<Node>(std::move(node.value()));
  }

  /// The first is a cluster alone, the others join it. All vote when this returns.
  void start_three() {
    nodes_.push_back(open(options("n1")));
    const auto alone = nodes_[0]->wait_ready(patience);
    ASSERT_TRUE(alone) << message(alone);
    for (const char* name : {"n2", "n3"}) {
      Options joining = options(name);
      joining.cluster.join = {peer_of(*nodes_[0])};
      nodes_.push_back(open(std::move(joining)));
      const auto ready = nodes_.back()->wait_ready(patience);
      ASSERT_TRUE(ready) << message(ready);
    }
    for (const auto& node : nodes_) {
      const std::string peer = peer_of(*node);
      ports_[node->status()->node] = static_cast<std::uint16_t>(std::stoi(peer.substr(peer.rfind(':') + 1)));
      wait_until("all vote", [&] {
        const auto members = node->members();
        return members && members->size() == 3 &&
               std::ranges::all_of(*members, [](const MemberStatus& member) { return member.voter; });
      });
    }
  }

  static std::vector<std::string> names(Store& store) {
    std::vector<std::string> found;
    const auto members = store.members();
    EXPECT_TRUE(members) << message(members);
    for (const MemberStatus& member : members.value()) found.push_back(member.name);
    return found;
  }

  static std::string leader_of(Store& store) { return store.status().value().cluster.leader.value_or(""); }

  Node& leader() {
    std::size_t at = 0;
    wait_until("a leader", [&] {
      for (at = 0; at < nodes_.size(); ++at) {
        if (nodes_[at]->status()->cluster.state == NodeState::leader) return true;
      }
      return false;
    });
    return *nodes_.at(at);
  }
  Node& follower() {
    const Node& leads = leader();
    return **std::ranges::find_if(nodes_, [&](const auto& node) { return node.get() != &leads; });
  }

  StoreDirectory directory_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<std::string, std::uint16_t> ports_;  ///< a node that starts again is where the others look for it
};

TEST_F(EmbeddedCluster, EveryMemberTakesWritesAndReadsOfEveryConsistency) {
  ASSERT_NO_FATAL_FAILURE(start_three());
  for (const auto& node : nodes_) {
    const auto put = node->put("by/" + node->status()->node, node->status()->node);
    EXPECT_TRUE(put) << message(put);
  }
  for (const auto& node : nodes_) {
    for (const ReadConsistency consistency : {ReadConsistency::leader, ReadConsistency::strong}) {
      const auto all = node->keys({.prefix = "by/"}, {.consistency = consistency});
      ASSERT_TRUE(all) << message(all);
      EXPECT_EQ(all->size(), 3U);
      const auto entries = node->get_entries({"by/n1", "by/n2", "by/n3"}, {.consistency = consistency});
      ASSERT_TRUE(entries) << message(entries);
      for (const auto& entry : *entries) EXPECT_TRUE(entry);
    }
    wait_until("what was written is applied everywhere", [&] {
      return node->count({.prefix = "by/"}, {.consistency = ReadConsistency::eventual}).value_or(0) == 3;
    });
  }
}

TEST_F(EmbeddedCluster, AStrongReadAnywhereSeesWhatWasAcknowledgedAnywhere) {
  ASSERT_NO_FATAL_FAILURE(start_three());
  for (int number = 0; number < 60; ++number) {
    const auto put = nodes_[number % 3]->put("number", number);
    ASSERT_TRUE(put) << message(put);
    const auto read = nodes_[(number + 1) % 3]->get<int>("number", {.consistency = ReadConsistency::strong});
    ASSERT_TRUE(read) << message(read);
    EXPECT_EQ(*read, number);
  }
}

TEST_F(EmbeddedCluster, EveryCallOnAFollowerHasItsThreeForms) {
  ASSERT_NO_FATAL_FAILURE(start_three());
  Node& node = follower();
  for (const Form form : {Form::plain, Form::completion, Form::awaited}) {
    const Calls calls(node, form);
    const std::string key = "form/" + std::to_string(static_cast<int>(form));
    EXPECT_EQ(outcome(calls.put(key, 1)), "OK");
    EXPECT_EQ(outcome(calls.create(key, 1)), "CONDITION_FAILED");
    EXPECT_EQ(outcome(calls.update(key, [](int number) { return number + 41; })), "OK");
    EXPECT_EQ(outcome(calls.touch(key, 100s)), "OK");
    const auto read = calls.get(key, {.consistency = ReadConsistency::strong});
    ASSERT_TRUE(read) << message(read);
    EXPECT_EQ(*read, Value(42));
    EXPECT_EQ(outcome(calls.del(key)), "OK");
    EXPECT_EQ(outcome(calls.get(key, {.consistency = ReadConsistency::strong})), "NOT_FOUND");
  }
}

TEST_F(EmbeddedCluster, ACoroutineOnAFollowerReadsWhatItWrote) {
  ASSERT_NO_FATAL_FAILURE(start_three());
  std::promise<int> sum;
  const auto run = [](Node& node, std::promise<int>& told) -> Detached {
    int seen = 0;
    for (int number = 1; number <= 20; ++number) {
      if (!co_await node.async_put("awaited", number)) break;
      const auto read = co_await node.async_get("awaited", {.consistency = ReadConsistency::strong});
      if (read) seen += read->as<int>().value_or(0);
    }
    told.set_value(seen);
  };
  run(follower(), sum);
  EXPECT_EQ(sum.get_future().get(), 210);
}

TEST_F(EmbeddedCluster, CompletionsOfAFollowerRunInItsExecutor) {
  std::thread::id executed_by;
  std::promise<void> done;
  ASSERT_NO_FATAL_FAILURE(start_three());
  Options joining = options("n4");
  joining.cluster.join = {peer_of(*nodes_[0])};
  joining.executor = [&](std::move_only_function<void()> task) {
    std::thread([&, task = std::move(task)]() mutable {
      executed_by = std::this_thread::get_id();
      task();
    }).join();
  };
  nodes_.push_back(open(std::move(joining)));
  ASSERT_TRUE(nodes_[3]->wait_ready(patience));
  std::thread::id told_by;
  nodes_[3]->async_get_entries({"k"}, {.consistency = ReadConsistency::strong}, [&](const auto& entries) {
    EXPECT_TRUE(entries) << message(entries);
    told_by = std::this_thread::get_id();
    done.set_value();
  });
  done.get_future().get();
  EXPECT_NE(told_by, std::this_thread::get_id());
  nodes_.clear();
  EXPECT_EQ(told_by, executed_by);
}

TEST_F(EmbeddedCluster, WaitReadySaysWhatANodeWaitsFor) {
  Options lonely = options("lonely");
  lonely.cluster.initial = {{"lonely", "127.0.0.1:1"}, {"absent", "127.0.0.1:2"}, {"missing", "127.0.0.1:3"}};
  lonely.cluster.advertise = "127.0.0.1:1";
  const auto node = open(std::move(lonely));
  const auto ready = node->wait_ready(50ms);
  EXPECT_EQ(outcome(ready), "CLUSTER_UNAVAILABLE");
  EXPECT_THAT(message(ready), HasSubstr("not ready after 50 ms: "));
  EXPECT_EQ(outcome(node->put("k", 1, {.timeout = 50ms})), "CLUSTER_UNAVAILABLE");
}

TEST_F(EmbeddedCluster, WhoListensEverywhereMustSayWhereOthersReachIt) {
  Options everywhere = options("n1");
  everywhere.cluster.peer_host = "0.0.0.0";
  const auto refused = Node::open(everywhere);
  EXPECT_EQ(outcome(refused), "INVALID_REQUEST");
  EXPECT_THAT(message(refused), HasSubstr("cluster.advertise"));
  everywhere.cluster.initial = {{"n1", "127.0.0.1:19"}};
  const auto listed = open(everywhere);
  ASSERT_TRUE(listed->wait_ready(patience));
  EXPECT_EQ(peer_of(*listed), "127.0.0.1:19");
}

TEST_F(EmbeddedCluster, APeerPortThatIsTakenIsAnErrorAndNotTheEndOfTheHost) {
  const auto first = open(options("n1"));
  ASSERT_TRUE(first->wait_ready(patience));
  const std::string taken = peer_of(*first);
  Options second = options("n2");
  second.cluster.peer_port = static_cast<std::uint16_t>(std::stoi(taken.substr(taken.rfind(':') + 1)));
  const auto refused = Node::open(std::move(second));
  EXPECT_EQ(outcome(refused), "CLUSTER_UNAVAILABLE");
  EXPECT_THAT(message(refused), HasSubstr(taken));
}

TEST_F(EmbeddedCluster, InitialMembersCountOnlyUntilTheDirectoryHoldsData) {
  Options first = options("n1");
  ASSERT_TRUE(open(first)->wait_ready(patience));
  Options later = options("n1");
  later.cluster.initial = {{"other", "127.0.0.1:19"}};
  EXPECT_EQ(outcome(open(later)->wait_ready(patience)), "OK");
  Options empty = options("n2");
  empty.cluster.initial = {{"other", "127.0.0.1:19"}};
  const auto refused = Node::open(empty);
  EXPECT_EQ(outcome(refused), "INVALID_REQUEST");
  EXPECT_THAT(message(refused), HasSubstr("\"n2\", is not among the initial members"));
}

TEST_F(EmbeddedCluster, ANodeThatIsAloneIsReadyAndHasNoMembersToChange) {
  Options alone = options("alone");
  alone.cluster.cookie.clear();
  const auto node = open(std::move(alone));
  EXPECT_EQ(outcome(node->wait_ready(0ms)), "OK");
  EXPECT_THAT(names(*node), UnorderedElementsAre("alone"));
  EXPECT_EQ(outcome(node->add_member("n2", "127.0.0.1:1")), "CONDITION_FAILED");
  EXPECT_EQ(outcome(node->transfer_leadership()), "CONDITION_FAILED");
}

TEST_F(EmbeddedCluster, AMemberIsAddedStartedPromotedAndRemoved) {
  ASSERT_NO_FATAL_FAILURE(start_three());
  Node& any = follower();
  // Where it will be is not known before it runs: it says so itself then.
  const auto added = any.add_member("n4", "127.0.0.1:1");
  ASSERT_TRUE(added) << message(added);
  EXPECT_EQ(outcome(any.add_member("n4", "127.0.0.1:2")), "ALREADY_EXISTS");
  EXPECT_EQ(outcome(any.add_member("", "127.0.0.1:2")), "INVALID_REQUEST");
  EXPECT_EQ(outcome(any.add_member("n5", "nowhere")), "INVALID_REQUEST");
  Options joining = options("n4");
  joining.cluster.join = {peer_of(any)};
  nodes_.push_back(open(std::move(joining)));
  const auto ready = nodes_[3]->wait_ready(patience);
  ASSERT_TRUE(ready) << message(ready);
  const auto promoted = any.promote("n4", {.timeout = patience});
  ASSERT_TRUE(promoted) << message(promoted);
  EXPECT_THAT(names(leader()), UnorderedElementsAre("n1", "n2", "n3", "n4"));

  const auto removed = any.remove_member("n4", {.timeout = patience});
  ASSERT_TRUE(removed) << message(removed);
  EXPECT_THAT(names(leader()), UnorderedElementsAre("n1", "n2", "n3"));
  wait_until("it learns of it",
             [&] { return message(nodes_[3]->wait_ready(0ms)).find("removed from its cluster") != std::string::npos; });
  EXPECT_EQ(outcome(nodes_[3]->wait_ready(patience)), "CLUSTER_UNAVAILABLE");
  EXPECT_EQ(outcome(any.remove_member("n4")), "NOT_FOUND");
  EXPECT_EQ(outcome(any.promote("n4")), "NOT_FOUND");
}

TEST_F(EmbeddedCluster, ALeaderIsRemovedThroughAnother) {
  ASSERT_NO_FATAL_FAILURE(start_three());
  const std::string name = leader().status()->node;
  Node& other = follower();
  const auto removed = other.remove_member(name, {.timeout = patience});
  EXPECT_TRUE(removed) << message(removed);
  wait_until("the others go on", [&] { return other.put("k", 1).has_value(); });
  wait_until("it is no member", [&] { return names(other).size() == 2; });
}

TEST_F(EmbeddedCluster, LeadershipGoesToWhoIsNamed) {
  ASSERT_NO_FATAL_FAILURE(start_three());
  Node& next = follower();
  const std::string name = next.status()->node;
  const auto transferred = nodes_[0]->transfer_leadership(name, {.timeout = patience});
  ASSERT_TRUE(transferred) << message(transferred);
  for (const auto& node : nodes_) {
    wait_until("all follow it", [&] { return leader_of(*node) == name; });
  }
  EXPECT_EQ(outcome(next.transfer_leadership("nobody")), "NOT_FOUND");
}

TEST_F(EmbeddedCluster, ASnapshotIsTakenWhenItIsAskedFor) {
  ASSERT_NO_FATAL_FAILURE(start_three());
  ASSERT_TRUE(nodes_[2]->put("k", 1));
  const std::uint64_t before = nodes_[2]->status()->storage.snapshot_index;
  ASSERT_TRUE(nodes_[2]->trigger_snapshot());
  wait_until("it is there", [&] { return nodes_[2]->status()->storage.snapshot_index > before; });
}

TEST_F(EmbeddedCluster, ACompletionOfAFollowerMayMakeCallsThatWait) {
  ASSERT_NO_FATAL_FAILURE(start_three());
  Node& node = follower();
  std::promise<std::string> told;
  node.async_put("first", 1, {}, [&](Result<Revision> first) {
    const auto second = first ? node.put("second", 2) : first;
    const auto read = node.get<int>("second", {.consistency = ReadConsistency::strong});
    told.set_value(outcome(second) + " " + outcome(read));
  });
  EXPECT_EQ(told.get_future().get(), "OK OK");
}

TEST_F(EmbeddedCluster, NodesEndInAnyOrderAndAnswerWhatIsUnderWay) {
  ASSERT_NO_FATAL_FAILURE(start_three());
  std::atomic<int> answered = 0;
  std::atomic<int> begun = 0;
  // Down and up again, each time another order; the last two of three have no quorum any more.
  for (const auto& order : {std::array{0, 1, 2}, std::array{2, 0, 1}}) {
    for (const int at : order) {
      for (int i = 0; i < 50; ++i, ++begun) {
        nodes_.at(at)->async_put("k" + std::to_string(i), i, {}, [&](const auto&) { ++answered; });
      }
      nodes_.at(at).reset();
    }
    EXPECT_EQ(answered, begun);
    for (std::size_t at = 0; at < 3; ++at) nodes_[at] = open(options("n" + std::to_string(at + 1)));
    for (const auto& node : nodes_) {
      const auto ready = node->wait_ready(patience);
      ASSERT_TRUE(ready) << message(ready);
    }
    const auto read = nodes_[1]->get<int>("k0", {.consistency = ReadConsistency::strong});
    EXPECT_TRUE(read || read.error().code() == Errc::not_found) << message(read);
  }
}

}  // namespace
}  // namespace concord::database

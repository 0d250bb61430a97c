// The embedded node as an application uses it.
#include <concord/concord.hpp>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <coroutine>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concord {
namespace {

using testing::HasSubstr;

using namespace std::chrono_literals;

class NodeTest : public testing::TestWithParam<Durability> {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    std::string name = std::string(test->test_suite_name()) + "." + test->name();
    std::ranges::replace(name, '/', '.');
    directory_ =
        std::filesystem::temp_directory_path() / ("concord_node_test." + std::to_string(::getpid()) + "." + name);
    std::filesystem::remove_all(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] Options options() const {
    Options options;
    options.data_dir = directory_;
    options.durability = GetParam();
    return options;
  }
  [[nodiscard]] Node open() const {
    auto node = Node::open(options());
    EXPECT_TRUE(node) << node.error().message();
    return std::move(*node);
  }

  std::filesystem::path directory_;
};

TEST_P(NodeTest, WhatWasPutIsThereAfterARestart) {
  {
    Node node = open();
    EXPECT_EQ(node.put("greeting", "Hello").value(), Revision(1));
    EXPECT_EQ(node.put("answer", 42).value(), Revision(2));
    EXPECT_EQ(node.put("bytes", Bytes("\x00\xff", 2)).value(), Revision(3));
    EXPECT_EQ(node.put("gone", true).value(), Revision(4));
    EXPECT_EQ(node.del("gone").value(), Revision(5));
  }
  Node node = open();
  EXPECT_EQ(node.get<std::string>("greeting").value(), "Hello");
  EXPECT_EQ(node.get<int>("answer").value(), 42);
  EXPECT_EQ(node.get("bytes").value().bytes(), std::string_view("\x00\xff", 2));
  EXPECT_EQ(node.get("gone").error().code(), Errc::not_found);
  EXPECT_EQ(node.put("next", 1).value(), Revision(6)) << "revisions go on";
  EXPECT_EQ(node.status().value().storage.size, 4U);
}

TEST_P(NodeTest, BadInputIsRefusedAndChangesNothing) {
  Node node = open();
  EXPECT_EQ(node.put("", 1).error().code(), Errc::invalid_key);
  EXPECT_EQ(node.put(std::string(1025, 'k'), 1).error().code(), Errc::invalid_key);
  EXPECT_EQ(node.get(std::string(1025, 'k')).error().code(), Errc::invalid_key);
  EXPECT_EQ(node.put("k", std::string(9U << 20U, 'v')).error().code(), Errc::value_too_large);
  EXPECT_EQ(node.put("k", "\xff").error().code(), Errc::invalid_request);
  EXPECT_EQ(node.put("k", 1, {.ttl = 0s}).error().code(), Errc::invalid_request);
  EXPECT_EQ(node.create("k", 1, {.ttl = -1s}).error().code(), Errc::invalid_request);
  EXPECT_EQ(node.del("k").error().code(), Errc::not_found);
  EXPECT_EQ(node.touch("k", 5s).error().code(), Errc::not_found);
  EXPECT_EQ(node.put_many({}).error().code(), Errc::invalid_request);
  EXPECT_EQ(node.get_many({}).error().code(), Errc::invalid_request);
  EXPECT_EQ(node.put_many({{"good", 1}, {"", 2}}).error().code(), Errc::invalid_key);
  EXPECT_EQ(node.put_many(std::vector<PutItem>(501, PutItem{"k", 1})).error().code(), Errc::batch_too_large);
  EXPECT_EQ(node.get_many(std::vector<std::string_view>(501, "k")).error().code(), Errc::batch_too_large);
  const Status status = node.status().value();
  EXPECT_EQ(status.storage.revision, Revision(0));
  EXPECT_EQ(status.storage.size, 0U);
  EXPECT_TRUE(node.put(std::string(1024, 'k'), 1));
}

TEST_P(NodeTest, CreateSucceedsOnce) {
  Node node = open();
  EXPECT_TRUE(node.create("lock", "me"));
  const auto second = node.create("lock", "you");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Errc::condition_failed);
  EXPECT_FALSE(second.error().maybe_committed());
  EXPECT_EQ(node.get<std::string>("lock").value(), "me");
}

TEST_P(NodeTest, ABatchIsOneRevisionAndReadAsOneCut) {
  Node node = open();
  EXPECT_EQ(node.put_many({{"a", 1}, {"b", 2}, {"a", 3}}).value().revision, Revision(1));
  const auto values = node.get_many({"a", "none", "b"}).value();
  EXPECT_EQ(values[0]->as<int>().value(), 3);
  EXPECT_FALSE(values[1]);
  EXPECT_EQ(values[2]->as<int>().value(), 2);
  const Entry entry = node.get_entry("a").value();
  EXPECT_EQ(entry.revision, Revision(1));
  EXPECT_EQ(entry.create_revision, Revision(1));
  EXPECT_FALSE(entry.ttl);
}

TEST_P(NodeTest, AKeyExpiresAfterItsTimeAndNotBefore) {
  Node node = open();
  const auto put_at = std::chrono::steady_clock::now();
  ASSERT_TRUE(node.put("session", "x", {.ttl = 1s}));
  ASSERT_TRUE(node.put("kept", "x", {.ttl = 100s}));
  EXPECT_EQ(node.get_entry("session").value().ttl.value(), 1s);
  while (node.get("session")) std::this_thread::sleep_for(2ms);
  EXPECT_GE(std::chrono::steady_clock::now() - put_at, 990ms);
  EXPECT_TRUE(node.get("kept"));
  EXPECT_EQ(node.status().value().storage.revision, Revision(3)) << "expiry is a change";
}

TEST_P(NodeTest, ConcurrentWritesAllHappenOnce) {
  constexpr int writers = 4;
  constexpr int each = 100;
  Node node = open();
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (int writer = 0; writer < writers; ++writer) {
    threads.emplace_back([&, writer] {
      for (int i = 0; i < each; ++i) {
        const std::string key = std::to_string(writer) + "/" + std::to_string(i);
        if (i % 2 == 0) {
          EXPECT_TRUE(node.put(key, i));
          ++done;
        } else {
          node.async_put(key, i, {}, [&done](Result<Revision> revision) {
            EXPECT_TRUE(revision);
            ++done;
          });
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  while (done.load() < writers * each) std::this_thread::sleep_for(1ms);
  const Status status = node.status().value();
  EXPECT_EQ(status.storage.revision, Revision(writers * each));
  EXPECT_EQ(status.storage.size, static_cast<std::uint64_t>(writers * each));
}

TEST_P(NodeTest, ACompletionMayWriteAgain) {
  Node node = open();
  std::promise<void> all_done;
  std::function<void(int)> chain = [&](int left) {
    node.async_put("chain", left, {}, [&, left](Result<Revision> revision) {
      EXPECT_TRUE(revision);
      EXPECT_TRUE(node.put("inside", left));
      if (left > 0) return chain(left - 1);
      all_done.set_value();
    });
  };
  chain(50);
  all_done.get_future().wait();
  EXPECT_EQ(node.get<int>("inside").value(), 0);
}

struct FireAndForget {
  struct promise_type {
    FireAndForget get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

FireAndForget put_twice(Node& node, std::promise<Revision>& result) {
  const Result<Revision> first = co_await node.async_put("awaited", 1);
  EXPECT_TRUE(first);
  const Result<Revision> second = co_await node.async_put("awaited", 2);
  result.set_value(second.value());
}

TEST_P(NodeTest, AsyncPutCanBeAwaited) {
  Node node = open();
  std::promise<Revision> result;
  put_twice(node, result);
  EXPECT_EQ(result.get_future().get(), Revision(2));
}

TEST_P(NodeTest, SnapshotsAreTakenWhileWritesGoOnAndARestartUsesThem) {
  Options small = options();
  small.snapshot.every_entries = 200;
  {
    auto node = Node::open(small);
    ASSERT_TRUE(node);
    std::uint64_t last = 0;
    for (int i = 0; i < 20'000 && node->status().value().storage.snapshot_index <= last + 400; ++i) {
      ASSERT_TRUE(node->put("key" + std::to_string(i % 300), i));
      if (i == 1000) last = node->status().value().storage.snapshot_index;
    }
    EXPECT_GT(node->status().value().storage.snapshot_index, 0U);
    ASSERT_TRUE(node->put("last", "one"));
  }
  auto node = Node::open(small);
  ASSERT_TRUE(node) << node.error().message();
  EXPECT_EQ(node->get<std::string>("last").value(), "one");
  EXPECT_GT(node->status().value().storage.snapshot_index, 0U);
}

TEST_P(NodeTest, ADirectoryCanBeOpenOnce) {
  Node node = open();
  const auto second = Node::open(options());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Errc::cluster_not_ready);
  EXPECT_NE(second.error().message().find("already open by process"), std::string::npos) << second.error().message();
}

TEST_P(NodeTest, OptionsThatCanBeOfNoUseAreRefusedByName) {
  const auto refusal = [&](auto change) {
    Options changed = options();
    change(changed);
    const auto node = Node::open(changed);
    return node ? std::string("opened") : std::string(error_name(node.error().code())) + ": " + node.error().message();
  };
  using std::chrono::milliseconds;
  EXPECT_THAT(refusal([](Options& o) { o.name = "\xff"; }), HasSubstr("UTF-8"));
  EXPECT_THAT(refusal([](Options& o) { o.name = "n\n"; }), HasSubstr("control characters"));
  EXPECT_THAT(refusal([](Options& o) { o.limits.max_value_bytes = 0; }), HasSubstr("limits"));
  EXPECT_THAT(refusal([](Options& o) { o.snapshot.every_bytes = 0; }), HasSubstr("snapshot"));
  EXPECT_THAT(refusal([](Options& o) { o.telemetry.poll_interval = std::chrono::seconds(0); }),
              HasSubstr("poll_interval"));
  EXPECT_THAT(refusal([](Options& o) { o.tracing = {.enabled = true, .batch_size = 0}; }), HasSubstr("batch_size"));
  EXPECT_THAT(refusal([](Options& o) { o.tracing = {.enabled = true, .interval = milliseconds(0)}; }),
              HasSubstr("interval"));
  EXPECT_THAT(refusal([](Options& o) { o.tracing = {.enabled = true, .sample_ratio = std::nan("")}; }),
              HasSubstr("sample_ratio"));
  const auto cluster = [](auto change) {
    return [change](Options& o) {
      o.cluster.cookie = "secret";
      change(o.cluster);
    };
  };
  EXPECT_THAT(refusal(cluster([](ClusterOptions& c) { c.join = {"nope"}; })),
              HasSubstr("cluster.join: the peer address \"nope\" has no port"));
  EXPECT_THAT(refusal(cluster([](ClusterOptions& c) { c.advertise = "x"; })), HasSubstr("cluster.advertise"));
  EXPECT_THAT(refusal(cluster([](ClusterOptions& c) { c.initial = {{"a", "h:1"}, {"b", "h:1"}}; })),
              HasSubstr("two members have the address h:1"));
}

TEST_P(NodeTest, AForeignDirectoryIsRefusedAndUntouched) {
  std::filesystem::create_directories(directory_);
  std::ofstream(directory_ / "notes.txt") << "mine";
  const auto node = Node::open(options());
  ASSERT_FALSE(node);
  EXPECT_EQ(node.error().code(), Errc::invalid_request);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_), {}), 1);
}

TEST_P(NodeTest, ManyNodesLiveInOneProcess) {
  std::vector<Node> nodes;
  for (int i = 0; i < 3; ++i) {
    Options own = options();
    own.data_dir = directory_ / std::to_string(i);
    nodes.push_back(std::move(*Node::open(own)));
    ASSERT_TRUE(nodes.back().put("me", i));
  }
  for (int i = 0; i < 3; ++i) EXPECT_EQ(nodes[static_cast<std::size_t>(i)].get<int>("me").value(), i);
}

TEST_P(NodeTest, MoreInFlightThanTheLimitIsOverloaded) {
  Options small = options();
  small.limits.max_in_flight = 0;
  auto node = Node::open(small);
  ASSERT_TRUE(node);
  const auto put = node->put("k", 1);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code(), Errc::overloaded);
  EXPECT_TRUE(put.error().retryable());
}

INSTANTIATE_TEST_SUITE_P(Modes, NodeTest, testing::Values(Durability::disk, Durability::os, Durability::memory),
                         [](const auto& mode) {
                           return mode.param == Durability::disk ? "Disk"
                                  : mode.param == Durability::os ? "Os"
                                                                 : "Memory";
                         });

}  // namespace
}  // namespace concord

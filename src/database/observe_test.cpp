// What the embedded node tells of itself: metrics, telemetry events, spans.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <concord/concord.hpp>

namespace concord {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

class Watched : public testing::Test {
 protected:
  Watched() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    directory_ =
        std::filesystem::temp_directory_path() / ("concord_watched." + std::to_string(::getpid()) + "." + test->name());
    std::filesystem::remove_all(directory_);
  }
  ~Watched() override { std::filesystem::remove_all(directory_); }

  Node open(Options options = {}) {
    options.name = "n1";
    options.data_dir = directory_;
    options.durability = Durability::memory;
    auto node = Node::open(std::move(options));
    EXPECT_TRUE(node) << node.error().message();
    return std::move(*node);
  }
  TelemetryHandler writes_down() {
    return [this](const TelemetryEvent& event) {
      const std::lock_guard lock(mutex_);
      told_.push_back(std::string(event.name) + " " + std::string(event.text("result")) +
                      std::string(event.text("status")) + std::string(event.text("operation")));
      changed_.notify_all();
    };
  }
  bool waits_for(const std::string& line) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20),
                             [&] { return std::ranges::find(told_, line) != told_.end(); });
  }

  std::filesystem::path directory_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> told_;
};

TEST_F(Watched, MetricsAreOffUnlessAskedFor) {
  Node node = open();
  EXPECT_EQ(node.metrics(), "");
}

TEST_F(Watched, EveryCallIsCounted) {
  Node node = open({.metrics = {.enabled = true}});
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(node.put("k" + std::to_string(i), i));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(node.get("k" + std::to_string(i)));
  EXPECT_FALSE(node.get("missing", {.consistency = ReadConsistency::eventual}));
  ASSERT_TRUE(node.del("k0"));
  ASSERT_TRUE(node.put_many({{.key = "a", .value = 1}}));
  ASSERT_TRUE(node.count());
  const std::string page = node.metrics();
  EXPECT_THAT(page, HasSubstr("\nconcord_api_put_count_total{result=\"ok\"} 100\n"));
  EXPECT_THAT(page, HasSubstr("\nconcord_api_get_count_total{result=\"ok\",consistency=\"leader\"} 100\n"));
  EXPECT_THAT(page, HasSubstr("\nconcord_api_get_count_total{result=\"not_found\",consistency=\"eventual\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\nconcord_api_delete_count_total{result=\"ok\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\nconcord_api_put_many_count_total{result=\"ok\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\nconcord_api_query_count_total{result=\"ok\",consistency=\"leader\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\nconcord_operation_apply_count_total 102\n"));
  EXPECT_THAT(page, HasSubstr("\nconcord_cluster_size 100\n"));
  EXPECT_THAT(page, ContainsRegex("\nconcord_commit_duration_seconds_count [1-9]"));
}

TEST_F(Watched, AsynchronousCallsAreCountedToo) {
  Node node = open({.metrics = {.enabled = true}});
  std::atomic<int> done{0};
  node.async_put("a", 1, {}, [&](Result<Revision>) { ++done; });
  while (done == 0) std::this_thread::yield();
  node.async_get("a", {}, [&](Result<Value>) { ++done; });
  while (done == 1) std::this_thread::yield();
  const std::string page = node.metrics();
  EXPECT_THAT(page, HasSubstr("\nconcord_api_put_count_total{result=\"ok\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\nconcord_api_get_count_total{result=\"ok\",consistency=\"leader\"} 1\n"));
}

TEST_F(Watched, ThePortOfTheMetricsIsOpenedWhenAskedForOnly) {
  const auto refused =
      Node::open({.name = "n1", .data_dir = directory_, .metrics = {.enabled = true, .port = 0, .host = "192.0.2.1"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::invalid_request);
  Node node = open({.metrics = {.enabled = true, .port = 0}});
  EXPECT_THAT(node.metrics(), HasSubstr("concord_build_info"));
}

TEST_F(Watched, HandlersAreToldOfCallsAndOfTheNode) {
  Node node = open();
  ASSERT_TRUE(node.telemetry().attach_many("a", {"concord.api.*", "concord.operation.apply", "concord.snapshot.*"},
                                           writes_down()));
  ASSERT_TRUE(node.put("k", 1));
  EXPECT_FALSE(node.get("missing"));
  ASSERT_TRUE(node.trigger_snapshot());
  EXPECT_TRUE(waits_for("concord.api.put ok"));
  EXPECT_TRUE(waits_for("concord.api.get not_found"));
  EXPECT_TRUE(waits_for("concord.operation.apply put"));
  EXPECT_TRUE(waits_for("concord.snapshot.created "));
  ASSERT_TRUE(node.telemetry().detach("a"));
}

TEST_F(Watched, AHandlerMayCallTheNode) {
  Node node = open();
  ASSERT_TRUE(node.telemetry().attach("a", "concord.api.put", [&](const TelemetryEvent&) {
    EXPECT_TRUE(node.get("k"));
    EXPECT_TRUE(node.telemetry().detach("a"));
  }));
  ASSERT_TRUE(node.put("k", 1));
  EXPECT_THAT(node.telemetry().handlers(), testing::IsEmpty());
}

TEST_F(Watched, SpansOfTheProgramHoldThoseOfTheCalls) {
  Node node = open({.tracing = {.enabled = true}});
  Tracing& tracing = node.tracing();
  EXPECT_EQ(tracing.current_trace_id(), "");
  const int answer = tracing.with_span("outer", {{"user_id", "123"}}, [&] {
    const std::string outer_trace = tracing.current_trace_id();
    const std::string outer_span = tracing.current_span_id();
    EXPECT_EQ(outer_trace.size(), 32U);
    EXPECT_EQ(outer_span.size(), 16U);
    EXPECT_EQ(tracing.traceparent(), "00-" + outer_trace + "-" + outer_span + "-01");
    tracing.set_attribute("cache_hit", true);
    tracing.add_event("data_processed", {{"rows", 100}});
    EXPECT_TRUE(node.put("k", 1));
    tracing.with_span("inner", {}, [&] {
      EXPECT_EQ(tracing.current_trace_id(), outer_trace);
      EXPECT_NE(tracing.current_span_id(), outer_span);
    });
    EXPECT_EQ(tracing.current_span_id(), outer_span);
    return 42;
  });
  EXPECT_EQ(answer, 42);
  EXPECT_EQ(tracing.current_span_id(), "");
  tracing.with_span_of("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "below", {},
                       [&] { EXPECT_EQ(tracing.current_trace_id(), "0af7651916cd43dd8448eb211c80319c"); });
  EXPECT_THROW(tracing.with_span("throws", {}, [] { throw std::runtime_error("no"); }), std::runtime_error);
  EXPECT_EQ(tracing.current_span_id(), "");
}

TEST_F(Watched, WithoutTracingSpansAreNothing) {
  Node node = open();
  const auto revision = node.tracing().with_span("x", {{"a", 1}}, [&] { return node.put("k", 1); });
  EXPECT_TRUE(revision);
  node.tracing().with_span("x", {}, [&] { EXPECT_EQ(node.tracing().traceparent(), ""); });
}

TEST_F(Watched, ManyNodesOfAProcessCountForThemselves) {
  Node node = open({.metrics = {.enabled = true}});
  Options other;
  other.data_dir = directory_.string() + ".other";
  other.durability = Durability::memory;
  other.metrics.enabled = true;
  {
    auto second = Node::open(other);
    ASSERT_TRUE(second) << second.error().message();
    ASSERT_TRUE(second->put("a", 1));
    EXPECT_THAT(second->metrics(), HasSubstr("concord_api_put_count_total{result=\"ok\"} 1\n"));
  }
  EXPECT_THAT(node.metrics(), HasSubstr("concord_api_put_count_total{result=\"ok\"} 0\n"));
  std::filesystem::remove_all(other.data_dir);
}

}  // namespace
}  // namespace concord

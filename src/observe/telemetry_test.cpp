#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <concord/telemetry.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "observe/call.hpp"

namespace concord::observe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class TelemetryEvents : public testing::Test {
 protected:
  static Options options(std::vector<std::string>& lines) {
    Options options;
    options.telemetry.poll_interval = std::chrono::seconds(1);
    options.log = [&lines](LogLevel, std::string_view line) { lines.emplace_back(line); };
    return options;
  }
  void call(ApiOperation operation, const CallDetails& details = {}, std::optional<Errc> error = std::nullopt) {
    if (!observer_.is_watching()) return;
    Call call(observer_, operation, details);
    call.end(error);
  }
  /// Every event as a line.
  TelemetryHandler writes_down() {
    return [this](const TelemetryEvent& event) {
      std::string line(event.name);
      for (const auto& text : event.metadata) line += " " + std::string(text.name) + "=" + std::string(text.value);
      const std::lock_guard lock(mutex_);
      told_.push_back(std::move(line));
      changed_.notify_all();
    };
  }
  std::vector<std::string> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(20), [&] { return told_.size() >= count; });
    return told_;
  }

  std::vector<std::string> lines_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> told_;
  Observer observer_{options(lines_)};
  TelemetryHub& hub_ = observer_.telemetry();
};

TEST_F(TelemetryEvents, AHandlerIsToldOfItsEventsAndNoOthers) {
  ASSERT_TRUE(hub_.attach("a", {"concord.api.get", "concord.api.put"}, writes_down()));
  call(ApiOperation::get, {.consistency = ReadConsistency::strong}, Errc::not_found);
  call(ApiOperation::put, {.has_ttl = true});
  call(ApiOperation::del);
  EXPECT_THAT(told_, ElementsAre("concord.api.get result=not_found consistency=strong",
                                 "concord.api.put result=ok has_ttl=true"));
}

TEST_F(TelemetryEvents, ADurationIsInNanoseconds) {
  std::optional<std::int64_t> duration_ns;
  ASSERT_TRUE(hub_.attach("a", {"concord.api.query"},
                          [&](const TelemetryEvent& event) { duration_ns = event.measurement("duration"); }));
  Call call(observer_, ApiOperation::query, {});
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  call.end(std::nullopt);
  ASSERT_TRUE(duration_ns);
  EXPECT_GE(*duration_ns, 4'000'000);
}

TEST_F(TelemetryEvents, WhoIsDetachedIsNotToldAndNobodyWatches) {
  ASSERT_TRUE(hub_.attach("a", {"concord.api.*"}, writes_down()));
  EXPECT_TRUE(observer_.is_watching());
  ASSERT_TRUE(hub_.detach("a"));
  EXPECT_FALSE(observer_.is_watching());
  call(ApiOperation::get);
  EXPECT_THAT(told_, IsEmpty());
  EXPECT_EQ(hub_.detach("a").error().code(), Errc::not_found);
}

TEST_F(TelemetryEvents, AnIdIsGivenOnceAndEventsMustExist) {
  ASSERT_TRUE(hub_.attach("a", {"concord.api.get"}, writes_down()));
  EXPECT_EQ(hub_.attach("a", {"concord.api.put"}, writes_down()).error().code(), Errc::already_exists);
  const auto unknown = hub_.attach("b", {"concord.api.get", "concord.api.gte"}, writes_down());
  EXPECT_EQ(unknown.error().code(), Errc::invalid_request);
  EXPECT_THAT(unknown.error().message(), HasSubstr("concord.api.gte"));
  EXPECT_EQ(hub_.attach("", {"concord.api.get"}, writes_down()).error().code(), Errc::invalid_request);
  EXPECT_EQ(hub_.attach("c", {"concord.api.get"}, {}).error().code(), Errc::invalid_request);
  EXPECT_EQ(hub_.attach("c", {}, writes_down()).error().code(), Errc::invalid_request);
  EXPECT_THAT(hub_.handlers(), ElementsAre("a"));
}

TEST_F(TelemetryEvents, AHandlerThatThrowsIsDetachedAndReportedAndOthersGoOn) {
  ASSERT_TRUE(
      hub_.attach("bad", {"concord.api.get"}, [](const TelemetryEvent&) { throw std::runtime_error("no luck"); }));
  ASSERT_TRUE(hub_.attach("good", {"concord.api.get"}, writes_down()));
  call(ApiOperation::get);
  call(ApiOperation::get);
  EXPECT_EQ(told_.size(), 2U);
  EXPECT_THAT(hub_.handlers(), ElementsAre("good"));
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("\"bad\" has failed and is detached: no luck")));
  EXPECT_EQ(hub_.failures(), 1U);
}

TEST_F(TelemetryEvents, AHandlerMayDetachItselfAndAttachAnother) {
  ASSERT_TRUE(hub_.attach("once", {"concord.api.get"}, [this](const TelemetryEvent&) {
    EXPECT_TRUE(hub_.detach("once"));
    EXPECT_TRUE(hub_.attach("next", {"concord.api.get"}, writes_down()));
  }));
  call(ApiOperation::get);
  call(ApiOperation::get);
  EXPECT_EQ(told_.size(), 1U);
  EXPECT_THAT(hub_.handlers(), ElementsAre("next"));
}

TEST_F(TelemetryEvents, AfterDetachTheHandlerRunsNoMore) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> callers;
  for (int i = 0; i < 2; ++i) {
    callers.emplace_back([&] {
      while (!stop) call(ApiOperation::get);
    });
  }
  for (int round = 0; round < 200; ++round) {
    auto alive = std::make_unique<std::atomic<int>>(0);
    std::atomic<int>* const seen = alive.get();
    ASSERT_TRUE(hub_.attach("a", {"concord.api.get"}, [seen](const TelemetryEvent&) { ++*seen; }));
    ASSERT_TRUE(hub_.detach("a"));
    alive.reset();  // a handler that ran now would be found by the sanitizers
  }
  stop = true;
  for (std::thread& caller : callers) caller.join();
}

TEST_F(TelemetryEvents, WhatIsPostedIsToldOnAnotherThread) {
  std::thread::id teller;
  ASSERT_TRUE(
      hub_.attach("id", {"concord.state.change"}, [&](const TelemetryEvent&) { teller = std::this_thread::get_id(); }));
  ASSERT_TRUE(hub_.attach("a", {"concord.state.change"}, writes_down()));
  hub_.post({.event = event_of(NodeEvent::state_change),
             .measurements = {},
             .metadata = {{"status", "leader"}, {"node", "n1"}}});
  EXPECT_THAT(wait_for(1), ElementsAre("concord.state.change status=leader node=n1"));
  ASSERT_TRUE(hub_.detach("id"));
  EXPECT_NE(teller, std::this_thread::get_id());
}

TEST_F(TelemetryEvents, TheStatusIsToldAgainAndAgain) {
  hub_.set_status_source([] {
    Status status;
    status.node = "n1";
    status.cluster.state = NodeState::leader;
    status.cluster.leader = "n1";
    return std::optional(status);
  });
  ASSERT_TRUE(hub_.attach("a", {"concord.cluster.status"}, writes_down()));
  EXPECT_EQ(wait_for(2)[1], "concord.cluster.status node=n1 status=leader leader=n1");
  hub_.stop_polling();
}

TEST_F(TelemetryEvents, ACallThatTakesLongIsLogged) {
  Options slow = options(lines_);
  slow.slow_call = std::chrono::hours(1);
  Observer patient(slow);
  Call quick(patient, ApiOperation::put, {});
  quick.end(std::nullopt);
  EXPECT_THAT(lines_, IsEmpty());
  slow.slow_call = std::chrono::milliseconds(2);
  Observer observer(slow);
  Call call(observer, ApiOperation::txn, {});
  std::this_thread::sleep_for(std::chrono::milliseconds(3));
  call.end(Errc::timeout);
  EXPECT_THAT(lines_, ElementsAre(testing::MatchesRegex("slow call: txn took [0-9]+ ms, error")));
}

TEST(TelemetryOff, NothingCanBeAttached) {
  Observer observer{Options{.telemetry = {.enabled = false}}};
  const auto refused = observer.telemetry().attach("a", {"concord.api.get"}, [](const TelemetryEvent&) {});
  EXPECT_EQ(refused.error().code(), Errc::invalid_request);
}

}  // namespace
}  // namespace concord::observe

#include <concord/recipes/service_registry.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "recipes/testing_store.hpp"

namespace concord::recipes {
namespace {

using namespace std::chrono_literals;

using ServiceRegistryTest = WithNode;

ServiceInstance instance(const std::string& id) {
  return {.id = id, .host = "10.0.0.1", .port = 8080, .metadata = {{"zone", "a"}}};
}

std::vector<std::string> ids(const Result<std::vector<ServiceInstance>>& found) {
  std::vector<std::string> ids;
  for (const ServiceInstance& one : found.value()) ids.push_back(one.id);
  return ids;
}

using Ids = std::vector<std::string>;

TEST_F(ServiceRegistryTest, InstancesAreFoundByServiceAndHealth) {
  ServiceRegistry registry(node());
  auto one = registry.add("web", instance("1"));
  const auto two = registry.add("web", instance("2"));
  const auto other = registry.add("web-admin", instance("3"));
  ASSERT_TRUE(one && two && other);
  EXPECT_EQ(registry.healthy("web").value(), (std::vector{instance("1"), instance("2")}));
  EXPECT_TRUE(one->set_health(ServiceHealth::draining));
  EXPECT_EQ(ids(registry.healthy("web")), Ids{"2"});
  EXPECT_EQ(ids(registry.instances("web")), (Ids{"1", "2"}));
  EXPECT_EQ(registry.instances("web").value()[0].health, ServiceHealth::draining);
  EXPECT_TRUE(registry.set_health("web", "2", ServiceHealth::unhealthy));
  EXPECT_EQ(ids(registry.healthy("web")), Ids{});
  EXPECT_TRUE(registry.set_health("web", "2", ServiceHealth::healthy));
  EXPECT_EQ(ids(registry.healthy("web")), Ids{"2"});
  EXPECT_EQ(registry.services().value(), (Ids{"web", "web-admin"}));
  EXPECT_EQ(ids(registry.instances("none")), Ids{});
}

TEST_F(ServiceRegistryTest, AnInstanceGoesWithItsRegistration) {
  ServiceRegistry registry(node());
  {
    const auto one = registry.add("web", instance("1"));
    EXPECT_EQ(ids(registry.healthy("web")), Ids{"1"});
  }
  EXPECT_EQ(ids(registry.healthy("web")), Ids{});
  auto two = registry.add("web", instance("2"));
  EXPECT_TRUE(two->remove());
  EXPECT_EQ(two->heartbeat().error().code(), Errc::not_found);
  EXPECT_EQ(two->set_health(ServiceHealth::healthy).error().code(), Errc::not_found);
  auto three = registry.add("web", instance("3"));
  EXPECT_TRUE(registry.remove("web", "3"));
  EXPECT_EQ(registry.remove("web", "3").error().code(), Errc::not_found);
  EXPECT_EQ(three->set_health(ServiceHealth::healthy).error().code(), Errc::not_found);
  EXPECT_EQ(ids(registry.instances("web")), Ids{});
}

TEST_F(ServiceRegistryTest, OnlyTheInstanceThatStopsItsHeartbeatIsDropped) {
  constexpr int count = 4;
  std::atomic<bool> silent_is_gone{false};
  on_threads(count + 1, [&](int number) {
    ServiceRegistry registry(node(), {.ttl = 1s});
    if (number < count) {
      const std::string id = std::to_string(number);
      auto registration = registry.add("web", instance(id));
      ASSERT_TRUE(registration);
      while (!silent_is_gone) {
        EXPECT_TRUE(registration->heartbeat());
        EXPECT_TRUE(registration->set_health(ServiceHealth::healthy));
        std::this_thread::sleep_for(20ms);
      }
      EXPECT_TRUE(registration->heartbeat()) << "still there";
      return;
    }
    const auto added_at = std::chrono::steady_clock::now();
    auto silent = registry.add("web", instance("silent"));
    ASSERT_TRUE(silent);
    while (node().get("services/web/silent")) {
      EXPECT_TRUE(registry.healthy("web"));
      (void)registry.set_health("web", "silent", ServiceHealth::healthy);  // prolongs nothing
      std::this_thread::sleep_for(10ms);
    }
    EXPECT_GE(std::chrono::steady_clock::now() - added_at, 990ms);
    EXPECT_EQ(silent->heartbeat().error().code(), Errc::not_found);
    EXPECT_EQ(registry.set_health("web", "silent", ServiceHealth::healthy).error().code(), Errc::not_found);
    silent_is_gone = true;
  });
}

TEST_F(ServiceRegistryTest, AReplacedRegistrationChangesNothingAnyMore) {
  ServiceRegistry registry(node());
  auto old = registry.add("web", instance("1"));
  ServiceInstance moved = instance("1");
  moved.port = 9090;
  auto young = registry.add("web", moved);
  ASSERT_TRUE(young);
  EXPECT_EQ(old->set_health(ServiceHealth::draining).error().code(), Errc::condition_failed);
  {
    const ServiceRegistration gone = std::move(*old);
  }
  auto late = registry.add("web", instance("2"));
  auto later = registry.add("web", instance("2"));
  EXPECT_EQ(late->heartbeat().error().code(), Errc::condition_failed);
  EXPECT_EQ(registry.healthy("web").value(), (std::vector{moved, instance("2")}));
  EXPECT_TRUE(young->heartbeat());
}

TEST_F(ServiceRegistryTest, ManyRestartsAtOnceLeaveTheLastOfEach) {
  constexpr int threads = 8;
  std::vector<std::optional<ServiceRegistration>> kept(threads);
  ServiceRegistry registry(node());
  on_threads(threads, [&](int number) {
    for (int i = 0; i < 20; ++i) {
      auto registration = registry.add("web", instance(std::to_string(number / 2)));  // two a name
      ASSERT_TRUE(registration);
      (void)registration->heartbeat();
      kept[static_cast<std::size_t>(number)].emplace(std::move(*registration));
    }
  });
  EXPECT_EQ(registry.healthy("web").value().size(), static_cast<std::size_t>(threads / 2));
  int alive = 0;
  for (auto& registration : kept) alive += registration->heartbeat() ? 1 : 0;
  EXPECT_EQ(alive, threads / 2);
}

TEST_F(ServiceRegistryTest, NamesAreChecked) {
  ServiceRegistry registry(node());
  EXPECT_EQ(registry.add("", instance("1")).error().code(), Errc::invalid_request);
  EXPECT_EQ(registry.add("a/b", instance("1")).error().code(), Errc::invalid_request);
  EXPECT_EQ(registry.add("web", instance("")).error().code(), Errc::invalid_request);
  EXPECT_EQ(registry.add("web", instance("1/2")).error().code(), Errc::invalid_request);
  EXPECT_EQ(registry.healthy("a/b").error().code(), Errc::invalid_request);
  EXPECT_EQ(registry.remove("web", "").error().code(), Errc::invalid_request);
}

TEST_F(ServiceRegistryTest, WhatIsNoInstanceIsLeftOut) {
  ServiceRegistry registry(node());
  const auto good = registry.add("web", instance("good"));
  ASSERT_TRUE(node().put("services/web/text", "healthy"));
  ASSERT_TRUE(node().put("services/web/port", Value::parse_json(R"({"health":"healthy","port":70000})").value()));
  ASSERT_TRUE(node().put("services/web/sick", Value::parse_json(R"({"health":"sick"})").value()));
  ASSERT_TRUE(node().put("services/web/hand", Value::parse_json(R"({"health":"healthy","host":"h"})").value()));
  EXPECT_EQ(ids(registry.healthy("web")), (Ids{"good", "hand"}));
  EXPECT_EQ(ids(registry.instances("web")), (Ids{"good", "hand"}));
  EXPECT_EQ(registry.set_health("web", "text", ServiceHealth::healthy).error().code(), Errc::invalid_request);
}

TEST_F(ServiceRegistryTest, AHeartbeatWhoseAnswerWasLostIsFollowedByTheNext) {
  LossyStore store(node());
  ServiceRegistry registry(store);
  auto registration = registry.add("web", instance("1"));
  store.lose_next(Fate::done_unanswered);
  EXPECT_TRUE(registration->heartbeat().error().maybe_committed());
  EXPECT_TRUE(registration->heartbeat());
  store.lose_next(Fate::done_unanswered);
  EXPECT_TRUE(registry.add("web", instance("2")).error().maybe_committed());
  EXPECT_TRUE(registry.add("web", instance("2")));
}

}  // namespace
}  // namespace concord::recipes

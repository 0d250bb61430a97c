// A node says that it is ready once it has what the cluster has: who upgrades its nodes one by one takes the next one down then.
#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "sim/testing_cluster.hpp"

namespace concord::sim {
namespace {

TEST(Ready, a_node_that_was_away_is_not_before_it_has_caught_up) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Cluster cluster(seed);
    Machine* const leader = cluster.wait_leader();
    ASSERT_NE(leader, nullptr);
    Machine& away = *cluster.machines()[leader->number() == 0 ? 1 : 0];
    ASSERT_TRUE(cluster.comes_true([&] { return !away.runtime().not_ready(); }));
    away.kill();
    for (std::uint64_t put = 0; put <= node::caught_up_entries + 200; ++put) {
      ASSERT_TRUE(cluster.put(*leader, "key " + std::to_string(put)));
    }
    const std::uint64_t there = leader->runtime().state().applied_index().value();
    cluster.pass(seed * 37 * ms);  // beats come at another time in each
    away.start();
    bool is_ready = false;
    for (TimeUs passed_us = 0; passed_us < 10 * second && !is_ready; passed_us += 100) {
      cluster.pass(100);
      is_ready = !away.runtime().not_ready();
    }
    ASSERT_TRUE(is_ready) << *away.runtime().not_ready();
    EXPECT_GE(away.runtime().state().applied_index().value() + node::caught_up_entries, there);
  }
}

TEST(Ready, a_node_under_the_name_of_another_is_not) {
  Cluster cluster(1);
  Machine* const leader = cluster.wait_leader();
  ASSERT_NE(leader, nullptr);
  Machine& renamed = *cluster.machines()[leader->number() == 0 ? 1 : 0];
  const std::string name = renamed.name();
  ASSERT_TRUE(cluster.comes_true([&] { return !renamed.runtime().not_ready(); }));
  renamed.kill();
  renamed.options().name = leader->name();
  renamed.start();
  const std::string why = "there is another member \"" + leader->name() + '"';
  ASSERT_TRUE(cluster.comes_true([&] {
    return renamed.runtime().not_ready().value_or("").find(why) != std::string::npos;
  })) << renamed.runtime().not_ready().value_or("ready");
  cluster.pass(5 * second);
  EXPECT_TRUE(renamed.runtime().not_ready());
  renamed.kill();
  renamed.options().name = name;
  renamed.start();
  EXPECT_TRUE(cluster.comes_true([&] { return !renamed.runtime().not_ready(); }));
}

}  // namespace
}  // namespace concord::sim

// A leader that was cut off stops answering `leader` reads by itself, before another one can have written anything.
#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "sim/testing_cluster.hpp"

namespace concord::sim {
namespace {

TEST(Lease, a_leader_that_was_cut_off_does_not_answer_behind_the_first_write_of_the_next_one) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Cluster cluster(seed);
    Machine* const old = cluster.wait_leader();
    ASSERT_NE(old, nullptr);
    ASSERT_TRUE(cluster.put(*old, "before"));
    EXPECT_EQ(cluster.sees_at_once(*old, "before"), true);
    cluster.pass(seed * 7 * ms);  // its ticks come at another time in each
    cluster.cut_off(*old);
    Machine* const next = cluster.wait_leader(old);
    ASSERT_NE(next, nullptr);
    ASSERT_TRUE(cluster.put(*next, "behind"));
    EXPECT_NE(cluster.sees_at_once(*old, "behind"), false) << "a stale read, under an old lease";
  }
}

}  // namespace
}  // namespace concord::sim

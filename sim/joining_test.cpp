// How a node finds its way into a cluster, step by step; whole lives full of such moments are simulation_test's.
#include <chrono>

#include <gtest/gtest.h>

#include "sim/machine.hpp"
#include "sim/network.hpp"

namespace concord::sim {
namespace {

class Joining : public testing::Test {
 protected:
  /// A cluster of one, and a second machine that is to join it.
  Joining() {
    Options options;
    options.data_dir = "/data";
    options.cluster.cookie = "of the test";
    options.name = "n0";
    options.cluster.advertise = "n0:9100";
    options.cluster.initial = {{.name = "n0", .peer = "n0:9100"}};
    first_ = std::make_unique<Machine>(world_, network_, 0, options, Machine::Hooks{});
    options.name = "n1";
    options.cluster.advertise = "n1:9100";
    options.cluster.initial.clear();
    options.cluster.join = {"n0:9100"};
    second_ = std::make_unique<Machine>(world_, network_, 1, options, Machine::Hooks{});
    first_->start();
    EXPECT_TRUE(comes_true([this] { return first_->runtime().is_serving(); }));
  }

  template <class Holds>
  bool comes_true(const Holds& holds) {
    for (const TimeUs end_us = world_.now_us() + 30 * second; world_.now_us() < end_us;) {
      if (holds()) return true;
      world_.run_until(world_.now_us() + 50);
    }
    return false;
  }

  World world_{1};
  Network network_{world_};
  std::unique_ptr<Machine> first_;
  std::unique_ptr<Machine> second_;
};

TEST_F(Joining, a_node_that_starts_again_before_its_snapshot_came_answers_the_leader_that_only_its_message_names) {
  second_->start();
  ASSERT_TRUE(comes_true([this] { return second_->runtime().has_place(); }));
  ASSERT_TRUE(second_->runtime().state().applied_index().is_zero()) << "its snapshot has come already";
  second_->kill();
  second_->options().cluster.join = {"n7:9100"};  // nobody it was told of is there any more
  second_->start();
  EXPECT_TRUE(comes_true([this] { return !second_->runtime().not_ready(); }));
}

TEST_F(Joining, a_node_whose_addresses_have_all_gone_asks_the_members_that_call_it) {
  bool is_added = false;
  first_->call([&] {
    first_->runtime().change_members({.kind = node::ChangeKind::add, .member = {.name = "n1", .peer = "n1:9100"}},
                                     std::chrono::milliseconds(5000),
                                     [&](const Result<replica::Member>& added) { is_added = added.has_value(); });
  });
  ASSERT_TRUE(comes_true([&] { return is_added; }));
  second_->options().cluster.join = {"n7:9100"};
  second_->start();
  EXPECT_TRUE(comes_true([this] { return !second_->runtime().not_ready(); }));
}

}  // namespace
}  // namespace concord::sim

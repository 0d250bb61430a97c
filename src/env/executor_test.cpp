#include "env/executor.hpp"

#include <atomic>
#include <future>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

namespace concord::env {
namespace {

using std::chrono::milliseconds;

TEST(ThreadExecutor, tasks_run_in_the_order_in_which_they_are_due) {
  std::vector<int> order;
  std::promise<void> done;
  ThreadExecutor executor;
  executor.soon([&] {  // the others wait behind this one, so that all are there when the first of them is taken
    executor.after(milliseconds(30), [&] { order.push_back(3); });
    executor.after(milliseconds(10), [&] { order.push_back(1); });
    executor.after(milliseconds(10), [&] { order.push_back(2); });
    executor.after(milliseconds(40), [&] { done.set_value(); });
  });
  done.get_future().wait();
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST(ThreadExecutor, its_end_waits_for_the_task_that_runs_and_drops_the_others) {
  std::atomic<bool> ended{false};
  std::atomic<bool> ran_later{false};
  const auto kept = std::make_shared<int>(0);
  {
    std::promise<void> begun;
    ThreadExecutor executor;
    executor.after(milliseconds(60'000), [&, kept] { ran_later = true; });
    executor.soon([&] {
      begun.set_value();
      std::this_thread::sleep_for(milliseconds(20));
      ended = true;
    });
    begun.get_future().wait();
  }
  EXPECT_TRUE(ended);
  EXPECT_FALSE(ran_later);
  EXPECT_EQ(kept.use_count(), 1) << "what a dropped task holds is let go";
}

TEST(ThreadExecutor, one_without_tasks_ends_at_once) { const ThreadExecutor executor; }

}  // namespace
}  // namespace concord::env

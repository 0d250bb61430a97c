// Work for later, as a seam: a thread in production, events of the simulated clock in simulation.
//
// Tasks run one at a time, those that are due first, and of the same time in the order they came. The destructor waits for the task
// that runs; what has not begun never does.
//
// Thread rule: any thread for `after`, tasks too; the destructor not from a task.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <thread>
#include <utility>

#include "base/mutex.hpp"

namespace concord::env {

class Executor {
 public:
  using Task = std::move_only_function<void()>;

  virtual ~Executor() = default;
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  virtual void after(std::chrono::milliseconds delay, Task task) = 0;
  void soon(Task task) { after(std::chrono::milliseconds(0), std::move(task)); }

 protected:
  Executor() = default;
};

/// A thread of its own, from the first task on.
class ThreadExecutor final : public Executor {
 public:
  ThreadExecutor() = default;
  ~ThreadExecutor() override;

  void after(std::chrono::milliseconds delay, Task task) override;

 private:
  using Due = std::pair<std::chrono::steady_clock::time_point, std::uint64_t>;

  void run();

  base::Mutex mutex_;
  base::CondVar changed_;
  std::map<Due, Task> tasks_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t last_sequence_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace concord::env

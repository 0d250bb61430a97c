// Work for later, as a seam: a thread in production, events of the simulated clock in simulation.
//
// Tasks run one at a time, those that are due first, and of the same time in the order they came. The destructor waits for the task
// that runs; what has not begun never does.
//
// Thread rule: any thread for `after`, tasks too; the destructor not from a task.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

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

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Due, Task> tasks_;        // guarded by mutex_
  std::uint64_t last_sequence_ = 0;  // guarded by mutex_
  bool stopping_ = false;            // guarded by mutex_
  std::thread thread_;               // guarded by mutex_
};

}  // namespace concord::env

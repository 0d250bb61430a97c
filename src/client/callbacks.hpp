// Where completions run: in the host's executor, or on a thread of their own, in order.
//
// Thread rule: any thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

namespace concord::client {

class Callbacks {
 public:
  using Task = std::move_only_function<void()>;
  using Executor = std::function<void(Task)>;

  explicit Callbacks(Executor executor);
  Callbacks(const Callbacks&) = delete;
  Callbacks& operator=(const Callbacks&) = delete;
  ~Callbacks() { close(std::chrono::milliseconds(0)); }

  void run(Task task);

  /// Waits until all tasks ran, at most `limit`: one that blocks for longer is left to its thread. Called by a task, it does
  /// not wait: the tasks behind it run when it has returned. Further calls do nothing.
  void close(std::chrono::milliseconds limit);

 private:
  struct Queue;
  static void work(const std::shared_ptr<Queue>& queue);

  Executor executor_;
  std::shared_ptr<Queue> queue_;  ///< also the thread's: it may outlive this
  std::thread thread_;            ///< without an executor
};

}  // namespace concord::client

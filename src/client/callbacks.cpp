#include "client/callbacks.hpp"

#include <deque>
#include <utility>

#include "base/mutex.hpp"

namespace concord::client {

struct Callbacks::Queue {
  base::Mutex mutex;
  base::CondVar changed;
  std::deque<Task> tasks ABSL_GUARDED_BY(mutex);
  bool is_closing ABSL_GUARDED_BY(mutex) = false;
  bool is_done ABSL_GUARDED_BY(mutex) = false;
};

Callbacks::Callbacks(Executor executor) : executor_(std::move(executor)), queue_(std::make_shared<Queue>()) {
  if (!executor_) thread_ = std::thread([queue = queue_] { work(queue); });
}

void Callbacks::run(Task task) {
  if (executor_) return executor_(std::move(task));
  const base::MutexLock lock(queue_->mutex);
  queue_->tasks.push_back(std::move(task));
  queue_->changed.notify_all();
}

void Callbacks::work(const std::shared_ptr<Queue>& queue) {
  base::MutexLock lock(queue->mutex);
  while (true) {
    queue->changed.wait(
        lock, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(queue->mutex) { return !queue->tasks.empty() || queue->is_closing; });
    if (queue->tasks.empty()) break;
    Task task = std::move(queue->tasks.front());
    queue->tasks.pop_front();
    lock.unlock();
    task();
    task = nullptr;  // what it holds ends outside the lock
    lock.lock();
  }
  queue->is_done = true;
  queue->changed.notify_all();
}

void Callbacks::close(std::chrono::milliseconds limit) {
  if (!thread_.joinable()) return;
  base::MutexLock lock(queue_->mutex);
  queue_->is_closing = true;
  queue_->changed.notify_all();
  const bool is_own = thread_.get_id() == std::this_thread::get_id();
  const bool is_done =
      !is_own && queue_->changed.wait_for(
                     lock, limit, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(queue_->mutex) { return queue_->is_done; });
  lock.unlock();
  is_done ? thread_.join() : thread_.detach();
}

}  // namespace concord::client

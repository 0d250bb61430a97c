#include "client/callbacks.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

namespace concord::client {

struct Callbacks::Queue {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Task> tasks;
  bool is_closing = false;
  bool is_done = false;
};

Callbacks::Callbacks(Executor executor) : executor_(std::move(executor)), queue_(std::make_shared<Queue>()) {
  if (!executor_) thread_ = std::thread([queue = queue_] { work(queue); });
}

void Callbacks::run(Task task) {
  if (executor_) return executor_(std::move(task));
  const std::lock_guard lock(queue_->mutex);
  queue_->tasks.push_back(std::move(task));
  queue_->changed.notify_all();
}

void Callbacks::work(const std::shared_ptr<Queue>& queue) {
  std::unique_lock lock(queue->mutex);
  while (true) {
    queue->changed.wait(lock, [&] { return !queue->tasks.empty() || queue->is_closing; });
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
  std::unique_lock lock(queue_->mutex);
  queue_->is_closing = true;
  queue_->changed.notify_all();
  const bool is_own = thread_.get_id() == std::this_thread::get_id();
  const bool is_done = !is_own && queue_->changed.wait_for(lock, limit, [this] { return queue_->is_done; });
  lock.unlock();
  is_done ? thread_.join() : thread_.detach();
}

}  // namespace concord::client

#include "env/executor.hpp"

namespace concord::env {

using std::chrono::steady_clock;

ThreadExecutor::~ThreadExecutor() {
  {
    const base::MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void ThreadExecutor::after(std::chrono::milliseconds delay, Task task) {
  {
    const base::MutexLock lock(mutex_);
    tasks_.emplace(Due(steady_clock::now() + delay, ++last_sequence_), std::move(task));
    if (!thread_.joinable() && !stopping_) thread_ = std::thread([this] { run(); });
  }
  changed_.notify_one();
}

void ThreadExecutor::run() {
  base::MutexLock lock(mutex_);
  while (!stopping_) {
    if (tasks_.empty()) {
      changed_.wait(lock);
    } else if (const auto due = tasks_.begin()->first.first; due > steady_clock::now()) {
      changed_.wait_until(lock, due);
    } else {
      Task task = std::move(tasks_.extract(tasks_.begin()).mapped());
      lock.unlock();
      task();
      task = nullptr;  // what it holds is let go without the lock
      lock.lock();
    }
  }
}

}  // namespace concord::env

// Steps of asynchronous calls that wait in the host's executor: they may come to run after the store has gone, and then say so.
//
// Thread rule: any thread.
#pragma once

#include <condition_variable>
#include <mutex>

#include <concord/error.hpp>

namespace concord::calls {

class Gate {
 public:
  /// Whether the store is still there; then it stays until `leave`.
  [[nodiscard]] bool enter() {
    const std::lock_guard lock(mutex_);
    if (!is_closed_) ++inside_;
    return !is_closed_;
  }
  void leave() {
    const std::lock_guard lock(mutex_);
    if (--inside_ == 0) left_.notify_all();
  }
  /// Returns when nobody is inside.
  void close() {
    std::unique_lock lock(mutex_);
    is_closed_ = true;
    left_.wait(lock, [this] { return inside_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable left_;
  bool is_closed_ = false;
  int inside_ = 0;
};

[[nodiscard]] inline std::unexpected<Error> store_is_closed() {
  return fail(Errc::cluster_not_ready, "the store is closed");
}

}  // namespace concord::calls

// Steps of asynchronous calls that wait in the host's executor: they may come to run after the store has gone, and then say so.
//
// Thread rule: any thread.
#pragma once

#include <concord/error.hpp>

#include "base/mutex.hpp"

namespace concord::calls {

class Gate {
 public:
  /// Whether the store is still there; then it stays until `leave`.
  [[nodiscard]] bool enter() {
    const base::MutexLock lock(mutex_);
    if (!is_closed_) ++inside_;
    return !is_closed_;
  }
  void leave() {
    const base::MutexLock lock(mutex_);
    if (--inside_ == 0) left_.notify_all();
  }
  /// Returns when nobody is inside.
  void close() {
    base::MutexLock lock(mutex_);
    is_closed_ = true;
    left_.wait(lock, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return inside_ == 0; });
  }

 private:
  base::Mutex mutex_;
  base::CondVar left_;
  bool is_closed_ ABSL_GUARDED_BY(mutex_) = false;
  int inside_ ABSL_GUARDED_BY(mutex_) = 0;
};

[[nodiscard]] inline std::unexpected<Error> store_is_closed() {
  return fail(Errc::cluster_not_ready, "the store is closed");
}

}  // namespace concord::calls

// Locks whose use clang checks when it compiles (-Wthread-safety): a member says which lock guards it, a function which one must be
// held, in the words of <absl/base/thread_annotations.h>. To g++ they are the standard's locks and nothing more.
//
// What is guarded may be seen with the lock held only. Where the analysis can't follow (a condition that is looked at inside a
// wait, a lock that another object has) a lambda says it itself: `[this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { ... }`.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include <absl/base/thread_annotations.h>

namespace concord::base {

class ABSL_LOCKABLE Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  [[nodiscard]] bool try_lock() ABSL_EXCLUSIVE_TRYLOCK_FUNCTION(true) { return mutex_.try_lock(); }
  void unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

 private:
  friend class MutexLock;
  std::mutex mutex_;
};

/// Holds a mutex as long as it lives, but for the time between `unlock` and `lock`.
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : lock_(mutex.mutex_) {}
  /// The mutex is held already.
  MutexLock(Mutex& mutex, std::adopt_lock_t held) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) : lock_(mutex.mutex_, held) {}
  ~MutexLock() ABSL_UNLOCK_FUNCTION() {}  // NOLINT(modernize-use-equals-default): what is annotated needs a body
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  void lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { lock_.lock(); }
  void unlock() ABSL_UNLOCK_FUNCTION() { lock_.unlock(); }

 private:
  friend class CondVar;
  std::unique_lock<std::mutex> lock_;
};

/// `holds` is called with the lock held.
class CondVar {
 public:
  void notify_one() noexcept { condition_.notify_one(); }
  void notify_all() noexcept { condition_.notify_all(); }

  /// May return for no reason.
  void wait(MutexLock& lock) { condition_.wait(lock.lock_); }
  template <class TimePoint>
  void wait_until(MutexLock& lock, TimePoint limit) {
    condition_.wait_until(lock.lock_, limit);
  }

  template <class Predicate>
  void wait(MutexLock& lock, Predicate holds) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    condition_.wait(lock.lock_, std::move(holds));
  }
  /// Whether it holds; false: the time has passed.
  template <class Duration, class Predicate>
  [[nodiscard]] bool wait_for(MutexLock& lock, Duration limit, Predicate holds) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return condition_.wait_for(lock.lock_, limit, std::move(holds));
  }
  template <class TimePoint, class Predicate>
  [[nodiscard]] bool wait_until(MutexLock& lock, TimePoint limit, Predicate holds) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return condition_.wait_until(lock.lock_, limit, std::move(holds));
  }

 private:
  std::condition_variable condition_;
};

}  // namespace concord::base

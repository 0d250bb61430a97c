// Things that are expensive to make and used by one thread at a time, kept for the next thread.
//
// Thread rule: all calls may run on many threads at once.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "base/mutex.hpp"

namespace concord::compress {

template <class T>
class Pool {
 public:
  /// More than one a processor are seldom busy at once; what is beyond that is not worth its memory.
  static constexpr std::size_t max_idle = 16;

  Pool() { idle_.reserve(max_idle); }

  /// Calls `use(T&)` with an idle one, or with what `make()` makes. A thing whose use threw is not kept.
  template <class Make, class Use>
  auto with(Make make, Use use) {
    T taken = take(make);
    auto result = use(taken);
    keep(std::move(taken));
    return result;
  }

 private:
  template <class Make>
  T take(Make& make) {
    {
      const base::MutexLock lock(mutex_);
      if (!idle_.empty()) {
        T last = std::move(idle_.back());  // the one that is most likely in the cache
        idle_.pop_back();
        return last;
      }
    }
    return make();
  }

  void keep(T thing) noexcept {
    const base::MutexLock lock(mutex_);
    if (idle_.size() < max_idle) idle_.push_back(std::move(thing));
  }

  base::Mutex mutex_;
  std::vector<T> idle_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace concord::compress

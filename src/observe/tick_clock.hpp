// A clock that is read in a few nanoseconds: the processor's own counter, where the kernel trusts it too, else the monotonic
// clock. For durations only: two readings are compared, and `duration_ns` tells what lies between them.
//
// A reading is not ordered with the instructions around it, so a duration is true to some ten nanoseconds.
// Thread rule: any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace concord::observe {

class TickClock {
 public:
  using Ticks = std::uint64_t;

  /// Takes 0.2 ms: the counter is compared with the monotonic clock for so long.
  TickClock();

  [[nodiscard]] Ticks now() const noexcept {
#if defined(__x86_64__)
    if (counts_) [[likely]]
      return __rdtsc();
#endif
    return monotonic_ns();
  }

  /// 0 when `until` was read before `from`: counters of two processors may differ by a little.
  [[nodiscard]] std::uint64_t duration_ns(Ticks from, Ticks until) const noexcept {
    if (until <= from) return 0;
    if (!counts_) return until - from;
    return static_cast<std::uint64_t>(static_cast<double>(until - from) * ns_a_tick_.load(std::memory_order_relaxed));
  }

  /// Measures the counter over all the time since the start: more exact the later it is called.
  void calibrate() noexcept;

 private:
  [[nodiscard]] static std::uint64_t monotonic_ns() noexcept {
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
            .count());
  }

  bool counts_ = false;  // the processor's counter is used
  Ticks first_ticks_ = 0;
  std::uint64_t first_ns_ = 0;
  std::atomic<double> ns_a_tick_{1.0};
};

}  // namespace concord::observe

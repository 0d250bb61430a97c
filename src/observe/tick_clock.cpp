#include "observe/tick_clock.hpp"

#include <fstream>
#include <string>

namespace concord::observe {
namespace {

constexpr std::uint64_t first_calibration_ns = 200'000;

/// The kernel has checked that the counter runs evenly, in step on all processors, also while they sleep.
[[maybe_unused]] bool kernel_trusts_the_counter() {
  std::ifstream file("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  std::string source;
  return static_cast<bool>(file >> source) && source == "tsc";
}

}  // namespace

TickClock::TickClock() {
#if defined(__x86_64__)
  counts_ = kernel_trusts_the_counter();
#endif
  first_ns_ = monotonic_ns();
  first_ticks_ = now();
  if (!counts_) return;
  while (monotonic_ns() - first_ns_ < first_calibration_ns) {
  }
  calibrate();
}

void TickClock::calibrate() noexcept {
  const std::uint64_t elapsed_ns = monotonic_ns() - first_ns_;
  const Ticks elapsed = now() - first_ticks_;
  if (!counts_ || elapsed == 0) return;
  ns_a_tick_.store(static_cast<double>(elapsed_ns) / static_cast<double>(elapsed), std::memory_order_relaxed);
}

}  // namespace concord::observe

#include "env/clock.hpp"

#include <ctime>

namespace concord::env {
namespace {

std::int64_t read_ms(clockid_t clock) noexcept {
  timespec now{};
  clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace

std::uint64_t RealClock::monotonic_ms() const noexcept { return static_cast<std::uint64_t>(read_ms(CLOCK_MONOTONIC)); }

std::int64_t RealClock::wall_ms() const noexcept { return read_ms(CLOCK_REALTIME_COARSE); }

std::int64_t RealClock::wall_us() const noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

// A tick of the kernel behind (4 ms, more when ticks come late), and read without touching the hardware counter.
std::uint64_t RealClock::coarse_ms() const noexcept {
  return static_cast<std::uint64_t>(read_ms(CLOCK_MONOTONIC_COARSE));
}

}  // namespace concord::env

#include "env/clock.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace concord::env {
namespace {

TEST(RealClock, IsTheTrueTimeAndTheCoarseOneIsNeverAheadOfIt) {
  const RealClock clock;
  const auto true_ms = [] {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::floor<std::chrono::milliseconds>(now).count());
  };
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t before_ms = true_ms();
    const std::uint64_t read_ms = clock.monotonic_ms();
    const std::uint64_t coarse_ms = clock.coarse_ms();
    const std::uint64_t after_ms = true_ms();
    ASSERT_LE(before_ms, read_ms);
    ASSERT_LE(read_ms, after_ms);
    ASSERT_LE(coarse_ms, after_ms);
  }
}

}  // namespace
}  // namespace concord::env

// Spreads what many threads count over cache lines, so that they don't take one from each other.
#pragma once

#include <cstddef>
#include <cstdint>

namespace concord::observe {

inline constexpr std::size_t stripe_count = 16;

/// Thread-local storage of two threads lies on different pages, at equal distances as a rule, which Fibonacci hashing spreads
/// evenly. Two threads on one stripe are slower, not wrong.
[[nodiscard]] inline std::size_t this_threads_stripe() noexcept {
  static thread_local char marker;
  const auto page = reinterpret_cast<std::uintptr_t>(&marker) >> 12U;
  return static_cast<std::size_t>((page * std::uint64_t{0x9e3779b97f4a7c15U}) >> 60U);
}

}  // namespace concord::observe

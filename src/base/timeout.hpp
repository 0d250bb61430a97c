// Timeouts of calls, as they are counted with.
#pragma once

#include <algorithm>
#include <chrono>

namespace concord::base {

/// `timeout` between none and a hundred years: added to any clock it stays in the clock's range, whatever the caller wrote.
[[nodiscard]] constexpr std::chrono::milliseconds bounded(std::chrono::milliseconds timeout) noexcept {
  return std::clamp<std::chrono::milliseconds>(timeout, std::chrono::milliseconds(0),
                                               std::chrono::hours(24 * 365 * 100));
}

}  // namespace concord::base

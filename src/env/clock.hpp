// Time, as a seam: the real clocks in production, a simulated one in tests.
// Thread rule: any thread.
#pragma once

#include <cstdint>

namespace concord::env {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Never goes back while the process lives; not comparable between processes.
  [[nodiscard]] virtual std::uint64_t monotonic_ms() const noexcept = 0;
  /// Since 1970 UTC; may step.
  [[nodiscard]] virtual std::int64_t wall_ms() const noexcept = 0;
  /// The same, as finely as the clock tells: for what people read.
  [[nodiscard]] virtual std::int64_t wall_us() const noexcept { return wall_ms() * 1000; }
  /// The same clock, cheaper and a little behind (some milliseconds on a busy machine): for deadlines of calls, where that does
  /// not matter. Not for stamps: a key that was stamped late would expire early.
  [[nodiscard]] virtual std::uint64_t coarse_ms() const noexcept { return monotonic_ms(); }
};

class RealClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t monotonic_ms() const noexcept override;
  [[nodiscard]] std::int64_t wall_ms() const noexcept override;
  [[nodiscard]] std::int64_t wall_us() const noexcept override;
  [[nodiscard]] std::uint64_t coarse_ms() const noexcept override;
};

}  // namespace concord::env

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
};

class RealClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t monotonic_ms() const noexcept override;
  [[nodiscard]] std::int64_t wall_ms() const noexcept override;
};

}  // namespace concord::env

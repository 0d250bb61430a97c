// The clock that a host has given (concord/clock.hpp).
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include <concord/clock.hpp>

#include "env/clock.hpp"

namespace concord::env {

class HostClock final : public Clock {
 public:
  explicit HostClock(std::shared_ptr<const concord::Clock> clock) : clock_(std::move(clock)) {}
  [[nodiscard]] std::uint64_t monotonic_ms() const noexcept override { return clock_->monotonic_ms(); }
  [[nodiscard]] std::int64_t wall_ms() const noexcept override { return clock_->wall_ms(); }

 private:
  std::shared_ptr<const concord::Clock> clock_;
};

}  // namespace concord::env

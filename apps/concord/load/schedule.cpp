#include "load/schedule.hpp"

namespace concord::app::load {
namespace {

constexpr double second_ns = 1e9;

}  // namespace

Schedule::Schedule(std::uint64_t per_second, Share share, TimePoint begin, TimePoint end) noexcept
    : interval_ns_(second_ns * static_cast<double>(share.whole) / static_cast<double>(per_second * share.part)),
      first_(begin),
      end_(end) {
  const double offset_ns = second_ns * static_cast<double>(share.first) / static_cast<double>(per_second * share.part);
  first_ += std::chrono::nanoseconds(static_cast<std::int64_t>(offset_ns));
}

std::optional<Schedule::TimePoint> Schedule::next_due() const noexcept {
  const TimePoint next = due(taken_);
  return next < end_ ? std::optional(next) : std::nullopt;
}

std::optional<Schedule::TimePoint> Schedule::take(TimePoint now) noexcept {
  const auto next = next_due();
  if (!next || *next > now) return std::nullopt;
  ++taken_;
  return next;
}

/// From the number, not from the one before it: what rounding leaves does not add up.
Schedule::TimePoint Schedule::due(std::uint64_t number) const noexcept {
  return first_ + std::chrono::nanoseconds(static_cast<std::int64_t>(interval_ns_ * static_cast<double>(number)));
}

}  // namespace concord::app::load

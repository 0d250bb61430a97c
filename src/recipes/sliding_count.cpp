#include "recipes/sliding_count.hpp"

#include <algorithm>
#include <limits>

namespace concord::recipes {

Result<SlidingCount> SlidingCount::read(const Value& value) {
  auto slices = value.as<decltype(slices_)>();
  if (!slices) return std::unexpected(std::move(slices.error()));
  SlidingCount count;
  count.slices_ = std::move(*slices);
  return count;
}

std::uint64_t SlidingCount::sum() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& [end, count] : slices_) {
    if (__builtin_add_overflow(sum, count, &sum)) return std::numeric_limits<std::uint64_t>::max();
  }
  return sum;
}

void SlidingCount::forget_before(milliseconds now, milliseconds window) {
  std::erase_if(slices_, [&](const auto& slice) { return milliseconds(slice.first) <= now - window; });
}

void SlidingCount::add(milliseconds now, milliseconds slice, std::uint64_t cost) {
  const milliseconds end = (std::chrono::floor<milliseconds>(now) / slice + 1) * slice;
  if (!slices_.empty() && milliseconds(slices_.back().first) >= end) {
    slices_.back().second += cost;
  } else {
    slices_.emplace_back(end.count(), cost);
  }
}

milliseconds SlidingCount::until_at_most(std::uint64_t most, milliseconds now, milliseconds window) const noexcept {
  std::uint64_t left = sum();
  for (const auto& [end, count] : slices_) {
    if (left <= most) break;
    left -= std::min(left, count);
    if (left <= most) return milliseconds(end) + window - now;
  }
  return milliseconds(0);
}

}  // namespace concord::recipes

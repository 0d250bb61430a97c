#include "observe/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace concord::observe {

double Buckets::middle_of(std::size_t index) noexcept {
  if (index < (std::size_t{1} << sub_bits)) return static_cast<double>(index);
  const auto power = static_cast<int>(index >> sub_bits) - 1;
  const std::size_t sub = index & ((std::size_t{1} << sub_bits) - 1);
  const double low = std::ldexp(static_cast<double>((std::size_t{1} << sub_bits) + sub), power);
  return low + std::ldexp(0.5, power);
}

double HistogramSnapshot::quantile(double part) const noexcept {
  if (total == 0) return std::numeric_limits<double>::quiet_NaN();
  const auto wanted = static_cast<std::uint64_t>(std::ceil(part * static_cast<double>(total)));
  std::uint64_t passed = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    passed += counts[i];
    if (passed >= std::max<std::uint64_t>(wanted, 1)) return Buckets::middle_of(i);
  }
  return Buckets::middle_of(counts.size() - 1);
}

std::uint64_t HistogramSnapshot::up_to(double bound) const noexcept {
  std::uint64_t passed = 0;
  for (std::size_t i = 0; i < counts.size() && Buckets::middle_of(i) <= bound; ++i) passed += counts[i];
  return passed;
}

HistogramSnapshot HistogramSnapshot::since(const HistogramSnapshot& earlier) const noexcept {
  HistogramSnapshot difference;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    difference.counts[i] = counts[i] - std::min(counts[i], earlier.counts[i]);
    difference.total += difference.counts[i];
  }
  difference.sum = sum - std::min(sum, earlier.sum);
  return difference;
}

HistogramSnapshot Histogram::snapshot() const noexcept {
  HistogramSnapshot taken;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    taken.counts[i] = counts_[i].load(std::memory_order_relaxed);
    taken.total += taken.counts[i];
  }
  taken.sum = sum_.load(std::memory_order_relaxed);
  return taken;
}

}  // namespace concord::observe

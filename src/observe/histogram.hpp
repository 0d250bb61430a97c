// Durations, counted in buckets a sixteenth of a power of two wide: a quantile is true to some 3 % of itself, over all that can be
// measured, and to record one is two additions.
//
// Thread rule: any thread. A snapshot taken while others record may lack what is being recorded; nothing is lost for the next.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace concord::observe {

/// Buckets of all values up to 2^38 ns, some four minutes; what is longer counts as that.
class Buckets {
 public:
  static constexpr unsigned sub_bits = 4;  ///< 16 buckets a power of two
  static constexpr unsigned largest_bits = 38;
  static constexpr std::size_t count = ((largest_bits - sub_bits) << sub_bits) + (std::size_t{1} << sub_bits);

  [[nodiscard]] static constexpr std::size_t index_of(std::uint64_t value) noexcept {
    if (value < (1U << sub_bits)) return static_cast<std::size_t>(value);
    const unsigned power = static_cast<unsigned>(std::bit_width(value)) - 1;
    if (power >= largest_bits) return count - 1;
    const std::uint64_t sub = (value >> (power - sub_bits)) & ((1U << sub_bits) - 1);
    return ((power - sub_bits + 1) << sub_bits) + static_cast<std::size_t>(sub);
  }
  /// In the middle of the bucket.
  [[nodiscard]] static double middle_of(std::size_t index) noexcept;
};

struct HistogramSnapshot {
  std::array<std::uint64_t, Buckets::count> counts{};
  std::uint64_t total = 0;
  std::uint64_t sum = 0;

  /// NaN when nothing was counted.
  [[nodiscard]] double quantile(double part) const noexcept;
  /// How many were at most `bound`.
  [[nodiscard]] std::uint64_t up_to(double bound) const noexcept;
  /// What came since `earlier`, a snapshot of the same histogram.
  [[nodiscard]] HistogramSnapshot since(const HistogramSnapshot& earlier) const noexcept;
};

class Histogram {
 public:
  void record(std::uint64_t value) noexcept {
    counts_[Buckets::index_of(value)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
  }
  [[nodiscard]] HistogramSnapshot snapshot() const noexcept;

 private:
  std::array<std::atomic<std::uint64_t>, Buckets::count> counts_{};
  std::atomic<std::uint64_t> sum_{0};
};

}  // namespace concord::observe

// How long requests took, in buckets of a fixed relative width: any percentile within 1 %, in constant memory.
//
// Values below 128 ns have a bucket each; above, every power of two is cut into 128 buckets, so a bucket is at most 1/128 of
// its values wide and its middle at most 0.4 % away from any of them. Thread rule: one thread; merge what several counted.
#pragma once

#include <cstdint>
#include <vector>

namespace concord::app::load {

class Histogram {
 public:
  /// What a bucket holds: `count` values from `from_ns` up to, not including, `to_ns`.
  struct Bucket {
    std::uint64_t from_ns = 0;
    std::uint64_t to_ns = 0;
    std::uint64_t count = 0;
  };

  Histogram();

  void record(std::uint64_t value_ns) noexcept;
  void merge(const Histogram& other) noexcept;

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint64_t max_ns() const noexcept { return max_ns_; }
  [[nodiscard]] double mean_ns() const noexcept;
  /// The value that `percent` of all values do not exceed, 0 when there are none. Precondition: 0 <= percent <= 100.
  [[nodiscard]] std::uint64_t percentile_ns(double percent) const noexcept;
  /// The buckets that hold something, ascending.
  [[nodiscard]] std::vector<Bucket> buckets() const;

 private:
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t max_ns_ = 0;
  double sum_ns_ = 0;
};

}  // namespace concord::app::load

#include "load/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace concord::app::load {
namespace {

constexpr unsigned cut_bits = 7;
constexpr std::uint64_t cuts = 1U << cut_bits;
/// Above 2^42 ns, more than an hour, everything falls into the last bucket.
constexpr unsigned value_bits = 42;
constexpr std::size_t bucket_count = (value_bits - cut_bits + 1) * cuts;

std::size_t bucket_of(std::uint64_t value_ns) noexcept {
  if (value_ns < cuts) return value_ns;
  const auto shift = static_cast<unsigned>(std::bit_width(value_ns)) - 1 - cut_bits;
  return std::min((shift * cuts) + (value_ns >> shift), bucket_count - 1);
}

std::uint64_t begin_of(std::size_t bucket) noexcept {
  if (bucket < 2 * cuts) return bucket;
  const std::uint64_t shift = (bucket / cuts) - 1;
  return (bucket - (shift * cuts)) << shift;
}

}  // namespace

Histogram::Histogram() : counts_(bucket_count) {}

void Histogram::record(std::uint64_t value_ns) noexcept {
  ++counts_[bucket_of(value_ns)];
  ++count_;
  max_ns_ = std::max(max_ns_, value_ns);
  sum_ns_ += static_cast<double>(value_ns);
}

void Histogram::merge(const Histogram& other) noexcept {
  for (std::size_t bucket = 0; bucket < bucket_count; ++bucket) counts_[bucket] += other.counts_[bucket];
  count_ += other.count_;
  max_ns_ = std::max(max_ns_, other.max_ns_);
  sum_ns_ += other.sum_ns_;
}

double Histogram::mean_ns() const noexcept { return count_ == 0 ? 0 : sum_ns_ / static_cast<double>(count_); }

std::uint64_t Histogram::percentile_ns(double percent) const noexcept {
  if (count_ == 0) return 0;
  const auto exact_rank = std::ceil(static_cast<double>(count_) * percent / 100);
  const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(exact_rank), 1, count_);
  if (rank == count_) return max_ns_;
  std::uint64_t passed = 0;
  std::size_t bucket = 0;
  while ((passed += counts_[bucket]) < rank) ++bucket;
  const std::uint64_t middle = (begin_of(bucket) + begin_of(bucket + 1) - 1) / 2;
  return std::min(middle, max_ns_);
}

std::vector<Histogram::Bucket> Histogram::buckets() const {
  std::vector<Bucket> held;
  for (std::size_t bucket = 0; bucket < bucket_count; ++bucket) {
    if (counts_[bucket] > 0) held.push_back({begin_of(bucket), begin_of(bucket + 1), counts_[bucket]});
  }
  return held;
}

}  // namespace concord::app::load

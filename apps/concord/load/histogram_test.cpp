#include "load/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace concord::app::load {
namespace {

/// The value that `percent` of the sorted `values` do not exceed.
std::uint64_t exact(const std::vector<std::uint64_t>& values, double percent) {
  const auto rank = static_cast<std::size_t>(std::ceil(static_cast<double>(values.size()) * percent / 100));
  return values[std::max<std::size_t>(rank, 1) - 1];
}

TEST(Histogram, HasNothingAtFirst) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.percentile_ns(50), 0U);
  EXPECT_EQ(histogram.max_ns(), 0U);
  EXPECT_EQ(histogram.mean_ns(), 0);
  EXPECT_TRUE(histogram.buckets().empty());
}

TEST(Histogram, PercentilesAreWithinOnePercent) {
  constexpr std::uint64_t seed = 7;
  SCOPED_TRACE(seed);
  base::Random random(seed);
  Histogram histogram;
  std::vector<std::uint64_t> values;
  for (int count = 0; count < 20'000; ++count) {
    const std::uint64_t value = random.next() >> (24 + random.below(40));  // all sizes, up to 2^40
    values.push_back(value);
    histogram.record(value);
  }
  std::ranges::sort(values);
  for (const double percent : {0.0, 1.0, 10.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    const auto expected = static_cast<double>(exact(values, percent));
    EXPECT_NEAR(static_cast<double>(histogram.percentile_ns(percent)), expected, expected * 0.01) << percent;
  }
  EXPECT_EQ(histogram.max_ns(), values.back());
}

TEST(Histogram, EveryValueIsInsideOfItsBucket) {
  for (unsigned bits = 0; bits < 42; ++bits) {
    const std::uint64_t power = std::uint64_t{1} << bits;
    for (const std::uint64_t value : {power - 1, power, power + 1, power + (power / 2)}) {
      Histogram histogram;
      histogram.record(value);
      const auto buckets = histogram.buckets();
      ASSERT_EQ(buckets.size(), 1U);
      EXPECT_EQ(buckets[0].count, 1U);
      EXPECT_LE(buckets[0].from_ns, value);
      EXPECT_GT(buckets[0].to_ns, value);
      EXPECT_LE(buckets[0].to_ns - buckets[0].from_ns, std::max<std::uint64_t>(1, value / 100));
    }
  }
}

TEST(Histogram, KeepsTheLargestOfAllExactly) {
  Histogram histogram;
  histogram.record(1);
  histogram.record(std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(histogram.max_ns(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(histogram.percentile_ns(100), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(histogram.percentile_ns(50), 1U);
}

TEST(Histogram, MergedCountsAsIfOneHadCountedAll) {
  Histogram left;
  Histogram right;
  Histogram whole;
  for (std::uint64_t value = 0; value < 1000; ++value) {
    (value % 3 == 0 ? left : right).record(value * value);
    whole.record(value * value);
  }
  left.merge(right);
  EXPECT_EQ(left.count(), whole.count());
  EXPECT_EQ(left.max_ns(), whole.max_ns());
  EXPECT_DOUBLE_EQ(left.mean_ns(), whole.mean_ns());
  for (const double percent : {10.0, 50.0, 99.0}) EXPECT_EQ(left.percentile_ns(percent), whole.percentile_ns(percent));
}

}  // namespace
}  // namespace concord::app::load

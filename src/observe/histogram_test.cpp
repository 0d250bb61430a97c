#include "observe/histogram.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "observe/recent.hpp"
#include "observe/tick_clock.hpp"

namespace concord::observe {
namespace {

TEST(Buckets, AreInOrderAndHoldTheirMiddle) {
  std::size_t last = 0;
  for (std::uint64_t value = 0; value < (std::uint64_t{1} << 38U); value += 1 + value / 40) {
    const std::size_t index = Buckets::index_of(value);
    EXPECT_GE(index, last) << value;
    EXPECT_LT(index, Buckets::count);
    EXPECT_NEAR(Buckets::middle_of(index), static_cast<double>(value), 1 + static_cast<double>(value) / 16) << value;
    last = index;
  }
  EXPECT_EQ(Buckets::index_of(~std::uint64_t{0}), Buckets::count - 1);
}

TEST(Histogram, QuantilesAreThoseOfTheSortedValues) {
  const std::uint64_t seed = 20261130;
  SCOPED_TRACE(seed);
  base::Random random(seed);
  Histogram histogram;
  std::vector<std::uint64_t> values;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(random.below(std::uint64_t{1} << (5 + random.below(30))));
    histogram.record(values.back());
  }
  std::ranges::sort(values);
  const HistogramSnapshot snapshot = histogram.snapshot();
  EXPECT_EQ(snapshot.total, values.size());
  for (const double part : {0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto position = static_cast<std::size_t>(std::ceil(part * static_cast<double>(values.size()))) - 1;
    const auto exact = static_cast<double>(values[position]);
    EXPECT_NEAR(snapshot.quantile(part), exact, 1 + exact / 16) << part;
  }
  EXPECT_EQ(snapshot.up_to(1e12), snapshot.total);
}

TEST(Histogram, OfNothingThereIsNoQuantile) {
  EXPECT_TRUE(std::isnan(HistogramSnapshot().quantile(0.5)));
  EXPECT_EQ(HistogramSnapshot().up_to(1e9), 0U);
}

TEST(Histogram, ManyThreadsLoseNothing) {
  Histogram histogram;
  std::vector<std::thread> threads;
  for (std::uint64_t t = 1; t <= 4; ++t) {
    threads.emplace_back([&histogram, t] {
      for (int i = 0; i < 10'000; ++i) histogram.record(t * 1000);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(histogram.snapshot().total, 40'000U);
  EXPECT_EQ(histogram.snapshot().sum, 10'000U * (1000 + 2000 + 3000 + 4000));
}

TEST(Recent, ForgetsWhatIsOlderThanItsSpan) {
  const Recent::Time start{};
  Histogram histogram;
  Recent recent(start);
  histogram.record(1'000'000);
  EXPECT_EQ(recent.of(histogram.snapshot(), start + std::chrono::seconds(15)).total, 1U);
  histogram.record(10);
  EXPECT_EQ(recent.of(histogram.snapshot(), start + std::chrono::seconds(40)).total, 2U);
  EXPECT_EQ(recent.of(histogram.snapshot(), start + std::chrono::minutes(4)).total, 2U);
  histogram.record(10);
  const HistogramSnapshot later = recent.of(histogram.snapshot(), start + std::chrono::minutes(6));
  EXPECT_EQ(later.total, 1U);
  EXPECT_LT(later.quantile(1), 100);
}

TEST(TickClock, AgreesWithTheMonotonicClock) {
  TickClock clock;
  const auto from = std::chrono::steady_clock::now();
  const TickClock::Ticks ticks = clock.now();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const std::uint64_t measured_ns = clock.duration_ns(ticks, clock.now());
  const auto outside = std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - from);
  EXPECT_GE(measured_ns, 19'000'000U);
  EXPECT_LE(measured_ns, static_cast<std::uint64_t>(outside.count()) * 11 / 10);
  EXPECT_EQ(clock.duration_ns(7, 3), 0U);
}

}  // namespace
}  // namespace concord::observe

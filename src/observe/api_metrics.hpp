// How many API operations there were, how they ended and how long they took.
//
// What is counted is exact. What is timed is not every call inside the process: a get takes some 60 ns, and to read a clock twice
// would cost as much again. So of short calls one in a few is timed (`turn_of`), the first of each thread always.
//
// Thread rule: `wants_time` and `record` from any thread; the others one at a time.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <concord/error.hpp>
#include <concord/options.hpp>

#include "observe/histogram.hpp"
#include "observe/operation.hpp"
#include "observe/recent.hpp"
#include "observe/stripe.hpp"

namespace concord::observe {

class ApiMetrics {
 public:
  ApiMetrics();
  ~ApiMetrics();
  ApiMetrics(const ApiMetrics&) = delete;
  ApiMetrics& operator=(const ApiMetrics&) = delete;

  /// Whether this call is one of those that are timed.
  [[nodiscard]] bool wants_time(ApiOperation operation) noexcept {
    const std::uint8_t turns = turns_of(operation);
    if (turns == 1) return true;
    auto& turn = stripes_[this_threads_stripe()].turns[static_cast<std::size_t>(operation)];
    const std::uint8_t now = turn.load(std::memory_order_relaxed);
    turn.store(now == 0 ? static_cast<std::uint8_t>(turns - 1) : static_cast<std::uint8_t>(now - 1),
               std::memory_order_relaxed);
    return now == 0;
  }

  /// `consistency`: of a read.
  void record(ApiOperation operation, std::optional<Errc> error, std::optional<ReadConsistency> consistency,
              std::optional<std::uint64_t> duration_ns) noexcept {
    const std::size_t series = series_of(operation, error ? outcome_of(*error) : Outcome::ok, consistency);
    stripes_[this_threads_stripe()].counts[series].fetch_add(1, std::memory_order_relaxed);
    if (error) [[unlikely]]
      count_error(operation, *error);
    if (duration_ns) time(series, *duration_ns);
  }

  // --- for the page ----------------------------------------------------------------------------------------------------

  static constexpr std::size_t no_consistency = 3;  ///< beside the three of `ReadConsistency`
  static constexpr std::size_t error_code_count = 32;

  [[nodiscard]] static constexpr std::size_t series_of(ApiOperation operation, Outcome outcome,
                                                       std::optional<ReadConsistency> consistency) noexcept {
    const std::size_t fresh = consistency ? static_cast<std::size_t>(*consistency) : no_consistency;
    return (static_cast<std::size_t>(operation) * outcome_count + static_cast<std::size_t>(outcome)) * 4 + fresh;
  }
  static constexpr std::size_t series_count = operation_count * outcome_count * 4;

  [[nodiscard]] std::uint64_t count_of(std::size_t series) const noexcept;
  [[nodiscard]] std::uint64_t errors_of(ApiOperation operation, std::size_t code) const noexcept;
  /// Null: none of it was timed yet.
  [[nodiscard]] const Histogram* durations_of(std::size_t series) const noexcept {
    return durations_[series].load(std::memory_order_acquire);
  }
  [[nodiscard]] HistogramSnapshot recent_of(std::size_t series, const HistogramSnapshot& all, Recent::Time now);

 private:
  struct alignas(64) Stripe {
    std::array<std::atomic<std::uint64_t>, series_count> counts{};
    std::array<std::atomic<std::uint8_t>, operation_count> turns{};
  };

  /// One in so many is timed.
  [[nodiscard]] static constexpr std::uint8_t turns_of(ApiOperation operation) noexcept {
    switch (operation) {
      case ApiOperation::get: return 64;
      case ApiOperation::put:
      case ApiOperation::del:
      case ApiOperation::touch: return 8;
      default: return 1;
    }
  }

  void count_error(ApiOperation operation, Errc code) noexcept;
  void time(std::size_t series, std::uint64_t duration_ns) noexcept;

  std::array<Stripe, stripe_count> stripes_{};
  std::array<std::array<std::atomic<std::uint64_t>, error_code_count>, operation_count> errors_{};
  std::array<std::atomic<Histogram*>, series_count> durations_{};
  std::array<std::unique_ptr<Recent>, series_count> recent_{};
  const Recent::Time started_at_ = std::chrono::steady_clock::now();
};

}  // namespace concord::observe

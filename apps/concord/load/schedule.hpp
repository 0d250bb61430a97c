// When the requests of an open load are due: at an even rate, whatever the server does.
//
// A closed load asks again once it has its answer, so a server that stalls is asked nothing meanwhile and all that would have waited
// is left out of the latencies (coordinated omission). Here a request is due by the clock. One that no connection was free for is begun
// late, and its latency counts from when it was due. Pure: the caller says what time it is. Thread rule: one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace concord::app::load {

class Schedule {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// `part` of `whole` connections, of which `first` come before it, take their share of `per_second` requests from `begin` to, not
  /// including, `end`. The shares of all parts together are due one after the other. Precondition: all but `first` above 0.
  struct Share {
    std::uint64_t first = 0;
    std::uint64_t part = 1;
    std::uint64_t whole = 1;
  };
  Schedule(std::uint64_t per_second, Share share, TimePoint begin, TimePoint end) noexcept;

  /// When the next request is due; none when there are no more.
  [[nodiscard]] std::optional<TimePoint> next_due() const noexcept;
  /// Takes the next request if it is due at `now`: when it was.
  [[nodiscard]] std::optional<TimePoint> take(TimePoint now) noexcept;

 private:
  [[nodiscard]] TimePoint due(std::uint64_t number) const noexcept;

  double interval_ns_;
  TimePoint first_;
  TimePoint end_;
  std::uint64_t taken_ = 0;
};

}  // namespace concord::app::load

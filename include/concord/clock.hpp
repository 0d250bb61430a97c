// Time, as a host gives it to a node: for programs that live in a time of their own, as tests and simulations do.
//
//     class TestClock final : public concord::Clock {
//      public:
//       std::uint64_t monotonic_ms() const noexcept override { return now_ms_.load(); }
//       std::int64_t wall_ms() const noexcept override { return 1'700'000'000'000 + static_cast<std::int64_t>(now_ms_.load()); }
//       void pass(std::chrono::seconds time) { now_ms_ += static_cast<std::uint64_t>(time.count()) * 1000; }
//      private:
//       std::atomic<std::uint64_t> now_ms_{1};
//     };
//
//     auto clock = std::make_shared<TestClock>();
//     auto node = concord::Node::open({.data_dir = "data", .clock = clock});
//     (void)node->put("session", 1, {.ttl = std::chrono::hours(1)});
//     clock->pass(std::chrono::hours(2));            // the key expires now, within some tens of milliseconds of real time
//
// By it go expiry, deadlines of writes and of reads that wait, heartbeats and elections, and the expiry of tokens. Threads still sleep in real
// time, and look at it when they wake up, at least every `Options::heartbeat`; so a clock that stands still holds up elections, not writes.
//
// Thread rule: called from any thread, often: quick, and without waiting.
#pragma once

#include <cstdint>

namespace concord {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Never goes back, and is not 0.
  [[nodiscard]] virtual std::uint64_t monotonic_ms() const noexcept = 0;
  /// Since 1970 UTC; may step.
  [[nodiscard]] virtual std::int64_t wall_ms() const noexcept = 0;
};

}  // namespace concord

// Simulated time: events in order, one at a time, and the only source of chance of a run.
//
// Two runs with one seed do the same in the same order: every event is folded into a hash, which says so.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.hpp"

namespace concord::sim {

/// Microseconds since the run began.
using TimeUs = std::uint64_t;
inline constexpr TimeUs ms = 1000;
inline constexpr TimeUs second = 1'000'000;

class World {
 public:
  using Event = std::move_only_function<void()>;

  explicit World(std::uint64_t seed) : random_(seed) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  [[nodiscard]] TimeUs now_us() const noexcept { return now_us_; }
  [[nodiscard]] base::Random& random() noexcept { return random_; }
  /// Uniform in [least, most].
  [[nodiscard]] std::uint64_t between(std::uint64_t least, std::uint64_t most) {
    return least + random_.below(most - least + 1);
  }

  /// Events of the same time happen in the order they were put.
  void at(TimeUs when_us, Event event) {
    std::size_t place = events_.size();
    if (free_.empty()) {
      events_.push_back(std::move(event));
    } else {
      place = free_.back();
      free_.pop_back();
      events_[place] = std::move(event);
    }
    planned_.push_back({.when_us = std::max(when_us, now_us_), .sequence = ++last_sequence_, .place = place});
    std::ranges::push_heap(planned_, later);
  }
  void after(TimeUs delay_us, Event event) { at(now_us_ + delay_us, std::move(event)); }

  /// Everything up to then; the time is then.
  void run_until(TimeUs until_us) {
    while (!has_ended_ && !planned_.empty() && planned_.front().when_us <= until_us) {
      std::ranges::pop_heap(planned_, later);
      const Planned next = planned_.back();
      planned_.pop_back();
      auto event = std::exchange(events_[next.place], nullptr);
      free_.push_back(next.place);
      now_us_ = next.when_us;
      ++events_run_;
      trace(now_us_);
      event();
    }
    if (!has_ended_) now_us_ = std::max(now_us_, until_us);
  }
  /// Nothing happens any more.
  void end() noexcept { has_ended_ = true; }
  [[nodiscard]] bool has_ended() const noexcept { return has_ended_; }

  void trace(std::uint64_t what) noexcept {
    trace_ = (trace_ ^ what) * 0x9e3779b97f4a7c15U;
    trace_ ^= trace_ >> 29U;
  }
  void trace(std::string_view what) noexcept {
    for (; what.size() >= sizeof(std::uint64_t); what.remove_prefix(sizeof(std::uint64_t))) {
      std::uint64_t word = 0;
      std::memcpy(&word, what.data(), sizeof word);
      trace(word);
    }
    std::uint64_t rest = what.size();
    for (const char c : what) rest = (rest << 8U) | static_cast<unsigned char>(c);
    trace(rest);
  }
  [[nodiscard]] std::uint64_t trace_hash() const noexcept { return trace_; }
  [[nodiscard]] std::uint64_t events_run() const noexcept { return events_run_; }

  /// The run as a story, for people.
  void tell_to(std::function<void(TimeUs, const std::string&)> listener) { listener_ = std::move(listener); }
  [[nodiscard]] bool is_told() const noexcept { return listener_ != nullptr; }
  void tell(const std::string& line) {
    if (listener_) listener_(now_us_, line);
  }

 private:
  struct Planned {
    TimeUs when_us = 0;
    std::uint64_t sequence = 0;
    std::size_t place = 0;  // in `events_`
  };
  static bool later(const Planned& a, const Planned& b) noexcept {
    return a.when_us != b.when_us ? a.when_us > b.when_us : a.sequence > b.sequence;
  }

  base::Random random_;
  std::vector<Planned> planned_;  // a heap
  std::vector<Event> events_;
  std::vector<std::size_t> free_;  // places in it
  TimeUs now_us_ = 0;
  std::uint64_t last_sequence_ = 0;
  std::uint64_t events_run_ = 0;
  std::uint64_t trace_ = 0x9e3779b97f4a7c15U;
  bool has_ended_ = false;
  std::function<void(TimeUs, const std::string&)> listener_;
};

}  // namespace concord::sim

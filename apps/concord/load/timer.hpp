// Wakes an epoll at a point in time, to the microsecond; the timeout of epoll_wait knows milliseconds only.
#pragma once

#include <chrono>
#include <cstdint>

#include <sys/timerfd.h>
#include <unistd.h>

#include "load/descriptor.hpp"

namespace concord::app::load {

class Timer {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  Timer() : file_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {}

  [[nodiscard]] int number() const noexcept { return file_.number(); }
  /// Readable from `when` on, until it is read; replaces what was set before.
  void set(TimePoint when) noexcept {
    const auto ns = std::chrono::nanoseconds(when.time_since_epoch()).count();
    constexpr std::int64_t second_ns = 1'000'000'000;
    const itimerspec times{.it_interval = {}, .it_value = {.tv_sec = ns / second_ns, .tv_nsec = ns % second_ns}};
    ::timerfd_settime(file_.number(), TFD_TIMER_ABSTIME, &times, nullptr);
  }
  void read() noexcept {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t size = ::read(file_.number(), &count, sizeof count);
  }

 private:
  Descriptor file_;
};

}  // namespace concord::app::load

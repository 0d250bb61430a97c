// A line of progress on the terminal's standard error: how much, how fast, how long yet. Nothing where there is no terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace concord::app {

class Progress {
 public:
  /// `total`: of the same unit as `part`, when it is known.
  Progress(std::string what, std::optional<std::uint64_t> total);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  /// `count`: of `what`; `part` of the total. Shows at most five times a second.
  void show(std::uint64_t count, std::uint64_t part);

 private:
  using Clock = std::chrono::steady_clock;

  const std::string what_;
  const std::optional<std::uint64_t> total_;
  const bool is_on_;
  const Clock::time_point began_ = Clock::now();
  Clock::time_point next_ = began_ + std::chrono::milliseconds(200);
  bool has_shown_ = false;
};

}  // namespace concord::app

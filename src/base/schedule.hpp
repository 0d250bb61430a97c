// When something is done by itself: "off", an interval, or five fields as of cron(5), in UTC.
//
//   schedule := "off" | "" | number unit | minute hour day month weekday           unit: s, m, h or d; at least 1 s, at most 366 d
//   field    := item ("," item)*       item := ("*" | number ["-" number]) ["/" number]
//
// minute 0 to 59, hour 0 to 23, day 1 to 31, month 1 to 12, weekday 0 to 7 (0 and 7 are Sunday). When both day and weekday say something,
// either is enough, as with cron. An interval counts from the start. Thread rule: pure.
#pragma once

#include <array>
#include <bitset>
#include <chrono>
#include <optional>
#include <string_view>

#include <concord/error.hpp>

namespace concord::base {

class Schedule {
 public:
  /// Errors: invalid_request, saying what is wrong.
  [[nodiscard]] static Result<Schedule> parse(std::string_view text);

  [[nodiscard]] bool is_off() const noexcept { return !interval_ && !is_cron_; }
  /// The next time behind `now`; none: it is off, or such a day does not come within eight years.
  [[nodiscard]] std::optional<std::chrono::sys_seconds> next(std::chrono::sys_seconds now) const;

 private:
  using Field = std::bitset<64>;

  [[nodiscard]] bool is_day(std::chrono::sys_days day) const;

  std::optional<std::chrono::seconds> interval_ = {};
  bool is_cron_ = false;
  Field minutes_ = {};
  Field hours_ = {};
  Field days_ = {};
  Field months_ = {};
  Field weekdays_ = {};
  bool any_day_ = false;
  bool any_weekday_ = false;
};

}  // namespace concord::base

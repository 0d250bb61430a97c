#include "base/schedule.hpp"

#include <gtest/gtest.h>

namespace concord::base {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

/// Wednesday.
constexpr sys_days day = std::chrono::year(2025) / 10 / 22;

std::optional<sys_seconds> next(std::string_view text, sys_seconds now) {
  const auto schedule = Schedule::parse(text);
  EXPECT_TRUE(schedule) << text;
  return schedule ? schedule->next(now) : std::nullopt;
}

TEST(Schedule, AnIntervalCountsFromNow) {
  const sys_seconds now = day + 5h;
  EXPECT_EQ(next("30m", now), now + 30min);
  EXPECT_EQ(next("1h", now), now + 1h);
  EXPECT_EQ(next("2d", now), now + 48h);
  EXPECT_EQ(next("1s", now), now + 1s);
}

TEST(Schedule, OffIsNever) {
  EXPECT_TRUE(Schedule::parse("off")->is_off());
  EXPECT_FALSE(next("off", day));
  EXPECT_FALSE(next("", day));
}

TEST(Schedule, FieldsOfCronAreTheNextSuchMinute) {
  EXPECT_EQ(next("0 * * * *", day + 5h + 10min), day + 6h);
  EXPECT_EQ(next("0 * * * *", day + 6h), day + 7h);
  EXPECT_EQ(next("15,45 * * * *", day + 5h + 20min + 3s), day + 5h + 45min);
  EXPECT_EQ(next("*/20 2-3 * * *", day + 4h), day + 26h);
  EXPECT_EQ(next("0 2 * * *", day + 1h), day + 2h);
  EXPECT_EQ(next("0 0 * * 0", day), sys_days(std::chrono::year(2025) / 10 / 26));
  EXPECT_EQ(next("0 0 * * 7", day), sys_days(std::chrono::year(2025) / 10 / 26));
  EXPECT_EQ(next("30 1 29 2 *", day), sys_days(std::chrono::year(2028) / 2 / 29) + 90min);
  EXPECT_EQ(next("0 0 25 * 4", day), sys_days(std::chrono::year(2025) / 10 / 23));  // either
  EXPECT_FALSE(next("0 0 31 2 *", day));
}

TEST(Schedule, WhatIsNoneSaysWhy) {
  for (const char* const text :
       {"1",          "h",           "0h",          "0s",          "400d",       "1w",
        "-1h",        "1.5h",        "* * * *",     "60 * * * *",  "* 24 * * *", "* * 0 * *",
        "* * * 13 *", "* * * * 8",   "*/0 * * * *", "5-3 * * * *", "a * * * *",  "1-2-3 * * * *",
        ", * * * *",  "99999999999h"}) {
    const auto schedule = Schedule::parse(text);
    EXPECT_FALSE(schedule) << text;
    if (!schedule) {
      EXPECT_NE(schedule.error().message().find("a schedule is"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace concord::base

#include "base/schedule.hpp"

#include <charconv>
#include <string>
#include <vector>

namespace concord::base {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

constexpr seconds shortest{1};
constexpr seconds longest = days(366);

std::unexpected<Error> wrong(const std::string& what) {
  return fail(Errc::invalid_request,
              what + "; a schedule is off, an interval like 30m, 1h or 1d, or five fields of cron like \"0 2 * * *\"");
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(separator, at), text.size());
    if (separator != ' ' || end > at) parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

std::optional<unsigned> number_of(std::string_view text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<seconds> interval_of(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  const auto number = number_of(text.substr(0, text.size() - 1));
  if (!number || *number > 40'000'000) return std::nullopt;
  switch (text.back()) {
    case 's': return seconds(*number);
    case 'm': return std::chrono::minutes(*number);
    case 'h': return std::chrono::hours(*number);
    case 'd': return days(*number);
    default: return std::nullopt;
  }
}

/// Sets the bits of one item; false: it is none.
bool add_item(std::string_view item, unsigned low, unsigned high, std::bitset<64>& field) {
  const auto stepped = split(item, '/');
  if (stepped.size() > 2) return false;
  const auto step = stepped.size() == 2 ? number_of(stepped[1]) : std::optional(1U);
  if (!step || *step == 0) return false;
  unsigned from = low;
  unsigned to = high;
  if (stepped[0] != "*") {
    const auto range = split(stepped[0], '-');
    const auto first = number_of(range[0]);
    const auto last = range.size() == 2 ? number_of(range[1]) : first;
    if (range.size() > 2 || !first || !last || *first < low || *last > high || *first > *last) return false;
    from = *first;
    to = range.size() == 1 && stepped.size() == 2 ? high : *last;
  }
  for (unsigned at = from; at <= to; at += *step) field.set(at);
  return true;
}

}  // namespace

Result<Schedule> Schedule::parse(std::string_view text) {
  Schedule schedule;
  if (text.empty() || text == "off") return schedule;
  const auto fields = split(text, ' ');
  const std::string quoted = "\"" + std::string(text.substr(0, 100)) + "\"";
  if (fields.size() == 1) {
    schedule.interval_ = interval_of(text);
    if (!schedule.interval_) return wrong(quoted + " is no schedule");
    if (*schedule.interval_ < shortest || *schedule.interval_ > longest) {
      return wrong(quoted + " is shorter than 1 s or longer than 366 days");
    }
    return schedule;
  }
  struct Bounds {
    const char* name;
    unsigned low;
    unsigned high;
    Field* field;
  };
  const std::array<Bounds, 5> all = {{{"minute", 0, 59, &schedule.minutes_},
                                      {"hour", 0, 23, &schedule.hours_},
                                      {"day", 1, 31, &schedule.days_},
                                      {"month", 1, 12, &schedule.months_},
                                      {"weekday", 0, 7, &schedule.weekdays_}}};
  if (fields.size() != all.size()) return wrong(quoted + " has " + std::to_string(fields.size()) + " fields");
  for (std::size_t at = 0; at < all.size(); ++at) {
    for (const std::string_view item : split(fields[at], ',')) {
      if (!add_item(item, all[at].low, all[at].high, *all[at].field)) {
        return wrong("\"" + std::string(fields[at]) + "\" is no " + all[at].name);
      }
    }
  }
  if (schedule.weekdays_[7]) schedule.weekdays_.set(0);
  schedule.any_day_ = fields[2] == "*";
  schedule.any_weekday_ = fields[4] == "*";
  schedule.is_cron_ = true;
  return schedule;
}

bool Schedule::is_day(sys_days day) const {
  const std::chrono::year_month_day date(day);
  const bool is_date = days_[static_cast<unsigned>(date.day())];
  const bool is_weekday = weekdays_[std::chrono::weekday(day).c_encoding()];
  const bool either = any_day_ || any_weekday_ ? is_date && is_weekday : is_date || is_weekday;
  return months_[static_cast<unsigned>(date.month())] && either;
}

std::optional<sys_seconds> Schedule::next(sys_seconds now) const {
  if (interval_) return now + *interval_;
  if (!is_cron_) return std::nullopt;
  constexpr int most_days = 8 * 366;
  const auto first_minute = std::chrono::floor<std::chrono::minutes>(now) + std::chrono::minutes(1);
  sys_days day = std::chrono::floor<days>(first_minute);
  for (int looked_at = 0; looked_at < most_days; ++looked_at, day += days(1)) {
    if (!is_day(day)) continue;
    for (int minute = 0; minute < 24 * 60; ++minute) {
      const auto time = day + std::chrono::minutes(minute);
      if (time < first_minute) continue;
      if (hours_[static_cast<std::size_t>(minute) / 60] && minutes_[static_cast<std::size_t>(minute) % 60]) return time;
    }
  }
  return std::nullopt;
}

}  // namespace concord::base

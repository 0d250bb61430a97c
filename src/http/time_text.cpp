#include "http/time_text.hpp"

#include <cstdio>

namespace concord::http {
namespace {

struct Parts {
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<std::chrono::milliseconds> time;
  unsigned weekday;  ///< 0: Sunday
};

Parts parts_of(std::chrono::system_clock::time_point time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  return {std::chrono::year_month_day(day),
          std::chrono::hh_mm_ss(std::chrono::floor<std::chrono::milliseconds>(time - day)),
          std::chrono::weekday(day).c_encoding()};
}

/// Writes so many digits over those at `at`.
void put_number(std::string& text, std::size_t at, std::size_t digits, std::int64_t number) {
  for (std::size_t i = digits; i-- > 0; number /= 10) text[at + i] = static_cast<char>('0' + number % 10);
}

/// The number that these digits are, and steps over them; none: they are no such digits, or more than `most`.
std::optional<int> take_number(std::string_view& text, std::size_t digits, int most) {
  int number = 0;
  if (text.size() < digits) return std::nullopt;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    number = number * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return number <= most ? std::optional(number) : std::nullopt;
}

bool take(std::string_view& text, std::string_view letters) {
  if (text.empty() || letters.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::chrono::nanoseconds> take_fraction(std::string_view& text) {
  std::int64_t ns = 0;
  std::size_t digits = 0;
  for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++digits) {
    if (digits < 9) ns = ns * 10 + (text.front() - '0');
    text.remove_prefix(1);
  }
  if (digits == 0 || digits > 9) return std::nullopt;
  for (; digits < 9; ++digits) ns *= 10;
  return std::chrono::nanoseconds(ns);
}

/// What is behind UTC by.
std::optional<std::chrono::minutes> take_zone(std::string_view& text) {
  if (take(text, "Zz")) return std::chrono::minutes(0);
  const bool is_behind = text.starts_with('-');
  if (!take(text, "+-")) return std::nullopt;
  const auto hours = take_number(text, 2, 23);
  if (!hours || !take(text, ":")) return std::nullopt;
  const auto minutes = take_number(text, 2, 59);
  if (!minutes) return std::nullopt;
  const std::chrono::minutes offset(*hours * 60 + *minutes);
  return is_behind ? -offset : offset;
}

}  // namespace

std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  const auto year_number = take_number(text, 4, 9999);
  if (!year_number || !take(text, "-")) return std::nullopt;
  const auto month_number = take_number(text, 2, 12);
  if (!month_number || !take(text, "-")) return std::nullopt;
  const auto day_number = take_number(text, 2, 31);
  if (!day_number) return std::nullopt;
  const year_month_day date{year(*year_number), month(static_cast<unsigned>(*month_number)),
                            day(static_cast<unsigned>(*day_number))};
  // What a time_point of nanoseconds can hold.
  if (!date.ok() || *year_number < 1970 || *year_number > 2200) return std::nullopt;
  system_clock::time_point time = sys_days(date);
  if (text.empty()) return time;
  if (!take(text, "Tt ")) return std::nullopt;
  const auto hour = take_number(text, 2, 23);
  if (!hour || !take(text, ":")) return std::nullopt;
  const auto minute = take_number(text, 2, 59);
  if (!minute || !take(text, ":")) return std::nullopt;
  const auto second = take_number(text, 2, 60);
  if (!second) return std::nullopt;
  nanoseconds fraction(0);
  if (take(text, ".")) {
    const auto read = take_fraction(text);
    if (!read) return std::nullopt;
    fraction = *read;
  }
  const auto zone = take_zone(text);
  if (!zone || !text.empty()) return std::nullopt;
  return time + hours(*hour) + minutes(*minute) + seconds(*second) + duration_cast<system_clock::duration>(fraction) -
         *zone;
}

std::string rfc3339(std::chrono::system_clock::time_point time) {
  const Parts parts = parts_of(time);
  std::string text = "0000-00-00T00:00:00.000Z";
  put_number(text, 0, 4, int{parts.date.year()});
  put_number(text, 5, 2, unsigned{parts.date.month()});
  put_number(text, 8, 2, unsigned{parts.date.day()});
  put_number(text, 11, 2, parts.time.hours().count());
  put_number(text, 14, 2, parts.time.minutes().count());
  put_number(text, 17, 2, parts.time.seconds().count());
  put_number(text, 20, 3, parts.time.subseconds().count());
  return text;
}

std::string http_date(std::chrono::system_clock::time_point time) {
  static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const Parts parts = parts_of(time);
  char text[64];
  const int size = std::snprintf(
      text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d GMT", days[parts.weekday], unsigned{parts.date.day()},
      months[unsigned{parts.date.month()} - 1], int{parts.date.year()}, static_cast<int>(parts.time.hours().count()),
      static_cast<int>(parts.time.minutes().count()), static_cast<int>(parts.time.seconds().count()));
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace concord::http

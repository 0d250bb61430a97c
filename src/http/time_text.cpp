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

}  // namespace

std::string rfc3339(std::chrono::system_clock::time_point time) {
  const Parts parts = parts_of(time);
  char text[64];
  const int size =
      std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", int{parts.date.year()},
                    unsigned{parts.date.month()}, unsigned{parts.date.day()},
                    static_cast<int>(parts.time.hours().count()), static_cast<int>(parts.time.minutes().count()),
                    static_cast<int>(parts.time.seconds().count()), static_cast<int>(parts.time.subseconds().count()));
  return {text, static_cast<std::size_t>(size)};
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

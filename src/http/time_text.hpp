// Times as HTTP and JSON write them, always in UTC. Thread rule: pure functions.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace concord::http {

/// "2026-02-03T04:05:06.789Z"
[[nodiscard]] std::string rfc3339(std::chrono::system_clock::time_point time);

/// "2026-02-03T04:05:06Z", with up to nine digits behind a point, or "+01:00" for the "Z"; or "2026-02-03", its first moment.
/// None: it is no such time.
[[nodiscard]] std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text);

/// "Tue, 03 Feb 2026 04:05:06 GMT"
[[nodiscard]] std::string http_date(std::chrono::system_clock::time_point time);

}  // namespace concord::http

// Times as HTTP and JSON write them, always in UTC. Thread rule: pure functions.
#pragma once

#include <chrono>
#include <string>

namespace concord::http {

/// "2026-02-03T04:05:06.789Z"
[[nodiscard]] std::string rfc3339(std::chrono::system_clock::time_point time);

/// "Tue, 03 Feb 2026 04:05:06 GMT"
[[nodiscard]] std::string http_date(std::chrono::system_clock::time_point time);

}  // namespace concord::http

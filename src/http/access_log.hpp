// One record for each answered request, for whoever keeps a log of them. Off unless a sink is set.
//
// No record holds a body or a header's secret. Thread rule: the sink is called on the connections' threads, many at once.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string_view>

namespace concord::http {

/// Views the request and its answer; they live until the sink returns.
struct AccessRecord {
  std::string_view client;  ///< address
  std::string_view method;  ///< empty: one that HTTP does not have
  std::string_view target;  ///< path and query as they were sent
  unsigned status = 0;
  std::size_t request_bytes = 0;         ///< of the body
  std::size_t response_bytes = 0;        ///< of the body
  std::chrono::nanoseconds duration{0};  ///< from the whole request to the whole answer
  std::string_view request_id;
};

using AccessSink = std::function<void(const AccessRecord&)>;

}  // namespace concord::http

// W3C Trace Context: which trace, and which span of it, a call belongs to.
//
//   traceparent   version "-" trace-id "-" parent-id "-" flags, all lower case hex
//   version       2 digits, not "ff"; a later version may go on after the flags with "-"
//   trace-id      32 digits, not all 0;   parent-id  16 digits, not all 0
//   flags         2 digits; bit 0: the trace is sampled
//
// What does not read so is ignored: a new trace begins. Thread rule: pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace concord::observe {

struct TraceId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend bool operator==(const TraceId&, const TraceId&) = default;
};

struct TraceContext {
  TraceId trace;
  std::uint64_t span = 0;
  bool is_sampled = false;
  std::string state = {};  ///< tracestate: of others, passed on as it came
};

[[nodiscard]] std::optional<TraceContext> parse_traceparent(std::string_view text);
[[nodiscard]] std::string traceparent_of(const TraceContext& context);

/// 32 and 16 digits.
[[nodiscard]] std::string hex_of(const TraceId& trace);
[[nodiscard]] std::string hex_of(std::uint64_t span);

}  // namespace concord::observe

// What a load found out, as text and as JSON.
//
// JSON, one object: {"duration_seconds","interrupted","requests","succeeded","items","errors":{kind:count},"failed_connects",
// "requests_per_second","items_per_second","warmup_requests","warmup_writes","filled_keys","fill_requests","prefix","kept",
// "settings":{...}, "latency_ns":{"all"|"reads"|"writes":{"count","mean","p50","p90","p99","p99_9","max",
// "buckets":[[from,to,count]...]}}}
#pragma once

#include <string>

#include "load/load.hpp"
#include "load/plan.hpp"

namespace concord::app::load {

struct Report {
  Plan plan;
  Outcome outcome;
  std::uint64_t filled_keys = 0;
  std::uint64_t fill_requests = 0;
  bool kept = false;  ///< the keys were left behind
};

[[nodiscard]] std::string json_text(const Report& report);
/// `name value` lines, for scripts that have no JSON.
[[nodiscard]] std::string plain_text(const Report& report);
/// For people, with a histogram of bars.
[[nodiscard]] std::string table_text(const Report& report);

}  // namespace concord::app::load

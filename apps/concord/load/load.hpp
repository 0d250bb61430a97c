// A load, from the first connection to the last answer.
#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "load/plan.hpp"
#include "load/tally.hpp"
#include "load/worker.hpp"

namespace concord::app::load {

struct Outcome {
  Tally tally;
  std::chrono::nanoseconds measured{0};  ///< from the end of the warm-up to the last answer
  bool was_interrupted = false;
  bool lost_all = false;  ///< every connection was down for longer than a request may take, or at the end
};

/// The address behind a host and a port. The error is for people.
[[nodiscard]] std::expected<Server, std::string> resolve(const std::string& host, const std::string& port);

/// Runs `plan` until its time is over or `wants_end`, which waits for up to the time it is given, returns true.
/// Precondition: problem_of(plan) is none, and there is a server.
[[nodiscard]] Outcome run(const Plan& plan, const std::vector<Server>& servers,
                          const std::function<bool(std::chrono::milliseconds)>& wants_end);

}  // namespace concord::app::load

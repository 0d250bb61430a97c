// What a load consists of, as the command line says it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace concord::app::load {

/// Reads to writes.
struct Mix {
  std::uint32_t reads = 9;
  std::uint32_t writes = 1;
};

struct Plan {
  std::chrono::milliseconds duration{10'000};
  std::chrono::milliseconds warmup{1'000};
  std::chrono::milliseconds timeout{5'000};  ///< of one request
  std::uint32_t connections = 64;
  std::uint32_t threads = 1;
  std::uint32_t value_bytes = 100;
  std::uint32_t keys = 10'000;
  std::uint32_t bulk = 1;  ///< keys a request; 1: the calls of single keys
  /// Requests a second over all connections, due by the clock; none: each connection asks again once it has its answer.
  std::optional<std::uint32_t> rate_per_second;
  Mix mix;
  std::string prefix;       ///< of all keys; needs no percent-encoding
  std::string token;        ///< empty: none
  std::string consistency;  ///< of reads; empty: the server's default
};

/// "9:1", "0:1", "1:0": whole numbers up to 1 000 000, not both 0. None: anything else.
[[nodiscard]] std::optional<Mix> read_mix(std::string_view text) noexcept;

/// "5000": a whole number. None: anything else, also what is out of the range of problem_of.
[[nodiscard]] std::optional<std::uint32_t> read_rate(std::string_view text) noexcept;

/// What is wrong with a plan, in the words of the command line; none when it can be run.
[[nodiscard]] std::optional<std::string> problem_of(const Plan& plan);

}  // namespace concord::app::load

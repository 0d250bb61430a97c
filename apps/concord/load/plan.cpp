#include "load/plan.hpp"

#include <array>
#include <charconv>

#include "load/request.hpp"

namespace concord::app::load {
namespace {

constexpr std::uint32_t largest_part = 1'000'000;
constexpr std::uint64_t largest_value_bytes = 8U << 20U;
constexpr std::uint64_t largest_body_bytes = 16U << 20U;
constexpr std::uint64_t largest_bulk = 500;
constexpr std::uint64_t most_connections = 100'000;
constexpr std::uint64_t most_threads = 256;
constexpr std::uint32_t most_per_second = 10'000'000;

struct Range {
  std::string_view flag;
  std::uint64_t value = 0;
  std::uint64_t least = 0;
  std::uint64_t most = 0;
};

std::optional<std::uint32_t> read_part(std::string_view text) noexcept {
  std::uint32_t part = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), part);
  const bool is_whole = error == std::errc() && end == text.data() + text.size();
  return is_whole && part <= largest_part ? std::optional(part) : std::nullopt;
}

}  // namespace

std::optional<Mix> read_mix(std::string_view text) noexcept {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto reads = read_part(text.substr(0, colon));
  const auto writes = read_part(text.substr(colon + 1));
  if (!reads || !writes || *reads + *writes == 0) return std::nullopt;
  return Mix{.reads = *reads, .writes = *writes};
}

std::optional<std::uint32_t> read_rate(std::string_view text) noexcept {
  std::uint32_t rate = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), rate);
  const bool is_whole = error == std::errc() && end == text.data() + text.size();
  return is_whole && rate > 0 && rate <= most_per_second ? std::optional(rate) : std::nullopt;
}

std::optional<std::string> problem_of(const Plan& plan) {
  const std::array<Range, 5> ranges{{{"--connections", plan.connections, 1, most_connections},
                                     {"--threads", plan.threads, 1, most_threads},
                                     {"--value-size", plan.value_bytes, 0, largest_value_bytes},
                                     {"--keys", plan.keys, 1, most_keys},
                                     {"--bulk", plan.bulk, 1, largest_bulk}}};
  for (const Range& range : ranges) {
    if (range.value < range.least || range.value > range.most) {
      return std::string(range.flag) + " must be from " + std::to_string(range.least) + " to " +
             std::to_string(range.most) + ", not " + std::to_string(range.value);
    }
  }
  if (plan.threads > plan.connections) return "--threads is more than --connections: a thread would have nothing to do";
  if (plan.bulk > plan.keys) return "--bulk is more than --keys: a request names each key once";
  const Requests requests(plan, "localhost");
  if (requests.longest_body_bytes() > largest_body_bytes) {
    return "--bulk times --value-size makes a request of " + std::to_string(requests.longest_body_bytes()) +
           " bytes; a server takes " + std::to_string(largest_body_bytes);
  }
  return std::nullopt;
}

}  // namespace concord::app::load

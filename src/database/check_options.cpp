#include "database/check_options.hpp"

#include <chrono>
#include <set>
#include <string>

#include <concord/compression.hpp>

#include "node/validate_options.hpp"
#include "transport/address.hpp"

namespace concord::database {

namespace {

std::unexpected<Error> refuse(const std::string& why) { return fail(Errc::invalid_request, why); }

Result<void> check(const EventStreamOptions& options) {
  if (options.buffer_size == 0) return refuse("event_stream.buffer_size: at least 1");
  if (options.history == 0) return refuse("event_stream.history: at least 1");
  return {};
}

Result<void> check(const TracingOptions& options) {
  if (!options.enabled) return {};
  if (!(options.sample_ratio >= 0 && options.sample_ratio <= 1)) return refuse("tracing.sample_ratio: 0 to 1");
  if (options.batch_size == 0 || options.queue_size == 0) {
    return refuse("tracing.batch_size and tracing.queue_size: at least 1");
  }
  if (options.interval.count() < 1 || options.timeout.count() < 1) {
    return refuse("tracing.interval and tracing.timeout: at least 1 ms");
  }
  return {};
}

/// Where others are dialled, and where they dial this node.
Result<void> check_addresses(const ClusterOptions& cluster) {
  const auto check_one = [](const char* option, const std::string& address) -> Result<void> {
    if (const auto parsed = transport::parse_address(address); !parsed) {
      return refuse(std::string(option) + ": " + parsed.error().message());
    }
    return {};
  };
  std::set<std::string> peers;
  for (const InitialMember& member : cluster.initial) {
    if (auto valid = check_one("cluster.initial", member.peer); !valid) return valid;
    if (!peers.insert(member.peer).second)
      return refuse("cluster.initial: two members have the address " + member.peer);
  }
  for (const std::string& address : cluster.join) {
    if (auto valid = check_one("cluster.join", address); !valid) return valid;
  }
  return cluster.advertise.empty() ? Result<void>() : check_one("cluster.advertise", cluster.advertise);
}

}  // namespace

Result<void> check_options(const Options& options) {
  if (auto valid = Compression::check(options.compression); !valid) return valid;
  if (auto valid = check(options.event_stream); !valid) return valid;
  if (auto valid = check(options.tracing); !valid) return valid;
  if (options.telemetry.poll_interval.count() < 1) return refuse("telemetry.poll_interval: at least 1 s");
  if (auto valid = node::validate_options(options); !valid) return valid;
  return check_addresses(options.cluster);
}

}  // namespace concord::database

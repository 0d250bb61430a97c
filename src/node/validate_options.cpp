#include "node/validate_options.hpp"

#include <algorithm>
#include <string>

#include "node/place.hpp"
#include "node/write_queue.hpp"
#include "value/json_string.hpp"

namespace concord::node {

namespace {

/// Entries and places in the log are counted with 32 bits.
constexpr std::size_t largest_limit_bytes = 1U << 30U;

/// It is told in JSON and in lines of logs.
bool is_name(std::string_view text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return !text.empty() && text.size() <= 255 && value::is_utf8(text) && std::ranges::none_of(text, is_control);
}

Result<void> validate_discovery(const ClusterOptions& cluster) {
  const auto refuse = [](const char* why) { return fail(Errc::invalid_request, why); };
  if (cluster.discovery == Discovery::listed) return {};
  if (cluster.cookie.empty())
    return refuse("discovery needs a cookie (cluster.cookie): others prove by it that they belong here");
  if (cluster.expected_size < 1 || cluster.expected_size > 100) return refuse("expected_size: 1 to 100");
  if (cluster.settle_time.count() < 1) return refuse("settle_time: at least 1 ms");
  if (cluster.discovery == Discovery::dns && cluster.dns_name.empty()) {
    return refuse("discovery by DNS needs the name that resolves to the members (cluster.dns_name)");
  }
  if (cluster.discovery == Discovery::gossip && cluster.gossip_group.empty() && cluster.gossip_addresses.empty()) {
    return refuse("gossip needs a group or addresses (cluster.gossip_group, cluster.gossip_addresses)");
  }
  return {};
}

}  // namespace

Result<void> validate_options(const Options& options) {
  if (!is_name(options.name)) {
    return fail(Errc::invalid_request, "the name of a node is 1 to 255 bytes of UTF-8 without control characters");
  }
  if (options.heartbeat.count() < 1 || options.election_timeout < 2 * options.heartbeat) {
    return fail(Errc::invalid_request, "election_timeout must be at least twice heartbeat, heartbeat at least 1 ms");
  }
  if (options.flush_interval.count() < 1) return fail(Errc::invalid_request, "flush_interval: at least 1 ms");
  const ClusterOptions& cluster = options.cluster;
  if (cluster.cookie.empty() && (!cluster.initial.empty() || !cluster.join.empty())) {
    return fail(Errc::invalid_request,
                "a cluster needs a cookie (cluster.cookie): initial members or addresses to join are given, but none");
  }
  if (auto valid = validate_discovery(cluster); !valid) return valid;
  const bool has_tls = !cluster.tls_cert.empty();
  if (has_tls == cluster.tls_key.empty() || has_tls == cluster.tls_ca.empty()) {
    return fail(Errc::invalid_request,
                "TLS between members needs tls_cert, tls_key and tls_ca (cluster.tls_...): give all three or none");
  }
  for (const InitialMember& member : cluster.initial) {
    if (member.name.empty() || member.name.size() > 255 || member.peer.empty()) {
      return fail(Errc::invalid_request, "initial members have a name of 1 to 255 bytes and a peer address");
    }
    if (std::ranges::count(cluster.initial, member.name, &InitialMember::name) > 1) {
      return fail(Errc::invalid_request, "the initial member \"" + member.name + "\" is listed twice");
    }
  }
  if (!cluster.cookie.empty() && listens_everywhere(cluster) && told_address(options).empty()) {
    return fail(Errc::invalid_request,
                "peer_host " + cluster.peer_host +
                    " listens everywhere and tells nobody where: advertise (cluster.advertise) must say at "
                    "which host:port the other members reach this node");
  }
  if (options.data_dir.empty()) return fail(Errc::invalid_request, "data_dir is empty");
  if (options.limits.max_value_bytes > most_value_bytes || options.limits.max_in_flight_bytes > largest_limit_bytes) {
    return fail(Errc::invalid_request,
                "limits: values of at most 64 MiB (max_value_bytes), at most 1 GiB of bytes in flight");
  }
  if (options.limits.max_value_bytes == 0) {
    return fail(Errc::invalid_request, "limits.max_value_bytes: at least 1, or no write is ever accepted");
  }
  if (options.snapshot.every_entries == 0 || options.snapshot.every_bytes == 0) {
    return fail(Errc::invalid_request, "snapshot: every_entries and every_bytes are at least 1");
  }
  return {};
}

Result<void> validate_formation(const Options& options) {
  const auto& initial = options.cluster.initial;
  const ClusterOptions& cluster = options.cluster;
  if (!initial.empty() && cluster.discovery != Discovery::listed) {
    return fail(Errc::invalid_request,
                "initial members and discovery are two ways to form a cluster: give one (cluster.initial, "
                "cluster.discovery)");
  }
  if (cluster.discovery == Discovery::listed && cluster.expected_size > 1 && cluster.expected_size != initial.size()) {
    return fail(Errc::invalid_request,
                "expected_size (cluster.expected_size) is for nodes that find each other: set cluster.discovery "
                "to gossip or dns, or leave it at 1");
  }
  if (initial.empty() || std::ranges::find(initial, options.name, &InitialMember::name) != initial.end()) {
    return {};
  }
  return fail(Errc::invalid_request, "this node, \"" + options.name + "\", is not among the initial members");
}

}  // namespace concord::node

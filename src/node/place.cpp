#include "node/place.hpp"

#include <algorithm>

namespace concord::node {

bool listens_everywhere(const ClusterOptions& options) {
  return options.peer_host == "0.0.0.0" || options.peer_host == "::" || options.peer_host == "::0";
}

std::string told_address(const Options& options) {
  const ClusterOptions& cluster = options.cluster;
  if (!cluster.advertise.empty() || !listens_everywhere(cluster)) return cluster.advertise;
  const auto own = std::ranges::find(cluster.initial, options.name, &InitialMember::name);
  return own == cluster.initial.end() ? std::string() : own->peer;
}

}  // namespace concord::node

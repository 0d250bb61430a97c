#include "node/place.hpp"

#include <algorithm>

namespace concord::node {

/// FNV-1a, then the finaliser of SplitMix64.
std::uint64_t digest_of(std::string_view text) {
  std::uint64_t x = 0xcbf29ce484222325U;
  for (const char c : text) x = (x ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  x ^= x >> 31U;
  return x == 0 ? 1 : x;
}

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

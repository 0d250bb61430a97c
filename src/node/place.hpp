// The place of a node in a cluster: which one, and under which id.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <concord/options.hpp>

#include "base/ids.hpp"
#include "replica/membership.hpp"

namespace concord::node {

struct Place {
  base::ClusterId cluster;
  base::NodeId node;
  /// The members a new cluster begins with; none: the cluster runs, and its leader sends what there is.
  std::optional<replica::Membership> founders = {};
};

/// A number for a text, the same on every machine; never 0.
[[nodiscard]] std::uint64_t digest_of(std::string_view text);

/// The peer port is open on all addresses of the machine, so its own address is none that others could dial.
[[nodiscard]] bool listens_everywhere(const ClusterOptions& options);
/// The host:port that others reach this node at, as far as `options` say; empty: where it listens.
[[nodiscard]] std::string told_address(const Options& options);

}  // namespace concord::node

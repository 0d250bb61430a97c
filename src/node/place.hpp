// The place of a node in a cluster: which one, and under which id.
#pragma once

#include <optional>

#include "base/ids.hpp"
#include "replica/membership.hpp"

namespace concord::node {

struct Place {
  base::ClusterId cluster;
  base::NodeId node;
  /// The members a new cluster begins with; none: the cluster runs, and its leader sends what there is.
  std::optional<replica::Membership> founders = {};
};

}  // namespace concord::node

// The members of a cluster, out of what a node says about itself.
#include <concord/store.hpp>

#include <utility>

namespace concord {

Result<std::vector<MemberStatus>> Store::members() {
  auto known = status();
  if (!known) return std::unexpected(std::move(known.error()));
  return std::move(known->cluster.members);
}

}  // namespace concord

#include <concord/status.hpp>

namespace concord {

std::string_view node_state_name(NodeState state) noexcept {
  switch (state) {
    case NodeState::follower: return "follower";
    case NodeState::candidate: return "candidate";
    case NodeState::leader: return "leader";
    case NodeState::learner: return "learner";
    case NodeState::failed: return "failed";
  }
  return "unknown";
}

}  // namespace concord

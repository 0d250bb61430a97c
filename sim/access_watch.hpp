// Looks at tokens, roles, users and tenants in the states of nodes, beside the digest, which says nothing of what is derived of them.
//
// At each index of the log: what each token may do, and what each tenant is said to have, is the same on all nodes; that is what a count
// of its keys says. Over all of them: between two states no tenant has come beyond its quota, or further beyond it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <concord/auth.hpp>

#include "store/state_machine.hpp"

namespace concord::sim {

class AccessWatch {
 public:
  /// What is wrong with this state, of a node that has applied something since; nothing: it is right.
  [[nodiscard]] std::optional<std::string> look(const store::StateMachine& state);
  /// What is wrong with all of them together.
  [[nodiscard]] std::optional<std::string> problem() const;

 private:
  struct Seen {
    std::uint64_t hash = 0;
    std::vector<Tenant> tenants = {};
  };
  std::map<std::uint64_t, Seen> seen_;  // by index
};

}  // namespace concord::sim

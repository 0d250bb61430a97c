// Applying one command to the key space: guards, operations, expiry. The meaning stands in state_machine.hpp.
#pragma once

#include <concord/error.hpp>

#include "acl/scope.hpp"
#include "command/entry.hpp"
#include "store/change.hpp"
#include "store/key_space.hpp"
#include "store/remembered.hpp"

namespace concord::store {

/// `listener`: may be null. `scope`: the keys that a delete_where sees. Precondition: the command changes keys, and may. Errors: storage_failed when the command carries a filter
/// or selector that does not compile: whoever proposed it had to check it, so the entry is damaged.
[[nodiscard]] Result<command::Outcome> apply_command(KeySpace& keys, Remembered& remembered,
                                                     const command::Command& command, const acl::Scope& scope,
                                                     base::ClusterTimeMs now_ms, ChangeListener* listener);

}  // namespace concord::store

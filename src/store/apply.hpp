// Applying one command to the key space: guards, operations, expiry. The meaning stands in state_machine.hpp.
#pragma once

#include <concord/error.hpp>

#include "acl/rights.hpp"
#include "command/entry.hpp"
#include "store/change.hpp"
#include "store/key_space.hpp"
#include "store/quotas.hpp"
#include "store/remembered.hpp"

namespace concord::store {

/// What a command is applied to, and who is told. All outlive the call.
struct ApplyTo {
  KeySpace& keys;
  Remembered& remembered;
  Quotas& quotas;
  ChangeListener* listener;  ///< null: nobody
};

/// In whose name: `rights` say which keys a delete_where sees. Precondition: the command changes keys, and may. Errors: storage_failed when the
/// command carries a filter or selector that does not compile: whoever proposed it had to check it, so the entry is damaged.
[[nodiscard]] Result<command::Outcome> apply_command(const ApplyTo& to, const command::Command& command,
                                                     const acl::Rights& rights, base::ClusterTimeMs now_ms);

}  // namespace concord::store

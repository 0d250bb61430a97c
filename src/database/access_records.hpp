// Roles, users and tenants: the ways to change and to show them.
//
// What is asked for is checked and written through the log; whether it can be is decided there (acl/registry.hpp).
// Thread rule: any thread. Completions run inside the call, or where the runtime's do.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <concord/auth.hpp>
#include <concord/error.hpp>

#include "acl/access.hpp"
#include "node/runtime.hpp"

namespace concord::database {

class AccessRecords {
 public:
  using Done = std::move_only_function<void(Result<void>)>;

  /// `runtime` outlives this.
  explicit AccessRecords(node::Runtime& runtime) : runtime_(runtime) {}

  /// Errors: invalid_request, condition_failed, overloaded, and those of a write.
  void set(AccessRecord record, const acl::Access& access, std::chrono::milliseconds timeout, Done done);
  /// Errors: not_found, condition_failed, and those of a write.
  void remove(AccessKind kind, std::string_view name, const acl::Access& access, std::chrono::milliseconds timeout,
              Done done);
  /// Errors: cluster_not_ready.
  [[nodiscard]] Result<std::vector<AccessRecord>> list(AccessKind kind) const;
  /// What tenants have and may have, as lines for Prometheus. They name the tenants.
  [[nodiscard]] std::string metrics() const;

 private:
  node::Runtime& runtime_;
};

}  // namespace concord::database

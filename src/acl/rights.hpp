// What somebody may do now, and with which keys: worked out of a token, the roles of its user, and their tenant, whenever one of these
// changes, so that a call only looks it up.
//
//   a token of nobody    what it says itself
//   of a user            what his roles grant together, and of that what the token says too
//   of a tenant          of that, keys with the tenant's prefix; never admin. The token itself may be of one, or its user
//
// A token whose user is disabled or not there, or whose tenant is not there, is not valid at all (`is_locked`). A role that is not there
// grants nothing.
//
// Thread rule: immutable once shared.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include <concord/auth.hpp>

#include "acl/scope.hpp"
#include "command/token.hpp"

namespace concord::acl {

using TenantPointer = std::shared_ptr<const Tenant>;

struct Token;

class Rights {
 public:
  /// None at all.
  Rights() = default;
  /// Everything there is.
  [[nodiscard]] static Rights everything();
  /// Of a token, or a user, that is not valid.
  [[nodiscard]] static Rights locked();

  /// To some key; admin: to do anything.
  [[nodiscard]] bool has(Permission permission) const noexcept {
    return permission == Permission::admin ? is_admin_ : !scope(permission).is_nothing();
  }
  [[nodiscard]] bool covers(Permission permission, std::string_view key) const noexcept {
    return scope(permission).covers(key);
  }
  /// The keys it may read, or write; of admin: those it may do both with and anything else.
  [[nodiscard]] const Scope& scope(Permission permission) const noexcept {
    return permission == Permission::read ? *read_ : permission == Permission::write ? *write_ : admin_scope();
  }
  [[nodiscard]] bool is_locked() const noexcept { return is_locked_; }
  /// Null: of none.
  [[nodiscard]] const Tenant* tenant() const noexcept { return tenant_.get(); }
  /// They let do the same, quotas aside.
  [[nodiscard]] bool reach_the_same_as(const Rights& other) const noexcept;

  /// What these let do together. Each scope is made once, however many they are.
  [[nodiscard]] static Rights granted(std::span<const Grant* const> grants);
  void limit_to(command::Permissions permissions, const Scope& scope);
  void limit_to(TenantPointer tenant);

 private:
  using ScopePointer = std::shared_ptr<const Scope>;
  [[nodiscard]] static const ScopePointer& none();
  [[nodiscard]] static const ScopePointer& all();
  [[nodiscard]] const Scope& admin_scope() const noexcept { return is_admin_ ? *all() : *none(); }
  void narrow_to(const Scope& scope);

  // Never null; shared with those of which they were made, as long as they are the same.
  ScopePointer read_ = none();
  ScopePointer write_ = none();
  TenantPointer tenant_;
  bool is_admin_ = false;
  bool is_locked_ = false;
};

using RightsPointer = std::shared_ptr<const Rights>;

}  // namespace concord::acl

#include "acl/rights.hpp"

#include <utility>

#include "acl/record.hpp"

namespace concord::acl {
namespace {

using ScopePointer = std::shared_ptr<const Scope>;

constexpr command::Permissions bit(Permission permission) noexcept {
  return static_cast<command::Permissions>(permission);
}

void widen(ScopePointer& scope, const Scope& by) { scope = std::make_shared<const Scope>(united(*scope, by)); }

}  // namespace

const ScopePointer& Rights::none() {
  static const ScopePointer scope = std::make_shared<const Scope>(Scope::nothing());
  return scope;
}

const ScopePointer& Rights::all() {
  static const ScopePointer scope = std::make_shared<const Scope>();
  return scope;
}

Rights Rights::everything() {
  Rights rights;
  rights.read_ = rights.write_ = all();
  rights.is_admin_ = true;
  return rights;
}

Rights Rights::locked() {
  Rights rights;
  rights.is_locked_ = true;
  return rights;
}

bool Rights::reach_the_same_as(const Rights& other) const noexcept {
  return is_locked_ == other.is_locked_ && is_admin_ == other.is_admin_ && *read_ == *other.read_ &&
         *write_ == *other.write_;
}

void Rights::grant(const Grant& grant) {
  const command::Permissions bits = bits_of(grant.permissions);
  const bool is_admin = (bits & bit(Permission::admin)) != 0;
  const Scope scope(grant.prefixes);
  is_admin_ = is_admin_ || is_admin;
  if (is_admin || (bits & bit(Permission::read)) != 0) widen(read_, scope);
  if (is_admin || (bits & bit(Permission::write)) != 0) widen(write_, scope);
}

void Rights::narrow_to(const Scope& scope) {
  if (scope.is_everything()) return;
  const bool are_the_same = read_ == write_;
  if (!read_->is_nothing()) read_ = std::make_shared<const Scope>(intersection(*read_, scope));
  if (are_the_same) {
    write_ = read_;
  } else if (!write_->is_nothing()) {
    write_ = std::make_shared<const Scope>(intersection(*write_, scope));
  }
}

void Rights::limit_to(command::Permissions permissions, const Scope& scope) {
  const bool is_admin = (permissions & bit(Permission::admin)) != 0;
  if (!is_admin && (permissions & bit(Permission::read)) == 0) read_ = none();
  if (!is_admin && (permissions & bit(Permission::write)) == 0) write_ = none();
  // An admin may make any other token: a limited one would be limited by nothing.
  is_admin_ = is_admin_ && is_admin && scope.is_everything();
  narrow_to(scope);
}

void Rights::limit_to(TenantPointer tenant) {
  is_admin_ = false;
  narrow_to(Scope({tenant->prefix}));
  tenant_ = std::move(tenant);
}

}  // namespace concord::acl

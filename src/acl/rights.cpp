#include "acl/rights.hpp"

#include <string>
#include <utility>
#include <vector>

#include "acl/record.hpp"

namespace concord::acl {
namespace {

using ScopePointer = std::shared_ptr<const Scope>;

constexpr command::Permissions bit(Permission permission) noexcept {
  return static_cast<command::Permissions>(permission);
}

/// Prefixes of one permission, as grants add to them.
struct Granted {
  bool is_some = false;
  bool is_everything = false;
  std::vector<std::string> prefixes = {};
  friend bool operator==(const Granted&, const Granted&) = default;

  void add(const std::vector<std::string>& more) {
    is_some = true;
    is_everything = is_everything || more.empty();
    prefixes.insert(prefixes.end(), more.begin(), more.end());
  }
  [[nodiscard]] ScopePointer scope() && {
    if (!is_some) return std::make_shared<const Scope>(Scope::nothing());
    return std::make_shared<const Scope>(is_everything ? Scope() : Scope(std::move(prefixes)));
  }
};

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

Rights Rights::granted(std::span<const Grant* const> grants) {
  Rights rights;
  Granted read;
  Granted write;
  for (const Grant* grant : grants) {
    const command::Permissions bits = bits_of(grant->permissions);
    const bool is_admin = (bits & bit(Permission::admin)) != 0;
    rights.is_admin_ = rights.is_admin_ || is_admin;
    if (is_admin || (bits & bit(Permission::read)) != 0) read.add(grant->prefixes);
    if (is_admin || (bits & bit(Permission::write)) != 0) write.add(grant->prefixes);
  }
  const bool are_the_same = read == write;
  rights.read_ = std::move(read).scope();
  rights.write_ = are_the_same ? rights.read_ : std::move(write).scope();
  return rights;
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

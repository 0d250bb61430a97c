// Tokens, roles, users and tenants under short names, and the names of permissions.
#include <concord/auth.hpp>

#include <array>
#include <utility>

#include <concord/store.hpp>

namespace concord {
namespace {

constexpr std::array<std::pair<Permission, std::string_view>, 3> names = {
    {{Permission::read, "read"}, {Permission::write, "write"}, {Permission::admin, "admin"}}};

/// Those of the one kind that was asked for.
template <class Kind>
Result<std::vector<Kind>> only(Result<std::vector<AccessRecord>>&& records) {
  if (!records) return std::unexpected(std::move(records.error()));
  std::vector<Kind> all;
  all.reserve(records->size());
  for (AccessRecord& record : *records) all.push_back(std::get<Kind>(std::move(record)));
  return all;
}

}  // namespace

std::string_view permission_name(Permission permission) noexcept {
  for (const auto& [known, name] : names) {
    if (known == permission) return name;
  }
  return {};
}

std::optional<Permission> parse_permission(std::string_view name) noexcept {
  for (const auto& [permission, known] : names) {
    if (known == name) return permission;
  }
  return std::nullopt;
}

Result<CreatedToken> Auth::create(const NewToken& token, const WriteOptions& options) {
  return store_->create_token(token, options);
}

Result<std::vector<TokenInfo>> Auth::list(const ReadOptions& options) { return store_->list_tokens(options); }

Result<void> Auth::revoke(std::string_view id, const WriteOptions& options) {
  return store_->revoke_token(id, options);
}

Result<void> Auth::revoke_secret(std::string_view secret, const WriteOptions& options) {
  return store_->revoke_secret(secret, options);
}

Result<void> Auth::set_role(const Role& role, const WriteOptions& options) { return store_->set_access(role, options); }
Result<void> Auth::set_user(const User& user, const WriteOptions& options) { return store_->set_access(user, options); }
Result<void> Auth::set_tenant(const Tenant& tenant, const WriteOptions& options) {
  return store_->set_access(tenant, options);
}

Result<void> Auth::remove_role(std::string_view name, const WriteOptions& options) {
  return store_->remove_access(AccessKind::role, name, options);
}
Result<void> Auth::remove_user(std::string_view name, const WriteOptions& options) {
  return store_->remove_access(AccessKind::user, name, options);
}
Result<void> Auth::remove_tenant(std::string_view name, const WriteOptions& options) {
  return store_->remove_access(AccessKind::tenant, name, options);
}

Result<std::vector<Role>> Auth::roles(const ReadOptions& options) {
  return only<Role>(store_->list_access(AccessKind::role, options));
}
Result<std::vector<User>> Auth::users(const ReadOptions& options) {
  return only<User>(store_->list_access(AccessKind::user, options));
}
Result<std::vector<Tenant>> Auth::tenants(const ReadOptions& options) {
  return only<Tenant>(store_->list_access(AccessKind::tenant, options));
}

}  // namespace concord

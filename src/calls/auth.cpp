// Tokens under short names, and the names of permissions.
#include <concord/auth.hpp>

#include <array>
#include <utility>

#include <concord/store.hpp>

namespace concord {
namespace {

constexpr std::array<std::pair<Permission, std::string_view>, 3> names = {
    {{Permission::read, "read"}, {Permission::write, "write"}, {Permission::admin, "admin"}}};

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

}  // namespace concord

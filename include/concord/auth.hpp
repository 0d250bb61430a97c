// Tokens, roles, users and tenants: who may do what, to which keys, and how much of it.
//
// A token is a secret, `sk_concord_` and 256 random bits, that a caller brings with each call (`token` in the options of calls,
// `ClientOptions::token`, `Authorization: Bearer` over HTTP). The store keeps only its SHA-256: the secret is shown once, when it is
// made. Tokens are part of the replicated data: they are in snapshots and backups, and a revoked one is worth nothing on any node
// from then on.
//
//     concord::Auth auth(store);
//     auto made = auth.create({.permissions = {concord::Permission::read}, .prefixes = {"public/"}}, {.token = admin});
//     store.get("public/greeting", {.token = made->secret});
//     auth.revoke(made->info.id, {.token = admin});
//
// A role says what may be done with which keys; a token that belongs to a user may do what both his roles and itself say. A tenant
// is a part of the keys, a prefix, with quotas: whose user, or whose token, is of it reaches nothing else. What a change takes away is
// gone as a revoked token is, for open event streams too; what it adds counts on a node once that has applied it (till then: forbidden).
//
//     auth.set_tenant({.name = "acme", .quotas = {.max_keys = 10'000}}, {.token = admin});
//     auth.set_role({.name = "editor", .grants = {{.permissions = {Permission::read, Permission::write}, .prefixes = {"acme/docs/"}}}}, ...);
//     auth.set_user({.name = "ada", .roles = {"editor"}, .tenant = "acme"}, {.token = admin});
//     auto hers = auth.create({.permissions = {Permission::read, Permission::write}, .user = "ada"}, {.token = admin});
//
// All calls here need the permission `admin`. With authentication off (`AuthOptions::enabled`) nobody is asked for a token, and tokens
// can be made all the same: so does an operator who has lost the last admin token.
//
// Errors: unauthorized (no token, or one that is not valid), forbidden (the token may not do that), and those of every call.
// Thread rule: any thread; the store outlives the calls.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <concord/error.hpp>
#include <concord/export.hpp>
#include <concord/options.hpp>

namespace concord {

class Store;

/// The numbers are part of the promise: never renumber.
enum class Permission : std::uint8_t {
  read = 1,   ///< Values and keys, the event stream, the state of the cluster.
  write = 2,  ///< Changes of keys. A condition on a value needs `read` too.
  admin = 4,  ///< Everything: tokens, members, backups, and to read and write.
};

/// "read", "write", "admin".
[[nodiscard]] CONCORD_API std::string_view permission_name(Permission permission) noexcept;
/// None: there is no such permission.
[[nodiscard]] CONCORD_API std::optional<Permission> parse_permission(std::string_view name) noexcept;

/// A token to be made.
struct NewToken {
  std::vector<Permission> permissions = {};  ///< At least one.
  /// Keys it may touch are those that begin with one of these; none: all keys. At most 64, of 1 to 1024 bytes. Not for an admin.
  std::vector<std::string> prefixes = {};
  std::string description = {};                         ///< UTF-8, at most 1024 bytes.
  std::optional<std::chrono::seconds> expires_in = {};  ///< At least 1 s. None: it does not expire.
  /// Whose it is: it may do no more than this user may. Empty: nobody's; it may do what it says itself.
  std::string user = {};
  /// The tenant it is of, when it has no user; empty: of none. Not for an admin.
  std::string tenant = {};
};

/// What is known of a token, without its secret.
struct TokenInfo {
  std::string id = {};  ///< 16 hexadecimal digits.
  std::vector<Permission> permissions = {};
  std::vector<std::string> prefixes = {};
  std::string description = {};
  std::chrono::system_clock::time_point created_at = {};
  std::optional<std::chrono::seconds> expires_in = {};  ///< Remaining time, rounded up; 0: it has expired.
  /// On the node that was asked, since that was started, to a second.
  std::optional<std::chrono::system_clock::time_point> last_used_at = {};
  std::string user = {};    ///< empty: nobody's
  std::string tenant = {};  ///< its own; empty: none
};

struct CreatedToken {
  TokenInfo info = {};
  std::string secret = {};  ///< Shown this once.
};

/// What a role lets do, and with which keys.
struct Grant {
  std::vector<Permission> permissions = {};  ///< At least one.
  std::vector<std::string> prefixes = {};    ///< As those of a token; none: all keys. Not with `admin`.
};

/// Names of roles, users and tenants have 1 to 64 of the letters a-z, 0-9, '.', '_' and '-', the first of them a-z or 0-9.
struct Role {
  std::string name = {};
  std::string description = {};    ///< UTF-8, at most 1024 bytes; so for users and tenants.
  std::vector<Grant> grants = {};  ///< At most 16, with 64 prefixes in all. None: it lets do nothing.
};

struct User {
  std::string name = {};
  std::string description = {};
  std::vector<std::string> roles = {};  ///< At most 16, which are there. Grants add up.
  /// Reaches only keys of this tenant, and is never an admin. Empty: of none, also where it replaces one who was of one.
  std::string tenant = {};
  bool disabled = false;  ///< No token of his is valid; a `set_user` that does not say it again lets him in.
};

/// 0: no limit. Keys and bytes are those in the tenant's prefix, whoever writes them; a write that would go beyond is refused as a whole
/// (storage_full), one that makes nothing larger never is. Operations and subscribers are counted by each node for itself, over HTTP and
/// for every subscription (overloaded).
struct Quotas {
  std::uint64_t max_keys = 0;
  std::uint64_t max_bytes = 0;  ///< Of keys and values as they are stored: compressed, if they are.
  std::uint64_t max_operations_per_s = 0;
  std::uint64_t max_subscribers = 0;
  friend bool operator==(const Quotas&, const Quotas&) = default;
};

struct TenantUsage {
  std::uint64_t keys = 0;
  std::uint64_t bytes = 0;
  friend bool operator==(const TenantUsage&, const TenantUsage&) = default;
};

struct Tenant {
  std::string name = {};
  std::string description = {};
  /// Its keys begin so; empty: with its name and a slash. No tenant's prefix begins with another one's, and none ever changes.
  std::string prefix = {};
  Quotas quotas = {};
  TenantUsage usage = {};  ///< As lists show it; not looked at by `set`.
};

/// The numbers are part of the promise: never renumber.
enum class AccessKind : std::uint8_t { role = 1, user = 2, tenant = 3 };

using AccessRecord = std::variant<Role, User, Tenant>;

class CONCORD_API Auth {
 public:
  explicit Auth(Store& store) noexcept : store_(&store) {}

  /// Errors: invalid_request (a field of `token`), overloaded (there are 10 000 tokens).
  Result<CreatedToken> create(const NewToken& token, const WriteOptions& options = {});
  /// All, by id; those that expired within the last day too.
  Result<std::vector<TokenInfo>> list(const ReadOptions& options = {});
  /// Errors: not_found.
  Result<void> revoke(std::string_view id, const WriteOptions& options = {});
  /// By the secret itself. Errors: not_found.
  Result<void> revoke_secret(std::string_view secret, const WriteOptions& options = {});

  // Each `set` makes it or replaces all of it. Errors: invalid_request (a field), condition_failed (it names what is not there,
  // or a prefix in use; the message says which), overloaded (there are as many as may be: 1000 roles, 10 000 users, 1000 tenants).
  // Each `remove`: not_found; condition_failed (something still refers to it). Keys of a tenant that is removed stay.
  Result<void> set_role(const Role& role, const WriteOptions& options = {});
  Result<void> set_user(const User& user, const WriteOptions& options = {});
  Result<void> set_tenant(const Tenant& tenant, const WriteOptions& options = {});
  Result<void> remove_role(std::string_view name, const WriteOptions& options = {});
  Result<void> remove_user(std::string_view name, const WriteOptions& options = {});
  Result<void> remove_tenant(std::string_view name, const WriteOptions& options = {});
  /// All, by name.
  Result<std::vector<Role>> roles(const ReadOptions& options = {});
  Result<std::vector<User>> users(const ReadOptions& options = {});
  Result<std::vector<Tenant>> tenants(const ReadOptions& options = {});

 private:
  Store* store_;
};

}  // namespace concord

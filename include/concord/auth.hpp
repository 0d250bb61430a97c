// Tokens: who may do what, and to which keys.
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
};

struct CreatedToken {
  TokenInfo info = {};
  std::string secret = {};  ///< Shown this once.
};

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

 private:
  Store* store_;
};

}  // namespace concord

// A token as the replicated state keeps it, and its bytes in a snapshot.
//
//   token := id:fixed64 hash:32 permissions:u8 created_wall_ms:varint flags:u8 [deadline_ms:varint] [user:bytes] [tenant:bytes]
//            description:bytes count:varint prefix:bytes*
//   flags := 1: deadline_ms follows | 2: is_first | 4: is_revoked, of a first one alone | 8: user follows | 16: tenant follows
//
// Thread rule: immutable once it is in `Tokens`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "acl/rights.hpp"
#include "acl/scope.hpp"
#include "base/ids.hpp"
#include "command/token.hpp"

namespace concord::acl {

using command::Permissions;
using command::SecretHash;
using command::TokenId;

struct Token {
  TokenId id = {};
  SecretHash hash = {};
  Permissions permissions = 0;
  std::uint64_t created_wall_ms = 0;                    ///< by the wall clock of the leader of then; to be shown
  std::optional<base::ClusterTimeMs> deadline_ms = {};  ///< it is good up to here, not including
  bool is_first = false;                                ///< came from the configuration
  bool is_revoked = false;
  std::string description = {};
  Scope scope = {};         ///< what it says itself
  std::string user = {};    ///< whose it is; empty: nobody's
  std::string tenant = {};  ///< its own; empty: none
  /// What it may do, as long as everything else is as it is (acl/registry.hpp); no part of its bytes.
  Rights rights = {};

  [[nodiscard]] bool has_expired(base::ClusterTimeMs now_ms) const noexcept {
    return deadline_ms && now_ms >= *deadline_ms;
  }
  /// Who brings it is let in.
  [[nodiscard]] bool is_valid(base::ClusterTimeMs now_ms) const noexcept {
    return !has_expired(now_ms) && !rights.is_locked();
  }
};

/// The id as people see it: 16 hexadecimal digits.
[[nodiscard]] std::string id_text(TokenId id);
/// None: the text is no id.
[[nodiscard]] std::optional<TokenId> parse_id(std::string_view text) noexcept;

/// Of what `base` lets do (that of its user, or everything), what the token itself says too; its own tenant aside.
[[nodiscard]] Rights limited(Rights base, const Token& token);

[[nodiscard]] std::string encode(const Token& token);
/// None: the bytes do not follow the format.
[[nodiscard]] std::optional<Token> decode(std::string_view bytes);

}  // namespace concord::acl

// What the log says of a token: who may do what, and to which keys. The secret itself is never here, only its SHA-256.
//
// `TokenRecord` views its texts, as a `Transaction` does; room acl keeps tokens.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <concord/auth.hpp>

#include "base/ids.hpp"

namespace concord::command {

/// Drawn when a token is made, never 0, never given to another one.
using TokenId = base::StrongId<struct TokenIdTag>;
using SecretHash = std::array<char, 32>;

/// Of the numbers of `Permission`, as bits; these are bytes of the log.
using Permissions = std::uint8_t;
inline constexpr Permissions all_permissions = 7;

inline constexpr std::size_t max_token_prefixes = 64;
inline constexpr std::size_t max_token_prefix_bytes = 1024;
inline constexpr std::size_t max_token_description_bytes = 1024;
/// Beyond, none is made until some are revoked or have expired.
inline constexpr std::size_t max_tokens = 10'000;

struct TokenRecord {
  TokenId id = {};
  SecretHash hash = {};
  Permissions permissions = 0;
  std::uint32_t expires_in_s = 0;               ///< counted from the entry's time; 0: does not expire
  bool only_as_first = false;                   ///< made only while there is no admin: the token of the configuration
  std::string_view description = {};            ///< UTF-8
  std::vector<std::string_view> prefixes = {};  ///< of the keys it may touch; none: all keys
  std::string_view user = {};                   ///< whose it is; empty: nobody's
  std::string_view tenant = {};                 ///< its own; empty: none
};

}  // namespace concord::command

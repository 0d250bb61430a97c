// Secrets of tokens: `sk_concord_` and 256 random bits as 43 letters of base64url. Kept is only their SHA-256.
//
// Looking a token up by the hash of what was given tells an attacker nothing by its time: whoever could choose hashes would have
// broken SHA-256. A plain hash is enough for 256 random bits; a slow one is for passwords.
//
// Thread rule: any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <concord/error.hpp>

#include "command/token.hpp"

namespace concord::security {

inline constexpr std::string_view secret_prefix = "sk_concord_";
inline constexpr std::size_t max_secret_bytes = 256;

/// From the system's generator. Errors: internal.
[[nodiscard]] Result<std::string> generate_secret();
/// An id that is not 0, likewise.
[[nodiscard]] Result<command::TokenId> generate_id();

/// Whether it may be a token at all: what a configuration gives may be shorter than what is generated.
[[nodiscard]] bool is_well_formed(std::string_view secret) noexcept;

[[nodiscard]] command::SecretHash hash_of(std::string_view secret);
/// Of the token of a configuration: the same on all nodes that have it.
[[nodiscard]] command::TokenId first_id_of(const command::SecretHash& hash);

}  // namespace concord::security

// What the handshake is made of that must not be guessed: nonces, and proofs that somebody knows the cookie without saying it.
// Thread rule: any thread.
#pragma once

#include <array>
#include <string_view>

#include <concord/error.hpp>

namespace concord::transport {

using Nonce = std::array<char, 16>;
using Mac = std::array<char, 32>;

/// From the system's generator. Errors: internal.
[[nodiscard]] Result<Nonce> random_nonce();

/// HMAC-SHA256 with the cookie as key over `label` and `transcript`. The label says who proves: an end can't be made to prove for
/// the other one.
[[nodiscard]] Mac mac_of(std::string_view cookie, std::string_view label, std::string_view transcript);

/// Takes the same time wherever they differ.
[[nodiscard]] bool is_same(const Mac& expected, std::string_view given) noexcept;

}  // namespace concord::transport

// What a token adds to the digest of the state: a sum over all, as that of keys.
#pragma once

#include <cstdint>

#include "acl/token.hpp"
#include "store/hash.hpp"

namespace concord::store {

[[nodiscard]] inline std::uint64_t token_digest(const acl::Token& token) {
  constexpr std::uint64_t seed = 0x9fb21c651e98df25U;
  return hash_bytes(acl::encode(token), seed);
}

}  // namespace concord::store

// What a token, role, user or tenant adds to the digest of the state: a sum over all, as that of keys.
#pragma once

#include <cstdint>

#include "acl/registry.hpp"
#include "store/hash.hpp"

namespace concord::store {

[[nodiscard]] inline std::uint64_t access_digest(const acl::Item& item) {
  constexpr std::uint64_t seed = 0x9fb21c651e98df25U;
  return hash_bytes(acl::encode(item), seed);
}

}  // namespace concord::store

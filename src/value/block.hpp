// A stored form on the heap, counted by references: what a long `Value` that is not the store's own keeps alive.
//
// Made once, filled once by its maker, then shared and never changed. Thread rule: `retain` and `release` on any thread.
#pragma once

#include <cstddef>

#include <concord/value.hpp>

namespace concord::value {

struct Block {
  char* bytes = nullptr;     ///< where `size_bytes` bytes are to be written before anybody shares them
  detail::ValueOwner owner;  ///< holds one reference
};

/// One allocation, head and bytes together.
[[nodiscard]] Block make_block(std::size_t size_bytes);

}  // namespace concord::value

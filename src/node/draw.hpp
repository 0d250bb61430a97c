// Numbers by chance, for ids and seeds: the only ones in this room.
#pragma once

#include <sys/random.h>

#include <chrono>
#include <cstdint>

namespace concord::node {

/// Never 0.
inline std::uint64_t draw() {
  std::uint64_t number = 0;
  do {
    if (::getrandom(&number, sizeof number, 0) != sizeof number) {
      number = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
    }
  } while (number == 0);
  return number;
}

}  // namespace concord::node

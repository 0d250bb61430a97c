// What the system says that this process holds.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <fstream>

namespace bench {

/// Memory of this process that is in the machine's, its share of files included.
inline std::uint64_t resident_bytes() {
  std::uint64_t pages = 0;
  std::uint64_t resident_pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident_pages;
  return resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace bench

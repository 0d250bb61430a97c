// A byte on a disk that is not what was written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/random.hpp"
#include "env/memory_file_system.hpp"

namespace concord::sim {

struct Damage {
  std::string path;
  std::uint64_t offset = 0;
};

/// Changes one byte of what a node keeps. Not in the last record of its log: that can't be told from an unfinished write
/// (docs/ROADMAP.md). Nothing: there is no such byte. Precondition: nobody uses the disk.
std::optional<Damage> flip_byte(env::MemoryFileSystem& disk, base::Random& random);

}  // namespace concord::sim

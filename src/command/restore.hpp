// What the log says of a restore: the data of a backup come in chunks, are kept apart on every replica, and take the place of what is
// there with the commit (store/staging.hpp). `RestoreStep` views its bytes, as a `Transaction` does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/ids.hpp"

namespace concord::command {

/// Drawn by whoever restores, never 0.
using RestoreId = base::StrongId<struct RestoreIdTag>;

inline constexpr std::size_t max_restore_prefixes = 64;
inline constexpr std::size_t max_restore_prefix_bytes = 1024;
/// Without a step for so long, in cluster time, what was staged is dropped: whoever restored has gone.
inline constexpr std::uint64_t restore_idle_ms = 60'000;

struct RestoreStep {
  RestoreId id = {};
  // begin
  std::int64_t wall_offset_ms = 0;  ///< of the state that was backed up: its deadlines are cluster time of then
  bool with_tokens = false;         ///< tokens that are not there are added
  std::vector<std::string_view> prefixes = {};  ///< only keys that begin so are replaced; none: all
  // chunk
  std::uint64_t number = 0;     ///< from 0, one more each
  std::string_view items = {};  ///< entries and tokens, as blocks of snapshots have them (store/snapshot.hpp)
  // commit
  std::uint64_t chunks = 0;  ///< how many there were
  std::uint32_t crc = 0;     ///< CRC-32C over the items of all of them
};

}  // namespace concord::command

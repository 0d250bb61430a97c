// What a backup says of itself: the JSON text that stands in front of its data (backup_file.hpp).
//
//   {"id":"<16 hex>","created_at_ms":n,"cluster":"...","cluster_id":"<16 hex>","node":"...","version":"...","revision":n,
//    "entry_count":n,"tokens":n,"cluster_time_ms":n,"wall_offset_ms":n}
//
// `created_at_ms` is the wall clock of the node that made it, in ms since 1970. Deadlines in the data are in cluster time; `wall_offset_ms`
// is what the wall clock had on top of it. Members that a reader does not know are passed over, so that later versions may add some.
// Thread rule: pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <concord/error.hpp>
#include <concord/revision.hpp>

#include "base/ids.hpp"

namespace concord::backup {

struct Manifest {
  std::string id = {};
  std::int64_t created_at_ms = 0;
  std::string cluster = {};
  std::string cluster_id = {};
  std::string node = {};
  std::string version = {};
  Revision revision = {};
  std::uint64_t entry_count = 0;
  std::uint64_t tokens = 0;
  base::ClusterTimeMs cluster_time_ms = 0;
  std::int64_t wall_offset_ms = 0;
};

[[nodiscard]] std::string encode(const Manifest& manifest);
/// Errors: invalid_backup.
[[nodiscard]] Result<Manifest> decode_manifest(std::string_view text);

/// Two hexadecimal digits for each byte.
[[nodiscard]] std::string hex_of(std::string_view bytes);
/// 16 hexadecimal digits.
[[nodiscard]] std::string hex_id(std::uint64_t id);

}  // namespace concord::backup

#include "sim/damage.hpp"

#include <string_view>
#include <utility>
#include <vector>

#include "log/record.hpp"

namespace concord::sim {

namespace {

/// What of a segment lies before its last record; 0: it is no segment.
std::uint64_t settled_bytes(std::string_view segment) {
  std::uint32_t crc = 0;
  std::string why;
  const auto header = log::decode_segment_header(segment, crc, why);
  if (!header) return 0;
  std::uint64_t last = 0;
  for (std::uint64_t offset = log::first_record_offset;;) {
    const auto record = log::read_record(segment, offset, *header);
    if (!record) return last;
    last = offset;
    offset += record->size_on_disk;
  }
}

}  // namespace

std::optional<Damage> flip_byte(env::MemoryFileSystem& disk, base::Random& random) {
  std::vector<std::pair<std::string, std::uint64_t>> places;  // and how much of them
  for (const std::string& path : disk.paths()) {
    if (path == "/data/identity" || path.ends_with(".snap")) places.emplace_back(path, disk.contents(path).size());
    if (path.ends_with(".log")) places.emplace_back(path, settled_bytes(disk.contents(path)));
  }
  std::erase_if(places, [](const auto& place) { return place.second == 0; });
  if (places.empty()) return std::nullopt;
  const auto& [path, size_bytes] = places[random.below(places.size())];
  const Damage damage{.path = path, .offset = random.below(size_bytes)};
  std::string bytes = disk.contents(path);
  bytes[damage.offset] = static_cast<char>(bytes[damage.offset] ^ static_cast<char>(1 + random.below(255)));
  disk.set_contents(path, std::move(bytes));
  return damage;
}

}  // namespace concord::sim

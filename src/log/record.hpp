// The bytes of a log segment, apart from any file. docs/FORMATS.md shows them with an example.
//
//   segment  := header zeros-to-128 record* (zeros | what an earlier life of the file left)
//   header   := magic:8 "CNCRDLOG" format:u32(=1|2) recycled:u32 segment_id:u64 size_bytes:u64 salt:u64
//               first_index:u64 term:u64 vote:u64 commit:u64 crc:u32               (hard state as of the segment's begin)
//               Format 2 begins the log anew: it is behind a snapshot, and segments before it do not count. Only such a segment
//               has it, so a program that would read on from the segment before refuses it by its format.
//   record   := crc:u32 size:u32 segment_id:u64 offset:u32 previous:u32 synced:u32 zero:u32 payload zeros-to-8
//               `size` is that of the payload; `crc` covers salt and everything behind itself up to the end of the payload;
//               `offset` is the record's own place in the segment, `previous` the crc of the record before it (of the header
//               for the first), `synced` the offset up to which the segment was known to be durable when it was written
//   payload  := 1 first_index:varint count:varint entry* has_hard_state:u8(0|1) [term:varint vote:varint commit:varint]
//             | 2                          the segment is complete; the next one goes on
//             | 3                          the log was closed in good order
//             | 4 boot_id:u64              the log was opened; `boot_id` tells runs of the machine apart
//             | 5                          behind 2: the next segment exists, durably (missing in logs of older versions)
//   entry    := type:u8 term:varint data:bytes
//
// One batch of raft (entries and hard state) is one record: it is there as a whole or not at all. Entry i of a later batch
// replaces every entry from i on of earlier ones. A record says where it belongs (segment, offset, predecessor), so one that
// was misplaced by the disk, or is left from an earlier life of the file, is told from a good one (reliability 56).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/log_entry.hpp"

namespace concord::log {

inline constexpr std::uint32_t segment_format = 1;
inline constexpr std::uint32_t restart_segment_format = 2;
inline constexpr std::size_t segment_header_bytes = 76;
inline constexpr std::size_t first_record_offset = 128;
inline constexpr std::size_t record_header_bytes = 32;

enum class RecordKind : std::uint8_t { batch = 1, end_of_segment = 2, closed = 3, opened = 4, followed = 5 };

struct SegmentHeader {
  bool restarts = false;  ///< the log begins here, whatever segments stand before
  bool recycled = false;
  std::uint64_t segment_id = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t salt = 0;
  base::Index first_index;  ///< what the next appended entry's index is, unless it replaces
  base::HardState hard_state;
};

/// `crc` receives the chain's first link.
[[nodiscard]] std::string encode_segment_header(const SegmentHeader& header, std::uint32_t& crc);
/// Nothing when the bytes are no header of this format; `why` says what is wrong.
[[nodiscard]] std::optional<SegmentHeader> decode_segment_header(std::string_view bytes, std::uint32_t& crc,
                                                                 std::string& why);

/// A record's place.
struct RecordPlace {
  std::uint64_t segment_id = 0;
  std::uint64_t salt = 0;
  std::uint32_t offset = 0;
  std::uint32_t previous = 0;
  std::uint32_t synced = 0;
};

/// Appends a whole record and returns its crc. `to` is a run of records: its size must be a multiple of 8 before and is after.
std::uint32_t append_batch(std::string& to, const RecordPlace& place, std::span<const base::EntryView> entries,
                           const std::optional<base::HardState>& hard_state);
std::uint32_t append_mark(std::string& to, const RecordPlace& place, RecordKind kind, std::uint64_t boot_id = 0);
/// An upper bound of what `append_batch` appends.
[[nodiscard]] std::uint64_t batch_size_bound(std::span<const base::EntryView> entries) noexcept;

struct Record {
  std::uint32_t crc = 0;
  std::uint32_t previous = 0;
  std::uint32_t synced = 0;
  std::uint32_t size_on_disk = 0;  ///< header, payload and padding
  std::string_view payload;
};

/// The record at `offset` of a segment's bytes, if it is whole and belongs there. Says nothing about its predecessor.
[[nodiscard]] std::optional<Record> read_record(std::string_view segment, std::uint64_t offset,
                                                const SegmentHeader& header);

/// Walks the entries of a batch.
class BatchReader {
 public:
  /// Precondition: `payload` begins with RecordKind::batch.
  explicit BatchReader(std::string_view payload);
  [[nodiscard]] bool next(base::EntryView& entry);
  /// After `next` returned false. False: the payload is not a batch by the grammar.
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] const std::optional<base::HardState>& hard_state() const noexcept { return hard_state_; }

 private:
  std::string_view payload_;
  std::size_t at_ = 0;
  std::uint64_t index_ = 0;
  std::uint64_t left_ = 0;
  bool ok_ = true;
  std::optional<base::HardState> hard_state_;
};

}  // namespace concord::log

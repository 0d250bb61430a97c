#include "log/record.hpp"

#include <cstring>

#include "base/check.hpp"
#include "base/crc32c.hpp"
#include "base/mutant.hpp"
#include "base/wire.hpp"
#include "base/wire_writing.hpp"

namespace concord::log {

using base::EntryType;
using base::EntryView;
using base::HardState;
using base::Index;
using base::NodeId;
using base::Term;

namespace {

constexpr std::string_view magic = "CNCRDLOG";

std::uint32_t salted_crc(std::uint64_t salt, std::string_view bytes) noexcept {
  char salt_bytes[sizeof salt];
  std::memcpy(salt_bytes, &salt, sizeof salt);
  return base::crc32c_extend(base::crc32c({salt_bytes, sizeof salt}), bytes);
}

void put32(char* at, std::uint32_t value) noexcept { std::memcpy(at, &value, sizeof value); }
void put64(char* at, std::uint64_t value) noexcept { std::memcpy(at, &value, sizeof value); }
std::uint32_t get32(const char* at) noexcept {
  std::uint32_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}
std::uint64_t get64(const char* at) noexcept {
  std::uint64_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}

/// Between `start`, where the header goes, and `end` stands a payload. Returns the end with its padding.
char* finish_record(char* start, char* end, std::size_t before, const RecordPlace& place, std::uint32_t& crc) {
  const auto size = static_cast<std::size_t>(end - start) - record_header_bytes;
  put32(start + 4, static_cast<std::uint32_t>(size));
  put64(start + 8, place.segment_id);
  put32(start + 16, place.offset);
  put32(start + 20, place.previous);
  put32(start + 24, place.synced);
  put32(start + 28, 0);
  crc = salted_crc(place.salt, {start + 4, record_header_bytes - 4 + size});
  put32(start, crc);
  for (std::size_t padding = (8 - (before + record_header_bytes + size) % 8) % 8; padding > 0; --padding) *end++ = '\0';
  return end;
}

/// `write_payload(char*) -> char*` writes at most `most_bytes`, header and padding counted.
template <class WritePayload>
std::uint32_t append_record(std::string& to, const RecordPlace& place, std::size_t most_bytes,
                            WritePayload write_payload) {
  CONCORD_CHECK(most_bytes <= 0xffff'ffffU, "a record's payload has 32 bits of size");
  std::uint32_t crc = 0;
  const std::size_t before = to.size();
  base::append_at_most(to, most_bytes, [&](char* start) {
    return finish_record(start, write_payload(start + record_header_bytes), before, place, crc);
  });
  return crc;
}

}  // namespace

std::string encode_segment_header(const SegmentHeader& header, std::uint32_t& crc) {
  std::string bytes(magic);
  base::append_fixed32(bytes, header.restarts ? restart_segment_format : segment_format);
  base::append_fixed32(bytes, header.recycled ? 1 : 0);
  base::append_fixed64(bytes, header.segment_id);
  base::append_fixed64(bytes, header.size_bytes);
  base::append_fixed64(bytes, header.salt);
  base::append_fixed64(bytes, header.first_index.value());
  base::append_fixed64(bytes, header.hard_state.term.value());
  base::append_fixed64(bytes, header.hard_state.vote.value());
  base::append_fixed64(bytes, header.hard_state.commit.value());
  crc = base::crc32c(bytes);
  base::append_fixed32(bytes, crc);
  CONCORD_CHECK(bytes.size() == segment_header_bytes, "the header has its documented size");
  bytes.resize(first_record_offset, '\0');
  return bytes;
}

std::optional<SegmentHeader> decode_segment_header(std::string_view bytes, std::uint32_t& crc, std::string& why) {
  if (bytes.size() < first_record_offset) {
    why = "the file is shorter than a segment's header";
    return std::nullopt;
  }
  if (bytes.substr(0, magic.size()) != magic) {
    why = "not a log segment of Concord";
    return std::nullopt;
  }
  base::Reader reader(bytes.substr(magic.size(), segment_header_bytes - magic.size()));
  const std::uint32_t format = reader.fixed32();
  if (format != segment_format && format != restart_segment_format) {
    why = "format " + std::to_string(format) + " is not known to this version (it knows " +
          std::to_string(segment_format) + " and " + std::to_string(restart_segment_format) + ")";
    return std::nullopt;
  }
  SegmentHeader header;
  header.restarts = format == restart_segment_format;
  header.recycled = reader.fixed32() != 0;
  header.segment_id = reader.fixed64();
  header.size_bytes = reader.fixed64();
  header.salt = reader.fixed64();
  header.first_index = Index(reader.fixed64());
  header.hard_state = {
      .term = Term(reader.fixed64()), .vote = NodeId(reader.fixed64()), .commit = Index(reader.fixed64())};
  crc = reader.fixed32();
  if (crc != base::crc32c(bytes.substr(0, segment_header_bytes - 4))) {
    why = "the header's checksum is wrong";
    return std::nullopt;
  }
  return header;
}

std::uint32_t append_batch(std::string& to, const RecordPlace& place, std::span<const EntryView> entries,
                           const std::optional<HardState>& hard_state) {
  return append_record(to, place, static_cast<std::size_t>(batch_size_bound(entries)), [&](char* at) {
    *at++ = static_cast<char>(RecordKind::batch);
    at = base::write_varint(at, entries.empty() ? 0 : entries.front().index.value());
    at = base::write_varint(at, entries.size());
    for (const EntryView& entry : entries) {
      *at++ = static_cast<char>(entry.type);
      at = base::write_varint(at, entry.term.value());
      at = base::write_bytes(at, entry.data);
    }
    *at++ = hard_state ? '\1' : '\0';
    if (!hard_state) return at;
    at = base::write_varint(at, hard_state->term.value());
    at = base::write_varint(at, hard_state->vote.value());
    return base::write_varint(at, hard_state->commit.value());
  });
}

std::uint32_t append_mark(std::string& to, const RecordPlace& place, RecordKind kind, std::uint64_t boot_id) {
  constexpr std::size_t most_bytes = record_header_bytes + 1 + sizeof boot_id + 7;
  return append_record(to, place, most_bytes, [kind, boot_id](char* at) {
    *at++ = static_cast<char>(kind);
    if (kind != RecordKind::opened) return at;
    put64(at, boot_id);
    return at + sizeof boot_id;
  });
}

std::uint64_t batch_size_bound(std::span<const EntryView> entries) noexcept {
  std::uint64_t size = record_header_bytes + 1 + 5 * base::max_varint_bytes + 1 + 7;
  for (const EntryView& entry : entries) size += 1 + 2 * base::max_varint_bytes + entry.data.size();
  return size;
}

std::optional<Record> read_record(std::string_view segment, std::uint64_t offset, const SegmentHeader& header) {
  if (offset + record_header_bytes > segment.size()) return std::nullopt;
  const char* at = segment.data() + offset;
  // The cheap looks first: a search for records calls this at every eighth byte.
  const bool is_of_this_place = get64(at + 8) == header.segment_id && get32(at + 16) == offset;
  if (!is_of_this_place && !CONCORD_MUTANT("a-write-at-the-wrong-place-is-taken")) return std::nullopt;
  Record record{
      .crc = get32(at), .previous = get32(at + 20), .synced = get32(at + 24), .size_on_disk = 0, .payload = {}};
  const std::uint64_t size = get32(at + 4);
  if (size == 0 || offset + record_header_bytes + size > segment.size()) return std::nullopt;
  const bool is_right =
      record.crc == salted_crc(header.salt, {at + 4, record_header_bytes - 4 + static_cast<std::size_t>(size)});
  if (!is_right && !CONCORD_MUTANT("a-flipped-bit-of-the-log-is-taken")) return std::nullopt;
  record.payload =
      segment.substr(static_cast<std::size_t>(offset) + record_header_bytes, static_cast<std::size_t>(size));
  record.size_on_disk = static_cast<std::uint32_t>((record_header_bytes + size + 7) / 8 * 8);
  return record;
}

BatchReader::BatchReader(std::string_view payload) : payload_(payload) {
  base::Reader reader(payload_.substr(1));
  index_ = reader.varint();
  left_ = reader.varint();
  ok_ = reader.ok() && (left_ == 0 || index_ > 0);
  at_ = 1 + reader.offset();
}

bool BatchReader::next(EntryView& entry) {
  if (!ok_) return false;
  base::Reader reader(payload_.substr(at_));
  if (left_ > 0) {
    const std::uint8_t type = reader.byte();
    entry.type = static_cast<EntryType>(type);
    entry.term = Term(reader.varint());
    entry.data = reader.bytes();
    entry.index = Index(index_++);
    --left_;
    ok_ = reader.ok() && type <= static_cast<std::uint8_t>(EntryType::conf_change_v2);
    at_ += reader.offset();
    return ok_;
  }
  if (at_ == payload_.size() + 1) return false;  // asked again at the end
  const std::uint8_t has_hard_state = reader.byte();
  if (has_hard_state == 1) {
    hard_state_ =
        HardState{.term = Term(reader.varint()), .vote = NodeId(reader.varint()), .commit = Index(reader.varint())};
  }
  ok_ = has_hard_state <= 1 && reader.finished();
  at_ = payload_.size() + 1;
  return false;
}

}  // namespace concord::log

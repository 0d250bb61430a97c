#include "store/staging.hpp"

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

#include "base/crc32c.hpp"
#include "base/wire.hpp"
#include "command/limits.hpp"
#include "store/access_digest.hpp"
#include "store/hash.hpp"
#include "store/snapshot_items.hpp"

namespace concord::store {

using base::ClusterTimeMs;
using command::RestoreStep;

namespace {

/// As many as may be there.
constexpr std::size_t most_staged_access = command::max_tokens + acl::max_roles + acl::max_users + acl::max_tenants;

/// None: it has passed. One that no key can have, because wall clocks stood far apart, is the latest there is.
std::optional<ClusterTimeMs> shifted(ClusterTimeMs deadline_ms, std::int64_t shift_ms, ClusterTimeMs now_ms) {
  constexpr ClusterTimeMs most_ms = std::numeric_limits<std::int64_t>::max();
  std::int64_t moved_ms = 0;
  const auto old_ms = static_cast<std::int64_t>(std::min(deadline_ms, most_ms));
  if (__builtin_add_overflow(old_ms, shift_ms, &moved_ms)) {
    moved_ms = shift_ms < 0 ? 0 : std::numeric_limits<std::int64_t>::max();
  }
  if (moved_ms <= 0 || static_cast<ClusterTimeMs>(moved_ms) <= now_ms) return std::nullopt;
  const ClusterTimeMs latest_ms = now_ms + ClusterTimeMs{command::max_ttl_s} * 1000;
  return std::min(static_cast<ClusterTimeMs>(moved_ms), latest_ms);
}

/// Unlike that of data which are not staged.
std::uint64_t digest_of(std::string_view head, std::uint64_t of_records, const std::vector<acl::Item>& access) {
  constexpr std::uint64_t seed = 0x73746167696e6731U;
  std::uint64_t sum = hash_bytes(head, seed) + 3 * of_records;
  for (const acl::Item& item : access) sum += 5 * access_digest(item);
  return sum;
}

}  // namespace

Staging::Staging(const RestoreStep& begin, ClusterTimeMs now_ms, std::int64_t wall_offset_ms,
                 std::unique_ptr<KeySpace> keys)
    : id_(begin.id),
      with_tokens_(begin.with_tokens),
      now_ms_(now_ms),
      touched_ms_(now_ms),
      scope_({begin.prefixes.begin(), begin.prefixes.end()}),
      keys_(std::move(keys)) {
  if (__builtin_sub_overflow(begin.wall_offset_ms, wall_offset_ms, &deadline_shift_ms_)) deadline_shift_ms_ = 0;
}

bool Staging::add(const RestoreStep& chunk, ClusterTimeMs now_ms) {
  touched_ms_ = now_ms;
  if (chunk.number != next_number_) return true;
  if (!add_items(chunk.items)) return false;
  crc_ = base::crc32c_extend(crc_, chunk.items);
  ++next_number_;
  keys_->tidy();
  return true;
}

bool Staging::add_items(std::string_view items) {
  const std::size_t before = records_.size();
  const bool is_good = read_items(items);
  keys_->extend(std::span(records_).subspan(before));
  return is_good;
}

/// What they say of access, and the records; the key space has these still to take.
bool Staging::read_items(std::string_view items) {
  base::Reader reader(items);
  SnapshotItem item;
  while (reader.remaining() > 0) {
    if (read_item(reader, item)) return false;
    if (item.is_behind_entries) {
      auto access = acl::decode_item(item.value);
      if (!access) return false;
      if (with_tokens_) add_access(std::move(*access));
      continue;
    }
    if (!records_.empty() && records_.back()->key() >= item.key) return false;
    if (!scope_.covers(item.key)) continue;
    RecordFields fields;
    if (item.fields.deadline_ms) {
      fields.deadline_ms = shifted(*item.fields.deadline_ms, deadline_shift_ms_, now_ms_);
      if (!fields.deadline_ms) continue;
    }
    records_.push_back(Record::create(item.key, item.value, fields));
  }
  return true;
}

void Staging::add_access(acl::Item item) {
  if (access_.size() >= most_staged_access) return;
  const auto* of_backup = std::get_if<acl::TokenPointer>(&item);
  if (of_backup == nullptr) return access_.push_back(std::move(item));
  if ((*of_backup)->is_revoked) return;
  acl::Token token = **of_backup;
  token.is_first = false;
  if (token.deadline_ms) {
    token.deadline_ms = shifted(*token.deadline_ms, deadline_shift_ms_, now_ms_);
    if (!token.deadline_ms) return;
  }
  access_.emplace_back(std::make_shared<const acl::Token>(std::move(token)));
}

std::unique_ptr<KeySpace> Staging::take_keys(Revision revision) {
  keys_->settle(records_, revision);
  records_.clear();
  return std::move(keys_);
}

// ---------------------------------------------------------------------------------------------------------------------
// Snapshots, digest.

std::string Staging::head() const {
  std::string head;
  base::append_fixed64(head, id_.value());
  base::append_varint(head, base::zigzag(deadline_shift_ms_));
  head.push_back(with_tokens_ ? '\1' : '\0');
  base::append_varint(head, now_ms_);
  base::append_varint(head, touched_ms_);
  base::append_varint(head, next_number_);
  base::append_fixed32(head, crc_);
  base::append_varint(head, scope_.prefixes().size());
  for (const std::string& prefix : scope_.prefixes()) base::append_bytes(head, prefix);
  return head;
}

std::unique_ptr<Staging> Staging::load(LoadedStaging loaded, std::unique_ptr<KeySpace> keys) {
  std::unique_ptr<Staging> staging(new Staging);
  base::Reader reader(loaded.head);
  staging->id_ = command::RestoreId(reader.fixed64());
  staging->deadline_shift_ms_ = base::unzigzag(reader.varint());
  const std::uint8_t with_tokens = reader.byte();
  staging->with_tokens_ = with_tokens == 1;
  staging->now_ms_ = reader.varint();
  staging->touched_ms_ = reader.varint();
  staging->next_number_ = reader.varint();
  staging->crc_ = reader.fixed32();
  const std::uint64_t count = reader.varint();
  if (staging->id_.is_zero() || with_tokens > 1 || count > command::max_restore_prefixes) reader.fail();
  std::vector<std::string> prefixes;
  for (std::uint64_t at = 0; at < count && reader.ok(); ++at) prefixes.emplace_back(reader.bytes());
  if (!reader.finished()) return nullptr;
  staging->scope_ = acl::Scope(std::move(prefixes));
  staging->keys_ = std::move(keys);
  staging->records_ = std::move(loaded.records);
  loaded.records.clear();
  staging->keys_->extend(staging->records_);
  staging->keys_->tidy();
  staging->access_ = std::move(loaded.access);
  return staging;
}

StagedImage Staging::image(Epoch& epoch) const {
  return {.view = View(*keys_, epoch),
          .last_key = records_.empty() ? std::string() : std::string(records_.back()->key()),
          .entries = records_.size(),
          .access = access_};
}

std::uint64_t Staging::digest() const { return digest_of(head(), keys_->digest(), access_); }

std::uint64_t staging_digest(const LoadedStaging& loaded) {
  if (loaded.head.empty()) return 0;
  std::uint64_t of_records = 0;
  for (const Record* record : loaded.records) of_records += record->digest();
  return digest_of(loaded.head, of_records, loaded.access);
}

std::uint64_t restore_digest(command::RestoreId restored, Revision at) {
  return restored.is_zero() ? 0 : fold(restored.value() ^ detail::salt2, at.value() ^ detail::salt3);
}

std::uint64_t Staging::memory_bytes() const noexcept {
  return keys_->memory_bytes() + records_.capacity() * sizeof(Record*) + access_.size() * 256;
}

void append_staged_entry(std::string& to, const Record& record) {
  base::append_bytes(to, record.key());
  base::append_bytes(to, record.value());
  base::append_varint(to, record.deadline_ms().value_or(0));
}

}  // namespace concord::store

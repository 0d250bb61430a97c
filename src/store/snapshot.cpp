#include "store/snapshot.hpp"

#include <algorithm>
#include <utility>

#include "base/wire.hpp"
#include "command/limits.hpp"
#include "store/access_digest.hpp"
#include "store/snapshot_items.hpp"

namespace concord::store {
namespace {

constexpr std::uint8_t plain_format = 1;
constexpr std::uint8_t remembering_format = 2;
constexpr std::uint8_t tokens_format = 3;
constexpr std::uint8_t restore_format = 4;
constexpr std::uint8_t records_format = 5;
constexpr std::uint8_t changed_flag = 1;
constexpr std::uint8_t expires_flag = 2;
/// Keys looked at in one section.
constexpr std::size_t slice_keys = 512;

void append_entry(std::string& to, const Record& record) {
  base::append_bytes(to, record.key());
  base::append_bytes(to, record.value());
  base::append_varint(to, record.revision().value());
  const bool is_changed = record.version() > 1;
  const auto deadline_ms = record.deadline_ms();
  to.push_back(static_cast<char>((is_changed ? changed_flag : 0) | (deadline_ms ? expires_flag : 0)));
  if (is_changed) {
    base::append_varint(to, record.create_revision().value());
    base::append_varint(to, record.version());
  }
  if (deadline_ms) base::append_varint(to, *deadline_ms);
}

std::unexpected<Error> damaged(const std::string& what) {
  return fail(Errc::storage_failed, "the snapshot is damaged: " + what);
}

void read_restore(base::Reader& reader, SnapshotMeta& meta) {
  meta.remembered = reader.varint();
  meta.access = reader.varint();
  meta.restored = command::RestoreId(reader.fixed64());
  meta.restored_revision = Revision(reader.varint());
  meta.staging = reader.bytes();
  meta.staged_access = reader.varint();
  meta.staged_entries = reader.varint();
  const bool has_any = !meta.restored.is_zero() || !meta.staging.empty();
  if (!has_any && !meta.has_records) reader.fail();
  if (meta.restored.is_zero() && meta.restored_revision.value() != 0) reader.fail();
  if (meta.staging.empty() && meta.staged_access + meta.staged_entries != 0) reader.fail();
  if (meta.has_records && meta.access + meta.staged_access == 0) reader.fail();
}

}  // namespace

std::string encode_meta(const SnapshotMeta& meta) {
  const bool knows_restores = !meta.restored.is_zero() || !meta.staging.empty();
  const std::uint8_t format = meta.has_records      ? records_format
                              : knows_restores      ? restore_format
                              : meta.access > 0     ? tokens_format
                              : meta.remembered > 0 ? remembering_format
                                                    : plain_format;
  std::string bytes(1, static_cast<char>(format));
  base::append_varint(bytes, meta.index.value());
  base::append_varint(bytes, meta.term.value());
  base::append_varint(bytes, meta.revision.value());
  base::append_varint(bytes, meta.cluster_time_ms);
  base::append_varint(bytes, base::zigzag(meta.wall_offset_ms));
  base::append_fixed64(bytes, meta.digest);
  base::append_varint(bytes, meta.entries);
  if (format != plain_format) base::append_varint(bytes, meta.remembered);
  if (format >= tokens_format) base::append_varint(bytes, meta.access);
  if (format >= restore_format) {
    base::append_fixed64(bytes, meta.restored.value());
    base::append_varint(bytes, meta.restored_revision.value());
    base::append_bytes(bytes, meta.staging);
    base::append_varint(bytes, meta.staged_access);
    base::append_varint(bytes, meta.staged_entries);
  }
  base::append_bytes(bytes, meta.conf_state);
  return bytes;
}

Result<SnapshotMeta> decode_meta(std::string_view bytes) {
  base::Reader reader(bytes);
  const std::uint8_t format = reader.byte();
  if (format < plain_format || format > records_format) {
    return fail(Errc::storage_failed, "the snapshot's description has format " + std::to_string(format) +
                                          ", which is not known to this version (it knows 1 to 5)");
  }
  SnapshotMeta meta;
  meta.index = base::Index(reader.varint());
  meta.term = base::Term(reader.varint());
  meta.revision = Revision(reader.varint());
  meta.cluster_time_ms = reader.varint();
  meta.wall_offset_ms = base::unzigzag(reader.varint());
  meta.digest = reader.fixed64();
  meta.entries = reader.varint();
  if (format == remembering_format) {
    meta.remembered = reader.varint();
    if (meta.remembered == 0) reader.fail();
  }
  if (format == tokens_format) {
    meta.remembered = reader.varint();
    meta.access = reader.varint();
    if (meta.access == 0) reader.fail();
  }
  meta.has_records = format == records_format;
  if (format >= restore_format) read_restore(reader, meta);
  meta.conf_state = reader.bytes();
  if (!reader.finished()) return damaged("its description does not follow the format");
  return meta;
}

bool Snapshot::next_block(std::string& block, std::size_t target_bytes) {
  block.clear();
  add_entries(block, target_bytes);
  for (; next_remembered_ < remembered_.size() && block.size() < target_bytes; ++next_remembered_) {
    block.push_back('\0');
    base::append_bytes(block, remembered_[next_remembered_]->bytes);
  }
  for (; next_access_ < access_.size() && block.size() < target_bytes; ++next_access_) {
    block.push_back('\0');
    base::append_bytes(block, acl::encode(access_[next_access_]));
  }
  if (staged_) add_staged(block, target_bytes);
  return !block.empty();
}

void Snapshot::keep_data_only() {
  meta_.remembered = meta_.staged_access = meta_.staged_entries = 0;
  meta_.staging.clear();
  remembered_.clear();
  staged_.reset();
}

void Snapshot::add_staged(std::string& block, std::size_t target_bytes) {
  const auto& access = staged_->access;
  for (; next_staged_access_ < access.size() && block.size() < target_bytes; ++next_staged_access_) {
    block.push_back('\0');
    base::append_bytes(block, acl::encode(access[next_staged_access_]));
  }
  std::string entry;
  while (!has_all_staged_ && staged_->entries > 0 && block.size() < target_bytes) {
    std::size_t looked_at = 0;
    const std::string from = next_staged_key_;
    staged_->view.visit_from(from, [&](const Record& record) {
      entry.clear();
      append_staged_entry(entry, record);
      block.push_back('\0');
      base::append_bytes(block, entry);
      has_all_staged_ = record.key() == staged_->last_key;
      next_staged_key_.assign(record.key()).push_back('\0');
      return !has_all_staged_ && ++looked_at < slice_keys && block.size() < target_bytes;
    });
  }
}

void Snapshot::add_entries(std::string& block, std::size_t target_bytes) {
  while (!has_all_entries_ && block.size() < target_bytes) {
    std::size_t looked_at = 0;
    std::string last_key;
    bool reached_end = true;
    view_.visit_from(next_key_, [&](const Record& record) {
      append_entry(block, record);
      ++entries_given_;
      last_key = record.key();
      reached_end = ++looked_at < slice_keys && block.size() < target_bytes;
      return reached_end;
    });
    has_all_entries_ = reached_end;
    if (!has_all_entries_) next_key_ = last_key + '\0';
  }
}

LoadedState::~LoadedState() {
  for (Record* record : records) record->release();
  for (Record* record : staging.records) record->release();
}

SnapshotLoader::SnapshotLoader(SnapshotMeta meta) : loaded_(std::make_unique<LoadedState>()) {
  loaded_->records.reserve(std::min<std::uint64_t>(meta.entries, 1U << 24U));
  loaded_->meta = std::move(meta);
}

Result<void> SnapshotLoader::add_block(std::string_view block) {
  base::Reader reader(block);
  auto& records = loaded_->records;
  const SnapshotMeta& meta = loaded_->meta;
  const std::uint64_t behind_entries = meta.remembered + meta.access + meta.staged_access + meta.staged_entries;
  SnapshotItem item;
  while (reader.remaining() > 0) {
    if (const auto problem = read_item(reader, item)) return damaged(*problem);
    if (item.is_behind_entries) {
      if (behind_entries == 0) return damaged("a key of 0 bytes");
      if (auto added = add_behind_entries(item.value); !added) return added;
      continue;
    }
    if (item.fields.revision > meta.revision) return damaged("an entry is newer than the snapshot");
    const bool has_others = !loaded_->remembered.is_empty() || loaded_->registry.count() > 0 ||
                            !loaded_->staging.access.empty() || !loaded_->staging.records.empty();
    if (has_others) return damaged("an entry behind the remembered answers or the tokens");
    if (!records.empty() && records.back()->key() >= item.key) return damaged("keys are out of order");
    records.push_back(Record::create(item.key, item.value, item.fields));
    digest_ += records.back()->digest();
  }
  return {};
}

Result<void> SnapshotLoader::add_behind_entries(std::string_view bytes) {
  const SnapshotMeta& meta = loaded_->meta;
  if (loaded_->remembered.count() < meta.remembered) return add_remembered(bytes);
  if (loaded_->registry.count() < meta.access) return add_access(bytes);
  return loaded_->staging.access.size() < meta.staged_access ? add_staged_access(bytes) : add_staged_entry(bytes);
}

Result<void> SnapshotLoader::add_access(std::string_view bytes) {
  auto item = acl::decode_item(bytes);
  const std::string which = "token, role, user or tenant " + std::to_string(loaded_->registry.count());
  const bool is_sound = item && (!last_access_ || acl::comes_before(*last_access_, *item)) &&
                        (loaded_->meta.has_records || std::holds_alternative<acl::TokenPointer>(*item));
  if (!is_sound) return damaged(which + " does not follow the format");
  digest_ += access_digest(*item);
  if (!loaded_->registry.add(*item)) return damaged(which + " is there twice");
  last_access_ = std::move(item);
  return {};
}

Result<void> SnapshotLoader::add_remembered(std::string_view bytes) {
  Remembered& remembered = loaded_->remembered;
  if (!remembered.load(bytes, loaded_->meta.cluster_time_ms)) {
    return damaged("remembered answer " + std::to_string(remembered.count()) + " does not follow the format");
  }
  return {};
}

Result<void> SnapshotLoader::add_staged_access(std::string_view bytes) {
  auto item = acl::decode_item(bytes);
  if (!item) return damaged("a staged token, role, user or tenant does not follow the format");
  loaded_->staging.access.push_back(std::move(*item));
  return {};
}

Result<void> SnapshotLoader::add_staged_entry(std::string_view bytes) {
  auto& records = loaded_->staging.records;
  base::Reader reader(bytes);
  const std::string_view key = reader.bytes();
  const std::string_view value = reader.bytes();
  const base::ClusterTimeMs deadline_ms = reader.varint();
  const bool is_sound = reader.finished() && !key.empty() && key.size() <= command::max_key_bytes && !value.empty();
  if (!is_sound) return damaged("a staged entry does not follow the format");
  if (!records.empty() && records.back()->key() >= key) return damaged("staged keys are out of order");
  RecordFields fields;
  if (deadline_ms != 0) fields.deadline_ms = deadline_ms;
  records.push_back(Record::create(key, value, fields));
  return {};
}

Result<void> SnapshotLoader::check_counts() const {
  const SnapshotMeta& meta = loaded_->meta;
  const auto check = [](std::uint64_t has, std::uint64_t should, const char* what) -> Result<void> {
    if (has == should) return {};
    return damaged(std::to_string(has) + " " + what + " instead of " + std::to_string(should));
  };
  if (auto done = check(loaded_->records.size(), meta.entries, "entries"); !done) return done;
  if (auto done = check(loaded_->remembered.count(), meta.remembered, "remembered answers"); !done) return done;
  if (auto done = check(loaded_->registry.count(), meta.access, "tokens, roles, users and tenants"); !done) return done;
  if (auto done = check(loaded_->staging.access.size(), meta.staged_access, "staged ones"); !done) return done;
  return check(loaded_->staging.records.size(), meta.staged_entries, "staged entries");
}

Result<std::unique_ptr<LoadedState>> SnapshotLoader::finish() {
  const SnapshotMeta& meta = loaded_->meta;
  if (auto complete = check_counts(); !complete) return std::unexpected(std::move(complete.error()));
  loaded_->staging.head = meta.staging;
  const std::uint64_t restore =
      restore_digest(meta.restored, meta.restored_revision) + staging_digest(loaded_->staging);
  if (digest_ + loaded_->remembered.digest() + restore != meta.digest) {
    return damaged("the digest of the whole is wrong");
  }
  loaded_->registry.settle();
  return std::move(loaded_);
}

}  // namespace concord::store

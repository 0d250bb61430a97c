#include "store/snapshot.hpp"

#include <algorithm>
#include <utility>

#include "base/wire.hpp"
#include "compress/packed.hpp"
#include "store/token_digest.hpp"

namespace concord::store {
namespace {

constexpr std::uint8_t plain_format = 1;
constexpr std::uint8_t remembering_format = 2;
constexpr std::uint8_t tokens_format = 3;
constexpr std::uint8_t changed_flag = 1;
constexpr std::uint8_t expires_flag = 2;
/// Keys looked at in one section.
constexpr std::size_t slice_keys = 512;
constexpr std::size_t max_key_bytes = 1024;

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

bool has_known_type(std::string_view value) {
  return !value.empty() && (value.front() == static_cast<char>(Value::json_tag) ||
                            value.front() == static_cast<char>(Value::bytes_tag) || compress::is_packed(value));
}

std::unexpected<Error> damaged(const std::string& what) {
  return fail(Errc::storage_failed, "the snapshot is damaged: " + what);
}

}  // namespace

std::string encode_meta(const SnapshotMeta& meta) {
  const std::uint8_t format = meta.tokens > 0 ? tokens_format : meta.remembered > 0 ? remembering_format : plain_format;
  std::string bytes(1, static_cast<char>(format));
  base::append_varint(bytes, meta.index.value());
  base::append_varint(bytes, meta.term.value());
  base::append_varint(bytes, meta.revision.value());
  base::append_varint(bytes, meta.cluster_time_ms);
  base::append_varint(bytes, base::zigzag(meta.wall_offset_ms));
  base::append_fixed64(bytes, meta.digest);
  base::append_varint(bytes, meta.entries);
  if (format != plain_format) base::append_varint(bytes, meta.remembered);
  if (format == tokens_format) base::append_varint(bytes, meta.tokens);
  base::append_bytes(bytes, meta.conf_state);
  return bytes;
}

Result<SnapshotMeta> decode_meta(std::string_view bytes) {
  base::Reader reader(bytes);
  const std::uint8_t format = reader.byte();
  if (format < plain_format || format > tokens_format) {
    return fail(Errc::storage_failed, "the snapshot's description has format " + std::to_string(format) +
                                          ", which is not known to this version (it knows 1 to 3)");
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
    meta.tokens = reader.varint();
    if (meta.tokens == 0) reader.fail();
  }
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
  for (; next_token_ < tokens_.size() && block.size() < target_bytes; ++next_token_) {
    block.push_back('\0');
    base::append_bytes(block, acl::encode(*tokens_[next_token_]));
  }
  return !block.empty();
}

void Snapshot::add_entries(std::string& block, std::size_t target_bytes) {
  while (!has_all_entries_ && block.size() < target_bytes) {
    std::size_t looked_at = 0;
    std::string last_key;
    bool reached_end = true;
    view_.visit_from(next_key_, [&](const Record& record) {
      append_entry(block, record);
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
}

SnapshotLoader::SnapshotLoader(SnapshotMeta meta) : loaded_(std::make_unique<LoadedState>()) {
  loaded_->records.reserve(std::min<std::uint64_t>(meta.entries, 1U << 24U));
  loaded_->meta = std::move(meta);
}

Result<void> SnapshotLoader::add_block(std::string_view block) {
  base::Reader reader(block);
  auto& records = loaded_->records;
  while (reader.remaining() > 0) {
    const std::string_view key = reader.bytes();
    const std::string_view value = reader.bytes();
    if (key.empty() && reader.ok() && loaded_->meta.remembered + loaded_->meta.tokens > 0) {
      if (auto added = add_behind_entries(value); !added) return added;
      continue;
    }
    RecordFields fields{.revision = Revision(reader.varint()), .create_revision = {}, .version = 1, .deadline_ms = {}};
    fields.create_revision = fields.revision;
    const std::uint8_t flags = reader.byte();
    if ((flags & changed_flag) != 0) {
      fields.create_revision = Revision(reader.varint());
      fields.version = reader.varint();
    }
    if ((flags & expires_flag) != 0) fields.deadline_ms = reader.varint();
    if (!reader.ok() || flags > (changed_flag | expires_flag)) return damaged("an entry does not follow the format");
    if (key.empty() || key.size() > max_key_bytes) return damaged("a key of " + std::to_string(key.size()) + " bytes");
    if (!has_known_type(value)) return damaged("a value without a type that is known");
    if (fields.revision > loaded_->meta.revision) return damaged("an entry is newer than the snapshot");
    if (fields.create_revision > fields.revision) return damaged("an entry is newer than its last change");
    const bool says_changed = (flags & changed_flag) != 0;
    if (says_changed != (fields.version > 1)) return damaged("an entry of version " + std::to_string(fields.version));
    if (!loaded_->remembered.is_empty() || loaded_->tokens.count() > 0) {
      return damaged("an entry behind the remembered answers or the tokens");
    }
    if (!records.empty() && records.back()->key() >= key) return damaged("keys are out of order");
    records.push_back(Record::create(key, value, fields));
    digest_ += records.back()->digest();
  }
  return {};
}

Result<void> SnapshotLoader::add_behind_entries(std::string_view bytes) {
  return loaded_->remembered.count() < loaded_->meta.remembered ? add_remembered(bytes) : add_token(bytes);
}

Result<void> SnapshotLoader::add_token(std::string_view bytes) {
  auto token = acl::decode(bytes);
  const std::string which = "token " + std::to_string(loaded_->tokens.count());
  if (!token || token->id <= last_token_) return damaged(which + " does not follow the format");
  last_token_ = token->id;
  digest_ += token_digest(*token);
  if (!loaded_->tokens.add(std::make_shared<const acl::Token>(std::move(*token))))
    return damaged(which + " is there twice");
  return {};
}

Result<void> SnapshotLoader::add_remembered(std::string_view bytes) {
  Remembered& remembered = loaded_->remembered;
  if (!remembered.load(bytes, loaded_->meta.cluster_time_ms)) {
    return damaged("remembered answer " + std::to_string(remembered.count()) + " does not follow the format");
  }
  return {};
}

Result<std::unique_ptr<LoadedState>> SnapshotLoader::finish() {
  const SnapshotMeta& meta = loaded_->meta;
  if (loaded_->records.size() != meta.entries) {
    return damaged(std::to_string(loaded_->records.size()) + " entries instead of " + std::to_string(meta.entries));
  }
  const std::uint64_t remembered = loaded_->remembered.count();
  if (remembered != meta.remembered) {
    return damaged(std::to_string(remembered) + " remembered answers instead of " + std::to_string(meta.remembered));
  }
  if (loaded_->tokens.count() != meta.tokens) {
    return damaged(std::to_string(loaded_->tokens.count()) + " tokens instead of " + std::to_string(meta.tokens));
  }
  if (digest_ + loaded_->remembered.digest() != meta.digest) return damaged("the digest of the whole is wrong");
  return std::move(loaded_);
}

}  // namespace concord::store

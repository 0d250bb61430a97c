#include "store/snapshot_items.hpp"

#include "command/limits.hpp"
#include "compress/packed.hpp"

namespace concord::store {
namespace {

constexpr std::uint8_t changed_flag = 1;
constexpr std::uint8_t expires_flag = 2;

bool has_known_type(std::string_view value) {
  return !value.empty() && (value.front() == static_cast<char>(Value::json_tag) ||
                            value.front() == static_cast<char>(Value::bytes_tag) || compress::is_packed(value));
}

}  // namespace

std::optional<std::string> read_item(base::Reader& reader, SnapshotItem& item) {
  item.key = reader.bytes();
  item.value = reader.bytes();
  item.is_behind_entries = item.key.empty() && reader.ok();
  if (item.is_behind_entries) return std::nullopt;
  RecordFields& fields = item.fields;
  fields = {.create_revision = {}, .revision = Revision(reader.varint()), .version = 1, .deadline_ms = {}};
  fields.create_revision = fields.revision;
  const std::uint8_t flags = reader.byte();
  if ((flags & changed_flag) != 0) {
    fields.create_revision = Revision(reader.varint());
    fields.version = reader.varint();
  }
  if ((flags & expires_flag) != 0) fields.deadline_ms = reader.varint();
  if (!reader.ok() || flags > (changed_flag | expires_flag)) return "an entry does not follow the format";
  if (item.key.size() > command::max_key_bytes) return "a key of " + std::to_string(item.key.size()) + " bytes";
  if (!has_known_type(item.value)) return "a value without a type that is known";
  if (fields.create_revision > fields.revision) return "an entry is newer than its last change";
  const bool says_changed = (flags & changed_flag) != 0;
  if (says_changed != (fields.version > 1)) return "an entry of version " + std::to_string(fields.version);
  return std::nullopt;
}

}  // namespace concord::store

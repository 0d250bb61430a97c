#include "backup/backup_file.hpp"

#include <optional>
#include <utility>

#include "base/wire.hpp"
#include "compress/packed.hpp"
#include "store/snapshot_items.hpp"
#include "value/json.hpp"

namespace concord::backup {
namespace {

constexpr log::BlockFileKind kind{.magic = "CNCRDBKP",
                                  .format = 1,
                                  .name = "backup",
                                  .damage = Errc::invalid_backup,
                                  .mode = env::OpenMode::create_private};
constexpr std::size_t block_bytes = 256U << 10U;

std::string name_in(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

/// What is wrong with a stored form; none: nothing.
std::optional<std::string> problem_of_value(std::string_view stored, std::uint64_t limit_bytes) {
  const auto too_large = [&](std::uint64_t size_bytes) {
    return "a value of " + std::to_string(size_bytes) + " bytes, the limit is " + std::to_string(limit_bytes);
  };
  if (compress::is_packed(stored)) {
    const auto head = compress::read_head(stored);
    if (!head) return "a packed value that can't be read";
    if (head->original_size_bytes > limit_bytes) return too_large(head->original_size_bytes);
    return std::nullopt;
  }
  const std::string_view value = stored.substr(1);
  if (value.size() > limit_bytes) return too_large(value.size());
  if (stored.front() == static_cast<char>(Value::json_tag) && !Value::parse_json(value))
    return "a value that is no JSON";
  return std::nullopt;
}

}  // namespace

BackupInfo info_of(const std::string& path, const Manifest& manifest, std::uint64_t size_bytes) {
  return {.name = name_in(path),
          .path = path,
          .size_bytes = size_bytes,
          .entry_count = manifest.entry_count,
          .revision = manifest.revision,
          .created_at = std::chrono::system_clock::time_point(std::chrono::milliseconds(manifest.created_at_ms)),
          .id = manifest.id,
          .cluster = manifest.cluster,
          .node = manifest.node,
          .version = manifest.version};
}

Result<std::unique_ptr<Reader>> Reader::open(env::FileSystem& files, const std::string& path) {
  auto file = log::BlockFileReader::open(files, path, kind);
  if (!file) return std::unexpected(std::move(file.error()));
  auto manifest = decode_manifest((*file)->meta());
  if (!manifest) return fail(manifest.error().code(), path + ": " + manifest.error().message());
  return std::unique_ptr<Reader>(new Reader(path, std::move(*file), std::move(*manifest)));
}

std::unexpected<Error> Reader::damaged(const std::string& what) const {
  return fail(Errc::invalid_backup, path_ + ": in the block before offset " + std::to_string(offset()) + ": " + what);
}

Result<bool> Reader::next(std::string& raw) {
  const auto more = file_->next(raw);
  if (!more) return more;
  auto checked = *more ? check(raw) : check_end();
  if (!checked) return std::unexpected(std::move(checked.error()));
  return *more;
}

Result<void> Reader::check(std::string_view raw) {
  base::Reader reader(raw);
  store::SnapshotItem item;
  std::string_view last = last_key_;
  while (reader.remaining() > 0) {
    if (const auto problem = store::read_item(reader, item)) return damaged(*problem);
    if (item.is_behind_entries) {
      auto access = acl::decode_item(item.value);
      if (!access || (last_access_ && !acl::comes_before(*last_access_, *access))) {
        return damaged("a token, role, user or tenant that does not follow the format");
      }
      last_access_ = std::move(access);
      ++tokens_;
      continue;
    }
    if (tokens_ > 0) return damaged("an entry behind the tokens");
    if (item.fields.revision > manifest_.revision) return damaged("an entry that is newer than the backup");
    if (entries_ > 0 && last >= item.key) return damaged("keys are out of order");
    if (value_limit_bytes_ > 0) {
      if (const auto problem = problem_of_value(item.value, value_limit_bytes_)) return damaged(*problem);
    }
    last = item.key;
    ++entries_;
  }
  last_key_ = std::string(last);
  return {};
}

Result<void> Reader::check_end() const {
  if (entries_ == manifest_.entry_count && tokens_ == manifest_.tokens) return {};
  return damaged(std::to_string(entries_) + " entries and " + std::to_string(tokens_) + " tokens instead of " +
                 std::to_string(manifest_.entry_count) + " and " + std::to_string(manifest_.tokens));
}

BackupInfo Reader::info() const {
  BackupInfo info = info_of(path_, manifest_, size_bytes());
  info.sha256 = hex_of(file_->sha256());
  return info;
}

Result<BackupInfo> verify(env::FileSystem& files, const std::string& path, std::uint64_t value_limit_bytes,
                          const Watch& watch) {
  auto reader = Reader::open(files, path);
  if (!reader) return std::unexpected(std::move(reader.error()));
  (*reader)->check_values(value_limit_bytes);
  std::string raw;
  for (;;) {
    const auto more = (*reader)->next(raw);
    if (!more) return std::unexpected(more.error());
    if (!*more) return (*reader)->info();
    if (auto go_on = watch((*reader)->offset(), (*reader)->size_bytes()); !go_on) {
      return std::unexpected(std::move(go_on.error()));
    }
  }
}

Result<BackupInfo> write(env::FileSystem& files, const std::string& temporary_path, const std::string& path,
                         store::Snapshot& data, Manifest manifest, const Watch& watch) {
  manifest.revision = data.meta().revision;
  manifest.entry_count = data.meta().entries;
  manifest.tokens = data.meta().access;
  manifest.cluster_time_ms = data.meta().cluster_time_ms;
  manifest.wall_offset_ms = data.meta().wall_offset_ms;
  auto writer = log::BlockFileWriter::create(files, temporary_path, kind, encode(manifest));
  if (!writer) return std::unexpected(std::move(writer.error()));
  for (std::string block; data.next_block(block, block_bytes);) {
    if (auto added = (*writer)->add_block(block); !added) return std::unexpected(std::move(added.error()));
    if (auto go_on = watch(data.entries_given(), manifest.entry_count); !go_on) {
      return std::unexpected(std::move(go_on.error()));
    }
  }
  if (auto done = (*writer)->finish(path); !done) return std::unexpected(std::move(done.error()));
  BackupInfo info = info_of(path, manifest, (*writer)->size_bytes());
  info.sha256 = hex_of((*writer)->sha256());
  return info;
}

}  // namespace concord::backup

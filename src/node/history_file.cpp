#include "node/history_file.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/wire.hpp"
#include "log/snapshot_file.hpp"

namespace concord::node {
namespace {

constexpr std::uint8_t history_format = 1;
constexpr std::size_t block_bytes = 256U << 10U;

std::unexpected<Error> refused(const std::string& path, const std::string& why) {
  return fail(Errc::storage_failed, path + ": " + why);
}

/// Adds the events of a file whose revisions end at `revision`.
Result<void> add_events(log::BlockFileReader& file, const std::string& path, Revision revision,
                        store::History& history) {
  base::Reader meta(file.meta());
  const std::uint8_t format = meta.byte();
  const Revision first(meta.varint());
  const std::uint64_t count = meta.varint();
  if (format != history_format) {
    return refused(path, "format " + std::to_string(format) + " is not known to this version (it knows 1)");
  }
  if (!meta.finished() || first.value() == 0 || first.value() + count != revision.value() + 1) {
    return refused(path, "does not fit the snapshot beside it");
  }
  history.reset(first.previous());
  std::string block;
  for (;;) {
    const auto more = file.next(block);
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
    base::Reader events(block);
    while (events.remaining() > 0) {
      const std::string_view event = events.bytes();
      if (!events.ok() || !history.add(event)) return refused(path, "an event does not follow the format");
    }
  }
  if (history.newest() != revision) return refused(path, "does not hold as many events as it says");
  return {};
}

}  // namespace

Result<void> save_history(env::FileSystem& files, const std::string& directory, base::Index index, base::Term term,
                          store::HistoryImage image) {
  if (auto made = files.make_directories(directory); !made) return made;
  std::string meta(1, static_cast<char>(history_format));
  base::append_varint(meta, image.first().value());
  base::append_varint(meta, image.count());
  auto writer = log::SnapshotWriter::create(files, directory, index, term, meta);
  if (!writer) return std::unexpected(std::move(writer.error()));
  std::string block;
  while (image.next_block(block, block_bytes)) {
    if (auto added = (*writer)->add_block(block); !added) return added;
  }
  if (auto finished = (*writer)->finish(); !finished) return std::unexpected(std::move(finished.error()));
  return {};
}

Result<void> load_history(env::FileSystem& files, const std::string& directory, base::Index index, base::Term term,
                          Revision revision, store::History& history) {
  history.reset(revision);
  const log::SnapshotFileInfo place = log::snapshot_file(directory, index, term);
  const auto saved = log::list_snapshots(files, directory);
  if (!saved) return saved.error().code() == Errc::not_found ? Result<void>() : std::unexpected(saved.error());
  if (std::ranges::find(*saved, place.path, &log::SnapshotFileInfo::path) == saved->end()) return {};
  auto file = log::open_snapshot(files, place.path);
  auto added = file ? add_events(**file, place.path, revision, history) : std::unexpected(std::move(file.error()));
  if (!added) history.reset(revision);
  return added;
}

Result<void> remove_old_histories(env::FileSystem& files, const std::string& directory, std::size_t keep) {
  if (auto removed = log::remove_unfinished_snapshots(files, directory); !removed) return removed;
  return log::remove_old_snapshots(files, directory, keep);
}

}  // namespace concord::node

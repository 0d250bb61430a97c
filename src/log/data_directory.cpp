#include "log/data_directory.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.hpp"
#include "base/crc32c.hpp"

namespace concord::log {
namespace {

constexpr std::string_view first_line = "concord data directory\n";
constexpr std::string_view identity_name = "identity";
constexpr std::uint64_t newest_format = 3;

const char* yes_or_no(bool value) noexcept { return value ? "yes" : "no"; }

std::string encode(const Identity& identity) {
  char text[384];
  std::snprintf(
      text, sizeof text,
      "format %d\ncluster %016llx\nnode %016llx\ndirectory %016llx\nincarnation %llu\nformed %s\nremoved %s\n",
      identity.recoveries == 0 ? 2 : 3, static_cast<unsigned long long>(identity.cluster.value()),
      static_cast<unsigned long long>(identity.node.value()), static_cast<unsigned long long>(identity.directory),
      static_cast<unsigned long long>(identity.incarnation), yes_or_no(identity.formed), yes_or_no(identity.removed));
  std::string whole = std::string(first_line) + text;
  if (identity.recoveries != 0) {
    std::snprintf(text, sizeof text, "recoveries %llu\nformer %016llx\n",
                  static_cast<unsigned long long>(identity.recoveries),
                  static_cast<unsigned long long>(identity.former_cluster.value()));
    whole += text;
  }
  std::snprintf(text, sizeof text, "crc %08x\n", base::crc32c(whole));
  return whole + text;
}

/// Takes "name value\n" off the front.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view name) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos || !text.starts_with(name) || end <= name.size() || text[name.size()] != ' ')
    return std::nullopt;
  const std::string_view value = text.substr(name.size() + 1, end - name.size() - 1);
  text.remove_prefix(end + 1);
  return value;
}

std::optional<std::uint64_t> number(const std::optional<std::string_view>& text, int base) {
  if (!text) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), value, base);
  if (problem != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return value;
}

std::optional<bool> answer(const std::optional<std::string_view>& text) {
  if (text == "yes") return true;
  if (text == "no") return false;
  return std::nullopt;
}

Result<Identity> decode(const std::string& path, std::string_view bytes) {
  const auto refuse = [&](std::size_t offset, std::string_view what) {
    return fail(Errc::storage_failed,
                path + ": damaged at offset " + std::to_string(offset) + ": " + std::string(what));
  };
  std::string_view text = bytes;
  const auto offset = [&] { return bytes.size() - text.size(); };
  if (!text.starts_with(first_line)) return refuse(0, "not the identity of a Concord data directory");
  text.remove_prefix(first_line.size());
  const auto format = number(take_line(text, "format"), 10);
  if (!format) return refuse(offset(), "no format");
  if (*format == 0 || *format > newest_format) {
    return fail(Errc::storage_failed, path + ": format " + std::to_string(*format) +
                                          " is not known to this version (it knows 1 to " +
                                          std::to_string(newest_format) + ")");
  }
  const bool is_first_format = *format == 1;
  const bool was_recovered = *format == 3;
  const auto cluster = number(take_line(text, "cluster"), 16);
  const auto node = number(take_line(text, "node"), 16);
  const auto directory = is_first_format ? node : number(take_line(text, "directory"), 16);
  const auto incarnation = number(take_line(text, "incarnation"), 10);
  const auto formed = answer(take_line(text, "formed"));
  const auto removed = is_first_format ? false : answer(take_line(text, "removed"));
  const auto recoveries = was_recovered ? number(take_line(text, "recoveries"), 10) : 0;
  const auto former = was_recovered ? number(take_line(text, "former"), 16) : 0;
  if (!cluster || !node || !directory || !incarnation || !formed || !removed || !recoveries || !former)
    return refuse(offset(), "a line is missing or malformed");
  if (was_recovered && *recoveries == 0) return refuse(offset(), "it was recovered, and never");
  if (*directory == 0 || (*formed && (*node == 0 || *cluster == 0))) return refuse(offset(), "an id is 0");
  const std::size_t covered = offset();
  const auto crc = number(take_line(text, "crc"), 16);
  if (!crc || !text.empty() || *crc != base::crc32c(bytes.substr(0, covered)))
    return refuse(covered, "the checksum is wrong");
  return Identity{.cluster = base::ClusterId(*cluster),
                  .node = base::NodeId(*node),
                  .directory = *directory,
                  .incarnation = *incarnation,
                  .formed = *formed,
                  .removed = *removed,
                  .recoveries = *recoveries,
                  .former_cluster = base::ClusterId(*former)};
}

/// Before anything is made there: a directory without an identity may hold only what an interrupted first open leaves.
Result<void> refuse_foreign(env::FileSystem& files, const std::string& path) {
  const auto names = files.list(path);
  if (!names) return std::unexpected(names.error());
  if (std::ranges::find(*names, identity_name) != names->end()) return {};
  for (const std::string& name : *names) {
    if (name == "LOCK" || name == "identity.tmp" || name == "lost+found") continue;
    const std::string_view kind = std::string_view(name).substr(0, name.find('.'));
    if (kind != "log" && kind != "snapshots" && kind != "history" && kind != identity_name) {
      return fail(Errc::invalid_request,
                  path + "/" + name + ": the directory is not empty and not a Concord data directory");
    }
    return fail(Errc::storage_failed, path + "/identity: missing, but " + path + "/" + name + " exists");
  }
  return {};
}

/// Clears what a first start that was interrupted has left.
Result<void> clear(env::FileSystem& files, const std::string& path) {
  const auto names = files.list(path);
  if (!names) return std::unexpected(names.error());
  for (const std::string& name : *names) {
    if (auto removed = files.remove(path + "/" + name); !removed) return removed;
  }
  return {};
}

}  // namespace

Result<DataDirectory> DataDirectory::open(env::FileSystem& files, std::string path, const Identity& drawn) {
  if (auto made = files.make_directories(path); !made) return std::unexpected(std::move(made.error()));
  if (auto checked = refuse_foreign(files, path); !checked) return std::unexpected(std::move(checked.error()));
  auto lock = files.lock(path + "/LOCK");
  if (!lock) return std::unexpected(std::move(lock.error()));

  CONCORD_CHECK(drawn.directory != 0, "a directory has a number of its own");
  Identity identity = drawn;
  const std::string identity_path = path + "/" + std::string(identity_name);
  if (auto bytes = env::read_file(files, identity_path)) {
    auto decoded = decode(identity_path, *bytes);
    if (!decoded) return std::unexpected(std::move(decoded.error()));
    identity = *decoded;
  } else if (bytes.error().code() != Errc::not_found) {
    return std::unexpected(std::move(bytes.error()));
  }
  ++identity.incarnation;
  if (auto written = env::write_file_atomically(files, identity_path, encode(identity)); !written) {
    return std::unexpected(std::move(written.error()));
  }
  DataDirectory directory(std::move(path), std::move(*lock), identity);
  for (const std::string& sub : {directory.log_path(), directory.snapshots_path()}) {
    if (auto made = files.make_directories(sub); !made) return std::unexpected(std::move(made.error()));
    if (identity.formed) continue;
    if (auto cleared = clear(files, sub); !cleared) return std::unexpected(std::move(cleared.error()));
  }
  if (auto synced = files.sync_directory(directory.path()); !synced) return std::unexpected(std::move(synced.error()));
  if (auto synced = files.sync_directory(env::directory_of(directory.path())); !synced)
    return std::unexpected(std::move(synced.error()));
  return directory;
}

Result<void> DataDirectory::adopt(env::FileSystem& files, base::ClusterId cluster, base::NodeId node) {
  if (cluster.is_zero() || node.is_zero())
    return fail(Errc::invalid_request, path_ + ": the id of a cluster or a node is 0");
  Identity adopted = identity();
  if (adopted.formed) return fail(Errc::invalid_request, path_ + ": it belongs to a node of a cluster already");
  adopted.cluster = cluster;
  adopted.node = node;
  return save(files, adopted);
}

Result<void> DataDirectory::mark_formed(env::FileSystem& files) {
  Identity formed = identity();
  CONCORD_CHECK(!formed.cluster.is_zero() && !formed.node.is_zero(), "who writes a log knows who it is");
  formed.formed = true;
  return save(files, formed);
}

Result<void> DataDirectory::mark_removed(env::FileSystem& files) {
  Identity removed = identity();
  removed.removed = true;
  return save(files, removed);
}

std::string DataDirectory::log_name(std::uint64_t recoveries) {
  return recoveries == 0 ? "/log" : "/log." + std::to_string(recoveries);
}

std::string DataDirectory::snapshots_name(std::uint64_t recoveries) {
  return recoveries == 0 ? "/snapshots" : "/snapshots." + std::to_string(recoveries);
}

std::string DataDirectory::history_name(std::uint64_t recoveries) {
  return recoveries == 0 ? "/history" : "/history." + std::to_string(recoveries);
}

Result<DataDirectory::Places> DataDirectory::prepare_recovery(env::FileSystem& files) {
  const std::uint64_t number = identity().recoveries + 1;
  Places places{.log = path_ + log_name(number), .snapshots = path_ + snapshots_name(number)};
  for (const std::string& place : {places.log, places.snapshots}) {
    if (auto made = files.make_directories(place); !made) return std::unexpected(std::move(made.error()));
    if (auto cleared = clear(files, place); !cleared) return std::unexpected(std::move(cleared.error()));
  }
  if (auto synced = files.sync_directory(path_); !synced) return std::unexpected(std::move(synced.error()));
  return places;
}

Result<void> DataDirectory::recover(env::FileSystem& files, base::ClusterId cluster) {
  const Identity lost = identity();
  CONCORD_CHECK(lost.formed, "only a node that had a cluster can lose it");
  CONCORD_CHECK(!cluster.is_zero() && cluster != lost.cluster, "who comes back from before must not be let in");
  const std::string identity_path = path_ + "/" + std::string(identity_name);
  const auto before = env::read_file(files, identity_path);
  if (!before) return std::unexpected(before.error());
  Identity recovered = lost;
  recovered.cluster = cluster;
  recovered.former_cluster = lost.cluster;
  recovered.recoveries += 1;
  recovered.removed = false;
  const std::string copy = identity_path + ".before." + std::to_string(recovered.recoveries);
  if (auto kept = env::write_file_atomically(files, copy, *before); !kept) return kept;
  return save(files, recovered);
}

Result<void> DataDirectory::save(env::FileSystem& files, const Identity& identity) {
  auto written = env::write_file_atomically(files, path_ + "/" + std::string(identity_name), encode(identity));
  if (written) show(identity);
  return written;
}

}  // namespace concord::log

#include "log/data_directory.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

#include "base/crc32c.hpp"

namespace concord::log {
namespace {

constexpr std::string_view first_line = "concord data directory\n";
constexpr std::string_view identity_name = "identity";

std::string encode(const Identity& identity) {
  char text[160];
  std::snprintf(text, sizeof text, "format 1\ncluster %016llx\nnode %016llx\nincarnation %llu\nformed %s\n",
                static_cast<unsigned long long>(identity.cluster.value()),
                static_cast<unsigned long long>(identity.node.value()),
                static_cast<unsigned long long>(identity.incarnation), identity.formed ? "yes" : "no");
  std::string whole = std::string(first_line) + text;
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
  if (*format != 1) {
    return fail(Errc::storage_failed,
                path + ": format " + std::to_string(*format) + " is not known to this version (it knows 1)");
  }
  const auto cluster = number(take_line(text, "cluster"), 16);
  const auto node = number(take_line(text, "node"), 16);
  const auto incarnation = number(take_line(text, "incarnation"), 10);
  const auto formed = take_line(text, "formed");
  if (!cluster || !node || !incarnation || !formed || *node == 0 || (*formed != "yes" && *formed != "no")) {
    return refuse(offset(), "a line is missing or malformed");
  }
  const std::size_t covered = offset();
  const auto crc = number(take_line(text, "crc"), 16);
  if (!crc || !text.empty() || *crc != base::crc32c(bytes.substr(0, covered)))
    return refuse(covered, "the checksum is wrong");
  return Identity{.cluster = base::ClusterId(*cluster),
                  .node = base::NodeId(*node),
                  .incarnation = *incarnation,
                  .formed = *formed == "yes"};
}

/// Before anything is made there: a directory without an identity may hold only what an interrupted first open leaves.
Result<void> refuse_foreign(env::FileSystem& files, const std::string& path) {
  const auto names = files.list(path);
  if (!names) return std::unexpected(names.error());
  if (std::ranges::find(*names, identity_name) != names->end()) return {};
  for (const std::string& name : *names) {
    if (name == "LOCK" || name == "identity.tmp" || name == "lost+found") continue;
    if (name != "log" && name != "snapshots") {
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

Result<void> DataDirectory::mark_formed(env::FileSystem& files) {
  identity_.formed = true;
  return env::write_file_atomically(files, path_ + "/" + std::string(identity_name), encode(identity_));
}

}  // namespace concord::log

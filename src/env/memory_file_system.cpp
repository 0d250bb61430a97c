#include "env/memory_file_system.hpp"

#include <algorithm>
#include <cstring>

namespace concord::env {
namespace {

constexpr std::uint64_t sector_bytes = 512;

}  // namespace

class MemoryFile final : public File {
 public:
  MemoryFile(MemoryFileSystem& files, MemoryFileSystem::NodePtr node, std::string path)
      : files_(files), node_(std::move(node)), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::uint64_t offset, char* to, std::size_t size_bytes) override {
    if (offset >= node_->bytes.size()) return std::size_t{0};
    const std::size_t size = std::min(size_bytes, node_->bytes.size() - static_cast<std::size_t>(offset));
    std::memcpy(to, node_->bytes.data() + offset, size);
    return size;
  }

  Result<void> write_at(std::uint64_t offset, std::string_view bytes) override {
    const bool fails = files_.faults.fail_write_after && *files_.faults.fail_write_after == files_.writes_;
    if (fails) bytes = bytes.substr(0, bytes.size() / 2);
    const std::uint64_t end = offset + bytes.size();
    if (end > node_->bytes.size()) {
      if (auto fits = files_.check_capacity(end - node_->bytes.size(), path_); !fits) return fits;
      node_->bytes.resize(static_cast<std::size_t>(end));
    }
    std::memcpy(node_->bytes.data() + offset, bytes.data(), bytes.size());
    for (std::uint64_t sector = offset / sector_bytes; sector * sector_bytes < end; ++sector)
      node_->dirty_sectors.insert(sector);
    if (fails) return fail(Errc::storage_failed, path_ + ": write: injected");
    ++files_.writes_;
    return {};
  }

  Result<void> sync() override {
    if (files_.faults.fail_sync_after && *files_.faults.fail_sync_after == files_.syncs_) {
      return fail(Errc::storage_failed, path_ + ": sync: injected");
    }
    ++files_.syncs_;
    node_->durable = node_->bytes;
    node_->dirty_sectors.clear();
    return {};
  }

  Result<void> allocate(std::uint64_t size_bytes) override {
    if (size_bytes <= node_->bytes.size()) return {};
    if (auto fits = files_.check_capacity(size_bytes - node_->bytes.size(), path_); !fits) return fits;
    const std::uint64_t first = node_->bytes.size() / sector_bytes;
    node_->bytes.resize(static_cast<std::size_t>(size_bytes));
    for (std::uint64_t sector = first; sector * sector_bytes < size_bytes; ++sector)
      node_->dirty_sectors.insert(sector);
    return {};
  }

  Result<std::uint64_t> size_bytes() const override { return node_->bytes.size(); }
  const std::string& path() const noexcept override { return path_; }

 private:
  MemoryFileSystem& files_;
  MemoryFileSystem::NodePtr node_;
  std::string path_;
};

class MemoryLock final : public FileLock {
 public:
  MemoryLock(MemoryFileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}
  ~MemoryLock() override { files_.locks_.erase(path_); }

 private:
  MemoryFileSystem& files_;
  std::string path_;
};

MemoryFileSystem::MemoryFileSystem() = default;
MemoryFileSystem::~MemoryFileSystem() = default;

Result<std::unique_ptr<File>> MemoryFileSystem::open(const std::string& path, OpenMode mode) {
  const auto found = names_.find(path);
  if (mode == OpenMode::create_new) {
    if (found != names_.end()) return fail(Errc::storage_failed, path + ": open: it exists");
    if (!directories_.contains(directory_of(path))) return fail(Errc::not_found, path + ": open: no such directory");
    change_name(path, std::make_shared<Node>());
    return std::make_unique<MemoryFile>(*this, names_.at(path), path);
  }
  if (found == names_.end()) return fail(Errc::not_found, path + ": open: no such file");
  return std::make_unique<MemoryFile>(*this, found->second, path);
}

Result<std::unique_ptr<FileLock>> MemoryFileSystem::lock(const std::string& path) {
  if (!locks_.insert(path).second) return fail(Errc::cluster_not_ready, path + ": already open");
  if (!names_.contains(path)) change_name(path, std::make_shared<Node>());
  return std::make_unique<MemoryLock>(*this, path);
}

Result<void> MemoryFileSystem::make_directories(const std::string& path) {
  for (std::string at = path;; at = directory_of(at)) {
    directories_.insert(at);
    if (at == "." || at == "/") return {};
  }
}

Result<void> MemoryFileSystem::rename(const std::string& from, const std::string& to) {
  const auto found = names_.find(from);
  if (found == names_.end()) return fail(Errc::not_found, from + ": rename: no such file");
  NodePtr node = found->second;
  change_name(from, nullptr);
  change_name(to, std::move(node));
  return {};
}

Result<void> MemoryFileSystem::remove(const std::string& path) {
  if (!names_.contains(path)) return fail(Errc::not_found, path + ": remove: no such file");
  change_name(path, nullptr);
  return {};
}

Result<void> MemoryFileSystem::sync_directory(const std::string& path) {
  std::erase_if(unsynced_, [&](const NameChange& change) {
    if (change.directory != path) return false;
    if (change.node) {
      durable_names_[change.name] = change.node;
    } else {
      durable_names_.erase(change.name);
    }
    return true;
  });
  return {};
}

Result<std::vector<std::string>> MemoryFileSystem::list(const std::string& path) {
  if (!directories_.contains(path)) return fail(Errc::not_found, path + ": list: no such directory");
  std::set<std::string> names;
  for (const auto& [name, node] : names_) {
    if (directory_of(name) == path) names.insert(name.substr(path.size() + 1));
  }
  for (const std::string& name : directories_) {
    if (name != path && directory_of(name) == path) names.insert(name.substr(path.size() + 1));
  }
  return std::vector<std::string>(names.begin(), names.end());
}

Result<std::uint64_t> MemoryFileSystem::free_bytes(const std::string& /*path*/) {
  const std::uint64_t capacity = faults.capacity_bytes.value_or(std::uint64_t{1} << 40U);
  return capacity - std::min(capacity, used_bytes());
}

void MemoryFileSystem::power_cut(std::uint64_t seed) {
  base::Random random(seed);
  // A rename is two changes of one directory; journals keep them together, so they are lost or kept in pairs of one prefix.
  const std::size_t kept = unsynced_.empty() ? 0 : static_cast<std::size_t>(random.below(unsynced_.size() + 1));
  for (std::size_t i = 0; i < kept; ++i) {
    const NameChange& change = unsynced_[i];
    const bool is_rename_half = !change.node && i + 1 == kept && i + 1 < unsynced_.size() && unsynced_[i + 1].node &&
                                unsynced_[i + 1].directory == change.directory;
    if (is_rename_half) break;
    if (change.node) {
      durable_names_[change.name] = change.node;
    } else {
      durable_names_.erase(change.name);
    }
  }
  unsynced_.clear();
  names_ = durable_names_;
  for (auto& [name, node] : names_) {
    std::string after = node->durable;
    for (const std::uint64_t sector : node->dirty_sectors) {
      if (random.below(2) == 0) continue;
      const std::size_t begin = static_cast<std::size_t>(sector * sector_bytes);
      const std::size_t end = std::min(node->bytes.size(), begin + static_cast<std::size_t>(sector_bytes));
      if (after.size() < end) after.resize(end);
      std::memcpy(after.data() + begin, node->bytes.data() + begin, end - begin);
    }
    node->bytes = node->durable = std::move(after);
    node->dirty_sectors.clear();
  }
  locks_.clear();
}

std::unique_ptr<MemoryFileSystem> MemoryFileSystem::clone() const {
  auto copy = std::make_unique<MemoryFileSystem>();
  copy->directories_ = directories_;
  for (const auto& [name, node] : names_) {
    auto made = std::make_shared<Node>();
    made->bytes = made->durable = node->bytes;
    copy->names_[name] = copy->durable_names_[name] = std::move(made);
  }
  return copy;
}

std::string MemoryFileSystem::contents(const std::string& path) const { return names_.at(path)->bytes; }

void MemoryFileSystem::set_contents(const std::string& path, std::string bytes) {
  auto node = std::make_shared<Node>();
  node->bytes = node->durable = std::move(bytes);
  names_[path] = durable_names_[path] = std::move(node);
}

std::vector<std::string> MemoryFileSystem::paths() const {
  std::vector<std::string> all;
  for (const auto& [name, node] : names_) all.push_back(name);
  return all;
}

void MemoryFileSystem::change_name(const std::string& path, NodePtr node) {
  unsynced_.push_back({directory_of(path), path, node});
  if (node) {
    names_[path] = std::move(node);
  } else {
    names_.erase(path);
  }
}

std::uint64_t MemoryFileSystem::used_bytes() const {
  std::uint64_t used = 0;
  for (const auto& [name, node] : names_) used += node->bytes.size();
  return used;
}

Result<void> MemoryFileSystem::check_capacity(std::uint64_t more_bytes, const std::string& path) const {
  if (faults.capacity_bytes && used_bytes() + more_bytes > *faults.capacity_bytes) {
    return fail(Errc::storage_full, path + ": write: no space left");
  }
  return {};
}

}  // namespace concord::env

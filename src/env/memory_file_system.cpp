#include "env/memory_file_system.hpp"

#include <algorithm>
#include <cstring>

namespace concord::env {

void MemoryFileSystem::Sectors::add(std::uint64_t begin_bytes, std::uint64_t end_bytes) {
  if (begin_bytes >= end_bytes) return;
  const std::uint64_t last = (end_bytes - 1) / size_bytes;
  if (words_.size() <= last / word_bits) words_.resize(static_cast<std::size_t>(last / word_bits) + 1);
  for (std::uint64_t sector = begin_bytes / size_bytes; sector <= last; ++sector) {
    words_[static_cast<std::size_t>(sector / word_bits)] |= std::uint64_t{1} << (sector % word_bits);
  }
}

void MemoryFileSystem::Node::copy_sector(std::uint64_t sector, std::string& to) const {
  const auto begin = static_cast<std::size_t>(sector * Sectors::size_bytes);
  const std::size_t end = std::min(bytes.size(), begin + static_cast<std::size_t>(Sectors::size_bytes));
  if (to.size() < end) to.resize(end);
  std::memcpy(to.data() + begin, bytes.data() + begin, end - begin);
}

class MemoryFile final : public File {
 public:
  MemoryFile(MemoryFileSystem& files, MemoryFileSystem::NodePtr node, std::string path)
      : files_(files), node_(std::move(node)), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::uint64_t offset, char* to, std::size_t size_bytes) override {
    const base::MutexLock lock(files_.mutex_);
    if (offset >= node_->bytes.size()) return std::size_t{0};
    const std::size_t size = std::min(size_bytes, node_->bytes.size() - static_cast<std::size_t>(offset));
    std::memcpy(to, node_->bytes.data() + offset, size);
    return size;
  }

  Result<void> write_at(std::uint64_t offset, std::string_view bytes) override {
    const base::MutexLock lock(files_.mutex_);
    if (files_.faults_.fail_write_after == files_.writes_) {
      files_.faults_.fail_write_after.reset();
      (void)put(offset, bytes.substr(0, bytes.size() / 2));
      return fail(Errc::storage_failed, path_ + ": write: injected");
    }
    const bool is_torn = files_.faults_.stop_after == files_.changes_;
    if (auto begun = files_.begin_change(path_, "write"); !begun) {
      if (is_torn) (void)put(offset, bytes.substr(0, bytes.size() / 2));
      return begun;
    }
    if (auto done = put(offset, bytes); !done) return done;
    ++files_.writes_;
    return {};
  }

  Result<void> sync() override {
    if (files_.before_sync_) files_.before_sync_(path_);
    const base::MutexLock lock(files_.mutex_);
    if (auto begun = files_.begin_change(path_, "sync"); !begun) return begun;
    if (files_.faults_.fail_sync_after == files_.syncs_) {
      files_.faults_.fail_sync_after.reset();
      node_->dirty_sectors.clear();
      return fail(Errc::storage_failed, path_ + ": sync: injected");
    }
    ++files_.syncs_;
    node_->durable.resize(node_->bytes.size());
    node_->dirty_sectors.visit([this](std::uint64_t sector) { node_->copy_sector(sector, node_->durable); });
    node_->dirty_sectors.clear();
    return {};
  }

  Result<void> allocate(std::uint64_t size_bytes) override {
    const base::MutexLock lock(files_.mutex_);
    if (size_bytes <= node_->bytes.size()) return {};
    if (auto begun = files_.begin_change(path_, "allocate"); !begun) return begun;
    if (auto fits = files_.check_capacity(size_bytes - node_->bytes.size(), path_); !fits) return fits;
    extend(size_bytes);
    return {};
  }

  [[nodiscard]] Result<std::uint64_t> size_bytes() const override {
    const base::MutexLock lock(files_.mutex_);
    return node_->bytes.size();
  }
  [[nodiscard]] const std::string& path() const noexcept override { return path_; }

 private:
  void extend(std::uint64_t size_bytes) {
    node_->dirty_sectors.add(node_->bytes.size(), size_bytes);
    node_->bytes.resize(static_cast<std::size_t>(size_bytes));
  }

  Result<void> put(std::uint64_t offset, std::string_view bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(files_.mutex_) {
    const std::uint64_t end = offset + bytes.size();
    if (end > node_->bytes.size()) {
      if (auto fits = files_.check_capacity(end - node_->bytes.size(), path_); !fits) return fits;
      extend(end);
    }
    std::memcpy(node_->bytes.data() + offset, bytes.data(), bytes.size());
    node_->dirty_sectors.add(offset, end);
    return {};
  }

  MemoryFileSystem& files_;
  MemoryFileSystem::NodePtr node_;
  std::string path_;
};

class MemoryLock final : public FileLock {
 public:
  MemoryLock(MemoryFileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}
  ~MemoryLock() override {
    const base::MutexLock lock(files_.mutex_);
    files_.locks_.erase(path_);
  }

 private:
  MemoryFileSystem& files_;
  std::string path_;
};

MemoryFileSystem::MemoryFileSystem() = default;
MemoryFileSystem::~MemoryFileSystem() = default;

Result<std::unique_ptr<File>> MemoryFileSystem::open(const std::string& path, OpenMode mode) {
  const base::MutexLock lock(mutex_);
  const auto found = names_.find(path);
  if (makes_a_file(mode)) {
    if (found != names_.end()) return fail(Errc::storage_failed, path + ": open: it exists");
    if (!directories_.contains(directory_of(path))) return fail(Errc::not_found, path + ": open: no such directory");
    if (auto begun = begin_change(path, "create"); !begun) return std::unexpected(std::move(begun.error()));
    change_name(path, std::make_shared<Node>());
    return std::make_unique<MemoryFile>(*this, names_.at(path), path);
  }
  if (found == names_.end()) return fail(Errc::not_found, path + ": open: no such file");
  return std::make_unique<MemoryFile>(*this, found->second, path);
}

Result<std::unique_ptr<FileLock>> MemoryFileSystem::lock(const std::string& path) {
  const base::MutexLock lock(mutex_);
  if (locks_.contains(path)) return fail(Errc::cluster_not_ready, path + ": already open");
  if (!names_.contains(path)) {
    if (auto begun = begin_change(path, "lock"); !begun) return std::unexpected(std::move(begun.error()));
    change_name(path, std::make_shared<Node>());
  }
  locks_.insert(path);
  return std::make_unique<MemoryLock>(*this, path);
}

Result<void> MemoryFileSystem::make_directories(const std::string& path) {
  const base::MutexLock lock(mutex_);
  for (std::string at = path;; at = directory_of(at)) {
    directories_.insert(at);
    if (at == "." || at == "/") return {};
  }
}

Result<void> MemoryFileSystem::rename(const std::string& from, const std::string& to) {
  const base::MutexLock lock(mutex_);
  const auto found = names_.find(from);
  if (found == names_.end()) return fail(Errc::not_found, from + ": rename: no such file");
  if (auto begun = begin_change(from, "rename"); !begun) return begun;
  NodePtr node = found->second;
  change_name(from, nullptr, true);
  change_name(to, std::move(node));
  return {};
}

Result<void> MemoryFileSystem::remove(const std::string& path) {
  const base::MutexLock lock(mutex_);
  if (!names_.contains(path)) return fail(Errc::not_found, path + ": remove: no such file");
  if (auto begun = begin_change(path, "remove"); !begun) return begun;
  change_name(path, nullptr);
  return {};
}

Result<void> MemoryFileSystem::sync_directory(const std::string& path) {
  const base::MutexLock lock(mutex_);
  if (auto begun = begin_change(path, "sync of the directory"); !begun) return begun;
  std::erase_if(unsynced_, [&](const NameChange& change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (change.directory != path) return false;
    keep(change);
    return true;
  });
  return {};
}

Result<std::vector<std::string>> MemoryFileSystem::list(const std::string& path) {
  const base::MutexLock lock(mutex_);
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
  const base::MutexLock lock(mutex_);
  const std::uint64_t capacity = faults_.capacity_bytes.value_or(std::uint64_t{1} << 40U);
  return capacity - std::min(capacity, used_bytes());
}

void MemoryFileSystem::power_cut(std::uint64_t seed) {
  const base::MutexLock lock(mutex_);
  base::Random random(seed);
  std::map<std::string, std::vector<NameChange>> by_directory;
  for (NameChange& change : unsynced_) by_directory[change.directory].push_back(std::move(change));
  unsynced_.clear();
  for (const auto& [directory, changes] : by_directory) {
    auto kept = static_cast<std::size_t>(random.below(changes.size() + 1));
    if (kept > 0 && changes[kept - 1].with_next) --kept;
    for (std::size_t at = 0; at < kept; ++at) keep(changes[at]);
  }
  names_ = durable_names_;
  for (auto& [name, node] : names_) {
    std::string after = node->durable;
    node->dirty_sectors.visit([&](std::uint64_t sector) {
      if (random.below(2) != 0) node->copy_sector(sector, after);
    });
    node->bytes = node->durable = std::move(after);
    node->dirty_sectors.clear();
  }
  locks_.clear();
  faults_ = {};
}

std::unique_ptr<MemoryFileSystem> MemoryFileSystem::clone() const {
  const base::MutexLock lock(mutex_);
  auto copy = std::make_unique<MemoryFileSystem>();
  const base::MutexLock copy_lock(copy->mutex_);
  copy->directories_ = directories_;
  for (const auto& [name, node] : names_) {
    auto made = std::make_shared<Node>();
    made->bytes = made->durable = node->bytes;
    copy->names_[name] = copy->durable_names_[name] = std::move(made);
  }
  return copy;
}

std::string MemoryFileSystem::contents(const std::string& path) const {
  const base::MutexLock lock(mutex_);
  return names_.at(path)->bytes;
}

void MemoryFileSystem::set_contents(const std::string& path, std::string bytes) {
  const base::MutexLock lock(mutex_);
  auto node = std::make_shared<Node>();
  node->bytes = node->durable = std::move(bytes);
  names_[path] = durable_names_[path] = std::move(node);
}

std::vector<std::string> MemoryFileSystem::paths() const {
  const base::MutexLock lock(mutex_);
  std::vector<std::string> all;
  for (const auto& [name, node] : names_) all.push_back(name);
  return all;
}

void MemoryFileSystem::set_faults(const FaultPlan& faults) {
  const base::MutexLock lock(mutex_);
  faults_ = faults;
}

bool MemoryFileSystem::has_stopped() const {
  const base::MutexLock lock(mutex_);
  return faults_.stop_after == 0;
}

std::uint64_t MemoryFileSystem::writes() const {
  const base::MutexLock lock(mutex_);
  return writes_;
}

std::uint64_t MemoryFileSystem::syncs() const {
  const base::MutexLock lock(mutex_);
  return syncs_;
}

std::uint64_t MemoryFileSystem::changes() const {
  const base::MutexLock lock(mutex_);
  return changes_;
}

Result<void> MemoryFileSystem::begin_change(const std::string& path, const char* what) {
  if (faults_.stop_after && changes_ >= *faults_.stop_after) {
    faults_.stop_after = 0;
    return fail(Errc::storage_failed, path + ": " + what + ": stopped");
  }
  ++changes_;
  return {};
}

void MemoryFileSystem::keep(const NameChange& change) {
  if (change.node) {
    durable_names_[change.name] = change.node;
  } else {
    durable_names_.erase(change.name);
  }
}

void MemoryFileSystem::change_name(const std::string& path, NodePtr node, bool with_next) {
  unsynced_.push_back({directory_of(path), path, node, with_next});
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
  if (faults_.capacity_bytes && used_bytes() + more_bytes > *faults_.capacity_bytes) {
    return fail(Errc::storage_full, path + ": write: no space left");
  }
  return {};
}

}  // namespace concord::env

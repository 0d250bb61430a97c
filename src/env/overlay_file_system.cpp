#include "env/overlay_file_system.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace concord::env {
namespace {

constexpr std::uint64_t page_bytes = 4096;

}  // namespace

/// The bytes of a file: those below, as far as no page was changed.
class OverlayFileSystem::Content {
 public:
  Content(std::unique_ptr<File> below, std::uint64_t size_bytes)
      : below_(std::move(below)), below_bytes_(below_ ? size_bytes : 0), size_bytes_(size_bytes) {}

  [[nodiscard]] std::uint64_t size_bytes() const noexcept { return size_bytes_; }
  void allocate(std::uint64_t size_bytes) noexcept { size_bytes_ = std::max(size_bytes_, size_bytes); }

  Result<std::size_t> read(std::uint64_t offset, char* to, std::size_t size) {
    if (offset >= size_bytes_) return std::size_t{0};
    size = static_cast<std::size_t>(std::min<std::uint64_t>(size, size_bytes_ - offset));
    if (auto read = read_below(offset, to, size); !read) return std::unexpected(std::move(read.error()));
    const std::uint64_t end = offset + size;
    for (auto page = pages_.lower_bound(offset / page_bytes); page != pages_.end(); ++page) {
      const std::uint64_t begin = std::max(offset, page->first * page_bytes);
      if (begin >= end) break;
      const std::uint64_t until = std::min(end, (page->first + 1) * page_bytes);
      std::memcpy(to + (begin - offset), page->second.data() + begin % page_bytes,
                  static_cast<std::size_t>(until - begin));
    }
    return size;
  }

  Result<void> write(std::uint64_t offset, std::string_view bytes) {
    if (!bytes.empty()) allocate(offset + bytes.size());
    while (!bytes.empty()) {
      const std::uint64_t number = offset / page_bytes;
      auto page = pages_.find(number);
      if (page == pages_.end()) {
        std::string whole(page_bytes, '\0');
        if (auto read = read_below(number * page_bytes, whole.data(), whole.size()); !read) return read;
        page = pages_.emplace(number, std::move(whole)).first;
      }
      const std::size_t within = static_cast<std::size_t>(offset % page_bytes);
      const std::size_t size = std::min(bytes.size(), static_cast<std::size_t>(page_bytes) - within);
      std::memcpy(page->second.data() + within, bytes.data(), size);
      offset += size;
      bytes.remove_prefix(size);
    }
    return {};
  }

 private:
  /// All of it; zeros behind the end of the file below.
  Result<void> read_below(std::uint64_t offset, char* to, std::size_t size) {
    std::size_t got = 0;
    if (offset < below_bytes_) {
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(size, below_bytes_ - offset));
      const auto read = below_->read_at(offset, to, wanted);
      if (!read) return std::unexpected(read.error());
      got = *read;
    }
    std::memset(to + got, 0, size - got);
    return {};
  }

  std::unique_ptr<File> below_;  // null: the file was made here
  std::uint64_t below_bytes_;
  std::uint64_t size_bytes_;
  std::map<std::uint64_t, std::string> pages_;  // by number, whole
};

class OverlayFileSystem::OverlayFile final : public File {
 public:
  OverlayFile(ContentPtr content, std::string path) : content_(std::move(content)), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::uint64_t offset, char* to, std::size_t size_bytes) override {
    return content_->read(offset, to, size_bytes);
  }
  Result<void> write_at(std::uint64_t offset, std::string_view bytes) override {
    return content_->write(offset, bytes);
  }
  Result<void> sync() override { return {}; }
  Result<void> allocate(std::uint64_t size_bytes) override {
    content_->allocate(size_bytes);
    return {};
  }
  [[nodiscard]] Result<std::uint64_t> size_bytes() const override { return content_->size_bytes(); }
  [[nodiscard]] const std::string& path() const noexcept override { return path_; }

 private:
  ContentPtr content_;
  std::string path_;
};

OverlayFileSystem::OverlayFileSystem(FileSystem& below) : below_(below) {}
OverlayFileSystem::~OverlayFileSystem() = default;

/// The file's bytes, shared by all who open it from now on.
Result<OverlayFileSystem::ContentPtr> OverlayFileSystem::find(const std::string& path) {
  if (const auto known = known_.find(path); known != known_.end()) {
    if (!known->second) return fail(Errc::not_found, path + ": open: no such file");
    return known->second;
  }
  auto file = below_.open(path, OpenMode::read);
  if (!file) return std::unexpected(std::move(file.error()));
  const auto size = (*file)->size_bytes();
  if (!size) return std::unexpected(size.error());
  return known_[path] = std::make_shared<Content>(std::move(*file), *size);
}

Result<std::unique_ptr<File>> OverlayFileSystem::open(const std::string& path, OpenMode mode) {
  auto content = find(path);
  if (makes_a_file(mode)) {
    if (content) return fail(Errc::storage_failed, path + ": open: the file exists");
    if (content.error().code() != Errc::not_found) return std::unexpected(std::move(content.error()));
    content = known_[path] = std::make_shared<Content>(nullptr, 0);
  }
  if (!content) return std::unexpected(std::move(content.error()));
  return std::make_unique<OverlayFile>(std::move(*content), path);
}

Result<void> OverlayFileSystem::make_directories(const std::string& path) {
  for (std::string at = path;; at = directory_of(at)) {
    directories_.insert(at);
    if (at == "." || at == "/") return {};
  }
}

Result<void> OverlayFileSystem::rename(const std::string& from, const std::string& to) {
  auto content = find(from);
  if (!content) return std::unexpected(std::move(content.error()));
  known_[from] = nullptr;
  known_[to] = std::move(*content);
  return {};
}

Result<void> OverlayFileSystem::remove(const std::string& path) {
  if (auto content = find(path); !content) return std::unexpected(std::move(content.error()));
  known_[path] = nullptr;
  return {};
}

Result<void> OverlayFileSystem::sync_directory(const std::string& /*path*/) { return {}; }

Result<std::vector<std::string>> OverlayFileSystem::list(const std::string& path) {
  auto below = below_.list(path);
  std::set<std::string> names;
  if (below) {
    names.insert(below->begin(), below->end());
  } else if (!directories_.contains(path)) {
    return below;
  }
  const auto name_of = [](const std::string& whole) { return whole.substr(whole.rfind('/') + 1); };
  for (const std::string& directory : directories_) {
    if (directory != path && directory_of(directory) == path) names.insert(name_of(directory));
  }
  for (const auto& [file, content] : known_) {
    if (directory_of(file) != path) continue;
    if (content) {
      names.insert(name_of(file));
    } else {
      names.erase(name_of(file));
    }
  }
  return std::vector<std::string>(names.begin(), names.end());
}

Result<std::uint64_t> OverlayFileSystem::free_bytes(const std::string& /*path*/) {
  return std::numeric_limits<std::uint64_t>::max();
}

}  // namespace concord::env

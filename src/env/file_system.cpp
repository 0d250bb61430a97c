#include "env/file_system.hpp"

#include <algorithm>

namespace concord::env {

Result<std::string> read_file(FileSystem& files, const std::string& path) {
  std::string bytes;
  if (auto done = read_file(files, path, bytes); !done) return std::unexpected(std::move(done.error()));
  return bytes;
}

Result<void> read_file(FileSystem& files, const std::string& path, std::string& bytes) {
  auto file = files.open(path, OpenMode::read);
  if (!file) return std::unexpected(std::move(file.error()));
  const auto size = (*file)->size_bytes();
  if (!size) return std::unexpected(size.error());
  bytes.resize(static_cast<std::size_t>(*size));
  const auto read = (*file)->read_at(0, bytes.data(), bytes.size());
  if (!read) return std::unexpected(read.error());
  bytes.resize(*read);
  return {};
}

Result<void> write_file_atomically(FileSystem& files, const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".tmp";
  if (auto removed = files.remove(temporary); !removed && removed.error().code() != Errc::not_found) return removed;
  auto file = files.open(temporary, OpenMode::create_new);
  if (!file) return std::unexpected(std::move(file.error()));
  if (auto done = (*file)->write_at(0, bytes); !done) return done;
  if (auto done = (*file)->sync(); !done) return done;
  if (auto done = files.rename(temporary, path); !done) return done;
  return files.sync_directory(directory_of(path));
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace concord::env

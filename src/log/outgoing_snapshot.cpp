#include "log/outgoing_snapshot.hpp"

#include <algorithm>

namespace concord::log {

Result<OutgoingSnapshot> OutgoingSnapshot::open(env::FileSystem& files, const std::string& path) {
  auto file = files.open(path, env::OpenMode::read);
  if (!file) return std::unexpected(std::move(file.error()));
  const auto size = (*file)->size_bytes();
  if (!size) return std::unexpected(size.error());
  return OutgoingSnapshot(std::move(*file), *size);
}

Result<std::string> OutgoingSnapshot::read(std::uint64_t offset, std::size_t limit_bytes) const {
  if (offset > size_bytes_) {
    return fail(Errc::invalid_request,
                file_->path() + ": it ends at " + std::to_string(size_bytes_) + ", before " + std::to_string(offset));
  }
  std::string bytes(static_cast<std::size_t>(std::min<std::uint64_t>(limit_bytes, size_bytes_ - offset)), '\0');
  const auto got = file_->read_at(offset, bytes.data(), bytes.size());
  if (!got) return std::unexpected(got.error());
  if (*got != bytes.size()) {
    return fail(Errc::storage_failed, file_->path() + ": damaged at offset " + std::to_string(offset + *got) +
                                          ": the file has become shorter");
  }
  return bytes;
}

}  // namespace concord::log

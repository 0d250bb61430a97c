// A snapshot file on its way to a peer.
//
// The file stays open, so that a transfer ends well although newer snapshots have meanwhile taken the file's place. Its bytes
// go out as they are: who receives them checks them (incoming_snapshot.hpp).
//
// Thread rule: `read` may be called by several threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <concord/error.hpp>

#include "env/file_system.hpp"

namespace concord::log {

class OutgoingSnapshot {
 public:
  /// Errors: not_found (it was removed already: take the newest), storage_failed.
  [[nodiscard]] static Result<OutgoingSnapshot> open(env::FileSystem& files, const std::string& path);

  [[nodiscard]] std::uint64_t size_bytes() const noexcept { return size_bytes_; }
  /// Exactly so many bytes, fewer only at the end of the file; none at the end. Errors: invalid_request (behind the end),
  /// storage_failed (the file is shorter than it was).
  [[nodiscard]] Result<std::string> read(std::uint64_t offset, std::size_t limit_bytes) const;

 private:
  OutgoingSnapshot(std::unique_ptr<env::File> file, std::uint64_t size_bytes)
      : file_(std::move(file)), size_bytes_(size_bytes) {}

  std::unique_ptr<env::File> file_;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace concord::log

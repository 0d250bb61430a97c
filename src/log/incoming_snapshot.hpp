// A snapshot file that comes from a peer, piece by piece.
//
// The bytes are those of a whole snapshot file (snapshot_file.hpp), in order, over as many connections as it takes: the sender
// asks for `received_bytes` and goes on there. It does not outlive the process: a start removes the temporary file. The file
// gets its name, a snapshot's with ".received" behind it, only after all of it was checked (received_snapshot.hpp).
//
//     auto incoming = IncomingSnapshot::begin(files, directory, {.index = i, .term = t, .size_bytes = n});
//     (*incoming)->append((*incoming)->received_bytes(), bytes);             // until received_bytes() == n
//     (*incoming)->meta();  while (*(*incoming)->next_block(block)) ...;      // looked at, and read
//     (*incoming)->finish();                                                 // then the log: Log::restart_after
//
// Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <concord/error.hpp>

#include "base/ids.hpp"
#include "env/file_system.hpp"
#include "log/snapshot_file.hpp"

namespace concord::log {

/// Left free beside an incoming snapshot: the log goes on meanwhile, and begins a new segment behind it.
inline constexpr std::uint64_t incoming_snapshot_margin_bytes = 128U << 20U;

class IncomingSnapshot {
 public:
  /// What the sender says that is coming.
  struct Announced {
    base::Index index;
    base::Term term;
    std::uint64_t size_bytes = 0;
  };
  /// Errors: storage_full (nothing was made), storage_failed, invalid_request (no snapshot is of that place or size).
  [[nodiscard]] static Result<std::unique_ptr<IncomingSnapshot>> begin(env::FileSystem& files, std::string directory,
                                                                       const Announced& announced);
  /// Without a `finish` that succeeded: removes what was received.
  ~IncomingSnapshot();
  IncomingSnapshot(const IncomingSnapshot&) = delete;
  IncomingSnapshot& operator=(const IncomingSnapshot&) = delete;

  [[nodiscard]] const Announced& announced() const noexcept { return announced_; }
  [[nodiscard]] std::uint64_t received_bytes() const noexcept { return received_bytes_; }
  [[nodiscard]] bool is_complete() const noexcept { return received_bytes_ == announced_.size_bytes; }

  /// Errors: invalid_request (not the next bytes, or more than announced), storage_full; nothing was taken, the transfer may
  /// go on. storage_failed: it has ended.
  [[nodiscard]] Result<void> append(std::uint64_t offset, std::string_view bytes);

  // What follows: invalid_request while bytes are missing, the transfer may go on. Every other error ends it and removes the file:
  // invalid_request (what was received is no snapshot of this version; the message says why), storage_failed (this disk).

  /// What the snapshot says of itself; its bytes belong to who wrote them. The first call makes all that was received durable.
  [[nodiscard]] Result<std::string> meta();
  /// The next block, checked; false when that was all of them, and all is good.
  [[nodiscard]] Result<bool> next_block(std::string& raw);
  /// Checks what was not read yet. The snapshot is whole and durable under its name from here on; one of the same place that was there
  /// is replaced.
  [[nodiscard]] Result<SnapshotFileInfo> finish();

 private:
  IncomingSnapshot(env::FileSystem& files, std::string directory, const Announced& announced);
  [[nodiscard]] Result<void> check_open() const;
  [[nodiscard]] Result<void> begin_reading();
  /// Damage here is the sender's, or the way's: no reason for this node to mistrust its own disk.
  std::unexpected<Error> refuse(const Error& error);
  /// Ends the transfer.
  std::unexpected<Error> give_up(const Error& error);

  env::FileSystem& files_;
  const std::string directory_;
  const Announced announced_;
  const SnapshotFileInfo info_;
  const std::string temporary_path_;
  std::unique_ptr<env::File> file_;  // Invariant: null when failure_ is there
  std::uint64_t received_bytes_ = 0;
  std::unique_ptr<BlockFileReader> reader_;  // from the first look on
  bool is_read_ = false;
  std::optional<Error> failure_;  // what every later call answers
};

}  // namespace concord::log

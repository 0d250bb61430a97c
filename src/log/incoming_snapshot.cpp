#include "log/incoming_snapshot.hpp"

#include <utility>

#include "log/received_snapshot.hpp"

namespace concord::log {

IncomingSnapshot::IncomingSnapshot(env::FileSystem& files, std::string directory, const Announced& announced)
    : files_(files),
      directory_(std::move(directory)),
      announced_(announced),
      info_(snapshot_file(directory_, announced.index, announced.term)),
      temporary_path_(info_.path + ".incoming.tmp") {}

IncomingSnapshot::~IncomingSnapshot() {
  if (!file_) return;
  file_.reset();
  (void)files_.remove(temporary_path_);
}

Result<std::unique_ptr<IncomingSnapshot>> IncomingSnapshot::begin(env::FileSystem& files, std::string directory,
                                                                  const Announced& announced) {
  if (announced.index.is_zero() || announced.term.is_zero() || announced.size_bytes == 0)
    return fail(Errc::invalid_request, "a snapshot was announced without a place or a size");
  const auto free = files.free_bytes(directory);
  if (!free) return std::unexpected(free.error());
  if (*free < incoming_snapshot_margin_bytes || *free - incoming_snapshot_margin_bytes < announced.size_bytes) {
    return fail(Errc::storage_full, directory + ": no space for a snapshot of " + std::to_string(announced.size_bytes) +
                                        " bytes from a peer (" + std::to_string(*free) + " bytes are free, " +
                                        std::to_string(incoming_snapshot_margin_bytes) + " are kept for the log)");
  }
  std::unique_ptr<IncomingSnapshot> incoming(new IncomingSnapshot(files, std::move(directory), announced));
  const std::string& path = incoming->temporary_path_;
  if (auto removed = files.remove(path); !removed && removed.error().code() != Errc::not_found)
    return std::unexpected(std::move(removed.error()));
  auto file = files.open(path, env::OpenMode::create_new);
  if (!file) return std::unexpected(std::move(file.error()));
  incoming->file_ = std::move(*file);
  return incoming;
}

Result<void> IncomingSnapshot::append(std::uint64_t offset, std::string_view bytes) {
  if (auto open = check_open(); !open) return open;
  if (offset != received_bytes_) {
    return fail(Errc::invalid_request, "bytes of a snapshot from " + std::to_string(offset) + " on, but those from " +
                                           std::to_string(received_bytes_) + " on are next");
  }
  if (bytes.size() > announced_.size_bytes - received_bytes_) {
    return fail(Errc::invalid_request,
                "more bytes of a snapshot than the " + std::to_string(announced_.size_bytes) + " that were announced");
  }
  if (auto written = file_->write_at(offset, bytes); !written) {
    // A full disk may have taken a part; the next attempt writes over that.
    if (written.error().code() == Errc::storage_full) return written;
    return give_up(written.error());
  }
  file_->begin_writing(offset, bytes.size());
  received_bytes_ += bytes.size();
  return {};
}

Result<void> IncomingSnapshot::begin_reading() {
  if (auto open = check_open(); !open || reader_) return open;
  if (!is_complete()) {
    return fail(Errc::invalid_request, "only " + std::to_string(received_bytes_) + " of the snapshot's " +
                                           std::to_string(announced_.size_bytes) + " bytes were received");
  }
  if (auto synced = file_->sync(); !synced) return give_up(synced.error());
  auto reader = open_snapshot(files_, temporary_path_);
  if (!reader) return refuse(reader.error());
  reader_ = std::move(*reader);
  return {};
}

Result<std::string> IncomingSnapshot::meta() {
  if (auto begun = begin_reading(); !begun) return std::unexpected(std::move(begun.error()));
  return std::string(reader_->meta());
}

Result<bool> IncomingSnapshot::next_block(std::string& raw) {
  if (auto begun = begin_reading(); !begun) return std::unexpected(std::move(begun.error()));
  if (is_read_) return false;
  const auto more = reader_->next(raw);
  if (!more) return refuse(more.error());
  is_read_ = !*more;
  return more;
}

Result<SnapshotFileInfo> IncomingSnapshot::finish() {
  for (std::string block;;) {
    const auto more = next_block(block);
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
  }
  const SnapshotFileInfo received{
      .path = info_.path + std::string(received_ending), .index = info_.index, .term = info_.term};
  if (auto renamed = files_.rename(temporary_path_, received.path); !renamed) return give_up(renamed.error());
  file_.reset();
  reader_.reset();
  const auto synced = files_.sync_directory(directory_);
  failure_ = synced ? Error(Errc::invalid_request, info_.path + ": was received already") : synced.error();
  if (!synced) return std::unexpected(synced.error());
  return received;
}

std::unexpected<Error> IncomingSnapshot::refuse(const Error& error) {
  return give_up(Error(Errc::invalid_request, "received a bad snapshot: " + error.message()));
}

Result<void> IncomingSnapshot::check_open() const {
  if (failure_) return std::unexpected(*failure_);
  return {};
}

std::unexpected<Error> IncomingSnapshot::give_up(const Error& error) {
  reader_.reset();
  file_.reset();
  (void)files_.remove(temporary_path_);  // else the next start removes it
  failure_ = error;
  return std::unexpected(error);
}

}  // namespace concord::log

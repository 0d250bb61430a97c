#include "node/snapshot_receiver.hpp"

#include <utility>

#include "node/recovery.hpp"

namespace concord::node {

Result<std::uint64_t> SnapshotReceiver::begin(const SnapshotHead& head) {
  if (is_reading_.load(std::memory_order_acquire)) {
    return fail(Errc::cluster_not_ready, "the last snapshot is still being read");
  }
  if (incoming_) {
    const auto& now = incoming_->announced();
    if (now.index == head.index && now.term == head.term && now.size_bytes == head.size_bytes) {
      return incoming_->received_bytes();
    }
    incoming_.reset();
  }
  auto begun = log::IncomingSnapshot::begin(files_, directory_,
                                            {.index = head.index, .term = head.term, .size_bytes = head.size_bytes});
  if (!begun) return std::unexpected(std::move(begun.error()));
  incoming_ = std::move(*begun);
  return 0;
}

Result<void> SnapshotReceiver::append(const SnapshotPiece& piece) {
  if (is_reading_.load(std::memory_order_acquire) || !incoming_ || incoming_->announced().index != piece.index) {
    return fail(Errc::cluster_not_ready, "no such snapshot is being received");
  }
  auto taken = incoming_->append(piece.offset, piece.bytes);
  if (!taken && taken.error().code() == Errc::storage_failed) incoming_.reset();
  return taken;
}

void SnapshotReceiver::end(base::NodeId from, const SnapshotPiece& message, Done done) {
  if (is_reading_.load(std::memory_order_acquire) || !incoming_ || incoming_->announced().index != message.index) {
    return done(fail(Errc::cluster_not_ready, "no such snapshot is being received"));
  }
  if (!incoming_->is_complete()) return done(fail(Errc::cluster_not_ready, "parts of the snapshot are missing"));
  is_reading_.store(true, std::memory_order_release);
  executor_.soon([this, from, bytes = std::string(message.bytes), done = std::move(done)]() mutable {
    read(from, bytes, std::move(done));
    is_reading_.store(false, std::memory_order_release);
  });
}

void SnapshotReceiver::read(base::NodeId from, const std::string& message, Done done) {
  const auto announced = incoming_->announced();
  auto file = incoming_->finish();
  incoming_.reset();
  if (!file) return done(std::unexpected(std::move(file.error())));
  auto loaded = load_snapshot(files_, file->path);
  if (!loaded) return done(std::unexpected(std::move(loaded.error())));
  if ((*loaded)->meta.index != announced.index || (*loaded)->meta.term != announced.term) {
    return done(fail(Errc::invalid_request, "the snapshot is of another entry than was announced"));
  }
  post_(SnapshotArrived{.from = from, .file = *file, .state = std::move(*loaded), .message = message});
  done({});
}

}  // namespace concord::node

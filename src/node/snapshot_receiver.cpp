#include "node/snapshot_receiver.hpp"

#include <chrono>
#include <utility>

namespace concord::node {

namespace {

/// As long as reading a block takes, about.
constexpr std::chrono::milliseconds pause_between_blocks{1};

}  // namespace

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
  executor_.soon(
      [this, reading = std::make_unique<Reading>(from, std::string(message.bytes), std::move(done))]() mutable {
        begin_reading(std::move(reading));
      });
}

void SnapshotReceiver::begin_reading(ReadingPtr reading) {
  const auto bytes = incoming_->meta();
  if (!bytes) return answer(std::move(reading), std::unexpected(bytes.error()));
  auto meta = store::decode_meta(*bytes);
  if (!meta) return answer(std::move(reading), fail(Errc::invalid_request, meta.error().message()));
  if (meta->index != incoming_->announced().index || meta->term != incoming_->announced().term) {
    return answer(std::move(reading),
                  fail(Errc::invalid_request, "the snapshot is of another entry than was announced"));
  }
  reading->loader.emplace(std::move(*meta));
  read_block(std::move(reading));
}

void SnapshotReceiver::read_block(ReadingPtr reading) {
  std::string block;
  const auto more = incoming_->next_block(block);
  if (!more) return answer(std::move(reading), std::unexpected(more.error()));
  if (!*more) return end_reading(std::move(reading));
  if (auto added = reading->loader->add_block(block); !added) {
    return answer(std::move(reading), fail(Errc::invalid_request, added.error().message()));
  }
  executor_.after(pause_between_blocks,
                  [this, reading = std::move(reading)]() mutable { read_block(std::move(reading)); });
}

void SnapshotReceiver::end_reading(ReadingPtr reading) {
  auto loaded = reading->loader->finish();
  if (!loaded) return answer(std::move(reading), fail(Errc::invalid_request, loaded.error().message()));
  const auto file = incoming_->finish();
  if (!file) return answer(std::move(reading), std::unexpected(file.error()));
  SnapshotArrived arrived{
      .from = reading->from, .file = *file, .state = std::move(*loaded), .message = std::move(reading->message)};
  arrived.taken = [this, reading = std::move(reading)](Result<void> outcome) mutable {
    answer(std::move(reading), std::move(outcome));
  };
  post_(std::move(arrived));
}

void SnapshotReceiver::answer(ReadingPtr reading, Result<void> outcome) {
  incoming_.reset();
  is_reading_.store(false, std::memory_order_release);
  reading->done(std::move(outcome));
}

}  // namespace concord::node

#include "node/snapshot_sender.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <utility>

#include "log/outgoing_snapshot.hpp"

namespace concord::node {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t piece_bytes = 256U << 10U;
/// So much a second to one follower: a transfer leaves room on the disk and in the network for the log.
constexpr std::uint64_t rate_bytes_per_second = 128U << 20U;
constexpr milliseconds piece_timeout{10'000};
/// Checking and loading a large snapshot takes its time.
constexpr milliseconds end_timeout{120'000};
constexpr int attempts = 5;
constexpr milliseconds pause_between_attempts{300};
constexpr milliseconds pause_after_failure{1000};

}  // namespace

SnapshotSender::~SnapshotSender() {
  for (auto& [to, transfer] : transfers_) {
    if (transfer->thread.joinable()) transfer->thread.join();
  }
}

void SnapshotSender::send(base::NodeId to, const std::string& path, const SnapshotHead& head, std::string message) {
  const std::lock_guard lock(mutex_);
  std::unique_ptr<Transfer>& slot = transfers_[to];
  if (slot != nullptr && !slot->ended.load(std::memory_order_acquire)) return done_(to, false);
  if (slot != nullptr && slot->thread.joinable()) slot->thread.join();
  slot = std::make_unique<Transfer>();
  slot->to = to;
  slot->head = head;
  slot->path = path;
  slot->message = std::move(message);
  slot->thread = std::thread([this, transfer = slot.get()] { run(*transfer); });
}

std::map<base::NodeId, SnapshotSender::Progress> SnapshotSender::progress() const {
  const std::lock_guard lock(mutex_);
  std::map<base::NodeId, Progress> all;
  for (const auto& [to, transfer] : transfers_) {
    if (transfer->ended.load(std::memory_order_acquire)) continue;
    all[to] = {.sent_bytes = transfer->sent_bytes.load(std::memory_order_relaxed),
               .size_bytes = transfer->size_bytes.load(std::memory_order_relaxed)};
  }
  return all;
}

/// Unless the sender is to stop.
void SnapshotSender::pause(milliseconds time) const {
  constexpr milliseconds slice{30};
  for (milliseconds left = time; left.count() > 0 && !is_stopping(); left -= slice) std::this_thread::sleep_for(slice);
}

void SnapshotSender::run(Transfer& transfer) {
  Result<void> sent;
  for (int attempt = 0; attempt < attempts && !is_stopping(); ++attempt) {
    sent = transmit(transfer);
    if (sent || sent.error().code() == Errc::invalid_request || sent.error().code() == Errc::storage_full) break;
    pause(pause_between_attempts);
  }
  if (!sent) pause(pause_after_failure);  // raft asks again at once
  if (!sent && !is_stopping()) say_("a snapshot could not be sent: " + sent.error().message());
  const base::NodeId to = transfer.to;
  const bool delivered = sent.has_value() && !is_stopping();
  transfer.ended.store(true, std::memory_order_release);
  done_(to, delivered);
}

Result<void> SnapshotSender::transmit(Transfer& transfer) {
  auto file = log::OutgoingSnapshot::open(files_, transfer.path);
  if (!file) return std::unexpected(std::move(file.error()));
  transfer.head.size_bytes = file->size_bytes();
  transfer.size_bytes.store(file->size_bytes(), std::memory_order_relaxed);
  const auto begun = ask(transfer.to, Method::snapshot_begin, encode(transfer.head));
  if (!begun) return std::unexpected(begun.error());
  const auto offset = decode_offset(*begun);
  if (!offset) return std::unexpected(offset.error());

  const auto started_at = steady_clock::now();
  for (std::uint64_t at = *offset; at < file->size_bytes();) {
    if (is_stopping()) return fail(Errc::cluster_not_ready, "the node is stopping");
    const auto bytes = file->read(at, piece_bytes);
    if (!bytes) return std::unexpected(bytes.error());
    auto taken = ask(transfer.to, Method::snapshot_chunk,
                     encode_chunk({.index = transfer.head.index, .offset = at, .bytes = *bytes}));
    if (!taken) return std::unexpected(std::move(taken.error()));
    at += bytes->size();
    transfer.sent_bytes.store(at, std::memory_order_relaxed);
    const auto due = std::chrono::microseconds((at - *offset) * 1'000'000 / rate_bytes_per_second);
    std::this_thread::sleep_until(started_at + due);
  }
  auto ended = ask(transfer.to, Method::snapshot_end,
                   encode_end({.index = transfer.head.index, .offset = 0, .bytes = transfer.message}));
  if (!ended) return std::unexpected(std::move(ended.error()));
  return {};
}

Result<std::string> SnapshotSender::ask(base::NodeId to, Method method, std::string body) {
  const auto answer = std::make_shared<std::promise<Result<std::string>>>();
  auto answered = answer->get_future();
  {
    const std::lock_guard lock(asking_mutex_);
    if (is_stopping()) return fail(Errc::cluster_not_ready, "the node is stopping");
    transport_.request(to, transport::Channel::bulk, static_cast<std::uint8_t>(method), std::move(body),
                       method == Method::snapshot_end ? end_timeout : piece_timeout,
                       [answer](Result<std::string> result) { answer->set_value(std::move(result)); });
  }
  return answered.get();
}

}  // namespace concord::node

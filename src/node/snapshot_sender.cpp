#include "node/snapshot_sender.hpp"

#include <chrono>
#include <utility>

namespace concord::node {

using std::chrono::milliseconds;

namespace {

constexpr std::size_t piece_bytes = 64U << 10U;
/// So much to one follower: a transfer leaves room on the disk and in the network for the log.
constexpr std::uint64_t rate_bytes_per_ms = (64U << 20U) / 1000;
constexpr milliseconds piece_timeout{10'000};
/// Checking and loading a large snapshot takes its time.
constexpr milliseconds end_timeout{600'000};
constexpr int attempts_limit = 5;
constexpr milliseconds pause_between_attempts{300};
constexpr milliseconds pause_after_failure{1000};

/// Trying again would not help.
bool is_final(const Error& error) {
  return error.code() == Errc::invalid_request || error.code() == Errc::storage_full;
}

}  // namespace

bool SnapshotSender::send(base::NodeId to, const std::string& path, const SnapshotHead& head, std::string message) {
  TransferPtr transfer;
  {
    const base::MutexLock lock(mutex_);
    TransferPtr& slot = transfers_[to];
    if (slot == nullptr || slot->ended.load(std::memory_order_acquire)) {
      transfer = std::make_shared<Transfer>();
      transfer->head = head;
      slot = transfer;
    } else if (slot->head.index == head.index) {
      return false;
    }
  }
  if (!transfer) {
    tools_.done(to, false);
    return false;
  }
  transfer->to = to;
  transfer->path = path;
  transfer->message = std::move(message);
  tools_.executor.soon([this, transfer] { begin(transfer); });
  return true;
}

std::map<base::NodeId, SnapshotSender::Progress> SnapshotSender::progress() const {
  const base::MutexLock lock(mutex_);
  std::map<base::NodeId, Progress> all;
  for (const auto& [to, transfer] : transfers_) {
    if (transfer->ended.load(std::memory_order_acquire)) continue;
    all[to] = {.sent_bytes = transfer->sent_bytes.load(std::memory_order_relaxed),
               .size_bytes = transfer->size_bytes.load(std::memory_order_relaxed)};
  }
  return all;
}

void SnapshotSender::begin(const TransferPtr& transfer) {
  ++transfer->attempts;
  auto file = log::OutgoingSnapshot::open(tools_.files, transfer->path);
  if (!file) return end_attempt(transfer, file.error());
  transfer->file.emplace(std::move(*file));
  transfer->head.size_bytes = transfer->file->size_bytes();
  transfer->size_bytes.store(transfer->file->size_bytes(), std::memory_order_relaxed);
  ask(transfer, Method::snapshot_begin, encode(transfer->head), &SnapshotSender::take_begun);
}

void SnapshotSender::take_begun(const TransferPtr& transfer, Result<std::string> answer) {
  if (!answer) return end_attempt(transfer, answer.error());
  const auto offset = decode_offset(*answer);
  if (!offset) return end_attempt(transfer, offset.error());
  transfer->begun_at_bytes = *offset;
  transfer->begun_at_ms = tools_.now_ms();
  transfer->sent_bytes.store(*offset, std::memory_order_relaxed);
  send_piece(transfer);
}

void SnapshotSender::send_piece(const TransferPtr& transfer) {
  const std::uint64_t at = transfer->sent_bytes.load(std::memory_order_relaxed);
  if (at >= transfer->file->size_bytes()) {
    return ask(transfer, Method::snapshot_end,
               encode_end({.index = transfer->head.index, .offset = 0, .bytes = transfer->message}),
               &SnapshotSender::take_ended);
  }
  const auto bytes = transfer->file->read(at, piece_bytes);
  if (!bytes) return end_attempt(transfer, bytes.error());
  transfer->sent_bytes.store(at + bytes->size(), std::memory_order_relaxed);
  ask(transfer, Method::snapshot_chunk, encode_chunk({.index = transfer->head.index, .offset = at, .bytes = *bytes}),
      &SnapshotSender::take_piece_sent);
}

void SnapshotSender::take_piece_sent(const TransferPtr& transfer, Result<std::string> answer) {
  if (!answer) return end_attempt(transfer, answer.error());
  const std::uint64_t sent = transfer->sent_bytes.load(std::memory_order_relaxed) - transfer->begun_at_bytes;
  const std::uint64_t due_ms = transfer->begun_at_ms + sent / rate_bytes_per_ms;
  const std::uint64_t now_ms = tools_.now_ms();
  tools_.executor.after(milliseconds(due_ms > now_ms ? due_ms - now_ms : 0),
                        [this, transfer] { send_piece(transfer); });
}

void SnapshotSender::take_ended(const TransferPtr& transfer, Result<std::string> answer) {
  if (!answer) return end_attempt(transfer, answer.error());
  end(transfer, true);
}

void SnapshotSender::end_attempt(const TransferPtr& transfer, const Error& error) {
  if (!is_final(error) && transfer->attempts < attempts_limit) {
    return tools_.executor.after(pause_between_attempts, [this, transfer] { begin(transfer); });
  }
  tools_.say("a snapshot could not be sent: " + error.message());
  tools_.executor.after(pause_after_failure, [this, transfer] { end(transfer, false); });  // raft asks again at once
}

void SnapshotSender::end(const TransferPtr& transfer, bool delivered) {
  const base::NodeId to = transfer->to;
  transfer->file.reset();
  transfer->ended.store(true, std::memory_order_release);
  tools_.done(to, delivered);
}

/// A sender that stops goes no further: nobody waits for the end of its transfers.
void SnapshotSender::ask(const TransferPtr& transfer, Method method, std::string body, Next next) {
  const base::MutexLock lock(asking_mutex_);
  if (is_stopping_) return;
  tools_.transport.request(transfer->to, transport::Channel::bulk, static_cast<std::uint8_t>(method), std::move(body),
                           method == Method::snapshot_end ? end_timeout : piece_timeout,
                           [this, transfer, next](Result<std::string> answer) mutable {
                             tools_.executor.soon([this, transfer, next, answer = std::move(answer)]() mutable {
                               (this->*next)(transfer, std::move(answer));
                             });
                           });
}

}  // namespace concord::node

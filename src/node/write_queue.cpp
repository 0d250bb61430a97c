#include "node/write_queue.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "base/check.hpp"
#include "base/mutant.hpp"
#include "base/wire.hpp"

namespace concord::node {

using base::RequestId;
using command::CommandKind;

namespace {

constexpr std::size_t stamp_room_bytes = 1 + 2 * base::max_varint_bytes;
/// Larger batches would make the first writer in them wait for the last.
constexpr std::size_t batch_bytes = 1U << 20U;
constexpr std::size_t kept_batches = 4;
constexpr std::size_t kept_batch_bytes = 2 * batch_bytes;

/// What a write takes at least, without its heads.
std::size_t least_bytes(const Write& write) {
  std::size_t size_bytes = write.key.size() + write.value.size();
  if (write.restore != nullptr) return size_bytes + write.restore->items.size();
  if (write.access != nullptr) return size_bytes + write.access->record.size();
  if (write.transaction == nullptr) return size_bytes;
  for (const command::Guard& guard : write.transaction->guards) {
    size_bytes += guard.key.size() + guard.value.size() + guard.filter.size();
  }
  for (const auto* list : {&write.transaction->then, &write.transaction->otherwise}) {
    for (const command::Operation& operation : *list) size_bytes += operation.key.size() + operation.value.size();
  }
  return size_bytes;
}

void append(std::string& to, const RequestId& request, const Write& write) {
  if (!write.as_token.is_zero()) command::append_with_token(to, write.as_token);
  switch (write.kind) {
    case CommandKind::put: return command::append_put(to, request, write.key, write.value, write.ttl_s);
    case CommandKind::remove: return command::append_remove(to, request, write.key);
    case CommandKind::touch: return command::append_touch(to, request, write.key, write.ttl_s);
    case CommandKind::transaction: return command::append_transaction(to, request, *write.transaction);
    case CommandKind::once: return command::append_once(to, request, *write.once, *write.transaction);
    case CommandKind::token_create: return command::append_token_create(to, request, *write.token);
    case CommandKind::token_revoke: return command::append_token_revoke(to, request, write.token->id);
    case CommandKind::restore_begin:
    case CommandKind::restore_chunk:
    case CommandKind::restore_commit:
    case CommandKind::restore_abort: return command::append_restore(to, request, write.kind, *write.restore);
    case CommandKind::access_set: return command::append_access_set(to, request, write.access->record);
    case CommandKind::access_remove: return command::append_access_remove(to, request, *write.access);
    case CommandKind::expire: break;
  }
  CONCORD_CHECK(false, "expiry is pushed by push_expire");
}

Answer answer_of(command::Outcome&& outcome) {
  switch (outcome.refusal) {
    case command::Refusal::none: break;
    case command::Refusal::unauthorized: return fail(Errc::unauthorized, "the token is no longer valid");
    case command::Refusal::forbidden: return fail(Errc::forbidden, "the token may not do that");
    case command::Refusal::quota:  // the text may come from another member
      return fail(Errc::storage_full, outcome.results.empty() ? "the quota of a tenant is reached"
                                                              : command::text_of(outcome.results.front()));
  }
  return std::move(outcome);
}

}  // namespace

std::string_view Batch::stamped(const command::EntryStamp& stamp) {
  std::string head;  // fits the small-string buffer as a rule
  command::begin_entry(head, stamp);
  const std::size_t start = stamp_room_bytes - head.size();
  std::memcpy(bytes_.data() + start, head.data(), head.size());
  return std::string_view(bytes_).substr(start);
}

std::string_view Batch::commands() const noexcept { return std::string_view(bytes_).substr(stamp_room_bytes); }

void WriteQueue::set_identity(base::NodeId node, std::uint64_t incarnation) {
  const base::MutexLock lock(mutex_);
  node_ = node;
  incarnation_ = incarnation;
}

Batch& WriteQueue::open_batch() {
  if (batches_.empty() || batches_.back().bytes_.size() >= batch_bytes) {
    if (spare_.empty()) {
      batches_.emplace_back();
    } else {
      batches_.push_back(std::move(spare_.back()));
      spare_.pop_back();
    }
    begin_batch(batches_.back());
    queued_.store(batches_.size(), std::memory_order_seq_cst);
  }
  return batches_.back();
}

void WriteQueue::begin_batch(Batch& batch) {
  if (batch.bytes_.capacity() > kept_batch_bytes) batch.bytes_ = std::string();
  batch.bytes_.resize(stamp_room_bytes);
  batch.count_ = 0;
  batch.deadline_ms_ = 0;
  batch.first_sequence_ = pending_first_ + pending_.size();
}

std::optional<Error> WriteQueue::refusal_of(std::size_t size_bytes) const {
  if (closed_) return closed_;
  if (in_flight_ >= limits_.max_in_flight && !CONCORD_MUTANT("writes-in-flight-have-no-limit")) {
    return Error(Errc::overloaded, std::to_string(in_flight_) + " writes are in flight, the limit is " +
                                       std::to_string(limits_.max_in_flight));
  }
  if (size_bytes > std::min(most_write_bytes, limits_.max_in_flight_bytes)) {
    const bool is_configured = limits_.max_in_flight_bytes < most_write_bytes;
    return Error(Errc::batch_too_large,
                 "the write has " + std::to_string(size_bytes) + " bytes, the limit is " +
                     std::to_string(std::min(most_write_bytes, limits_.max_in_flight_bytes)) +
                     (is_configured ? " (max_in_flight_bytes)" : ", for all that is written at once"));
  }
  if (in_flight_bytes_ + size_bytes > limits_.max_in_flight_bytes) {
    return Error(Errc::overloaded, std::to_string(in_flight_bytes_) + " bytes of writes are in flight, the limit is " +
                                       std::to_string(limits_.max_in_flight_bytes));
  }
  return std::nullopt;
}

WriteQueue::Pending* WriteQueue::encode_into(Batch& batch, const Write& write, std::uint64_t deadline_ms) {
  const std::size_t before = batch.bytes_.size();
  const RequestId request{.node = node_, .incarnation = incarnation_, .sequence = pending_first_ + pending_.size()};
  try {
    append(batch.bytes_, request, write);
    pending_.emplace_back();
  } catch (const std::bad_alloc&) {  // half a command would spoil those of others
    batch.bytes_.resize(before);
    return nullptr;
  }
  ++batch.count_;
  batch.deadline_ms_ = std::max(batch.deadline_ms_, deadline_ms);
  Pending& pending = pending_.back();
  pending.size_bytes = batch.bytes_.size() - before;
  ++in_flight_;
  in_flight_bytes_ += pending.size_bytes;
  if (follower_ != nullptr) follower_->begin(request.sequence);
  return &pending;
}

Result<WriteQueue::Pending*> WriteQueue::encode(const Write& write, std::uint64_t deadline_ms) {
  if (auto refusal = refusal_of(least_bytes(write))) return std::unexpected(std::move(*refusal));
  if (Pending* pending = encode_into(open_batch(), write, deadline_ms)) return pending;
  return fail(Errc::overloaded, "no memory for the write");
}

Result<bool> WriteQueue::push_taken(const Write& write, Waiter& waiter, Batch& batch) {
  const base::MutexLock lock(mutex_);
  if (auto refusal = refusal_of(least_bytes(write))) return std::unexpected(std::move(*refusal));
  const bool is_alone = batches_.empty();
  if (is_alone) begin_batch(batch);
  Pending* const pending = encode_into(is_alone ? batch : open_batch(), write, ~std::uint64_t{0});
  if (pending == nullptr) return fail(Errc::overloaded, "no memory for the write");
  pending->waiter = &waiter;
  if (is_alone) taken_up_to_ = batch.first_sequence_;
  return is_alone;
}

Result<void> WriteQueue::push(const Write& write, Waiter& waiter, std::uint64_t deadline_ms) {
  const base::MutexLock lock(mutex_);
  auto pending = encode(write, deadline_ms);
  if (!pending) return std::unexpected(std::move(pending.error()));
  (*pending)->waiter = &waiter;
  return {};
}

Result<void> WriteQueue::push(const Write& write, Completion<command::Outcome>& done, std::uint64_t deadline_ms) {
  auto kept = std::make_unique<Completion<command::Outcome>>(std::move(done));
  const base::MutexLock lock(mutex_);
  auto pending = encode(write, deadline_ms);
  if (!pending) {
    done = std::move(*kept);
    return std::unexpected(std::move(pending.error()));
  }
  (*pending)->done = std::move(kept);
  (*pending)->deadline_ms = deadline_ms;
  return {};
}

std::uint64_t WriteQueue::push_expire(base::ClusterTimeMs due_ms, std::uint64_t limit, std::uint64_t deadline_ms) {
  const base::MutexLock lock(mutex_);
  if (closed_) return 0;
  Batch& batch = open_batch();
  command::append_expire(batch.bytes_,
                         {.node = node_, .incarnation = incarnation_, .sequence = pending_first_ + pending_.size()},
                         due_ms, limit);
  ++batch.count_;
  batch.deadline_ms_ = std::max(batch.deadline_ms_, deadline_ms);
  pending_.emplace_back();
  ++in_flight_;
  return pending_first_ + pending_.size() - 1;
}

void WriteQueue::keep_spare(Batch&& batch) {
  const bool is_usual = batch.bytes_.capacity() > 0 && batch.bytes_.capacity() <= kept_batch_bytes;
  if (is_usual && spare_.size() < kept_batches) spare_.push_back(std::move(batch));
}

void WriteQueue::give_back(Batch&& batch) {
  const base::MutexLock lock(mutex_);
  keep_spare(std::move(batch));
}

std::uint64_t WriteQueue::first_pending() const {
  const base::MutexLock lock(mutex_);
  return pending_first_;
}

bool WriteQueue::is_settled(std::uint64_t sequence) const {
  const base::MutexLock lock(mutex_);
  return sequence < pending_first_ || !pending_[static_cast<std::size_t>(sequence - pending_first_)].is_waiting;
}

void WriteQueue::fail_taken(const Error& error) {
  const base::MutexLock lock(mutex_);
  for (std::size_t at = 0; at < pending_.size() && pending_first_ + at <= taken_up_to_; ++at) {
    settle(pending_[at], std::unexpected(error));
  }
  drop_settled();
}

bool WriteQueue::take(Batch& batch) {
  if (is_empty()) return false;
  const base::MutexLock lock(mutex_);
  if (batches_.empty()) return false;
  keep_spare(std::move(batch));
  batch = std::move(batches_.front());
  batches_.pop_front();
  queued_.store(batches_.size(), std::memory_order_seq_cst);
  taken_up_to_ = batch.first_sequence_ + batch.count_ - 1;
  return true;
}

void WriteQueue::settle(Pending& pending, Answer&& outcome) {
  if (pending.is_waiting) {
    pending.is_waiting = false;
    --in_flight_;
    in_flight_bytes_ -= pending.size_bytes;
  }
  if (Waiter* waiter = std::exchange(pending.waiter, nullptr)) {
    waiter->answer(std::move(outcome));
  } else if (pending.done) {
    completions_.push_back({std::move(*pending.done), std::move(outcome)});
    pending.done.reset();
    completion_count_.store(completions_.size(), std::memory_order_seq_cst);
  }
}

void WriteQueue::drop_settled() {
  while (!pending_.empty() && !pending_.front().is_waiting) {
    pending_.pop_front();
    ++pending_first_;
  }
}

void WriteQueue::answer(std::vector<store::Applied>& applied) {
  const base::MutexLock lock(mutex_);
  for (store::Applied& one : applied) {
    const RequestId& request = one.request;
    if (request.node != node_ || request.incarnation != incarnation_) continue;
    if (request.sequence < pending_first_ || request.sequence - pending_first_ >= pending_.size()) continue;
    settle(pending_[static_cast<std::size_t>(request.sequence - pending_first_)], answer_of(std::move(one.outcome)));
  }
  drop_settled();
}

void WriteQueue::refuse(const Batch& batch, const Error& error) {
  const base::MutexLock lock(mutex_);
  for (std::uint64_t at = 0; at < batch.count_; ++at) {
    settle(pending_[static_cast<std::size_t>(batch.first_sequence_ + at - pending_first_)], std::unexpected(error));
  }
  drop_settled();
}

void WriteQueue::fail_all(const Error& taken, const Error& queued) {
  const base::MutexLock lock(mutex_);
  closed_ = queued;
  for (std::size_t at = 0; at < pending_.size(); ++at) {
    settle(pending_[at], std::unexpected(pending_first_ + at <= taken_up_to_ ? taken : queued));
  }
  drop_settled();
  batches_.clear();
  queued_.store(0, std::memory_order_seq_cst);
}

void WriteQueue::close(const Error& error) {
  const base::MutexLock lock(mutex_);
  if (!closed_) closed_ = error;
}

void WriteQueue::give_up(std::uint64_t now_ms) {
  const base::MutexLock lock(mutex_);
  for (Pending& pending : pending_) {
    if (!pending.done || pending.deadline_ms > now_ms) continue;
    // It stays in flight: its bytes are in the queue or in the log. Only nobody waits for it any more.
    completions_.push_back(
        {std::move(*pending.done),
         fail(Errc::timeout, "the deadline has passed; whether the write happens is unknown", true)});
    pending.done.reset();
    completion_count_.store(completions_.size(), std::memory_order_seq_cst);
  }
}

bool WriteQueue::take_completions(std::vector<CompletionCall>& calls) {
  calls.clear();
  if (!has_completions()) return false;
  const base::MutexLock lock(mutex_);
  calls.swap(completions_);
  completion_count_.store(0, std::memory_order_seq_cst);
  return !calls.empty();
}

bool WriteQueue::is_idle() const {
  const base::MutexLock lock(mutex_);
  return in_flight_ == 0 && completions_.empty();
}

}  // namespace concord::node

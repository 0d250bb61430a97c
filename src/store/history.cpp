#include "store/history.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include <absl/container/btree_map.h>

#include "base/check.hpp"
#include "base/wire_writing.hpp"
#include "store/hash.hpp"

namespace concord::store {
namespace {

constexpr std::size_t head_bytes = 1 + 4 + 8;
constexpr std::size_t most_number_bytes = 5;  // of a varint below 2^35: sizes, seconds
/// A shorter value is copied into the event: to hold its record would cost as much.
constexpr std::size_t least_held_bytes = 512;
/// The records that one block holds are at most such a part of what a history may have, because they leave with it.
constexpr std::uint64_t held_part = 16;
/// What is in records takes few bytes of a block: such a block is smaller.
constexpr std::size_t least_block_bytes = std::size_t{4} << 10U;

using base::write_bytes;
using base::write_varint;

EventType single_type(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::put: return EventType::put;
    case ChangeKind::remove: return EventType::del;
    case ChangeKind::touch: return EventType::touch;
    case ChangeKind::expire: return EventType::expire;
  }
  return EventType::txn;
}

EventType several_type(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::put: return EventType::put_many;
    case ChangeKind::remove: return EventType::del_many;
    case ChangeKind::touch: return EventType::touch_many;
    case ChangeKind::expire: return EventType::expire;
  }
  return EventType::txn;
}

/// What the changes of one transaction make of one key.
struct Merged {
  HistoryEvent::Change change;  // the last, with what was there before the first
  std::size_t position = 0;     // of the last
  bool was_there = false;       // before the first
};

/// Whether two changes may be of one key: never missed, and hardly ever said where it is not so. Most transactions change each key once,
/// and then nothing needs to be moved.
bool may_repeat_a_key(HistoryEvent event) {
  constexpr std::size_t most_steps = 64;  // keys may have been chosen so that their hashes lie side by side
  const std::size_t places = std::bit_ceil(2 * event.count() + 1);
  std::vector<std::uint64_t> seen(places);  // hashes, by open addressing; 0: none
  HistoryEvent::Change change;
  while (event.next(change)) {
    const std::uint64_t hash = std::max<std::uint64_t>(hash_bytes(change.key, 0), 1);
    std::size_t at = static_cast<std::size_t>(hash) & (places - 1);
    for (std::size_t steps = 0; seen[at] != 0; at = (at + 1) & (places - 1)) {
      if (seen[at] == hash || ++steps > most_steps) return true;
    }
    seen[at] = hash;
  }
  return false;
}

std::size_t most_bytes(std::size_t key, std::size_t value, std::size_t previous) {
  return 1 + 4 * most_number_bytes + key + value + previous;
}

char* write_content(char* to, std::string_view content, const Record* record) {
  if (record == nullptr) return write_bytes(to, content);
  const auto address = std::uint64_t{reinterpret_cast<std::uintptr_t>(record)};
  std::memcpy(to, &address, sizeof address);
  return to + sizeof address;
}

char* write_change(char* to, const HistoryEvent::Change& change) {
  *to++ = static_cast<char>(static_cast<unsigned>(change.op) |
                            (change.value_in == nullptr ? 0U : HistoryEvent::value_in_record) |
                            (change.previous_in == nullptr ? 0U : HistoryEvent::previous_in_record));
  to = write_bytes(to, change.key);
  to = write_content(to, change.value, change.value_in);
  to = write_content(to, change.previous, change.previous_in);
  return write_varint(to, change.ttl_s);
}

char* write_head(char* to, unsigned type, std::uint32_t count, std::int64_t time_ms) {
  *to++ = static_cast<char>(type);
  std::memcpy(to, &count, sizeof count);
  std::memcpy(to + sizeof count, &time_ms, sizeof time_ms);
  return to + sizeof count + sizeof time_ms;
}

}  // namespace

void KeptEvent::append_to(std::string& plain) const {
  if ((static_cast<unsigned char>(bytes_.front()) & HistoryEvent::names_records) == 0) {
    plain += bytes_;
    return;
  }
  HistoryEvent event(*this);
  base::append_at_most(plain, head_bytes, [&](char* to) {
    return write_head(to, static_cast<unsigned>(event.type()), static_cast<std::uint32_t>(event.count()),
                      event.time_ms());
  });
  HistoryEvent::Change change;
  while (event.next(change)) {
    change.value_in = change.previous_in = nullptr;
    const std::size_t most = most_bytes(change.key.size(), change.value.size(), change.previous.size());
    base::append_at_most(plain, most, [&](char* to) { return write_change(to, change); });
  }
}

std::string KeptEvent::plain() const {
  std::string plain;
  append_to(plain);
  return plain;
}

HistoryBlock::HistoryBlock(std::size_t capacity_bytes)
    : capacity_bytes_(capacity_bytes), bytes_(new char[capacity_bytes]), ends_(new std::uint32_t[most_events]) {}

bool HistoryEvent::next(Change& change) {
  if (seen_ == count_ || !reader_.ok()) return false;
  ++seen_;
  const unsigned head = reader_.byte();
  const unsigned op = head & ~op_flags_;
  if (op > static_cast<unsigned>(ChangeKind::expire)) reader_.fail();
  change.op = static_cast<ChangeKind>(op);
  change.key = reader_.bytes();
  change.value = content((head & value_in_record) != 0, change.value_in);
  change.previous = content((head & previous_in_record) != 0, change.previous_in);
  change.ttl_s = reader_.varint();
  return reader_.ok();
}

std::string_view HistoryEvent::content(bool is_in_record, Record*& record) {
  record = nullptr;
  if (!is_in_record || !reader_.ok()) return reader_.bytes();
  record = reinterpret_cast<Record*>(static_cast<std::uintptr_t>(reader_.fixed64()));
  return record == nullptr ? std::string_view() : record->value();
}

bool HistoryImage::next_block(std::string& block, std::size_t target_bytes) {
  block.clear();
  std::string event;
  while (next_.value() < first_.value() + count_ && block.size() < target_bytes) {
    const HistoryBlock& from = *blocks_[next_block_];
    const std::size_t position = next_.value() - from.first().value();
    if (position >= from.size()) {
      ++next_block_;
      continue;
    }
    event.clear();
    from.event(position).append_to(event);
    base::append_bytes(block, event);
    next_ = next_.next();
  }
  return !block.empty();
}

History::History(const HistoryLimits& limits) : limits_(limits) { reset(Revision(0)); }

// ---------------------------------------------------------------------------------------------------------------------
// Writer.

void History::on_entry(const command::EntryStamp& stamp) { stamp_ = stamp; }

void History::on_change(const Change& change) {
  if (changes_ == 0) begin_event(change.kind);
  has_one_kind_ = has_one_kind_ && change.kind == kind_;
  ++changes_;
  HistoryEvent::Change told{.op = change.kind, .key = change.key, .value = {}, .previous = change.previous_value};
  if (change.kind == ChangeKind::put) told.value = change.value;
  if (change.deadline_ms) {
    const base::ClusterTimeMs left_ms = *change.deadline_ms - std::min(*change.deadline_ms, stamp_.cluster_time_ms);
    told.ttl_s = (left_ms + 999) / 1000;
  }
  if (previous_bytes_ + told.previous.size() > limits_.max_previous_bytes) {
    left_out_.push_back(changes_ - 1);
    told.previous = {};
  }
  previous_bytes_ += told.previous.size();
  // As if all of it stood here: what is told must not depend on where it is kept.
  const std::size_t whole_bytes = most_bytes(told.key.size(), told.value.size(), told.previous.size());
  is_too_large_ = is_too_large_ || end_ - begin_ + elsewhere_bytes_ + whole_bytes > limits_.max_event_bytes;
  if (is_too_large_) return;
  told.value_in = hold(change.record, told.value);
  told.previous_in = hold(change.previous_record, told.previous);
  char* const to = room(most_bytes(told.key.size(), told.value_in == nullptr ? told.value.size() : sizeof(Record*),
                                   told.previous_in == nullptr ? told.previous.size() : sizeof(Record*)));
  end_ += static_cast<std::size_t>(write_change(to, told) - to);
}

/// Null: it is short, or in no record, and is to be copied.
Record* History::hold(Record* record, std::string_view content) {
  if (record == nullptr || content.size() < least_held_bytes) return nullptr;
  record->retain();
  held_.emplace_back(record);
  held_bytes_ += record->memory_bytes();
  elsewhere_bytes_ += base::bytes_size(content) - sizeof record;
  return record;
}

void History::let_go_of_held() noexcept {
  held_.clear();
  held_bytes_ = 0;
  elsewhere_bytes_ = 0;
}

void History::begin_event(ChangeKind kind) {
  end_ = begin_;
  kind_ = kind;
  has_one_kind_ = true;
  previous_bytes_ = 0;
  left_out_.clear();
  is_too_large_ = false;
  let_go_of_held();
  (void)room(head_bytes);
  end_ += head_bytes;
}

void History::on_command(command::CommandKind kind, bool changed, Revision revision) {
  const std::uint32_t told = std::exchange(changes_, 0);
  if (!changed) return let_go_of_held();
  if (kind == command::CommandKind::restore_commit) return add_restored(revision);
  CONCORD_CHECK(told > 0, "a command that changed something has told of it");
  if (is_too_large_) return add_restored(revision);
  changes_ = told;
  if (told > 1) merge_changes();
  const std::uint32_t count = std::exchange(changes_, 0);
  write_head(count == 1 ? single_type(kind_) : has_one_kind_ ? several_type(kind_) : EventType::txn, count);
  publish(revision);
}

/// Of everything at once, or of too much, so it names no key.
void History::add_restored(Revision revision) {
  end_ = begin_;
  let_go_of_held();
  (void)room(head_bytes);
  end_ += head_bytes;
  write_head(EventType::restored, 0);
  publish(revision);
}

void History::write_head(EventType type, std::uint32_t count) {
  const std::int64_t time_ms = static_cast<std::int64_t>(stamp_.cluster_time_ms) + stamp_.wall_offset_ms;
  const unsigned flag = held_.empty() ? 0U : HistoryEvent::names_records;
  (void)store::write_head(tail_->bytes_.get() + begin_, static_cast<unsigned>(type) | flag, count, time_ms);
}

/// A key that was changed more than once is left with its last change. What is written is no longer than what was there.
void History::merge_changes() {
  write_head(EventType::txn, changes_);  // until it is known: what stands there can be read as an event
  if (!may_repeat_a_key(HistoryEvent(KeptEvent(pending())))) return;
  const std::string event(pending());
  HistoryEvent reader{KeptEvent(event)};
  HistoryEvent::Change change;
  absl::btree_map<std::string_view, Merged> keys;
  for (std::size_t position = 0; reader.next(change); ++position) {
    const bool was_there = !change.previous.empty() || std::ranges::binary_search(left_out_, position);
    const auto [at, is_new] =
        keys.try_emplace(change.key, Merged{.change = change, .position = position, .was_there = was_there});
    if (is_new) continue;
    const HistoryEvent::Change before = at->second.change;
    at->second = {.change = change, .position = position, .was_there = at->second.was_there};
    at->second.change.previous = before.previous;
    at->second.change.previous_in = before.previous_in;
    if (change.op == ChangeKind::touch && before.op == ChangeKind::put) {  // still the news is what it holds
      at->second.change.op = ChangeKind::put;
      at->second.change.value = before.value;
      at->second.change.value_in = before.value_in;
    }
  }
  if (keys.size() == changes_) return;
  std::vector<const Merged*> left;
  for (const auto& [key, merged] : keys) {
    const bool is_gone = merged.change.op == ChangeKind::remove || merged.change.op == ChangeKind::expire;
    if (!is_gone || merged.was_there) left.push_back(&merged);
  }
  std::ranges::sort(left, {}, &Merged::position);
  char* to = tail_->bytes_.get() + begin_ + head_bytes;
  has_one_kind_ = true;
  if (!left.empty()) kind_ = left.front()->change.op;
  for (const Merged* merged : left) {
    has_one_kind_ = has_one_kind_ && merged->change.op == kind_;
    to = write_change(to, merged->change);
  }
  changes_ = static_cast<std::uint32_t>(left.size());
  end_ = static_cast<std::size_t>(to - tail_->bytes_.get());
}

void History::publish(Revision revision) {
  if (revision != newest().next()) {
    // Whoever left something out has not replaced the state through `reset`: what came before does not fit any more.
    const std::string event(pending());
    reset(revision.previous());
    std::memcpy(room(event.size()), event.data(), event.size());
    end_ += event.size();
  }
  tail_->ends_[tail_count_++] = static_cast<std::uint32_t>(end_);
  begin_ = end_;
  if (!held_.empty()) {
    tail_->held_.insert(tail_->held_.end(), std::move_iterator(held_.begin()), std::move_iterator(held_.end()));
    tail_->held_bytes_ += held_bytes_;
    let_go_of_held();
  }
  tail_->count_.store(static_cast<std::uint32_t>(tail_count_), std::memory_order_release);
  published_.store(published_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  // Sequentially consistent like `wake_wanted_`: either the waker is called, or who wants it sees the new revision.
  newest_.store(revision.value(), std::memory_order_seq_cst);
  if (wake_wanted_.load(std::memory_order_seq_cst) && wake_wanted_.exchange(false, std::memory_order_seq_cst)) wake_();
}

/// Room behind the event under way; moves it to a new block when there is none.
char* History::room(std::size_t size_bytes) {
  const bool may_hold =
      held_.empty() || tail_count_ == 0 || tail_->held_bytes_ + held_bytes_ <= limits_.max_bytes / held_part;
  const bool has_room =
      may_hold && tail_count_ < HistoryBlock::most_events && end_ + size_bytes <= tail_->capacity_bytes_;
  if (!has_room) {
    const std::string moved(pending());
    // One that grows change by change is not moved each time.
    const std::size_t grows_bytes = moved.size() > head_bytes ? moved.size() : 0;
    const std::size_t usual_bytes =
        may_hold ? HistoryBlock::usual_bytes : std::clamp(2 * begin_, least_block_bytes, HistoryBlock::usual_bytes);
    Blocks dropped;
    const base::MutexLock lock(mutex_);
    dropped = begin_block(std::max(usual_bytes, moved.size() + size_bytes + grows_bytes));
    std::memcpy(tail_->bytes_.get(), moved.data(), moved.size());
    end_ = moved.size();
  }
  return tail_->bytes_.get() + end_;
}

/// Behind the newest event.
History::Blocks History::begin_block(std::size_t capacity_bytes) {
  CONCORD_CHECK(capacity_bytes < (std::size_t{1} << 32U), "places in a block have 32 bits");
  if (!blocks_.empty() && blocks_.back()->size() == 0) {
    bytes_ -= blocks_.back()->capacity_bytes_;
    blocks_.pop_back();
  } else if (!blocks_.empty()) {
    bytes_ += blocks_.back()->held_bytes_;
  }
  auto block = std::make_shared<HistoryBlock>(capacity_bytes);
  block->first_ = newest().next();
  bytes_ += capacity_bytes;
  blocks_.push_back(std::move(block));
  Blocks dropped = drop_old();
  tail_ = blocks_.back().get();
  tail_count_ = begin_ = end_ = 0;
  return dropped;
}

History::Blocks History::drop_old() {
  Blocks dropped;
  const std::uint64_t next = newest_.load(std::memory_order_relaxed) + 1;
  while (blocks_.size() > 1) {
    const std::uint64_t behind_first = next - blocks_[1]->first_.value();
    // The newest event is in the last block but one when the last is new: it stays.
    const bool is_too_many = behind_first >= limits_.max_events;
    const bool is_too_much = bytes_ + limits_.max_bytes / held_part > limits_.max_bytes && behind_first > 0;
    if (!is_too_many && !is_too_much) break;
    bytes_ -= blocks_.front()->capacity_bytes_ + blocks_.front()->held_bytes_;
    dropped.push_back(std::move(blocks_.front()));
    blocks_.pop_front();
  }
  return dropped;
}

void History::reset(Revision revision) {
  {
    Blocks dropped;
    const base::MutexLock lock(mutex_);
    dropped.swap(blocks_);
    bytes_ = 0;
    newest_.store(revision.value(), std::memory_order_seq_cst);
    (void)begin_block(HistoryBlock::usual_bytes);
  }
  if (wake_wanted_.exchange(false, std::memory_order_seq_cst)) wake_();
}

bool History::add(std::string_view event) {
  HistoryEvent reader(event);
  HistoryEvent::Change change;
  while (reader.next(change)) {
  }
  if (!reader.ok() || reader.type() > EventType::restored) return false;
  end_ = begin_;
  let_go_of_held();
  std::memcpy(room(event.size()), event.data(), event.size());
  end_ += event.size();
  publish(newest().next());
  return true;
}

HistoryImage History::image() const {
  HistoryImage image;
  image.first_ = image.next_ = oldest();
  image.count_ = newest().value() + 1 - image.first_.value();
  const base::MutexLock lock(mutex_);
  image.blocks_.assign(blocks_.begin(), blocks_.end());
  return image;
}

// ---------------------------------------------------------------------------------------------------------------------
// Any thread.

Revision History::oldest() const {
  const base::MutexLock lock(mutex_);
  const std::uint64_t behind = newest().value() + 1;
  const std::uint64_t shown = behind - std::min(behind, limits_.max_events);
  return Revision(std::max(blocks_.front()->first_.value(), shown));
}

std::shared_ptr<const HistoryBlock> History::find(Revision revision) const {
  const base::MutexLock lock(mutex_);
  const std::uint64_t newest_now = newest().value();
  if (revision.value() > newest_now || newest_now - revision.value() >= limits_.max_events) return nullptr;
  const auto behind = std::ranges::upper_bound(blocks_, revision, {}, [](const auto& block) { return block->first_; });
  if (behind == blocks_.begin()) return nullptr;
  return *std::prev(behind);
}

}  // namespace concord::store

// The last changes, as events in the order of their revisions: what event streams are served from.
//
//   event  := type:u8 count:fixed32 time_ms:fixed64 change*            count of changes; time: the leader's wall clock, ms since 1970
//   change := op:u8 key:bytes value:bytes previous:bytes ttl_s:varint
//   op     := 0 put | 1 remove | 2 touch | 3 expire                    (ChangeKind)
//   value, previous := a stored form | empty: none                     value: of puts only
//   ttl_s  := 0: none
//   type   := a number of `concord::EventType`                         restored has no changes
//
// So an event is saved. A block keeps long values where they are, in the records of the store, which it holds as long as it lives: in the
// place of such a `value` or `previous` stands the record's address as fixed64, the op has a flag for each, and so has the type.
//
// Each revision has one event, so a block of events needs to know only the revision of its first. A key is in an event once, with
// the last that its transaction did to it and with what it held before (a put that is touched stays a put); a key that was only
// created and removed again is not.
//
// Bounded by events and by bytes, whichever is less; the newest event stays whatever its size. Events leave in blocks, but exactly
// `max_events` are shown. One command may change 100 000 large values, so one event is bounded too: of what keys held before only so
// much is kept, and an event that is too large all the same becomes a `restored`.
//
// Thread rule: "writer" from one thread at a time; the rest from any, without a lock but for a short one to find a block.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <concord/error.hpp>
#include <concord/events.hpp>
#include <concord/revision.hpp>

#include "base/mutex.hpp"
#include "base/wire.hpp"
#include "store/change.hpp"
#include "store/record.hpp"

namespace concord::store {

/// An event as a block keeps it; what it views lives as long as the block.
class KeptEvent {
 public:
  explicit KeptEvent(std::string_view bytes) noexcept : bytes_(bytes) {}
  /// By the grammar above, without addresses: to be saved or compared.
  void append_to(std::string& plain) const;
  [[nodiscard]] std::string plain() const;

 private:
  friend class HistoryEvent;
  std::string_view bytes_;
};

/// Events of revisions that follow each other. What was published does not change any more.
class HistoryBlock {
 public:
  static constexpr std::size_t usual_bytes = std::size_t{256} << 10U;
  static constexpr std::size_t most_events = 2048;

  explicit HistoryBlock(std::size_t capacity_bytes = usual_bytes);

  [[nodiscard]] Revision first() const noexcept { return first_; }
  /// Of events that are published.
  [[nodiscard]] std::size_t size() const noexcept { return count_.load(std::memory_order_acquire); }
  /// Precondition: position < size().
  [[nodiscard]] KeptEvent event(std::size_t position) const noexcept {
    const std::size_t begin = position == 0 ? 0 : ends_[position - 1];
    return KeptEvent({bytes_.get() + begin, ends_[position] - begin});
  }

 private:
  friend class History;

  Revision first_;
  std::size_t capacity_bytes_;
  std::unique_ptr<char[]> bytes_;
  std::unique_ptr<std::uint32_t[]> ends_;
  std::atomic<std::uint32_t> count_{0};
  // The writer's.
  std::vector<RecordRef> held_;
  std::uint64_t held_bytes_ = 0;
};

/// One event, taken apart front to back; views its bytes, and what they name.
class HistoryEvent {
 public:
  struct Change {
    ChangeKind op = ChangeKind::put;
    std::string_view key;
    std::string_view value;
    std::string_view previous;
    std::uint64_t ttl_s = 0;
    // The records that have them; null: they stand in the event.
    Record* value_in = nullptr;
    Record* previous_in = nullptr;
  };

  /// As it was saved: an address in it is an error.
  explicit HistoryEvent(std::string_view saved) : HistoryEvent(saved, 0) {}
  explicit HistoryEvent(const KeptEvent& kept) : HistoryEvent(kept.bytes_, names_records) {}

  [[nodiscard]] EventType type() const noexcept { return type_; }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  [[nodiscard]] std::int64_t time_ms() const noexcept { return time_ms_; }
  [[nodiscard]] bool next(Change& change);
  /// After `next` returned false: whether the bytes follow the grammar.
  [[nodiscard]] bool ok() const noexcept { return reader_.finished() && seen_ == count_; }

  // Flags of a block's events, never saved.
  static constexpr unsigned names_records = 0x80;    ///< of the type
  static constexpr unsigned value_in_record = 0x80;  ///< of an op; so the next
  static constexpr unsigned previous_in_record = 0x40;

 private:
  HistoryEvent(std::string_view event, unsigned known_flags)
      : reader_(event),
        head_(reader_.byte()),
        op_flags_((head_ & known_flags) != 0 ? value_in_record | previous_in_record : 0),
        type_(static_cast<EventType>(head_ & ~known_flags)),
        count_(reader_.fixed32()),
        time_ms_(static_cast<std::int64_t>(reader_.fixed64())) {}
  [[nodiscard]] std::string_view content(bool is_in_record, Record*& record);

  base::Reader reader_;
  unsigned head_;
  unsigned op_flags_;
  EventType type_;
  std::size_t count_;
  std::int64_t time_ms_;
  std::size_t seen_ = 0;
};

struct HistoryLimits {
  std::uint64_t max_events = 100'000;
  std::uint64_t max_bytes = std::uint64_t{64} << 20U;  ///< Those of the records that are held counted.
  // Of one event; the same on all members, because a stream goes on at another one.
  std::uint64_t max_previous_bytes = std::uint64_t{64} << 20U;  ///< `previous` beyond is left out: empty.
  std::uint64_t max_event_bytes = std::uint64_t{1} << 30U;  ///< A larger event names no key: it is told as `restored`.
};

/// The events of a history as of one revision, for as long as it lives.
class HistoryImage {
 public:
  [[nodiscard]] Revision first() const noexcept { return first_; }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  /// The next block of `event:bytes*`, of about `target_bytes`; false at the end.
  [[nodiscard]] bool next_block(std::string& block, std::size_t target_bytes);

 private:
  friend class History;

  std::vector<std::shared_ptr<const HistoryBlock>> blocks_;
  Revision first_;
  std::uint64_t count_ = 0;
  Revision next_;
  std::size_t next_block_ = 0;
};

class History final : public ChangeListener {
 public:
  explicit History(const HistoryLimits& limits = {});

  // --- writer ----------------------------------------------------------------------------------------------------------

  void on_entry(const command::EntryStamp& stamp) override;
  void on_change(const Change& change) override;
  void on_command(command::CommandKind kind, bool changed, Revision revision) override;

  /// Forgets everything: the next event is that behind `revision`.
  void reset(Revision revision);
  /// The next event, as `HistoryImage` gave it. False: it does not follow the grammar.
  [[nodiscard]] bool add(std::string_view event);
  [[nodiscard]] HistoryImage image() const;

  // --- any thread ------------------------------------------------------------------------------------------------------

  /// Of the newest event, or that of `reset`.
  [[nodiscard]] Revision newest() const noexcept { return Revision(newest_.load(std::memory_order_seq_cst)); }
  /// Of the oldest event that is kept; the one behind `newest` when there is none.
  [[nodiscard]] Revision oldest() const;
  /// The block with the event of a revision that was published; null: it is not kept, or not there yet.
  [[nodiscard]] std::shared_ptr<const HistoryBlock> find(Revision revision) const;
  /// Since this was made.
  [[nodiscard]] std::uint64_t published() const noexcept { return published_.load(std::memory_order_relaxed); }

  /// What `want_wake` asks for is `wake`d on the writer's thread. Set before the writer begins.
  void set_waker(std::function<void()> wake) { wake_ = std::move(wake); }
  /// The waker is called once, with the next event. False: one newer than `seen` is there already, so it perhaps is not.
  [[nodiscard]] bool want_wake(Revision seen) noexcept {
    wake_wanted_.store(true, std::memory_order_seq_cst);
    return newest() <= seen;
  }

 private:
  using Blocks = std::deque<std::shared_ptr<HistoryBlock>>;

  [[nodiscard]] char* room(std::size_t size_bytes);
  [[nodiscard]] Record* hold(Record* record, std::string_view content);
  /// What is not kept any longer: it is let go without the lock.
  [[nodiscard]] Blocks begin_block(std::size_t capacity_bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  [[nodiscard]] Blocks drop_old() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void begin_event(ChangeKind kind);
  void merge_changes();
  void add_restored(Revision revision);
  void write_head(EventType type, std::uint32_t count);
  [[nodiscard]] std::string_view pending() const noexcept { return {tail_->bytes_.get() + begin_, end_ - begin_}; }
  void let_go_of_held() noexcept;
  void publish(Revision revision);

  const HistoryLimits limits_;
  std::function<void()> wake_;

  // The writer's.
  HistoryBlock* tail_ = nullptr;  // the newest block
  std::size_t tail_count_ = 0;    // its published events
  std::size_t begin_ = 0;         // of the event under way, in the tail
  std::size_t end_ = 0;
  std::uint32_t changes_ = 0;
  std::uint64_t previous_bytes_ = 0;   // in the event under way
  std::uint64_t elsewhere_bytes_ = 0;  // by which it would be larger with all that it names
  std::vector<RecordRef> held_ = {};   // its records
  std::uint64_t held_bytes_ = 0;
  std::vector<std::uint32_t> left_out_ = {};  // positions of the changes whose `previous` is left out, rising
  bool is_too_large_ = false;                 // the changes of the event under way are counted, not kept
  bool has_one_kind_ = true;                  // all changes of the event under way have the op of the first
  ChangeKind kind_ = ChangeKind::put;
  command::EntryStamp stamp_;

  mutable base::Mutex mutex_;
  Blocks blocks_ ABSL_GUARDED_BY(mutex_);            // the last may be empty
  std::uint64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // theirs, with what all but the last hold
  std::atomic<std::uint64_t> newest_{0};
  std::atomic<std::uint64_t> published_{0};
  std::atomic<bool> wake_wanted_{false};
};

}  // namespace concord::store

// Keys, their values, and the versions that somebody may still need: the table, the key order, the expiry order, and the
// rules by which changes become visible.
//
// A change of the writer stands in a slot of the table in one of two forms (word.hpp):
//   - directly: the record replaces the one before. For transactions of one change while no view is open.
//   - as a link, which holds the new version and points to the one before. A link shows its version to readers that see
//     its revision. So the changes of one transaction appear at once, with one store of `visible`; and a view that was
//     opened at revision R goes on seeing what was there at R.
// Links whose older versions nobody needs any more are collapsed by the writer, a bounded number a call, oldest first.
//
// Views and the direct form exclude each other without a lock on the write path: the writer raises `direct_` and then looks
// for views; a view counts itself and then waits until `direct_` is down (one transaction of one change: far below 1 us).
//
// Thread rule: what stands under "writer" from one thread at a time; the rest from any.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "base/mutex.hpp"
#include "store/epoch.hpp"
#include "store/expiry_order.hpp"
#include "store/key_order.hpp"
#include "store/look_ahead.hpp"
#include "store/record.hpp"
#include "store/table.hpp"
#include "store/word.hpp"

namespace concord::store {

class KeySpace {
 public:
  KeySpace(std::uint64_t hash_seed, Epoch& epoch);
  KeySpace(const KeySpace&) = delete;
  KeySpace& operator=(const KeySpace&) = delete;
  /// Precondition: no reader is inside a section, no view is open.
  ~KeySpace();

  // --- readers ---------------------------------------------------------------------------------------------------------

  /// Up to which revision everything is visible.
  [[nodiscard]] std::uint64_t visible() const noexcept { return visible_.load(std::memory_order_acquire); }
  /// What a reader sees who sees `visible`; null: no such key. In a section.
  [[nodiscard]] Record* find(std::string_view key, std::uint64_t visible) const noexcept {
    return resolve(table_.find(table_.hash(key), key), visible);
  }
  /// What a reader sees who begins now, of one key; null: no such key. In a section.
  [[nodiscard]] Record* find_newest(std::string_view key) const noexcept {
    const std::uint64_t hash = table_.hash(key);
    const Word word = table_.find(hash, key);
    // A record in its slot is visible to everybody. What `visible` says, which each change writes, matters to links only, and is
    // read before the link is.
    if (!is_link(word)) [[likely]]
      return record_of(word);
    const std::uint64_t seen = visible();
    return resolve(table_.find(hash, key), seen);
  }
  /// `visit(const Record&) -> bool` in key order from `from` on, as of `visible`, until it returns false. In a section.
  template <class Visit>
  void visit_from(std::string_view from, std::uint64_t visible, Visit visit) const {
    order_.visit_from(from, [&](std::string_view key) {
      const Record* record = find(key, visible);
      return record == nullptr || visit(*record);
    });
  }
  /// The same, but asks `want(std::string_view key) -> Want` before a key is looked up. In a section.
  enum class Want : std::uint8_t { no, yes, stop };
  template <class Wants, class Visit>
  void visit_wanted(std::string_view from, std::uint64_t visible, Wants want, Visit visit) const {
    order_.visit_from(from, [&](std::string_view key) {
      const Want wanted = want(key);
      if (wanted != Want::yes) return wanted == Want::no;
      Record* record = find(key, visible);
      return record == nullptr || visit(*record);
    });
  }
  /// The same, quicker over many keys: `want` is asked a few keys before `visit` gets them. In a section.
  template <class Wants, class Visit>
  void visit_wanted_ahead(std::string_view from, std::uint64_t visible, Wants want, Visit visit) const {
    LookAhead ahead;
    bool goes_on = true;
    order_.visit_from(from, [&](std::string_view key) {
      const Want wanted = want(key);
      if (wanted != Want::yes) return wanted == Want::no;
      const std::uint64_t hash = table_.hash(key);
      table_.prefetch_slot(hash);
      ahead.add(key, hash);
      if (ahead.is_full()) goes_on = visit_all(ahead, visible, visit);
      return goes_on;
    });
    if (goes_on) visit_all(ahead, visible, visit);
  }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t memory_bytes() const noexcept { return memory_bytes_.load(std::memory_order_relaxed); }

  /// Pins the visible revision and returns it: versions as of it stay until `close_view`.
  [[nodiscard]] std::uint64_t open_view() const;
  void close_view(std::uint64_t revision) const noexcept;
  [[nodiscard]] bool has_views() const noexcept { return view_count_.load(std::memory_order_seq_cst) != 0; }

  // --- writer ----------------------------------------------------------------------------------------------------------

  /// A key's place; valid until the next change.
  struct Place {
    std::uint64_t hash = 0;
    Slot* slot = nullptr;
    Record* record = nullptr;  ///< the newest version, null: no such key
  };
  [[nodiscard]] Place locate(std::string_view key) noexcept;
  /// Asks the memory for what `locate` will look at, in two steps; tells the hash for the second. Changes nothing.
  [[nodiscard]] std::uint64_t look_for_slot(std::string_view key) const noexcept {
    const std::uint64_t hash = table_.hash(key);
    table_.prefetch_slot(hash);
    return hash;
  }
  void look_for_record(std::uint64_t hash) const noexcept { table_.prefetch_record(hash); }

  /// Begins a transaction that gets `revision` if it changes something.
  void begin(Revision revision, bool changes_at_most_one);
  /// The next version of a key, for `put`. `deadline_ms`: none is "does not expire".
  [[nodiscard]] RecordRef make_record(const Place& place, std::string_view key, std::string_view value,
                                      const std::optional<base::ClusterTimeMs>& deadline_ms) const;
  void put(const Place& place, std::string_view key, RecordRef record);
  /// Precondition: place.record is not null.
  void remove(const Place& place);
  /// Makes the changes visible, all at once. False: nothing was changed, the revision is not used up.
  bool commit();
  /// Takes the changes back instead: everything is as before `begin`. Precondition: it was not said that at most one comes.
  void undo();
  /// Goes on collapsing links.
  void tidy();

  /// Fills an empty key space. Precondition: `records` are in strict key order; takes their references.
  void build(std::span<Record* const> records, Revision visible);

  /// Fills a key space that nobody reads yet but through views, which may see keys that come later. Precondition: keys ascend strictly,
  /// and follow those that are there; nothing was put. Takes the references.
  void extend(std::span<Record* const> records);
  /// What was added so gets `revision`, and that becomes visible. `records`: all of it.
  void settle(std::span<Record* const> records, Revision revision);

  [[nodiscard]] const ExpiryOrder& expiry() const noexcept { return expiry_; }
  [[nodiscard]] std::uint64_t digest() const noexcept { return digest_; }

 private:
  template <class Visit>
  bool visit_all(LookAhead& ahead, std::uint64_t visible, Visit& visit) const {
    for (std::size_t at = 0; at < ahead.size(); ++at) table_.prefetch_record(ahead.hash(at));
    bool goes_on = true;
    for (std::size_t at = 0; at < ahead.size() && goes_on; ++at) {
      Record* record = resolve(table_.find(ahead.hash(at), ahead.key(at)), visible);
      goes_on = record == nullptr || visit(*record);
    }
    ahead.clear();
    return goes_on;
  }
  void put_directly(const Place& place, std::string_view key, RecordRef record);
  void put_link(const Place& place, std::string_view key, RecordRef record);
  void push_link(const Place& place, Record* record, bool removed);
  void undo_creation(const Place& place, Link* link);
  void take_back(Link* link);
  void thin(Link* link);
  [[nodiscard]] bool is_viewed(std::uint64_t from, std::uint64_t before) const;
  [[nodiscard]] Link* own_link(const Place& place) const noexcept;
  void collapse(std::size_t limit);
  void collapse_one(Link* link);
  void retire_older(Link* link);
  void retire_record(Record* record);
  void retire_link(Link* link);
  void count_in(const Record& record);
  void count_out(const Record& record);
  void publish_counters() noexcept;
  static void release_record(void* record) noexcept;
  static void free_link(void* link) noexcept;

  Epoch& epoch_;
  Table table_;
  KeyOrder order_;
  ExpiryOrder expiry_;  // of newest versions
  std::atomic<std::uint64_t> visible_{0};
  std::atomic<std::uint64_t> size_{0};
  std::atomic<std::uint64_t> memory_bytes_{0};

  // Views.
  std::atomic<bool> direct_{false};
  mutable std::atomic<std::uint64_t> view_count_{0};
  mutable base::Mutex views_mutex_;
  mutable std::multiset<std::uint64_t> views_ ABSL_GUARDED_BY(views_mutex_);

  // The transaction under way.
  std::uint64_t revision_ = 0;
  bool is_direct_ = false;
  std::uint64_t changes_ = 0;
  std::size_t links_before_ = 0;  // of `links_`: those behind are its own

  // Links in the order of their revisions; each once, until it is collapsed.
  std::deque<Link*> links_;
  std::uint64_t live_ = 0;
  std::uint64_t record_bytes_ = 0;
  std::uint64_t link_count_ = 0;
  std::uint64_t digest_ = 0;  // Invariant: the sum of the digests of all newest versions
};

}  // namespace concord::store

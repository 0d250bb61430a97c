#include "store/key_space.hpp"

#include <thread>
#include <utility>

#include "base/check.hpp"

namespace concord::store {
namespace {

/// Links looked at for each change: more than one, so that the backlog shrinks while writes go on.
constexpr std::size_t collapsed_a_change = 4;

}  // namespace

KeySpace::KeySpace(std::uint64_t hash_seed, Epoch& epoch) : epoch_(epoch), table_(hash_seed, epoch), order_(epoch) {}

KeySpace::~KeySpace() {
  // Links that are in no chain any more are only in the queue.
  for (Link* link : links_) {
    if (link->dropped) free_link(link);
  }
  table_.for_each_slot([](Slot& slot) {
    Word word = slot.load(std::memory_order_relaxed);
    while (is_occupied(word) && is_link(word)) {
      Link* link = link_of(word);
      word = link->older_is_retired ? empty_word : link->older.load(std::memory_order_relaxed);
      link->record->release();
      delete link;
    }
    if (is_occupied(word)) record_of(word)->release();
  });
}

void KeySpace::release_record(void* record) noexcept { static_cast<Record*>(record)->release(); }
void KeySpace::free_link(void* link) noexcept { delete static_cast<Link*>(link); }

void KeySpace::retire_record(Record* record) { epoch_.retire(record, release_record, record->size_bytes()); }
void KeySpace::retire_link(Link* link) {
  --link_count_;
  epoch_.retire(link, free_link, sizeof(Link));
}

// ---------------------------------------------------------------------------------------------------------------------
// Views.

std::uint64_t KeySpace::open_view() const {
  const base::MutexLock lock(views_mutex_);
  view_count_.fetch_add(1, std::memory_order_seq_cst);
  // A change in the direct form that did not see this view: what it replaces, the view may not ask for.
  while (direct_.load(std::memory_order_seq_cst)) std::this_thread::yield();
  const std::uint64_t revision = visible_.load(std::memory_order_seq_cst);
  views_.insert(revision);
  return revision;
}

void KeySpace::close_view(std::uint64_t revision) const noexcept {
  const base::MutexLock lock(views_mutex_);
  views_.erase(views_.find(revision));
  view_count_.fetch_sub(1, std::memory_order_seq_cst);
}

// ---------------------------------------------------------------------------------------------------------------------
// Writing.

KeySpace::Place KeySpace::locate(std::string_view key) noexcept {
  Place place;
  place.hash = table_.hash(key);
  place.slot = table_.locate(place.hash, key);
  if (place.slot != nullptr) place.record = newest(place.slot->load(std::memory_order_relaxed));
  return place;
}

void KeySpace::begin(Revision revision, bool changes_at_most_one) {
  revision_ = revision.value();
  changes_ = 0;
  links_before_ = links_.size();
  is_direct_ = changes_at_most_one;
  if (!is_direct_) return;
  direct_.store(true, std::memory_order_seq_cst);
  if (!has_views()) return;
  direct_.store(false, std::memory_order_release);
  is_direct_ = false;
}

RecordRef KeySpace::make_record(const Place& place, std::string_view key, std::string_view value,
                                const std::optional<base::ClusterTimeMs>& deadline_ms) const {
  RecordFields fields{.create_revision = Revision(revision_),
                      .revision = Revision(revision_),
                      .version = 1,
                      .deadline_ms = std::nullopt};
  if (deadline_ms) fields.deadline_ms = *deadline_ms;
  if (place.record != nullptr) {
    fields.create_revision = place.record->create_revision();
    fields.version = place.record->version() + 1;
  }
  return RecordRef(Record::create(key, value, fields));
}

void KeySpace::put(const Place& place, std::string_view key, RecordRef record) {
  // A link in the slot must be kept, whatever the form of this change.
  const bool stands_on_link = place.slot != nullptr && is_link(place.slot->load(std::memory_order_relaxed));
  if (is_direct_ && !stands_on_link) {
    put_directly(place, key, std::move(record));
  } else {
    put_link(place, key, std::move(record));
  }
}

void KeySpace::put_directly(const Place& place, std::string_view key, RecordRef record) {
  const Word word = make_word(record.get(), Table::tag_of(place.hash));
  Record* before = place.record;
  if (place.slot == nullptr) {
    table_.insert(place.hash, word);
    order_.insert(key);
  } else {
    Table::replace(*place.slot, word);
  }
  if (before != nullptr) {
    count_out(*before);
    retire_record(before);
  }
  count_in(*record.take());
  ++changes_;
}

/// The link this transaction itself has put there: invisible yet, so it may still be changed.
Link* KeySpace::own_link(const Place& place) const noexcept {
  if (place.slot == nullptr) return nullptr;
  const Word word = place.slot->load(std::memory_order_relaxed);
  if (!is_link(word) || link_of(word)->revision != revision_) return nullptr;
  return link_of(word);
}

void KeySpace::put_link(const Place& place, std::string_view key, RecordRef record) {
  if (place.record != nullptr) count_out(*place.record);
  count_in(*record.get());
  if (Link* own = own_link(place)) {
    Record* before = std::exchange(own->record, record.take());
    own->removed = false;
    retire_record(before);
    return;
  }
  if (place.slot == nullptr) order_.insert(key);
  push_link(place, record.take(), false);
}

void KeySpace::push_link(const Place& place, Record* record, bool removed) {
  auto link = std::make_unique<Link>();
  link->revision = revision_;
  link->record = record;
  link->removed = removed;
  ++link_count_;
  const Word word = make_word(link.get(), Table::tag_of(place.hash)) | 1U;
  if (place.slot == nullptr) {
    table_.insert(place.hash, word);
  } else {
    const Word before = place.slot->load(std::memory_order_relaxed);
    link->older.store(before, std::memory_order_relaxed);
    Table::replace(*place.slot, word);
    if (is_link(before)) thin(link_of(before));
  }
  links_.push_back(link.release());
  ++changes_;
}

void KeySpace::remove(const Place& place) {
  Record* record = place.record;
  count_out(*record);
  const Word word = place.slot->load(std::memory_order_relaxed);
  if (is_direct_ && !is_link(word)) {
    order_.erase(record->key());
    table_.erase(place.hash, *place.slot);
    retire_record(record);
    ++changes_;
    return;
  }
  Link* own = own_link(place);
  if (own == nullptr) {
    record->retain();  // a link owns its record; the version before keeps its own reference
    push_link(place, record, true);
    return;
  }
  if (newest(own->older.load(std::memory_order_relaxed)) == nullptr) {
    undo_creation(place, own);
  } else {
    own->removed = true;
  }
}

/// A key that was created and removed by the same transaction was never there.
void KeySpace::undo_creation(const Place& place, Link* link) {
  const Word older = link->older.load(std::memory_order_relaxed);
  if (older == empty_word) {
    order_.erase(link->record->key());
    table_.erase(place.hash, *place.slot);
  } else {
    Table::replace(*place.slot, older);  // the mark of an earlier removal, which some view still needs
  }
  retire_record(link->record);
  link->dropped = true;
  --changes_;
}

/// Keeps chains short while a view is open: of two versions that all see or nobody sees, one is enough. `link` is the newest
/// visible version of its key. The one behind it is needed only by views opened between the two: there won't be new ones.
void KeySpace::thin(Link* link) {
  if (link->older_is_retired) return;
  const Word word = link->older.load(std::memory_order_relaxed);
  if (!is_link(word) || link->revision == revision_) return;
  Link* behind = link_of(word);
  if (is_viewed(behind->revision, link->revision)) return;
  link->older.store(behind->older.load(std::memory_order_relaxed), std::memory_order_release);
  link->older_is_retired = behind->older_is_retired;
  retire_record(behind->record);
  behind->dropped = true;
  if (!behind->queued) retire_link(behind);
}

bool KeySpace::is_viewed(std::uint64_t from, std::uint64_t before) const {
  const base::MutexLock lock(views_mutex_);
  const auto first = views_.lower_bound(from);
  return first != views_.end() && *first < before;
}

bool KeySpace::commit() {
  const bool changed = changes_ > 0;
  if (is_direct_) {
    if (changed) visible_.store(revision_, std::memory_order_release);
    direct_.store(false, std::memory_order_release);
  } else if (changed) {
    // Sequentially consistent like the count of views: either `collapse` sees a new view, or the view sees this revision.
    visible_.store(revision_, std::memory_order_seq_cst);
  }
  is_direct_ = false;
  if (!links_.empty()) collapse(changes_ * collapsed_a_change + collapsed_a_change);
  publish_counters();
  return changed;
}

/// Nobody sees links of a revision that is not visible, so they may be taken out of their chains again.
void KeySpace::undo() {
  CONCORD_CHECK(!is_direct_, "a change in the direct form was seen and stays");
  for (; links_.size() > links_before_; links_.pop_back()) {
    Link* link = links_.back();
    if (!link->dropped) take_back(link);
    retire_link(link);
  }
  changes_ = 0;
  publish_counters();
}

void KeySpace::take_back(Link* link) {
  const std::string_view key = link->record->key();
  const std::uint64_t hash = table_.hash(key);
  Slot* slot = table_.locate(hash, key);
  const Word older = link->older.load(std::memory_order_relaxed);
  if (!link->removed) count_out(*link->record);
  if (const Record* before = newest(older)) count_in(*before);
  if (older == empty_word) {
    order_.erase(key);
    table_.erase(hash, *slot);
  } else {
    Table::replace(*slot, older);
  }
  link->dropped = true;
  retire_record(link->record);
}

void KeySpace::tidy() {
  if (!links_.empty()) collapse(1024);
  epoch_.poll();
  publish_counters();
}

// ---------------------------------------------------------------------------------------------------------------------
// Collapsing. Everybody sees the revision of the oldest link: what lies behind it, nobody can ask for. Links are taken in
// the order of their revisions, so what stands behind one in a chain was taken before it and is in no queue any more.

void KeySpace::collapse(std::size_t limit) {
  std::uint64_t everybody_sees = visible();
  if (has_views()) {
    const base::MutexLock lock(views_mutex_);
    if (!views_.empty()) everybody_sees = std::min(everybody_sees, *views_.begin());
  }
  for (; limit > 0 && !links_.empty(); --limit) {
    Link* link = links_.front();
    if (!link->dropped && link->revision > everybody_sees) return;
    links_.pop_front();
    link->queued = false;
    if (link->dropped) {
      retire_link(link);
    } else {
      collapse_one(link);
    }
  }
}

void KeySpace::collapse_one(Link* link) {
  const std::string_view key = link->record->key();
  const std::uint64_t hash = table_.hash(key);
  Slot* slot = table_.locate(hash, key);
  const Word word = slot->load(std::memory_order_relaxed);
  // Behind a newer link: only what stands behind it goes; the newer one takes it with it when its turn comes.
  if (!is_link(word) || link_of(word) != link) return retire_older(link);
  Record* record = link->record;
  if (link->removed) {
    order_.erase(key);
    table_.erase(hash, *slot);
    retire_record(record);
  } else {
    Table::replace(*slot, make_word(record, Table::tag_of(hash)));
  }
  retire_older(link);
  retire_link(link);
}

/// Everybody who begins now sees `link`. Who began before may still go on behind it, so nothing there is changed.
void KeySpace::retire_older(Link* link) {
  if (std::exchange(link->older_is_retired, true)) return;
  Word word = link->older.load(std::memory_order_relaxed);
  while (is_occupied(word)) {
    if (!is_link(word)) return retire_record(record_of(word));
    Link* behind = link_of(word);
    // What is retired may be freed at once: the way on is read before.
    word = behind->older_is_retired ? empty_word : behind->older.load(std::memory_order_relaxed);
    retire_record(behind->record);
    retire_link(behind);
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Counting: newest versions only.

void KeySpace::count_in(const Record& record) {
  ++live_;
  record_bytes_ += record.memory_bytes();
  digest_ += record.digest();
  expiry_.insert(record);
}

void KeySpace::count_out(const Record& record) {
  --live_;
  record_bytes_ -= record.memory_bytes();
  digest_ -= record.digest();
  expiry_.erase(record);
}

void KeySpace::publish_counters() noexcept {
  size_.store(live_, std::memory_order_relaxed);
  memory_bytes_.store(record_bytes_ + table_.memory_bytes() + order_.memory_bytes() + expiry_.memory_bytes() +
                          link_count_ * allocated_bytes(sizeof(Link)),
                      std::memory_order_relaxed);
}

void KeySpace::build(std::span<Record* const> records, Revision visible) {
  table_.reserve(records.size());
  extend(records);
  visible_.store(visible.value(), std::memory_order_release);
  publish_counters();
}

void KeySpace::extend(std::span<Record* const> records) {
  std::vector<std::string_view> keys;
  keys.reserve(records.size());
  for (Record* record : records) {
    const std::uint64_t hash = table_.hash(record->key());
    table_.insert(hash, make_word(record, Table::tag_of(hash)));
    keys.push_back(record->key());
    count_in(*record);
  }
  order_.extend(keys);
}

void KeySpace::settle(std::span<Record* const> records, Revision revision) {
  expiry_.settle(revision);
  digest_ = 0;
  for (Record* record : records) {
    record->settle(revision);
    digest_ += record->digest();
  }
  visible_.store(revision.value(), std::memory_order_release);
  publish_counters();
}

}  // namespace concord::store

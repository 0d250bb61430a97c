// Which key is due next: (deadline, revision, key) in order, so that every node expires the same keys in the same order.
// The writer's own; one thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include <absl/container/btree_set.h>

#include "store/record.hpp"

namespace concord::store {

class ExpiryOrder {
 public:
  /// `record` stays alive until it is erased here.
  void insert(const Record& record) {
    if (record.expires()) items_.insert(item_of(record));
  }
  void erase(const Record& record) {
    if (record.expires()) items_.erase(item_of(record));
  }
  /// All records have another revision now, the same; their order stays.
  void settle(Revision revision) {
    std::vector<Item> items(items_.begin(), items_.end());
    items_.clear();
    for (Item& item : items) {
      item.revision = revision.value();
      items_.insert(items_.end(), item);
    }
  }
  [[nodiscard]] std::optional<base::ClusterTimeMs> next_due() const {
    if (items_.empty()) return std::nullopt;
    return items_.begin()->deadline_ms;
  }
  /// Calls `visit(const Record&) -> bool` for what is due at `now_ms`, in order, until it returns false.
  template <class Visit>
  void visit_due(base::ClusterTimeMs now_ms, Visit visit) const {
    for (const Item& item : items_) {
      if (item.deadline_ms > now_ms || !visit(*item.record)) return;
    }
  }
  [[nodiscard]] std::uint64_t memory_bytes() const noexcept { return items_.size() * (sizeof(Item) + 8); }

 private:
  struct Item {
    base::ClusterTimeMs deadline_ms;
    std::uint64_t revision;
    const Record* record;
  };
  struct Less {
    bool operator()(const Item& a, const Item& b) const noexcept {
      if (a.deadline_ms != b.deadline_ms) return a.deadline_ms < b.deadline_ms;
      if (a.revision != b.revision) return a.revision < b.revision;
      return a.record->key() < b.record->key();
    }
  };
  [[nodiscard]] static Item item_of(const Record& record) noexcept {
    return {*record.deadline_ms(), record.revision().value(), &record};
  }

  absl::btree_set<Item, Less> items_;
};

}  // namespace concord::store

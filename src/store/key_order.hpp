// All keys in order. One writer, any number of readers, no lock.
//
// Shape: a B+ tree of packed blocks (key_block.hpp). It holds its own copy of each key, without the prefix that neighbours
// share: a few bytes a key for keys that look alike, and no walk of it touches a record. Blocks are copied to be
// changed and put in place with one store, so readers go on in what they hold; a split or a merge makes a new parent.
//
// What a reader sees: every key that was there from the beginning to the end of its section, in order, each once; a key that
// came or went meanwhile perhaps. (A parent that was replaced keeps the children it had at that moment, all of them.) Who
// needs one moment's keys asks the table, as of a revision, whether the key was there (store/view.hpp).
//
// Readers must be inside a section of the `Epoch` the order was made with; the writer's calls come from one thread at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/epoch.hpp"
#include "store/key_block.hpp"

namespace concord::store {

class KeyOrder {
 public:
  explicit KeyOrder(Epoch& epoch) : epoch_(epoch) {}
  KeyOrder(const KeyOrder&) = delete;
  KeyOrder& operator=(const KeyOrder&) = delete;
  ~KeyOrder();

  // --- writer ----------------------------------------------------------------------------------------------------------

  /// Precondition: the key is not there.
  void insert(std::string_view key);
  /// Precondition: the key is there.
  void erase(std::string_view key);
  /// Precondition: `keys` ascend strictly, and are greater than all that are there.
  void extend(std::span<const std::string_view> keys);
  [[nodiscard]] std::size_t memory_bytes() const noexcept { return memory_bytes_; }

  // --- readers, in a section -------------------------------------------------------------------------------------------

  /// Calls `visit(std::string_view key) -> bool` for each key not less than `from`, in order, until it returns false.
  /// The view is valid during the call only.
  template <class Visit>
  void visit_from(std::string_view from, Visit&& visit) const {
    const KeyBlock* root = root_.load(std::memory_order_acquire);
    std::string key;
    if (root != nullptr) visit_block(*root, from, key, visit);
  }

 private:
  struct Step {
    KeyBlock* block;
    std::size_t child;
  };

  template <class Visit>
  static bool visit_block(const KeyBlock& block, std::string_view from, std::string& key, Visit& visit);

  KeyBlock* descend(std::string_view key);
  KeyBlock* finish_block(bool is_leaf);
  KeyBlock* finish_inner(const std::vector<KeyBlock*>& children, std::size_t begin);
  void retire(KeyBlock* block);
  void put_in_place(std::size_t level, KeyBlock* block);
  void add_merged(const KeyBlock& block, std::size_t at, std::string_view key, std::size_t begin, std::size_t end);
  [[nodiscard]] bool is_overfull() const noexcept;
  void split(KeyBlock* leaf, std::size_t at, std::string_view key);
  [[nodiscard]] std::size_t fill(const KeyBlock* leaf, std::span<const std::string_view> keys);
  [[nodiscard]] std::size_t extend_leaf(std::span<const std::string_view> keys);
  void add_to_parent(std::size_t level, KeyBlock* left, const std::string& separator, KeyBlock* right);
  void remove_from_parent(std::size_t level, std::size_t key, std::size_t child);
  void remove_leaf(std::size_t level);
  void merge_with_next(KeyBlock* leaf);
  static void free_tree(KeyBlock* block) noexcept;

  Epoch& epoch_;
  std::atomic<KeyBlock*> root_{nullptr};
  // The writer's own.
  std::vector<Step> path_;  // of the last `descend`: inner nodes from the root, and the child taken
  KeyBlockBuilder builder_;
  std::size_t memory_bytes_ = 0;
};

template <class Visit>
bool KeyOrder::visit_block(const KeyBlock& block, std::string_view from, std::string& key, Visit& visit) {
  if (!block.is_leaf()) {
    for (std::size_t at = block.upper_bound(from); at <= block.count(); ++at) {
      if (!visit_block(*block.child(at), from, key, visit)) return false;
    }
    return true;
  }
  key.assign(block.prefix());
  for (std::size_t at = block.lower_bound(from); at < block.count(); ++at) {
    key.resize(block.prefix().size());
    key.append(block.suffix(at));
    if (!visit(std::string_view(key))) return false;
  }
  return true;
}

}  // namespace concord::store

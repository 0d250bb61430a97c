#include "store/key_order.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "store/record.hpp"

namespace concord::store {
namespace {

// Filled with keys that come in order, leaves are left a little room, so that the first key in between doesn't split one.
constexpr std::size_t built_keys = 60;

/// The shortest text that is greater than `left` and not greater than `right`. Precondition: left < right.
std::string separator_between(const std::string& left, const std::string& right) {
  std::size_t shared = 0;
  while (shared < left.size() && left[shared] == right[shared]) ++shared;
  return right.substr(0, shared + 1);
}

std::size_t block_memory(const KeyBlock& block) { return allocated_bytes(block.size_bytes()); }

}  // namespace

KeyOrder::~KeyOrder() { free_tree(root_.load(std::memory_order_relaxed)); }

void KeyOrder::free_tree(KeyBlock* block) noexcept {
  if (block == nullptr) return;
  if (!block->is_leaf()) {
    for (std::size_t at = 0; at <= block->count(); ++at) free_tree(block->child(at));
  }
  KeyBlock::free(block);
}

KeyBlock* KeyOrder::finish_block(bool is_leaf) {
  KeyBlock* block = builder_.build(is_leaf);
  memory_bytes_ += block_memory(*block);
  return block;
}

/// An inner node of the builder's keys, over `children` from `begin` on.
KeyBlock* KeyOrder::finish_inner(const std::vector<KeyBlock*>& children, std::size_t begin) {
  KeyBlock* block = finish_block(false);
  for (std::size_t at = 0; at <= block->count(); ++at) block->set_child(at, children[begin + at]);
  return block;
}

/// Precondition: readers that enter now can't find it.
void KeyOrder::retire(KeyBlock* block) {
  const std::size_t size_bytes = block->size_bytes();
  memory_bytes_ -= allocated_bytes(size_bytes);
  epoch_.retire(block, KeyBlock::free, size_bytes);
}

KeyBlock* KeyOrder::descend(std::string_view key) {
  path_.clear();
  KeyBlock* block = root_.load(std::memory_order_relaxed);
  while (!block->is_leaf()) {
    const std::size_t at = block->upper_bound(key);
    path_.push_back({.block = block, .child = at});
    block = block->child(at);
  }
  return block;
}

/// Makes `block` the node at `level` of the path (0: the root).
void KeyOrder::put_in_place(std::size_t level, KeyBlock* block) {
  if (level == 0) {
    root_.store(block, std::memory_order_release);
  } else {
    path_[level - 1].block->set_child(path_[level - 1].child, block);
  }
}

bool KeyOrder::is_overfull() const noexcept {
  // Three keys: an inner node must be able to give one key up and keep one on each side.
  return builder_.count() > KeyBlock::max_keys ||
         (builder_.count() >= 3 && builder_.text_bytes() > KeyBlock::max_text_bytes);
}

/// Adds positions [begin, end) of what `block` would be with `key` inserted at `at`.
void KeyOrder::add_merged(const KeyBlock& block, std::size_t at, std::string_view key, std::size_t begin,
                          std::size_t end) {
  builder_.add(block, std::min(begin, at), std::min(end, at));
  if (begin <= at && at < end) builder_.add(key);
  if (end > at + 1) builder_.add(block, std::max(begin, at + 1) - 1, end - 1);
}

// ---------------------------------------------------------------------------------------------------------------------
// Inserting.

void KeyOrder::insert(std::string_view key) {
  builder_.clear();
  if (root_.load(std::memory_order_relaxed) == nullptr) {
    builder_.add(key);
    root_.store(finish_block(true), std::memory_order_release);
    return;
  }
  KeyBlock* leaf = descend(key);
  const std::size_t at = leaf->lower_bound(key);
  CONCORD_CHECK(at == leaf->count() || !leaf->is_key(at, key), "a key enters the order once");
  add_merged(*leaf, at, key, 0, leaf->count() + 1);
  if (is_overfull()) return split(leaf, at, key);
  put_in_place(path_.size(), finish_block(true));
  retire(leaf);
}

void KeyOrder::split(KeyBlock* leaf, std::size_t at, std::string_view key) {
  const std::size_t level = path_.size();
  if (at == leaf->count()) {  // keys that come in order leave full leaves behind
    builder_.clear();
    builder_.add(key);
    add_to_parent(level, leaf, separator_between(leaf->key(at - 1), std::string(key)), finish_block(true));
    return;
  }
  const std::size_t middle = (leaf->count() + 1) / 2;
  builder_.clear();
  add_merged(*leaf, at, key, 0, middle);
  KeyBlock* left = finish_block(true);
  builder_.clear();
  add_merged(*leaf, at, key, middle, leaf->count() + 1);
  KeyBlock* right = finish_block(true);
  add_to_parent(level, left, separator_between(left->key(middle - 1), right->key(0)), right);
  retire(leaf);
}

/// The node at `level` has become two.
void KeyOrder::add_to_parent(std::size_t level, KeyBlock* left, const std::string& separator, KeyBlock* right) {
  builder_.clear();
  if (level == 0) {
    builder_.add(separator);
    root_.store(finish_inner({left, right}, 0), std::memory_order_release);
    return;
  }
  const auto [parent, child] = path_[level - 1];
  std::vector<KeyBlock*> children;
  children.reserve(parent->count() + 2);
  for (std::size_t at = 0; at <= parent->count(); ++at) {
    children.push_back(at == child ? left : parent->child(at));
    if (at == child) children.push_back(right);
  }
  const std::size_t count = parent->count() + 1;
  add_merged(*parent, child, separator, 0, count);
  if (!is_overfull()) {
    put_in_place(level - 1, finish_inner(children, 0));
  } else {
    const std::size_t middle = child == parent->count() ? count - 1 : count / 2;
    const std::string up = middle == child ? separator : parent->key(middle < child ? middle : middle - 1);
    builder_.clear();
    add_merged(*parent, child, separator, 0, middle);
    KeyBlock* first = finish_inner(children, 0);
    builder_.clear();
    add_merged(*parent, child, separator, middle + 1, count);
    KeyBlock* second = finish_inner(children, middle + 1);
    add_to_parent(level - 1, first, up, second);
  }
  retire(parent);
}

// ---------------------------------------------------------------------------------------------------------------------
// Erasing.

void KeyOrder::erase(std::string_view key) {
  CONCORD_CHECK(root_.load(std::memory_order_relaxed) != nullptr, "a key leaves the order that holds it");
  KeyBlock* leaf = descend(key);
  const std::size_t at = leaf->lower_bound(key);
  CONCORD_CHECK(at < leaf->count() && leaf->is_key(at, key), "a key leaves the order that holds it");
  if (leaf->count() == 1) {
    remove_leaf(path_.size());
    retire(leaf);
    return;
  }
  builder_.clear();
  builder_.add(*leaf, 0, at);
  builder_.add(*leaf, at + 1, leaf->count());
  KeyBlock* smaller = finish_block(true);
  put_in_place(path_.size(), smaller);
  retire(leaf);
  if (smaller->count() < KeyBlock::max_keys / 4) merge_with_next(smaller);
}

/// Takes the node at `level` out of the tree, and its parents as far as they hold nothing else.
void KeyOrder::remove_leaf(std::size_t level) {
  if (level == 0) {
    root_.store(nullptr, std::memory_order_release);
    return;
  }
  const auto [parent, child] = path_[level - 1];
  if (parent->count() > 0) return remove_from_parent(level, child == 0 ? 0 : child - 1, child);
  remove_leaf(level - 1);
  retire(parent);
}

/// Replaces the parent of `level` by one without its key number `key` and its child number `child`.
void KeyOrder::remove_from_parent(std::size_t level, std::size_t key, std::size_t child) {
  KeyBlock* parent = path_[level - 1].block;
  std::vector<KeyBlock*> children;
  children.reserve(parent->count());
  for (std::size_t at = 0; at <= parent->count(); ++at) {
    if (at != child) children.push_back(parent->child(at));
  }
  if (level == 1 && children.size() == 1) {  // the tree becomes one level lower
    root_.store(children.front(), std::memory_order_release);
  } else {
    builder_.clear();
    builder_.add(*parent, 0, key);
    builder_.add(*parent, key + 1, parent->count());
    put_in_place(level - 1, finish_inner(children, 0));
  }
  retire(parent);
}

void KeyOrder::merge_with_next(KeyBlock* leaf) {
  if (path_.empty()) return;
  const auto [parent, child] = path_.back();
  if (child == parent->count()) return;
  KeyBlock* next = parent->child(child + 1);
  if (leaf->count() + next->count() > KeyBlock::max_keys / 2) return;
  builder_.clear();
  builder_.add(*leaf, 0, leaf->count());
  builder_.add(*next, 0, next->count());
  if (is_overfull()) return;
  // First as the left child: who reads the old parent meets the right child's keys twice for a moment, so it is the new
  // parent that gets it.
  KeyBlock* merged = finish_block(true);
  std::vector<KeyBlock*> children;
  for (std::size_t at = 0; at <= parent->count(); ++at) {
    if (at != child + 1) children.push_back(at == child ? merged : parent->child(at));
  }
  const std::size_t level = path_.size();
  if (level == 1 && children.size() == 1) {
    root_.store(merged, std::memory_order_release);
  } else {
    builder_.clear();
    builder_.add(*parent, 0, child);
    builder_.add(*parent, child + 1, parent->count());
    put_in_place(level - 1, finish_inner(children, 0));
  }
  retire(parent);
  retire(leaf);
  retire(next);
}

// ---------------------------------------------------------------------------------------------------------------------
// Many keys behind all others: whole leaves, where `insert` copies a leaf for each key.

/// Puts into the builder what `leaf` holds (null: nothing), and as many of `keys` as leave it some room. Tells how many.
std::size_t KeyOrder::fill(const KeyBlock* leaf, std::span<const std::string_view> keys) {
  const std::size_t present = leaf == nullptr ? 0 : leaf->count();
  std::size_t take = std::min(built_keys - std::min(built_keys, present), keys.size());
  for (;; take /= 2) {
    builder_.clear();
    if (leaf != nullptr) builder_.add(*leaf, 0, present);
    for (const std::string_view key : keys.first(take)) builder_.add(key);
    if (take <= (leaf == nullptr ? 1U : 0U) || !is_overfull()) return take;
  }
}

void KeyOrder::extend(std::span<const std::string_view> keys) {
  while (!keys.empty()) keys = keys.subspan(extend_leaf(keys));
}

/// Adds keys to the last leaf, or begins the next one. Tells how many.
std::size_t KeyOrder::extend_leaf(std::span<const std::string_view> keys) {
  if (root_.load(std::memory_order_relaxed) == nullptr) {
    const std::size_t added = fill(nullptr, keys);
    root_.store(finish_block(true), std::memory_order_release);
    return added;
  }
  KeyBlock* last = descend(keys.front());
  const std::size_t level = path_.size();
  CONCORD_CHECK(last->lower_bound(keys.front()) == last->count(), "an order is extended behind its last key");
  if (const std::size_t added = fill(last, keys); added > 0) {
    put_in_place(level, finish_block(true));
    retire(last);
    return added;
  }
  const std::size_t added = fill(nullptr, keys);
  const std::string separator = separator_between(last->key(last->count() - 1), std::string(keys.front()));
  add_to_parent(level, last, separator, finish_block(true));
  return added;
}

}  // namespace concord::store

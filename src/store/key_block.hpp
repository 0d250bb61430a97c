// A sorted run of keys that share a prefix, packed: what the nodes of the key order are made of.
//
//   block    := children ends prefix suffix*
//   children := word{count + 1}          inner nodes only; child i holds the keys in [key i-1, key i)
//   ends     := u16{count}               where suffix i ends, counted from the first suffix
//
// Immutable but for the children of an inner node, which one writer replaces in place.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace concord::store {

class KeyBlock {
 public:
  static constexpr std::size_t max_keys = 64;
  static constexpr std::size_t max_text_bytes = 4096;  ///< a block over it splits, unless it holds one key

  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  [[nodiscard]] bool is_leaf() const noexcept { return is_leaf_; }
  [[nodiscard]] std::string_view prefix() const noexcept { return {text(), prefix_size_}; }
  [[nodiscard]] std::string_view suffix(std::size_t at) const noexcept {
    const std::size_t begin = at == 0 ? 0 : ends()[at - 1];
    return {text() + prefix_size_ + begin, ends()[at] - begin};
  }
  [[nodiscard]] std::size_t text_bytes() const noexcept {
    return prefix_size_ + (count_ == 0 ? 0U : std::size_t{ends()[count_ - 1U]});
  }
  [[nodiscard]] std::size_t size_bytes() const noexcept {
    return static_cast<std::size_t>(text() - reinterpret_cast<const char*>(this)) + text_bytes();
  }
  void append_key(std::size_t at, std::string& to) const {
    to.append(prefix());
    to.append(suffix(at));
  }
  [[nodiscard]] std::string key(std::size_t at) const {
    std::string whole;
    append_key(at, whole);
    return whole;
  }

  /// The first position whose key is not less than `key`.
  [[nodiscard]] std::size_t lower_bound(std::string_view key) const noexcept;
  /// The first position whose key is greater than `key`: of an inner node, the child where `key` belongs.
  [[nodiscard]] std::size_t upper_bound(std::string_view key) const noexcept;
  /// Precondition: `at` < count().
  [[nodiscard]] bool is_key(std::size_t at, std::string_view key) const noexcept;

  /// Inner nodes only; `at` <= count().
  [[nodiscard]] KeyBlock* child(std::size_t at) const noexcept {
    return children()[at].load(std::memory_order_acquire);
  }
  void set_child(std::size_t at, KeyBlock* child) noexcept { children()[at].store(child, std::memory_order_release); }

  static void free(void* block) noexcept;

 private:
  friend class KeyBlockBuilder;
  using Child = std::atomic<KeyBlock*>;

  KeyBlock() = default;
  [[nodiscard]] Child* children() const noexcept { return reinterpret_cast<Child*>(const_cast<KeyBlock*>(this) + 1); }
  [[nodiscard]] const std::uint16_t* ends() const noexcept {
    return reinterpret_cast<const std::uint16_t*>(children() + (is_leaf_ ? 0U : count_ + 1U));
  }
  [[nodiscard]] const char* text() const noexcept { return reinterpret_cast<const char*>(ends() + count_); }
  template <class Less>
  [[nodiscard]] std::size_t bound(std::string_view key, Less less) const noexcept;

  std::uint16_t count_ = 0;
  std::uint16_t prefix_size_ = 0;
  bool is_leaf_ = true;
  [[maybe_unused]] std::uint8_t unused_[3] = {};
};
static_assert(sizeof(KeyBlock) == 8);

/// Makes a block of parts of others and single keys, given in order. One builder is used again and again.
class KeyBlockBuilder {
 public:
  void clear() noexcept {
    parts_.clear();
    count_ = 0;
  }
  /// Keys [begin, end) of `block`, which must live until `build`. Nothing when empty.
  void add(const KeyBlock& block, std::size_t begin, std::size_t end);
  void add(std::string_view key);
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  /// What `build` would make of it.
  [[nodiscard]] std::size_t text_bytes() const { return measure(shared_prefix()); }
  /// The children of an inner node are still to be set. Preconditions: a leaf has at least one key; `text_bytes()` < 64 KiB.
  [[nodiscard]] KeyBlock* build(bool is_leaf);

 private:
  struct Part {
    const KeyBlock* block = nullptr;  // null: `key`
    std::size_t begin = 0;
    std::size_t end = 0;
    std::string_view key;
  };
  [[nodiscard]] std::size_t shared_prefix() const;
  [[nodiscard]] std::size_t measure(std::size_t prefix_size) const noexcept;
  static void copy(const KeyBlock& block, const Part& part, std::size_t prefix_size, std::uint16_t*& ends, char*& text,
                   const char* text_begin);

  std::vector<Part> parts_;
  std::size_t count_ = 0;
  mutable std::string first_;  // of `shared_prefix`
  mutable std::string last_;
};

}  // namespace concord::store

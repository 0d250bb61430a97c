// The key table: from a key to the word that says where its value is. One writer, any number of readers, no lock.
//
// Shape: extendible hashing. A directory of 2^depth entries, chosen by the high bits of the hash, points at pages; a page is
// an open-addressing array of slots, probed one by one from the place that the low 16 bits (the tag, which the slot's word
// repeats) say. A page that is full is rebuilt a little larger; one that would pass `max_page_slots` splits in two by
// the next bit of the hash, after doubling the directory if need be. So no pause grows with the number of keys but the
// doubling of the directory (8 bytes a page), pages stay 3/4 to 7/8 full while keys come, and rebuilding reads no key.
//
//     root word   := depth:16 pointer:48 to the directory
//     directory   := word{2^depth}       word := slots:16 pointer:48 to the page's first slot
//     page        := head slots
//
// A lookup reads the directory (hot), one line of the page as a rule, and the record. Readers must be inside a section of
// the `Epoch` that the table was made with; the writer's calls come from one thread at a time.
//
// Why readers may go on while the writer changes things: a slot changes by one store of a word. A page never changes
// its size: a new one takes its place with one store a directory entry, and who still probes the old one sees the state as
// of that moment. A freed slot keeps the chain behind it whole (removed_word) until the next slot is empty anyway. A key is
// moved only by remove and put, with a moment in between in which it truly didn't exist; a transaction stores one word a key.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "store/epoch.hpp"
#include "store/hash.hpp"
#include "store/word.hpp"

namespace concord::store {

class Table {
 public:
  Table(std::uint64_t seed, Epoch& epoch);
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  /// Precondition: no reader is inside, every slot is empty or removed (`for_each_slot`).
  ~Table();

  [[nodiscard]] std::uint64_t hash(std::string_view key) const noexcept { return hash_bytes(key, seed_); }

  // --- readers, in a section -------------------------------------------------------------------------------------------

  /// The word of a key, or empty_word.
  [[nodiscard]] Word find(std::uint64_t hash, std::string_view key) const noexcept { return probe(hash, key).word; }

  /// Asks for the memory that `find` will look at first.
  void prefetch_slot(std::uint64_t hash) const noexcept {
    const Word page = page_of(hash);
    __builtin_prefetch(slots_of(page) + home_slot(tag_of(hash), page >> tag_shift));
  }
  /// Asks for the record that `find` will most likely compare first.
  void prefetch_record(std::uint64_t hash) const noexcept {
    const Word page = page_of(hash);
    const std::size_t slots = page >> tag_shift;
    for (std::size_t at = home_slot(tag_of(hash), slots);;) {
      const Word word = slots_of(page)[at].load(std::memory_order_relaxed);
      if (word == empty_word) return;
      if ((word >> tag_shift) == tag_of(hash)) return __builtin_prefetch(record_of(word));
      if (++at == slots) at = 0;
    }
  }

  // --- writer ----------------------------------------------------------------------------------------------------------

  /// The slot of a key, or null. Valid until `layout()` changes.
  [[nodiscard]] Slot* locate(std::uint64_t hash, std::string_view key) noexcept {
    return const_cast<Slot*>(probe(hash, key).slot);
  }
  /// Precondition: the key is not there.
  void insert(std::uint64_t hash, Word word);
  /// Puts `word` in the place of the occupied word of the same key.
  static void replace(Slot& slot, Word word) noexcept { slot.store(word, std::memory_order_release); }
  /// Empties an occupied slot.
  void erase(std::uint64_t hash, Slot& slot);
  /// Makes room for `keys` keys. Precondition: the table is empty.
  void reserve(std::uint64_t keys);
  /// Counts what makes slots move.
  [[nodiscard]] std::uint64_t layout() const noexcept { return layout_; }
  [[nodiscard]] std::size_t memory_bytes() const noexcept { return memory_bytes_; }
  [[nodiscard]] static std::uint64_t tag_of(std::uint64_t hash) noexcept { return hash & 0xffffU; }

  template <class Visit>
  void for_each_slot(Visit visit);

 private:
  struct PageHead {
    std::uint32_t slots = 0;
    std::uint32_t live = 0;   ///< occupied
    std::uint32_t used = 0;   ///< occupied or removed; Invariant: used < slots
    std::uint32_t depth = 0;  ///< bits of the hash that all keys of this page share
  };
  struct Found {
    const Slot* slot = nullptr;
    Word word = empty_word;
  };
  struct Directory {
    unsigned depth;
    std::atomic<Word>* entries;
  };

  static constexpr std::uint32_t min_page_slots = 8;
  static constexpr std::uint32_t max_page_slots = 1024;
  static constexpr unsigned max_depth =
      32;  // beyond it pages grow instead: hashes that agree in 32 bits are no accident

  [[nodiscard]] static std::size_t directory_index(std::uint64_t hash, unsigned depth) noexcept {
    return static_cast<std::size_t>((hash >> 1U) >> (63U - depth));
  }
  [[nodiscard]] static std::size_t home_slot(std::uint64_t tag, std::uint64_t slots) noexcept {
    return static_cast<std::size_t>((tag * slots) >> 16U);
  }
  [[nodiscard]] static Slot* slots_of(Word page) noexcept { return reinterpret_cast<Slot*>(page & pointer_mask); }
  [[nodiscard]] static PageHead& head_of(Word page) noexcept { return reinterpret_cast<PageHead*>(slots_of(page))[-1]; }

  [[nodiscard]] Word page_of(std::uint64_t hash) const noexcept {
    const Word root = root_.load(std::memory_order_acquire);
    const auto* entries = reinterpret_cast<const std::atomic<Word>*>(root & pointer_mask);
    return entries[directory_index(hash, static_cast<unsigned>(root >> tag_shift))].load(std::memory_order_acquire);
  }

  [[nodiscard]] Found probe(std::uint64_t hash, std::string_view key) const noexcept {
    const Word page = page_of(hash);
    const std::size_t slots = page >> tag_shift;
    const Slot* first = slots_of(page);
    for (std::size_t at = home_slot(tag_of(hash), slots);;) {
      const Word word = first[at].load(std::memory_order_acquire);
      if (word == empty_word) return {};
      if ((word >> tag_shift) == tag_of(hash) && is_occupied(word) && key_of(word) == key) return {&first[at], word};
      if (++at == slots) at = 0;
    }
  }

  [[nodiscard]] Directory directory() const noexcept;
  [[nodiscard]] Word page_for(std::uint64_t hash) const noexcept;
  [[nodiscard]] Word create_page(std::uint64_t live, unsigned depth);
  void retire_page(Word page);
  static void place(Word page, Word word) noexcept;
  [[nodiscard]] static std::uint64_t slots_for(std::uint64_t live) noexcept;
  void publish(Word page, std::uint64_t hash);
  void rebuild(Word page, std::uint64_t hash);
  void split(Word page, std::uint64_t hash);
  void set_directory(Directory directory);
  void double_directory();
  [[nodiscard]] static std::size_t page_bytes(std::uint64_t slots) noexcept {
    return sizeof(PageHead) + slots * sizeof(Slot);
  }

  std::uint64_t seed_;
  Epoch& epoch_;
  std::atomic<Word> root_{0};
  std::uint64_t layout_ = 0;
  std::size_t memory_bytes_ = 0;
};

template <class Visit>
void Table::for_each_slot(Visit visit) {
  const Directory all = directory();
  for (std::size_t at = 0; at < std::size_t{1} << all.depth;) {
    const Word page = all.entries[at].load(std::memory_order_relaxed);
    const PageHead& head = head_of(page);
    for (std::size_t slot = 0; slot < head.slots; ++slot) visit(slots_of(page)[slot]);
    at += std::size_t{1} << (all.depth - head.depth);
  }
}

}  // namespace concord::store

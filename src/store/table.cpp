#include "store/table.hpp"

#include <algorithm>
#include <new>

namespace concord::store {
namespace {

void free_memory(void* memory) noexcept { ::operator delete(memory); }

}  // namespace

Table::Table(std::uint64_t seed, Epoch& epoch) : seed_(seed), epoch_(epoch) {
  Directory first{.depth = 0, .entries = new (::operator new(sizeof(Word))) std::atomic<Word>(create_page(0, 0))};
  memory_bytes_ += allocated_bytes(sizeof(Word));
  set_directory(first);
}

Table::~Table() {
  const Directory all = directory();
  for (std::size_t at = 0; at < std::size_t{1} << all.depth;) {
    const Word page = all.entries[at].load(std::memory_order_relaxed);
    at += std::size_t{1} << (all.depth - head_of(page).depth);
    free_memory(&head_of(page));
  }
  free_memory(all.entries);
}

// ---------------------------------------------------------------------------------------------------------------------
// Slots.

void Table::insert(std::uint64_t hash, Word word) {
  for (;;) {
    const Word page = page_for(hash);
    PageHead& head = head_of(page);
    Slot* slots = slots_of(page);
    std::size_t at = home_slot(tag_of(hash), head.slots);
    Word there = slots[at].load(std::memory_order_relaxed);
    while (is_occupied(there)) {
      if (++at == head.slots) at = 0;
      there = slots[at].load(std::memory_order_relaxed);
    }
    const bool takes_empty = there == empty_word;
    if (takes_empty && (head.used + 1) * 8U > head.slots * 7U) {
      rebuild(page, hash);
      continue;
    }
    slots[at].store(word, std::memory_order_release);
    ++head.live;
    if (takes_empty) ++head.used;
    return;
  }
}

void Table::erase(std::uint64_t hash, Slot& slot) {
  const Word page = page_for(hash);
  PageHead& head = head_of(page);
  Slot* slots = slots_of(page);
  auto at = static_cast<std::size_t>(&slot - slots);
  slot.store(removed_word, std::memory_order_release);
  --head.live;
  const std::size_t next = at + 1 == head.slots ? 0 : at + 1;
  if (slots[next].load(std::memory_order_relaxed) == empty_word) {
    // Nothing lies behind: the removed slots that end here hold no chain together any more.
    while (slots[at].load(std::memory_order_relaxed) == removed_word) {
      slots[at].store(empty_word, std::memory_order_release);
      --head.used;
      at = at == 0 ? head.slots - 1 : at - 1;
    }
  }
  if (head.slots > min_page_slots && head.live * 3U < head.slots) rebuild(page, hash);
}

void Table::place(Word page, Word word) noexcept {
  PageHead& head = head_of(page);
  Slot* slots = slots_of(page);
  std::size_t at = home_slot(word >> tag_shift, head.slots);
  while (slots[at].load(std::memory_order_relaxed) != empty_word) {
    if (++at == head.slots) at = 0;
  }
  slots[at].store(word, std::memory_order_relaxed);  // made visible by whoever publishes the page
  ++head.live;
  ++head.used;
}

// ---------------------------------------------------------------------------------------------------------------------
// Pages.

std::uint64_t Table::slots_for(std::uint64_t live) noexcept {
  return std::max<std::uint64_t>(min_page_slots, (live * 4 / 3 + 1 + 7) & ~std::uint64_t{7});
}

Word Table::create_page(std::uint64_t live, unsigned depth) {
  const std::uint64_t slots = slots_for(live);
  CONCORD_CHECK(slots < 1U << 16U, "a page's size fits its word");
  auto* head = new (::operator new(page_bytes(slots)))
      PageHead{.slots = static_cast<std::uint32_t>(slots), .live = 0, .used = 0, .depth = depth};
  auto* first = reinterpret_cast<Slot*>(head + 1);
  for (std::size_t at = 0; at < slots; ++at) new (first + at) Slot(empty_word);
  memory_bytes_ += allocated_bytes(page_bytes(slots));
  return make_word(first, slots);
}

void Table::retire_page(Word page) {
  PageHead& head = head_of(page);
  const std::size_t size_bytes = page_bytes(head.slots);
  memory_bytes_ -= allocated_bytes(size_bytes);
  epoch_.retire(&head, free_memory, size_bytes);
}

void Table::rebuild(Word page, std::uint64_t hash) {
  ++layout_;
  const PageHead& head = head_of(page);
  if (slots_for(head.live + 1U) > max_page_slots && head.depth < max_depth) return split(page, hash);
  const Word larger = create_page(head.live + 1U, head.depth);
  for (std::size_t at = 0; at < head.slots; ++at) {
    const Word word = slots_of(page)[at].load(std::memory_order_relaxed);
    if (is_occupied(word)) place(larger, word);
  }
  publish(larger, hash);
  retire_page(page);
}

void Table::split(Word page, std::uint64_t hash) {
  const PageHead& head = head_of(page);
  if (head.depth == directory().depth) double_directory();
  const unsigned shift = 63U - head.depth;  // the first bit that the keys of this page don't share
  std::uint64_t ones = 0;
  std::uint64_t which[(max_page_slots * 2) / 64] = {};
  const auto is_one = [&which](std::size_t at) { return ((which[at / 64] >> (at % 64)) & 1U) != 0; };
  CONCORD_CHECK(head.slots <= max_page_slots * 2, "pages split before they are larger than that");
  // The keys lie in records all over the memory: they are asked for before they are needed.
  constexpr std::size_t ahead = 16;
  for (std::size_t at = 0; at < head.slots; ++at) {
    if (at + ahead < head.slots) {
      const Word later = slots_of(page)[at + ahead].load(std::memory_order_relaxed);
      __builtin_prefetch(reinterpret_cast<const void*>(later & (pointer_mask - 1)));
    }
    const Word word = slots_of(page)[at].load(std::memory_order_relaxed);
    if (!is_occupied(word)) continue;
    const std::uint64_t one = (this->hash(key_of(word)) >> shift) & 1U;
    which[at / 64] |= one << (at % 64);
    ones += one;
  }
  const Word halves[2] = {create_page(head.live - ones + 1, head.depth + 1), create_page(ones + 1, head.depth + 1)};
  for (std::size_t at = 0; at < head.slots; ++at) {
    const Word word = slots_of(page)[at].load(std::memory_order_relaxed);
    if (is_occupied(word)) place(halves[is_one(at) ? 1 : 0], word);
  }
  const std::uint64_t bit = std::uint64_t{1} << shift;
  publish(halves[0], hash & ~bit);
  publish(halves[1], hash | bit);
  retire_page(page);
}

// ---------------------------------------------------------------------------------------------------------------------
// Directory.

Table::Directory Table::directory() const noexcept {
  const Word root = root_.load(std::memory_order_relaxed);
  return {.depth = static_cast<unsigned>(root >> tag_shift),
          .entries = reinterpret_cast<std::atomic<Word>*>(root & pointer_mask)};
}

Word Table::page_for(std::uint64_t hash) const noexcept {
  const Directory all = directory();
  return all.entries[directory_index(hash, all.depth)].load(std::memory_order_relaxed);
}

void Table::publish(Word page, std::uint64_t hash) {
  const Directory all = directory();
  const std::size_t span = std::size_t{1} << (all.depth - head_of(page).depth);
  const std::size_t first = directory_index(hash, all.depth) & ~(span - 1);
  for (std::size_t at = first; at < first + span; ++at) all.entries[at].store(page, std::memory_order_release);
}

void Table::set_directory(Directory directory) {
  root_.store(make_word(directory.entries, directory.depth), std::memory_order_release);
}

void Table::double_directory() {
  const Directory old = directory();
  const std::size_t count = std::size_t{1} << old.depth;
  auto* entries = static_cast<std::atomic<Word>*>(::operator new(count * 2 * sizeof(Word)));
  for (std::size_t at = 0; at < count * 2; ++at) {
    new (entries + at) std::atomic<Word>(old.entries[at / 2].load(std::memory_order_relaxed));
  }
  memory_bytes_ += allocated_bytes(count * 2 * sizeof(Word)) - allocated_bytes(count * sizeof(Word));
  set_directory({.depth = old.depth + 1, .entries = entries});
  epoch_.retire(old.entries, free_memory, count * sizeof(Word));
}

void Table::reserve(std::uint64_t keys) {
  unsigned depth = 0;
  while (depth < max_depth && slots_for(keys >> depth) > max_page_slots) ++depth;
  const Word first_page = page_for(0);
  CONCORD_CHECK(directory().depth == 0 && head_of(first_page).used == 0, "room is made in an empty table");
  while (directory().depth < depth) double_directory();
  const std::size_t count = std::size_t{1} << depth;
  // A little more than the mean: most pages then take their share without being rebuilt.
  const std::uint64_t share = (keys >> depth) + (keys >> depth) / 16;
  for (std::size_t at = 0; at < count; ++at) {
    directory().entries[at].store(create_page(share, depth), std::memory_order_release);
  }
  retire_page(first_page);
  ++layout_;
}

}  // namespace concord::store

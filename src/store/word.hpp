// What a slot of the key table holds: one 64-bit word that readers load at once.
//
//   word := 0                                         empty: no key of this chain lies behind it
//         | 2                                         a key was here
//         | tag:16 pointer:48 with bit 0 clear        a record: the newest version, visible to everybody
//         | tag:16 pointer:48 with bit 0 set          a link: two versions, which one depends on the reader
//
// `tag` are 16 bits of the key's hash: a lookup meets a foreign record's memory once in thousands of times. Pointers of user
// space fit 48 bits on x86-64 and on aarch64 (unless a program asks for more by address hint); `make_word` checks it.
//
// A link stands in a slot while some reader may need the version before the newest one: during a transaction of several
// changes, which must appear at once, and while a `View` or `Snapshot` is open. Links of one key form a chain, newest first.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/check.hpp"
#include "store/record.hpp"

namespace concord::store {

using Word = std::uint64_t;
using Slot = std::atomic<Word>;

inline constexpr Word empty_word = 0;
inline constexpr Word removed_word = 2;
inline constexpr unsigned tag_shift = 48;
inline constexpr Word pointer_mask = (Word{1} << tag_shift) - 1;

/// "From `revision` on this key has this record (or none); before, it is what `older` says."
struct Link {
  std::uint64_t revision = 0;
  Record* record = nullptr;    ///< owned reference; when `removed`: the last record there was, kept for its key
  std::atomic<Word> older{0};  ///< empty_word (there was no such key), a record (owned reference), or a link
  bool removed = false;
  bool dropped = false;  ///< writer's: no longer in any chain
  bool queued = true;    ///< writer's: still to be collapsed
  /// Writer's: `older` was given to the epoch. It stays as it is for readers who began before that.
  bool older_is_retired = false;
};

[[nodiscard]] inline bool is_link(Word word) noexcept { return (word & 1U) != 0; }
[[nodiscard]] inline bool is_occupied(Word word) noexcept { return word > removed_word; }
[[nodiscard]] inline Record* record_of(Word word) noexcept { return reinterpret_cast<Record*>(word & pointer_mask); }
[[nodiscard]] inline Link* link_of(Word word) noexcept { return reinterpret_cast<Link*>(word & (pointer_mask - 1)); }

[[nodiscard]] inline Word make_word(const void* pointer, std::uint64_t tag) {
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  CONCORD_CHECK((address & ~pointer_mask) == 0, "pointers have 48 bits");
  return address | (tag << tag_shift);
}

/// Precondition: occupied.
[[nodiscard]] inline std::string_view key_of(Word word) noexcept {
  return is_link(word) ? link_of(word)->record->key() : record_of(word)->key();
}

/// The record a reader sees who sees everything up to `visible`, or null.
[[nodiscard]] inline Record* resolve(Word word, std::uint64_t visible) noexcept {
  while (is_link(word)) {
    const Link& link = *link_of(word);
    if (link.revision <= visible) return link.removed ? nullptr : link.record;
    word = link.older.load(std::memory_order_acquire);
  }
  return record_of(word);
}

/// The newest version, or null. For the writer.
[[nodiscard]] inline Record* newest(Word word) noexcept { return resolve(word, ~std::uint64_t{0}); }

}  // namespace concord::store

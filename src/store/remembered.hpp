// What was decided for transactions that must be done once: part of the state, the same on every machine.
//
//   remembered := name fingerprint:fixed64 decided_ms:varint answer
//   name       := scope:bytes key:bytes                                       as in `command::Once`
//   answer     := guard_failure:u8 failed_guard:varint changed:u8(0|1) revision:varint has_values:u8(0|1) count:varint result*
//   result     := status:u8 revision:varint count:varint has_value:u8(0|1) [value:bytes]
//   has_values := 0: the values of gets were left out, no result has one
//
// Rules, all by the cluster time of entries:
//   - an answer counts for 10 minutes after it was decided (`command::once_remembered_ms`), then its name is free again;
//   - what is older is freed a few at a time, so that no entry pays for many; it does not count meanwhile;
//   - all together take at most `max_bytes`: beyond, the oldest are forgotten first, before their 10 minutes. With answers of
//     100 bytes that is 180 000 of them, 300 a second for 10 minutes;
//   - an answer whose values take more than `max_values_bytes` is remembered without them: that nothing is done twice matters
//     more than to say again what was read. So a few large answers can't push out all others;
//   - a transaction that was refused as a whole because its delete_where met too many keys is not remembered: nothing was
//     done, and a smaller store may take it.
//
// Thread rule: the writer's. What `pin` gives may be read on any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/btree_map.h>

#include "base/ids.hpp"
#include "command/transaction.hpp"

namespace concord::store {

class Remembered {
 public:
  static constexpr std::uint64_t max_bytes = std::uint64_t{64} << 20U;
  static constexpr std::uint64_t max_values_bytes = std::uint64_t{1} << 20U;

  struct Item {
    std::string bytes;  ///< `remembered` of the grammar
    std::size_t name_bytes = 0;
    std::size_t answer_at = 0;
    std::uint64_t fingerprint = 0;
    base::ClusterTimeMs decided_ms = 0;

    [[nodiscard]] std::string_view name() const noexcept { return std::string_view(bytes).substr(0, name_bytes); }
  };
  using Items = std::vector<std::shared_ptr<const Item>>;

  /// What a transaction under this name is answered without being done: replayed or conflict. None: it is to be done.
  [[nodiscard]] std::optional<command::Outcome> find(const command::Once& once, base::ClusterTimeMs now_ms) const;

  /// Precondition: `find` gives nothing.
  void remember(const command::Once& once, base::ClusterTimeMs now_ms, const command::Outcome& outcome);

  /// Frees what is too old, looking at `most` at most.
  void forget_old(base::ClusterTimeMs now_ms, std::size_t most);

  /// Takes over what a snapshot of `now_ms` holds (`Item::bytes`), oldest first. False: it does not follow the format, was
  /// decided before the one before it, is there already, or is more than fits.
  [[nodiscard]] bool load(std::string_view bytes, base::ClusterTimeMs now_ms);

  /// Everything, oldest first. Costs a few nanoseconds each; copies no answer.
  [[nodiscard]] Items pin() const;

  [[nodiscard]] bool is_empty() const noexcept { return items_.empty(); }
  [[nodiscard]] std::uint64_t count() const noexcept { return numbers_.size(); }
  /// What `max_bytes` bounds: of the bytes kept and of so many answers, the same on every machine.
  [[nodiscard]] std::uint64_t size_bytes() const noexcept { return size_bytes_; }
  /// A sum over all, as that of keys; 0 for nothing.
  [[nodiscard]] std::uint64_t digest() const noexcept { return digest_; }

 private:
  void add(std::shared_ptr<const Item> item);
  void drop(std::uint64_t number);

  // Invariant: by time decided. Those whose name was used again are null until they come to the front.
  std::deque<std::shared_ptr<const Item>> items_;
  std::uint64_t first_number_ = 0;                            // of items_.front()
  absl::btree_map<std::string_view, std::uint64_t> numbers_;  // name, in the item's bytes -> its number
  std::uint64_t size_bytes_ = 0;
  std::uint64_t digest_ = 0;  // Invariant: the sum over `items_`
};

}  // namespace concord::store

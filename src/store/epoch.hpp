// When may memory be freed that a reader could still be looking at? After every reader that could has left.
//
// Readers bracket each look with a `Section`: two additions to a counter of their own cache line, no lock, no waiting, no
// registration of threads. The one writer hands over what it has unlinked with `retire` and calls `poll` now and then; poll
// frees what is out of reach and never blocks. There is one `Epoch` a store and no global state.
//
// Why it is correct. The epoch is a number e; a reader counts itself under the parity of the e it saw, and looks again: if
// the epoch has moved meanwhile it starts over. The writer moves e to e+1 only when nobody is counted under e-1 (same
// parity as e+1), and frees what was retired under e-1 at that moment.
//   - A reader counted under e that passed its second look is seen by any later check of that parity: its addition and its
//     second look, the writer's move and the writer's check are all sequentially consistent, so either the second look sees
//     the move (and the reader starts over) or the check sees the addition.
//   - What was retired under e was unlinked before the move to e+1. A reader counted under e+1 has read that move, hence
//     sees the unlinking: it can't find it. Readers under e-1 and e can; those under e-1 are gone before the move to e+1 and
//     those under e before the move to e+2, which frees it.
//   - A reader leaves with a release that the writer's check acquires: all its looks happened before the memory is freed.
//   - The writer looks only at stripes that were used. A stripe is marked before its first addition, and the mark is sequentially
//     consistent too, for who makes it and for who finds it: a check that is to see an addition sees the mark.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace concord::store {

class Epoch {
 public:
  Epoch() = default;
  Epoch(const Epoch&) = delete;
  Epoch& operator=(const Epoch&) = delete;
  /// Precondition: no reader is inside a section.
  ~Epoch();

  /// A reader's look. May be nested; keep it short (1 ms at most): nothing is freed meanwhile.
  class Section {
   public:
    explicit Section(const Epoch& epoch) noexcept {
      const std::size_t at = this_threads_stripe();
      Stripe& stripe = epoch.stripes_[at];
      if ((epoch.used_stripes_.load(std::memory_order_seq_cst) >> at & 1U) == 0) [[unlikely]]
        epoch.used_stripes_.fetch_or(std::uint64_t{1} << at, std::memory_order_seq_cst);
      for (;;) {
        const std::uint64_t seen = epoch.epoch_.load(std::memory_order_relaxed);
        count_ = &stripe.inside[seen & 1U];
        count_->fetch_add(1, std::memory_order_seq_cst);
        if (epoch.epoch_.load(std::memory_order_seq_cst) == seen) [[likely]]
          return;
        count_->fetch_sub(1, std::memory_order_release);
      }
    }
    Section(const Section&) = delete;
    Section& operator=(const Section&) = delete;
    ~Section() { count_->fetch_sub(1, std::memory_order_release); }

   private:
    std::atomic<std::uint32_t>* count_;
  };

  // --- writer ----------------------------------------------------------------------------------------------------------

  using Free = void (*)(void*) noexcept;

  /// `free(object)` runs when no reader can see the object. Precondition: a reader that enters now can't find it.
  void retire(void* object, Free free, std::size_t size_bytes) {
    retired_[now_ % generations].push_back({object, free});
    retired_bytes_ += size_bytes;
    if (++retired_since_poll_ >= poll_every || retired_bytes_ >= poll_every_bytes) poll();
  }

  /// Frees what is out of reach. Cost: a look at a cache line a thread that reads; nothing when nothing is retired.
  void poll();

  [[nodiscard]] bool has_retired() const noexcept;

 private:
  static constexpr std::size_t stripe_count = 64;
  static constexpr std::size_t generations = 3;  // being filled (e), waiting (e-1), and the slot of e+1
  // No more than the allocator keeps at hand of one size (glibc: 7): what is freed is what is allocated next, and still in the cache.
  static constexpr std::size_t poll_every = 6;
  static constexpr std::size_t poll_every_bytes = 1U << 20U;

  struct alignas(64) Stripe {
    std::array<std::atomic<std::uint32_t>, 2> inside{};
  };
  struct Retired {
    void* object;
    Free free;
  };

  /// Spreads threads over the stripes: thread-local storage of two threads lies on different pages, at equal distances as a
  /// rule, which Fibonacci hashing spreads evenly. Two threads on one stripe are slower, not wrong.
  [[nodiscard]] static std::size_t this_threads_stripe() noexcept {
    static thread_local char marker;
    const auto page = reinterpret_cast<std::uintptr_t>(&marker) >> 12U;
    return static_cast<std::size_t>((page * std::uint64_t{0x9e3779b97f4a7c15U}) >> 58U);
  }

  [[nodiscard]] bool is_drained(std::size_t parity) const noexcept;
  static void free_all(std::vector<Retired>& retired) noexcept;

  mutable std::array<Stripe, stripe_count> stripes_{};
  alignas(64) mutable std::atomic<std::uint64_t> used_stripes_{0};  // bit i: stripe i
  std::atomic<std::uint64_t> epoch_{generations};
  // The writer's own, and of no line that readers look at: each change writes here.
  alignas(64) std::uint64_t now_ = generations;  // Invariant: == epoch_
  std::array<std::vector<Retired>, generations> retired_;
  std::size_t retired_since_poll_ = 0;
  std::size_t retired_bytes_ = 0;
};

}  // namespace concord::store

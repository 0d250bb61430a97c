#include "store/epoch.hpp"

#include <algorithm>
#include <bit>

namespace concord::store {

Epoch::~Epoch() {
  for (auto& retired : retired_) free_all(retired);
}

bool Epoch::has_retired() const noexcept {
  return std::ranges::any_of(retired_, [](const auto& retired) { return !retired.empty(); });
}

bool Epoch::is_drained(std::size_t parity) const noexcept {
  for (std::uint64_t left = used_stripes_.load(std::memory_order_seq_cst); left != 0; left &= left - 1) {
    const Stripe& stripe = stripes_[static_cast<std::size_t>(std::countr_zero(left))];
    if (stripe.inside[parity].load(std::memory_order_seq_cst) != 0) return false;
  }
  return true;
}

void Epoch::free_all(std::vector<Retired>& retired) noexcept {
  for (const Retired& item : retired) item.free(item.object);
  retired.clear();
}

void Epoch::poll() {
  retired_since_poll_ = 0;
  retired_bytes_ = 0;
  for (std::size_t moves = 0; moves < 2 && has_retired(); ++moves) {
    if (!is_drained((now_ + 1) & 1U)) return;
    // Readers of now_-1 are gone: what was retired under now_-1 is free after this move.
    const std::uint64_t previous = now_ - 1;
    ++now_;
    epoch_.store(now_, std::memory_order_seq_cst);
    free_all(retired_[previous % generations]);
  }
}

}  // namespace concord::store

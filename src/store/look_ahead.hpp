// Keys that are about to be looked up: their slots and records are asked for a few keys ahead, so that a scan
// waits for memory once a batch and not twice a key.
//
// Thread rule: one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace concord::store {

class LookAhead {
 public:
  static constexpr std::size_t capacity = 16;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool is_full() const noexcept { return size_ == capacity; }
  void add(std::string_view key, std::uint64_t hash) {
    keys_ += key;
    ends_[size_] = keys_.size();
    hashes_[size_++] = hash;
  }
  [[nodiscard]] std::uint64_t hash(std::size_t at) const noexcept { return hashes_[at]; }
  [[nodiscard]] std::string_view key(std::size_t at) const noexcept {
    const std::size_t begin = at == 0 ? 0 : ends_[at - 1];
    return std::string_view(keys_).substr(begin, ends_[at] - begin);
  }
  void clear() noexcept {
    keys_.clear();
    size_ = 0;
  }

 private:
  std::string keys_;
  std::array<std::size_t, capacity> ends_{};
  std::array<std::uint64_t, capacity> hashes_{};
  std::size_t size_ = 0;
};

}  // namespace concord::store

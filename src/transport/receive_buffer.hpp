// What came from a socket and was not read yet, in one piece: frames are handed out as views of it.
//
// It is `default_bytes` large and grows only for a frame that is larger, and then never beyond twice what really came: a size in a
// header alone takes no memory. What it grew beyond `kept_bytes` it gives back when no large frame is under way. Thread rule: one thread at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace concord::transport {

class ReceiveBuffer {
 public:
  static constexpr std::size_t default_bytes = std::size_t{64} << 10U;
  static constexpr std::size_t kept_bytes = std::size_t{1} << 20U;

  [[nodiscard]] std::string_view unread() const noexcept { return {bytes_.get() + begin_, end_ - begin_}; }
  [[nodiscard]] std::size_t capacity_bytes() const noexcept { return capacity_; }

  /// Where to put what comes next; never empty. `whole_bytes`: the size of the frame at the front, as far as it is known; more than
  /// what is unread. Moves what is unread: views are void.
  [[nodiscard]] std::span<char> room(std::size_t whole_bytes);
  void filled(std::size_t size_bytes) noexcept { end_ += size_bytes; }
  void consume(std::size_t size_bytes) noexcept { begin_ += size_bytes; }

 private:
  void move_to(std::size_t capacity_bytes);

  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace concord::transport

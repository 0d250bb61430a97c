// As much of an HTTP response as a load needs: its status and where it ends. The server frames by Content-Length.
//
// The body is counted and dropped, only its begin is kept, for what an error says. Thread rule: one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace concord::app::load {

class ResponseReader {
 public:
  enum class State { incomplete, complete, malformed };

  /// Takes what came next. Bytes behind the end are malformed: nothing was asked that they could answer.
  [[nodiscard]] State take(std::string_view bytes);
  /// Of a complete response.
  [[nodiscard]] unsigned status() const noexcept { return status_; }
  [[nodiscard]] bool closes() const noexcept { return closes_; }
  [[nodiscard]] std::string_view body_begin() const noexcept { return std::string_view(head_).substr(head_bytes_); }
  /// Makes ready for the next response.
  void reset() noexcept;

 private:
  State read_head();

  std::string head_;            ///< the head, and what of the body came with it
  std::size_t head_bytes_ = 0;  ///< 0: not complete
  std::uint64_t body_left_ = 0;
  unsigned status_ = 0;
  bool closes_ = false;
};

}  // namespace concord::app::load

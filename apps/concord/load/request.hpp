// The bytes of a load's requests, made once; what changes from one request to the next, the keys, is written over in place.
//
// A key is the plan's prefix and eight digits, so every request of a kind has the same length.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "load/plan.hpp"

namespace concord::app::load {

inline constexpr std::size_t key_digits = 8;
inline constexpr std::uint32_t most_keys = 99'999'999;

/// One kind of request. Thread rule: one thread.
class Request {
 public:
  /// The bytes that ask for `first` and the keys after it, going on at 0 behind the last. Valid until the next call.
  [[nodiscard]] std::string_view for_key(std::uint32_t first) noexcept;
  [[nodiscard]] std::size_t body_bytes() const noexcept { return body_bytes_; }

 private:
  friend class Requests;
  /// `target` and `body` hold a mark where a key's digits go.
  Request(const Plan& plan, std::string_view host, std::string_view method, const std::string& target,
          const std::string& body);

  std::string bytes_;
  std::vector<std::size_t> digits_;  ///< where those of each key begin
  std::uint32_t keys_ = 1;
  std::size_t body_bytes_ = 0;
};

/// Both kinds of one plan, for one server.
class Requests {
 public:
  Requests(const Plan& plan, std::string_view host);

  [[nodiscard]] std::string_view read(std::uint32_t first) noexcept { return read_.for_key(first); }
  [[nodiscard]] std::string_view write(std::uint32_t first) noexcept { return write_.for_key(first); }
  [[nodiscard]] std::size_t longest_body_bytes() const noexcept;

 private:
  Request read_;
  Request write_;
};

/// The body of a `POST /api/v1/kv/bulk` that stores `count` keys from `first` on.
[[nodiscard]] std::string fill_body(const Plan& plan, std::uint32_t first, std::uint32_t count);

}  // namespace concord::app::load

// One request as it was received. The object is used again for the next request of its connection, so that its strings keep
// their memory. Thread rule: belongs to its connection's thread.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace concord::http {

enum class Method : std::uint8_t { get, head, put, post, del, options, other };

/// "GET"; empty for `other`.
[[nodiscard]] std::string_view method_name(Method method) noexcept;

/// The header fields anybody looks at; others are not kept.
enum class Header : std::uint8_t {
  accept,
  accept_encoding,
  access_control_request_method,
  api_key,
  authorization,
  content_encoding,
  content_type,
  expect,
  host,
  idempotency_key,
  if_match,
  if_none_match,
  last_event_id,
  origin,
  request_id,
  sec_websocket_key,
  sec_websocket_version,
  traceparent,
  tracestate,
  upgrade,
  user_agent,
  count
};

class Request {
 public:
  Method method = Method::other;
  std::string target;
  std::string body;
  bool keep_alive = true;
  bool is_http_1_0 = false;

  void clear() noexcept;

  [[nodiscard]] bool has(Header header) const noexcept { return present_[position(header)]; }
  /// Empty when it was not sent.
  [[nodiscard]] std::string_view header(Header header) const noexcept {
    return has(header) ? std::string_view(values_[position(header)]) : std::string_view();
  }
  /// A field that is sent again continues the list of the first (RFC 9110 5.3).
  void add_header(Header header, std::string_view value);

 private:
  static constexpr std::size_t header_count = static_cast<std::size_t>(Header::count);
  static constexpr std::size_t position(Header header) noexcept { return static_cast<std::size_t>(header); }

  std::array<std::string, header_count> values_;
  std::bitset<header_count> present_;
};

}  // namespace concord::http

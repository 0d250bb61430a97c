// Server-sent events, from the bytes of an answer in whatever pieces they come (WHATWG HTML 9.2.6).
//
// Only what a node of Concord sends: lines that end with \n, fields with one space behind the colon, one line of data.
// Thread rule: one thread at a time.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace concord::client {

struct ServerSentEvent {
  std::string_view comment = {};  ///< behind the colon and its space
  std::string_view id = {};
  std::string_view event = {};
  std::string_view data = {};
};

class ServerSentEvents {
 public:
  /// Beyond, it is no event of a node.
  static constexpr std::size_t most_bytes = std::size_t{1} << 30U;

  /// `visit` gets what is complete; views its bytes. False: it is too long.
  [[nodiscard]] bool add(std::string_view bytes, const std::function<void(const ServerSentEvent&)>& visit);

 private:
  std::string rest_;
  std::size_t looked_at_ = 0;  // of `rest_`: there is no end of an event before
};

}  // namespace concord::client

// From bytes to a `Request`: Beast's incremental parser, writing into memory that is used again, with our limits.
//
//     parser.start(request);
//     auto step = parser.feed(bytes);      // again with what follows, not consumed bytes first
//
// What it refuses, all of it followed by the end of the connection:
//   400  malformed; both or repeated or unknown framing (Content-Length, Transfer-Encoding); HTTP/1.1 without one Host
//   413  a body over `max_body_bytes`     414  a target over `max_target_bytes`     431  header fields over `max_header_bytes`
//   417  an Expect other than 100-continue
//
// Thread rule: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "http/error_status.hpp"
#include "http/request.hpp"

namespace concord::http {

struct ParserLimits {
  std::size_t max_body_bytes = 16U << 20U;
  std::size_t max_header_bytes = 16U << 10U;
  std::size_t max_target_bytes = 8U << 10U;
};

class RequestParser {
 public:
  enum class State : std::uint8_t { need_more, complete, failed };

  struct Step {
    std::size_t consumed = 0;
    State state = State::need_more;
  };

  explicit RequestParser(const ParserLimits& limits);
  ~RequestParser();
  RequestParser(RequestParser&&) = delete;
  RequestParser& operator=(RequestParser&&) = delete;

  /// Begins a new message. `request` must live until it is complete or failed.
  void start(Request& request);

  /// Precondition: started, neither complete nor failed, `input` not empty.
  [[nodiscard]] Step feed(std::string_view input);

  /// True once, when the header is there, the client waits for "100 Continue", and the body is not complete.
  [[nodiscard]] bool take_continue() noexcept;

  /// Why it failed. Precondition: failed.
  [[nodiscard]] const Problem& problem() const noexcept { return problem_; }

 private:
  class Beast;

  std::unique_ptr<Beast> beast_;
  Problem problem_;
};

}  // namespace concord::http

// WebSocket (RFC 6455) as a server that only speaks, and listens for control frames.
//
//   frame := FIN:1 0:3 opcode:4  MASK:1 length:7 [length:16 | length:64] [mask:4 bytes] payload         (section 5.2)
//
// A client's frames are masked, ours are not. Of what a client sends, ping and close are answered; anything else ends the connection, because
// nothing is expected: 1003 for messages, 1002 for what is no frame. No extensions.
//
// Beast's WebSocket wants to own its stream; ours is read, written, sealed and timed by `Connection`, as every other. What is left of
// the protocol for a side that takes no messages is this file (docs/decisions/0009-events.md).
//
// Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace concord::http {

enum class CloseCode : std::uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  no_messages_wanted = 1003,
  not_allowed = 1008,
  internal_error = 1011,
};

/// The value of Sec-WebSocket-Accept; empty when `key` is no base64 of 16 bytes (section 4.2.1).
[[nodiscard]] std::string web_socket_accept(std::string_view key);

/// Appends `message`, UTF-8, as one text frame.
void append_text_frame(std::string& to, std::string_view message);
void append_close_frame(std::string& to, CloseCode code, std::string_view reason);

/// What a client sends, in pieces of any size.
class WebSocketInput {
 public:
  /// Appends what is to be answered. False: a close frame was appended, and the connection ends with it.
  [[nodiscard]] bool take(std::string_view bytes, std::string& answer);

 private:
  static constexpr std::size_t most_control_bytes = 125;  // section 5.5
  static constexpr std::size_t head_bytes = 2 + 4;        // with the mask

  [[nodiscard]] bool take_frame(std::string& answer);

  std::string frame_;  // what has come of the next one; never more than head and most_control_bytes
};

}  // namespace concord::http

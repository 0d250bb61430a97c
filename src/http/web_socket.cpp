#include "http/web_socket.hpp"

#include <algorithm>
#include <array>

#include <openssl/evp.h>

#include "base/base64.hpp"

namespace concord::http {
namespace {

constexpr unsigned char final_frame = 0x80;
constexpr unsigned char is_masked = 0x80;
constexpr unsigned char text_opcode = 0x1;
constexpr unsigned char close_opcode = 0x8;
constexpr unsigned char ping_opcode = 0x9;
constexpr unsigned char pong_opcode = 0xa;
constexpr unsigned char reserved_bits = 0x70;

void append_big_endian(std::string& to, std::uint64_t number, unsigned size_bytes) {
  for (unsigned at = size_bytes; at > 0; --at) to.push_back(static_cast<char>((number >> (8U * (at - 1))) & 0xffU));
}

void append_frame(std::string& to, unsigned char opcode, std::string_view payload) {
  constexpr std::size_t most_of_7_bits = 125;
  constexpr unsigned char in_16_bits = 126;
  constexpr unsigned char in_64_bits = 127;
  to.push_back(static_cast<char>(final_frame | opcode));
  if (payload.size() <= most_of_7_bits) {
    to.push_back(static_cast<char>(payload.size()));
  } else if (payload.size() <= 0xffffU) {
    to.push_back(static_cast<char>(in_16_bits));
    append_big_endian(to, payload.size(), 2);
  } else {
    to.push_back(static_cast<char>(in_64_bits));
    append_big_endian(to, payload.size(), 8);
  }
  to.append(payload);
}

}  // namespace

std::string web_socket_accept(std::string_view key) {
  constexpr std::size_t key_bytes = 16;
  const auto decoded = base::decode_base64(key);
  if (!decoded || decoded->size() != key_bytes) return {};
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size_bytes = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size_bytes, EVP_sha1(), nullptr) != 1) return {};
  std::string accept;
  base::append_base64(accept, {reinterpret_cast<const char*>(digest.data()), size_bytes});
  return accept;
}

void append_text_frame(std::string& to, std::string_view message) { append_frame(to, text_opcode, message); }

void append_close_frame(std::string& to, CloseCode code, std::string_view reason) {
  constexpr std::size_t most_reason_bytes = 123;
  std::string payload;
  append_big_endian(payload, static_cast<std::uint64_t>(code), 2);
  // A reason is UTF-8: it is not cut within a character.
  std::size_t size_bytes = std::min(reason.size(), most_reason_bytes);
  while (size_bytes < reason.size() && size_bytes > 0 &&
         (static_cast<unsigned char>(reason[size_bytes]) & 0xc0U) == 0x80U) {
    --size_bytes;
  }
  payload.append(reason.substr(0, size_bytes));
  append_frame(to, close_opcode, payload);
}

bool WebSocketInput::take(std::string_view bytes, std::string& answer) {
  for (const char byte : bytes) {
    frame_.push_back(byte);
    if (!take_frame(answer)) return false;
  }
  return true;
}

/// Looks at what there is of a frame; one that is complete is answered and taken away.
bool WebSocketInput::take_frame(std::string& answer) {
  const auto refuse = [&](CloseCode code, std::string_view why) {
    append_close_frame(answer, code, why);
    return false;
  };
  const auto first = static_cast<unsigned char>(frame_[0]);
  const unsigned char opcode = first & 0x0fU;
  if ((first & reserved_bits) != 0) return refuse(CloseCode::protocol_error, "no extension was agreed on");
  if (opcode != close_opcode && opcode != ping_opcode && opcode != pong_opcode) {
    return opcode <= 2 ? refuse(CloseCode::no_messages_wanted, "this stream takes no messages")
                       : refuse(CloseCode::protocol_error, "the opcode is none");
  }
  if ((first & final_frame) == 0) return refuse(CloseCode::protocol_error, "a control frame is in one piece");
  if (frame_.size() < 2) return true;
  const auto second = static_cast<unsigned char>(frame_[1]);
  const std::size_t size_bytes = second & 0x7fU;
  if ((second & is_masked) == 0) return refuse(CloseCode::protocol_error, "a client's frames are masked");
  if (size_bytes > most_control_bytes) return refuse(CloseCode::protocol_error, "a control frame is short");
  if (frame_.size() < head_bytes + size_bytes) return true;
  std::string payload = frame_.substr(head_bytes);
  for (std::size_t at = 0; at < size_bytes; ++at) payload[at] = static_cast<char>(payload[at] ^ frame_[2 + at % 4]);
  frame_.clear();
  if (opcode == ping_opcode) append_frame(answer, pong_opcode, payload);
  if (opcode != close_opcode) return true;
  append_frame(answer, close_opcode, payload.substr(0, 2));  // its code, back (section 5.5.1)
  return false;
}

}  // namespace concord::http

// What passes on a connection once both ends are known: frames, numbered without gaps in each direction.
//
//   frame    := crc:u32 size:u32 sequence:u64 kind:u8 payload          size: of the payload; sequence: from 1, one more each
//   payload  := message    1    bytes                                  dialler to listener
//             | request    2    id:varint method:u8 body               dialler to listener
//             | answer     3    id:varint 0:u8 body                    listener to dialler; id: the request's
//                             | id:varint code:u8 maybe_committed:u8 text
//             | keep_alive 4    (nothing)                              both ways
//
// `crc` is CRC-32C over the payload, then size, sequence and kind: the long part is summed up before the number is known. A frame that
// is damaged, too large, or not the next one ends its connection: on a stream nothing behind it can be trusted.
//
// Thread rule: pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <concord/error.hpp>

namespace concord::transport {

inline constexpr std::size_t frame_header_bytes = 17;

/// Bytes of the protocol: never renumber.
enum class FrameKind : std::uint8_t { message = 1, request = 2, answer = 3, keep_alive = 4 };

using FrameHeader = std::array<char, frame_header_bytes>;

/// Sum and size of a payload, which is front and body: what of a header doesn't depend on the frame's number.
struct PayloadSum {
  std::uint32_t crc = 0;
  std::uint32_t size_bytes = 0;
};
[[nodiscard]] PayloadSum sum_of(std::string_view front, std::string_view body) noexcept;
[[nodiscard]] FrameHeader frame_header(PayloadSum sum, std::uint64_t sequence, FrameKind kind) noexcept;

struct Frame {
  FrameKind kind = FrameKind::keep_alive;
  std::string_view payload = {};  ///< of the bytes that were read
  std::size_t size_bytes = 0;     ///< of all of it, header too
};

/// How many bytes a frame has whose header is at the front; nothing while that isn't all there. An error: more than
/// `max_payload_bytes`; nothing is to be allocated for it.
[[nodiscard]] Result<std::optional<std::size_t>> frame_size(std::string_view bytes, std::size_t max_payload_bytes);

/// The frame at the front, which must be number `sequence`; nothing while it isn't all there.
[[nodiscard]] Result<std::optional<Frame>> read_frame(std::string_view bytes, std::uint64_t sequence,
                                                      std::size_t max_payload_bytes);

struct RequestPayload {
  std::uint64_t id = 0;
  std::uint8_t method = 0;
  std::string_view body = {};
};
/// What stands before the body.
[[nodiscard]] std::string request_front(std::uint64_t id, std::uint8_t method);
[[nodiscard]] Result<RequestPayload> read_request(std::string_view payload);

struct AnswerPayload {
  std::uint64_t id = 0;
  std::optional<Error> error = {};
  std::string_view body = {};  ///< when there is no error
};
/// What stands before the body.
[[nodiscard]] std::string answer_front(std::uint64_t id);
/// All of an answer that is an error; its text is cut when it is long.
[[nodiscard]] std::string error_answer(std::uint64_t id, const Error& error);
[[nodiscard]] Result<AnswerPayload> read_answer(std::string_view payload);

/// A code that came over the wire; one that this version doesn't know is `internal`.
[[nodiscard]] Errc errc_of(std::uint8_t number) noexcept;

}  // namespace concord::transport

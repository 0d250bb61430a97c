#include "transport/frame.hpp"

#include <cstring>

#include "base/crc32c.hpp"
#include "base/mutant.hpp"
#include "base/wire.hpp"

namespace concord::transport {
namespace {

constexpr std::size_t most_error_text_bytes = 4096;

std::unexpected<Error> garbled(std::string_view what) { return fail(Errc::invalid_request, std::string(what)); }

}  // namespace

PayloadSum sum_of(std::string_view front, std::string_view body) noexcept {
  return {.crc = base::crc32c_extend(base::crc32c(front), body),
          .size_bytes = static_cast<std::uint32_t>(front.size() + body.size())};
}

FrameHeader frame_header(PayloadSum sum, std::uint64_t sequence, FrameKind kind) noexcept {
  FrameHeader header{};
  std::memcpy(header.data() + 4, &sum.size_bytes, 4);
  std::memcpy(header.data() + 8, &sequence, 8);
  header[16] = static_cast<char>(kind);
  const std::uint32_t crc = base::crc32c_extend(sum.crc, {header.data() + 4, frame_header_bytes - 4});
  std::memcpy(header.data(), &crc, 4);
  return header;
}

Result<std::optional<std::size_t>> frame_size(std::string_view bytes, std::size_t max_payload_bytes) {
  if (bytes.size() < frame_header_bytes) return std::nullopt;
  base::Reader reader(bytes.substr(4));
  const std::size_t payload_bytes = reader.fixed32();
  if (payload_bytes > max_payload_bytes) {
    return garbled("a frame of " + std::to_string(payload_bytes) + " bytes is larger than " +
                   std::to_string(max_payload_bytes));
  }
  return frame_header_bytes + payload_bytes;
}

Result<std::optional<Frame>> read_frame(std::string_view bytes, std::uint64_t sequence, std::size_t max_payload_bytes) {
  const auto size_bytes = frame_size(bytes, max_payload_bytes);
  if (!size_bytes) return std::unexpected(size_bytes.error());
  if (!*size_bytes || bytes.size() < **size_bytes) return std::nullopt;
  base::Reader reader(bytes.substr(0, **size_bytes));
  const std::uint32_t crc = reader.fixed32();
  const std::string_view summed = bytes.substr(4, frame_header_bytes - 4);
  const std::uint32_t payload_size_bytes = reader.fixed32();
  const std::uint64_t number = reader.fixed64();
  const std::uint8_t kind = reader.byte();
  const std::string_view payload = reader.take(payload_size_bytes);
  const bool is_right = base::crc32c_extend(base::crc32c(payload), summed) == crc;
  if (!is_right && !CONCORD_MUTANT("a-garbled-message-is-taken")) return garbled("a frame's checksum is wrong");
  if (number != sequence) {
    return garbled("frame " + std::to_string(number) + " came where " + std::to_string(sequence) + " was due");
  }
  if (kind < static_cast<std::uint8_t>(FrameKind::message) || kind > static_cast<std::uint8_t>(FrameKind::keep_alive)) {
    return garbled("a frame is of the unknown kind " + std::to_string(kind));
  }
  return Frame{.kind = static_cast<FrameKind>(kind), .payload = payload, .size_bytes = **size_bytes};
}

std::string request_front(std::uint64_t id, std::uint8_t method) {
  std::string front;
  base::append_varint(front, id);
  front.push_back(static_cast<char>(method));
  return front;
}

Result<RequestPayload> read_request(std::string_view payload) {
  base::Reader reader(payload);
  RequestPayload request;
  request.id = reader.varint();
  request.method = reader.byte();
  if (!reader.ok()) return garbled("a request is cut short");
  request.body = payload.substr(reader.offset());
  return request;
}

std::string answer_front(std::uint64_t id) {
  std::string front;
  base::append_varint(front, id);
  front.push_back('\0');
  return front;
}

std::string error_answer(std::uint64_t id, const Error& error) {
  std::string payload;
  base::append_varint(payload, id);
  payload.push_back(static_cast<char>(error.code()));
  payload.push_back(error.maybe_committed() ? '\1' : '\0');
  payload.append(error.message(), 0, most_error_text_bytes);
  return payload;
}

Result<AnswerPayload> read_answer(std::string_view payload) {
  base::Reader reader(payload);
  AnswerPayload answer;
  answer.id = reader.varint();
  const std::uint8_t code = reader.byte();
  const std::uint8_t maybe_committed = code == 0 ? std::uint8_t{0} : reader.byte();
  if (!reader.ok() || maybe_committed > 1) return garbled("an answer is cut short");
  const std::string_view rest = payload.substr(reader.offset());
  if (code == 0) {
    answer.body = rest;
  } else {
    answer.error.emplace(errc_of(code), std::string(rest.substr(0, most_error_text_bytes)), maybe_committed == 1);
  }
  return answer;
}

Errc errc_of(std::uint8_t number) noexcept {
  const bool is_known = number > 0 && number <= static_cast<std::uint8_t>(last_errc);
  return is_known ? static_cast<Errc>(number) : Errc::internal;
}

}  // namespace concord::transport

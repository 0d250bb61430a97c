#include "transport/frame.hpp"

#include <gtest/gtest.h>

#include <cstring>

namespace concord::transport {
namespace {

constexpr std::size_t max_payload_bytes = 1000;

std::string frame_of(std::uint64_t sequence, FrameKind kind, std::string_view payload) {
  const FrameHeader header = frame_header(sum_of(payload, {}), sequence, kind);
  return std::string(header.data(), header.size()) + std::string(payload);
}

TEST(Frame, HasTheBytesOfItsGrammar) {
  using namespace std::string_view_literals;
  const std::string bytes = frame_of(258, FrameKind::message, "hello");
  EXPECT_EQ(bytes.substr(4), "\x05\0\0\0\x02\x01\0\0\0\0\0\0\x01hello"sv);
  EXPECT_EQ(bytes.substr(0, 4), "\x3f\x1e\xf4\x4a"sv);
}

TEST(Frame, IsReadAsItWasWritten) {
  const std::string bytes = frame_of(7, FrameKind::answer, "payload") + "what follows";
  const auto frame = read_frame(bytes, 7, max_payload_bytes);
  ASSERT_TRUE(frame.has_value() && frame->has_value());
  EXPECT_EQ((*frame)->kind, FrameKind::answer);
  EXPECT_EQ((*frame)->payload, "payload");
  EXPECT_EQ((*frame)->payload.data(), bytes.data() + frame_header_bytes);
  EXPECT_EQ((*frame)->size_bytes, frame_header_bytes + 7);
}

TEST(Frame, InPartsHasTheSumOfTheWhole) {
  const PayloadSum whole = sum_of("front and body", {});
  const PayloadSum parts = sum_of("front and", " body");
  EXPECT_EQ(whole.crc, parts.crc);
  EXPECT_EQ(whole.size_bytes, parts.size_bytes);
}

TEST(Frame, ThatIsNotAllThereIsWaitedFor) {
  const std::string bytes = frame_of(1, FrameKind::message, "payload");
  for (std::size_t size_bytes = 0; size_bytes < bytes.size(); ++size_bytes) {
    const auto frame = read_frame(bytes.substr(0, size_bytes), 1, max_payload_bytes);
    ASSERT_TRUE(frame.has_value()) << size_bytes;
    EXPECT_FALSE(frame->has_value()) << size_bytes;
  }
}

TEST(Frame, WithAnyBitDamagedIsNeverTakenForARightOne) {
  const std::string bytes = frame_of(3, FrameKind::request, "some payload");
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const auto frame = read_frame(damaged, 3, max_payload_bytes);
    EXPECT_FALSE(frame.has_value() && frame->has_value()) << "bit " << bit;
  }
}

TEST(Frame, ThatIsNotTheNextOneIsRefused) {
  const std::string bytes = frame_of(5, FrameKind::message, "payload");
  EXPECT_TRUE(read_frame(bytes, 5, max_payload_bytes).has_value());
  EXPECT_FALSE(read_frame(bytes, 4, max_payload_bytes).has_value());
  EXPECT_FALSE(read_frame(bytes, 6, max_payload_bytes).has_value());
}

TEST(Frame, ThatIsTooLargeIsRefusedByItsHeaderAlone) {
  const std::string fitting = frame_of(1, FrameKind::message, std::string(max_payload_bytes, 'x'));
  EXPECT_TRUE(read_frame(fitting, 1, max_payload_bytes).has_value());
  const std::string large = frame_of(1, FrameKind::message, std::string(max_payload_bytes + 1, 'x'));
  EXPECT_FALSE(read_frame(large.substr(0, frame_header_bytes), 1, max_payload_bytes).has_value());
}

TEST(Frame, OfAnUnknownKindIsRefused) {
  for (const int kind : {0, 5, 255}) {
    EXPECT_FALSE(read_frame(frame_of(1, static_cast<FrameKind>(kind), ""), 1, max_payload_bytes).has_value()) << kind;
  }
}

TEST(FramePayload, OfARequestIsReadAsItWasWritten) {
  const auto request = read_request(request_front(300, 9) + "body");
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->id, 300U);
  EXPECT_EQ(request->method, 9);
  EXPECT_EQ(request->body, "body");
  EXPECT_FALSE(read_request("\x05").has_value());
}

TEST(FramePayload, OfAnAnswerIsABodyOrAnError) {
  const std::string bytes = answer_front(300) + "body";
  const auto good = read_answer(bytes);
  ASSERT_TRUE(good.has_value());
  EXPECT_EQ(good->id, 300U);
  EXPECT_FALSE(good->error.has_value());
  EXPECT_EQ(good->body, "body");

  const auto bad = read_answer(error_answer(300, Error(Errc::timeout, "too late", true)));
  ASSERT_TRUE(bad.has_value() && bad->error.has_value());
  EXPECT_EQ(bad->error->code(), Errc::timeout);
  EXPECT_EQ(bad->error->message(), "too late");
  EXPECT_TRUE(bad->error->maybe_committed());
}

TEST(FramePayload, OfAnUnknownErrorIsInternal) {
  const auto answer = read_answer(std::string("\x01\xc8\0new", 6));
  ASSERT_TRUE(answer.has_value() && answer->error.has_value());
  EXPECT_EQ(answer->error->code(), Errc::internal);
  EXPECT_FALSE(read_answer(std::string("\x01\x02\x02", 3)).has_value());
  EXPECT_FALSE(read_answer(std::string("\x01\x02", 2)).has_value());
}

}  // namespace
}  // namespace concord::transport

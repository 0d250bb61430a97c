// Events over WebSocket: our frames by themselves, and with Beast's client at the other end.
#include "http/web_socket.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

#include "http/testing_node_api.hpp"

namespace concord::http {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;

std::string masked(unsigned char opcode, std::string_view payload) {
  constexpr std::string_view mask = "\x12\x34\x56\x78";
  std::string frame;
  frame.push_back(static_cast<char>(0x80U | opcode));
  frame.push_back(static_cast<char>(0x80U | payload.size()));
  frame.append(mask);
  for (std::size_t at = 0; at < payload.size(); ++at) frame.push_back(static_cast<char>(payload[at] ^ mask[at % 4]));
  return frame;
}

std::uint16_t close_code(std::string_view frame) {
  EXPECT_GE(frame.size(), 4U);
  EXPECT_EQ(frame[0], '\x88');
  return static_cast<std::uint16_t>((static_cast<unsigned char>(frame[2]) << 8U) |
                                    static_cast<unsigned char>(frame[3]));
}

TEST(WebSocket, AcceptsTheKeyOfTheStandardsExampleAndNoOther) {
  EXPECT_EQ(web_socket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(web_socket_accept(""), "");
  EXPECT_EQ(web_socket_accept("c2hvcnQ="), "");
  EXPECT_EQ(web_socket_accept("not base64 at all!!!!!!!"), "");
}

TEST(WebSocket, LengthsStandInTheShortestForm) {
  const auto head = [](std::size_t size) {
    std::string frame;
    append_text_frame(frame, std::string(size, 'x'));
    return frame.substr(0, frame.size() - size);
  };
  EXPECT_EQ(head(125), std::string("\x81\x7d", 2));
  EXPECT_EQ(head(126), std::string("\x81\x7e\x00\x7e", 4));
  EXPECT_EQ(head(65535), std::string("\x81\x7e\xff\xff", 4));
  EXPECT_EQ(head(65536), std::string("\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10));
}

TEST(WebSocket, AReasonIsCutBetweenCharacters) {
  std::string frame;
  append_close_frame(frame, CloseCode::normal, std::string(122, 'x') + "é");
  EXPECT_EQ(frame, std::string("\x88\x7c\x03\xe8", 4) + std::string(122, 'x'));
}

TEST(WebSocket, PingsAreAnsweredInPiecesOfAnySize) {
  const std::string input = masked(0x9, "a") + masked(0xa, "nobody asked") + masked(0x9, std::string(125, 'b'));
  for (std::size_t piece = 1; piece <= input.size(); ++piece) {
    WebSocketInput taken;
    std::string answer;
    for (std::size_t at = 0; at < input.size(); at += piece) ASSERT_TRUE(taken.take(input.substr(at, piece), answer));
    ASSERT_EQ(answer,
              "\x8a\x01"
              "a\x8a\x7d" +
                  std::string(125, 'b'));
  }
}

TEST(WebSocket, WhatIsNotExpectedEndsItWithAReason) {
  const auto code_of = [](const std::string& input) {
    WebSocketInput taken;
    std::string answer;
    EXPECT_FALSE(taken.take(input, answer));
    return close_code(answer);
  };
  EXPECT_EQ(code_of(masked(0x1, "text")), 1003);
  EXPECT_EQ(code_of(masked(0x2, "bytes")), 1003);
  EXPECT_EQ(code_of(masked(0x3, "")), 1002);
  EXPECT_EQ(code_of("\xc9\x80"), 1002);                  // an extension's bit
  EXPECT_EQ(code_of(std::string("\x09\x80", 2)), 1002);  // a ping in several pieces
  EXPECT_EQ(code_of(std::string("\x89\x00", 2)), 1002);  // not masked
  EXPECT_EQ(code_of("\x89\xfe"), 1002);                  // a long one
  EXPECT_EQ(code_of(masked(0x8,
                           "\x03\xe9"
                           "bye")),
            1001);
}

Settings hasty() {
  Settings settings;
  settings.sign_of_life_interval = std::chrono::milliseconds(20);
  return settings;
}

class WebSocketApi : public NodeApi {
 protected:
  using Socket = websocket::stream<asio::ip::tcp::socket>;

  WebSocketApi() : NodeApi(hasty()) {}

  Socket open(const std::string& query = {}) {
    Socket socket(io_);
    socket.next_layer().connect({asio::ip::make_address("127.0.0.1"), server_->port()});
    socket.handshake("127.0.0.1:" + std::to_string(server_->port()), "/api/v1/events" + query);
    return socket;
  }
  /// The next message that is no position.
  static std::string next(Socket& socket) {
    for (;;) {
      boost::beast::flat_buffer buffer;
      socket.read(buffer);
      EXPECT_TRUE(socket.got_text());
      std::string text = boost::beast::buffers_to_string(buffer.data());
      if (!text.starts_with(R"({"type":"position")")) return text;
    }
  }
  void put(const std::string& key, const std::string& value) {
    EXPECT_EQ(call("PUT", "/api/v1/kv/" + key, R"({"value":)" + value + "}").status, 200);
  }

  asio::io_context io_;
};

TEST_F(WebSocketApi, ChangesComeAsMessages) {
  Socket socket = open("?prefix=a");
  boost::beast::flat_buffer first;
  socket.read(first);
  EXPECT_EQ(boost::beast::buffers_to_string(first.data()), R"({"type":"position","revision":0})");
  put("a", "1");
  put("b", "2");
  put("a2", '"' + std::string(100'000, 'x') + '"');
  EXPECT_THAT(next(socket), HasSubstr(R"("revision":1,"metadata":{},"key":"a","value":1})"));
  const std::string large = next(socket);
  EXPECT_THAT(large, HasSubstr(R"("revision":3,)"));
  EXPECT_GT(large.size(), 100'000U);
  Socket resumed = open("?after_revision=1");
  EXPECT_THAT(next(resumed), HasSubstr(R"("revision":2,)"));
}

TEST_F(WebSocketApi, PingsAndAClientsCloseAreAnswered) {
  Socket socket = open();
  std::string pong;
  socket.control_callback([&](websocket::frame_type kind, boost::beast::string_view payload) {
    if (kind == websocket::frame_type::pong) pong = std::string(payload);
  });
  socket.ping("are you there");
  put("a", "1");
  (void)next(socket);
  while (pong.empty()) {
    boost::beast::flat_buffer position;
    socket.read(position);
  }
  EXPECT_EQ(pong, "are you there");
  socket.close({websocket::close_code::normal, "enough"});  // returns when the server has answered
  EXPECT_EQ(socket.reason().code, websocket::close_code::normal);
}

TEST_F(WebSocketApi, AMessageOfTheClientEndsIt) {
  Socket socket = open();
  socket.write(asio::buffer(std::string("hello?")));
  boost::beast::error_code error;
  while (!error) {
    boost::beast::flat_buffer buffer;
    socket.read(buffer, error);
  }
  EXPECT_EQ(error, websocket::error::closed);
  EXPECT_EQ(socket.reason().code, 1003);
  EXPECT_EQ(call("GET", "/api/v1/events/stats").status, 200);
}

TEST_F(WebSocketApi, AStoppingServerSaysSo) {
  Socket socket = open();
  std::thread stopping([this] { server_->stop(std::chrono::seconds(10)); });
  const std::string last = next(socket);
  EXPECT_THAT(last, StartsWith(R"({"type":"end","code":"CLUSTER_UNAVAILABLE","message":)"));
  boost::beast::error_code error;
  boost::beast::flat_buffer buffer;
  socket.read(buffer, error);
  EXPECT_TRUE(error);
  EXPECT_EQ(socket.reason().code, websocket::close_code::going_away);
  stopping.join();
}

TEST_F(WebSocketApi, BadHandshakesAreRefusedAndChangeNothing) {
  const auto answer = [this](const std::string& fields) {
    TestingClient client(server_->port());
    client.send(request_text("GET", "/api/v1/events", {}, "Connection: Upgrade\r\nUpgrade: websocket\r\n" + fields));
    return client.receive().value();
  };
  const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const std::string version = "Sec-WebSocket-Version: 13\r\n";
  const auto old = answer(key + "Sec-WebSocket-Version: 8\r\n");
  EXPECT_EQ(old.status, 400);
  EXPECT_EQ(old.header("Sec-WebSocket-Version"), "13");
  EXPECT_EQ(answer(version).status, 400);
  EXPECT_EQ(answer(version + "Sec-WebSocket-Key: short\r\n").status, 400);
  EXPECT_EQ(answer(key + version + "Origin: https://elsewhere.example\r\n").status, 403);
  EXPECT_EQ(call("GET", "/api/v1/kv/x").status, 404);
}

}  // namespace
}  // namespace concord::http

// For tests: a client that writes the bytes it is told to, and reads responses the simplest way.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace concord::http {

struct TestingResponse {
  int status = 0;
  std::string head;  ///< status line and fields
  std::string body;

  /// The value of a field, by its exact spelling; empty when it is missing.
  [[nodiscard]] std::string header(std::string_view name) const {
    const std::string wanted = "\r\n" + std::string(name) + ": ";
    const std::size_t at = head.find(wanted);
    if (at == std::string::npos) return {};
    const std::size_t from = at + wanted.size();
    return head.substr(from, head.find("\r\n", from) - from);
  }
};

class TestingClient {
 public:
  explicit TestingClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) shut();
  }
  ~TestingClient() { shut(); }
  TestingClient(const TestingClient&) = delete;
  TestingClient& operator=(const TestingClient&) = delete;

  /// False when the other side does not take it.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t size = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (size <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(size));
    }
    return true;
  }

  /// None at the end of the connection, or when nothing came for ten seconds.
  std::optional<TestingResponse> receive(bool without_body = false) {
    std::size_t head_end = std::string::npos;
    while ((head_end = received_.find("\r\n\r\n")) == std::string::npos) {
      if (!receive_more()) return std::nullopt;
    }
    TestingResponse response;
    response.head = received_.substr(0, head_end + 2);
    received_.erase(0, head_end + 4);
    response.status = std::atoi(response.head.c_str() + std::string_view("HTTP/1.1 ").size());
    const std::string length = response.header("Content-Length");
    const std::size_t size = without_body || length.empty() ? 0 : std::stoul(length);
    while (received_.size() < size) {
      if (!receive_more()) return std::nullopt;
    }
    response.body = received_.substr(0, size);
    received_.erase(0, size);
    return response;
  }

  /// What stands up to the next empty line, without it, of a body that goes on (server-sent events in chunks); none as above, or at its
  /// end.
  std::optional<std::string> receive_block() {
    std::size_t end = std::string::npos;
    while ((end = unchunked_.find("\n\n")) == std::string::npos) {
      if (!receive_chunk()) return std::nullopt;
    }
    std::string block = unchunked_.substr(0, end);
    unchunked_.erase(0, end + 2);
    return block;
  }

  /// All of a body that comes in chunks.
  std::string receive_chunks() {
    while (receive_chunk()) {
    }
    return std::exchange(unchunked_, {});
  }
  /// Whether the other side ends the connection without sending anything more.
  bool is_ended() { return received_.empty() && !receive_more(); }

 private:
  bool receive_more() {
    pollfd waiting{.fd = socket_, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, 10'000) != 1) return false;
    char buffer[65536];
    const ssize_t size = ::recv(socket_, buffer, sizeof buffer, 0);
    if (size <= 0) return false;
    received_.append(buffer, static_cast<std::size_t>(size));
    return true;
  }
  bool receive_chunk() {
    std::size_t line_end = std::string::npos;
    while ((line_end = received_.find("\r\n")) == std::string::npos) {
      if (!receive_more()) return false;
    }
    const std::size_t size = std::stoul(received_.substr(0, line_end), nullptr, 16);
    while (received_.size() < line_end + 2 + size + 2) {
      if (!receive_more()) return false;
    }
    unchunked_ += received_.substr(line_end + 2, size);
    received_.erase(0, line_end + 2 + size + 2);
    return size > 0;
  }
  void shut() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

  int socket_;
  std::string received_;
  std::string unchunked_;
};

/// The bytes of a request; `fields` are whole lines with their line ends.
inline std::string request_text(std::string_view method, std::string_view target, std::string_view body = {},
                                std::string_view fields = {}) {
  std::string text(method);
  text += ' ';
  text.append(target);
  text += " HTTP/1.1\r\nHost: test\r\n";
  text.append(fields);
  if (!body.empty()) {
    text += "Content-Length: ";
    text += std::to_string(body.size());
    text += "\r\n";
  }
  text += "\r\n";
  text.append(body);
  return text;
}

}  // namespace concord::http

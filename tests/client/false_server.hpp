// For tests: a server that does with each request what the test says: answers, closes, or says nothing.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace concord::client {

/// The whole answer, as bytes; empty: the connection is closed; none: nothing ever comes.
using FalseAnswer = std::optional<std::string>;

inline std::string answer_of(int status, std::string_view body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " Said\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

class FalseServer {
 public:
  /// `decide(number)`: for the request of this number, from 0.
  explicit FalseServer(std::function<FalseAnswer(std::size_t)> decide) : decide_(std::move(decide)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::listen(listener_, 128);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  FalseServer(const FalseServer&) = delete;
  FalseServer& operator=(const FalseServer&) = delete;
  ~FalseServer() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
    for (const int socket : sockets_) ::close(socket);
    ::close(listener_);
  }

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  /// What came whole, head and body.
  [[nodiscard]] std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void accept_all() {
    while (true) {
      const int socket = ::accept(listener_, nullptr, nullptr);
      if (socket < 0) return;
      const std::lock_guard lock(mutex_);
      sockets_.push_back(socket);
      threads_.emplace_back([this, socket] { serve(socket); });
    }
  }
  void serve(int socket) {
    std::string received;
    while (const auto request = next_request(socket, received)) {
      std::size_t number = 0;
      {
        const std::lock_guard lock(mutex_);
        number = requests_.size();
        requests_.push_back(*request);
      }
      const FalseAnswer answer = decide_(number);
      if (!answer) continue;
      if (answer->empty()) break;
      ::send(socket, answer->data(), answer->size(), MSG_NOSIGNAL);
    }
    ::shutdown(socket, SHUT_RDWR);
  }
  static std::optional<std::string> next_request(int socket, std::string& received) {
    while (true) {
      const std::size_t head = received.find("\r\n\r\n");
      if (head != std::string::npos) {
        const std::size_t length = received.find("Content-Length: ");
        const std::size_t body =
            length < head ? std::strtoul(received.c_str() + length + sizeof("Content-Length: ") - 1, nullptr, 10) : 0;
        if (received.size() >= head + 4 + body) {
          std::string request = received.substr(0, head + 4 + body);
          received.erase(0, request.size());
          return request;
        }
      }
      char bytes[4096];
      const ssize_t size = ::recv(socket, bytes, sizeof bytes, 0);
      if (size <= 0) return std::nullopt;
      received.append(bytes, static_cast<std::size_t>(size));
    }
  }

  const std::function<FalseAnswer(std::size_t)> decide_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<int> sockets_;
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace concord::client

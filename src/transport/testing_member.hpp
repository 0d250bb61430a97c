// Members of a cluster in one process, for tests: a transport whose handler writes down what it is told, and raw ends of connections that
// do what no transport does.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "env/clock.hpp"
#include "transport/frame.hpp"
#include "transport/handshake.hpp"
#include "transport/transport.hpp"

namespace concord::transport {

using namespace std::chrono_literals;

/// Waits until it holds; the limit only ends a test that has failed.
template <class Condition>
[[nodiscard]] bool eventually(Condition&& condition) {
  const auto until = std::chrono::steady_clock::now() + 60s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

class TestClock final : public env::Clock {
 public:
  [[nodiscard]] std::uint64_t monotonic_ms() const noexcept override { return now_ms; }
  [[nodiscard]] std::int64_t wall_ms() const noexcept override { return static_cast<std::int64_t>(now_ms.load()); }
  std::atomic<std::uint64_t> now_ms{1'000'000};
};

inline Identity test_identity(std::uint64_t node) {
  return {.cluster_name = "green",
          .cluster = base::ClusterId(7),
          .node = base::NodeId(node),
          .directory = 1000 + node,
          .incarnation = 1,
          .name = "n" + std::to_string(node),
          .peer_address = {},
          .api_url = {},
          .version = "test"};
}

inline Limits quick_limits() {
  Limits limits;
  limits.keep_alive = 1h;  // where silence is not what a test is about, a slow machine must not end connections
  limits.handshake_timeout = 1h;
  limits.redial_min = 1ms;
  limits.redial_max = 10ms;
  return limits;
}

class Recorder final : public Handler {
 public:
  std::function<Result<void>(const Identity&)> admits = [](const Identity&) { return Result<void>(); };
  std::function<void(const Identity&, std::string_view)> hears = [](const Identity&, std::string_view) {};
  std::function<void(const Identity&, std::uint8_t, std::string_view, Respond)> answers =
      [](const Identity&, std::uint8_t, std::string_view body, Respond respond) { respond(std::string(body)); };

  struct Notes {
    std::vector<Identity> admitted = {};
    std::vector<std::string> messages = {};
    std::vector<Identity> connected = {};
    std::vector<std::pair<std::uint64_t, Lost>> lost = {};
    std::vector<std::pair<std::string, Error>> refused = {};
    std::vector<Refuser> refused_by = {};
    std::vector<std::string> lines = {};
  };
  [[nodiscard]] Notes notes() const {
    const std::lock_guard lock(mutex_);
    return notes_;
  }
  [[nodiscard]] std::size_t lines_with(std::string_view words) const {
    const auto lines = notes().lines;
    return static_cast<std::size_t>(
        std::ranges::count_if(lines, [&](const auto& line) { return line.contains(words); }));
  }

  void log(const std::string& line) {
    const std::lock_guard lock(mutex_);
    notes_.lines.push_back(line);
  }

 private:
  Result<void> admit(const Identity& peer) override {
    {
      const std::lock_guard lock(mutex_);
      notes_.admitted.push_back(peer);
    }
    return admits(peer);
  }
  void on_message(const Identity& from, std::string_view bytes) override {
    {
      const std::lock_guard lock(mutex_);
      notes_.messages.emplace_back(bytes);
    }
    hears(from, bytes);
  }
  void on_request(const Identity& from, std::uint8_t method, std::string_view body, Respond respond) override {
    answers(from, method, body, std::move(respond));
  }
  void on_read_done() override {}
  void on_connected(const Identity& peer) override {
    const std::lock_guard lock(mutex_);
    notes_.connected.push_back(peer);
  }
  void on_lost(base::NodeId peer, Lost why) override {
    const std::lock_guard lock(mutex_);
    notes_.lost.emplace_back(peer.value(), why);
  }
  void on_refused(const std::string& address, const Error& why, Refuser by) override {
    const std::lock_guard lock(mutex_);
    notes_.refused.emplace_back(address, why);
    notes_.refused_by.push_back(by);
  }

  mutable std::mutex mutex_;
  Notes notes_;
};

/// One member: node `node` of the cluster "green".
struct Member {
  explicit Member(std::uint64_t node) {
    options.cookie = "secret";
    options.self = test_identity(node);
    options.limits = quick_limits();
    options.clock = &clock;
    options.log = [this](LogLevel, const std::string& line) { recorder.log(line); };
  }

  void open() {
    auto opened = Transport::open(options, recorder);
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    transport = std::move(*opened);
  }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(transport->port()); }
  [[nodiscard]] Peer as_peer() const {
    return {.node = options.self.node, .directory = options.self.directory, .address = address()};
  }
  [[nodiscard]] bool is_connected(std::uint64_t node) const {
    const auto states = transport->peers();
    return std::ranges::any_of(states,
                               [&](const auto& state) { return state.node.value() == node && state.connected; });
  }
  [[nodiscard]] bool send(std::uint64_t node, std::string_view bytes) const {
    return transport->send(base::NodeId(node), bytes);
  }

  TestClock clock;
  Recorder recorder;
  Options options;
  std::unique_ptr<Transport> transport;  ///< last: it goes first
};

/// The outcome of a request, to wait for.
class Outcome {
 public:
  [[nodiscard]] auto taker() const {
    return [state = state_](auto result) {
      const std::lock_guard lock(state->mutex);
      ++state->calls;
      if constexpr (std::is_same_v<decltype(result), Result<std::string>>) {
        state->result = std::move(result);
      } else if (result) {
        state->who = result->first;
        state->result = std::move(result->second);
      } else {
        state->result = std::unexpected(result.error());
      }
    };
  }
  [[nodiscard]] int calls() const {
    const std::lock_guard lock(state_->mutex);
    return state_->calls;
  }
  [[nodiscard]] Result<std::string> wait() const {
    EXPECT_TRUE(eventually([&] { return calls() > 0; }));
    const std::lock_guard lock(state_->mutex);
    return state_->result;
  }
  /// By its code; nothing went wrong: 0.
  [[nodiscard]] int wait_for_code() const {
    const auto result = wait();
    return result ? 0 : static_cast<int>(result.error().code());
  }
  [[nodiscard]] Identity who() const {
    const std::lock_guard lock(state_->mutex);
    return state_->who;
  }

 private:
  struct State {
    std::mutex mutex;
    int calls = 0;
    Result<std::string> result;
    Identity who;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// A socket in the test's own hands.
class RawPeer {
 public:
  explicit RawPeer(std::uint16_t port) {
    socket_.connect({boost::asio::ip::make_address("127.0.0.1"), port}, error_);
    EXPECT_FALSE(error_) << error_.message();
  }

  void write(std::string_view bytes) {
    boost::asio::write(socket_, boost::asio::buffer(bytes.data(), bytes.size()), error_);
  }
  /// Exactly so many bytes, or those that came before the end.
  [[nodiscard]] std::string read(std::size_t size_bytes) {
    std::string bytes(size_bytes, '\0');
    bytes.resize(boost::asio::read(socket_, boost::asio::buffer(bytes), error_));
    return bytes;
  }
  [[nodiscard]] std::string read_packet() {
    const std::string front = read(packet_front_bytes);
    if (front.size() != packet_front_bytes) return front;
    return front + read(*packet_size(front) - packet_front_bytes);
  }
  /// What has come, waiting for the first of it; empty: the end.
  [[nodiscard]] std::string read_some() {
    std::string bytes(65'536, '\0');
    bytes.resize(socket_.read_some(boost::asio::buffer(bytes), error_));
    return bytes;
  }
  /// Waits for the other end to close, whatever it says before.
  [[nodiscard]] bool is_closed() {
    socket_.non_blocking(true);
    return eventually([&] {
      std::array<char, 4096> said{};
      boost::system::error_code error;
      while (!error) socket_.read_some(boost::asio::buffer(said), error);
      return error != boost::asio::error::would_block;
    });
  }

  /// Becomes node `node`, by the handshake.
  [[nodiscard]] testing::AssertionResult greet(std::uint64_t node, Purpose purpose = Purpose::control) {
    DiallerHandshake handshake({.self = test_identity(node), .cookie = "secret"}, purpose, {}, Nonce{});
    write(handshake.hello());
    const auto proof = handshake.take_answer(read_packet());
    if (!proof) return testing::AssertionFailure() << proof.error().error.message();
    write(*proof);
    const auto welcome = handshake.take_welcome(read_packet());
    if (!welcome) return testing::AssertionFailure() << welcome.error().error.message();
    return testing::AssertionSuccess();
  }

 private:
  boost::asio::io_context context_;
  boost::asio::ip::tcp::socket socket_{context_};
  boost::system::error_code error_;
};

/// A whole frame.
inline std::string test_frame(std::uint64_t sequence, FrameKind kind, std::string_view payload) {
  const FrameHeader header = frame_header(sum_of(payload, {}), sequence, kind);
  return std::string(header.data(), header.size()) + std::string(payload);
}

}  // namespace concord::transport

// The server over TLS: what it answers is what it answers without; who does not speak TLS, or does not go on, harms nobody; a new
// certificate is taken without a restart.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "http/testing_node_api.hpp"
#include "security/certificate.hpp"
#include "security/tls_session.hpp"

namespace concord::http {
namespace {

using security::TlsSession;
using namespace std::chrono_literals;

/// A connection that speaks TLS, and trusts anybody.
class SecureClient {
 public:
  explicit SecureClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    session_ = std::make_unique<TlsSession>(context, TlsSession::Role::client);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
    while (session_->state() == TlsSession::State::handshake && exchange()) {
    }
  }
  ~SecureClient() { ::close(socket_); }
  SecureClient(const SecureClient&) = delete;
  SecureClient& operator=(const SecureClient&) = delete;

  [[nodiscard]] bool is_open() const { return session_->state() == TlsSession::State::open; }
  [[nodiscard]] bool is_told_of_the_end() const { return session_->state() == TlsSession::State::closed; }
  /// Of the certificate that the server has shown.
  [[nodiscard]] std::string serial() const {
    const std::unique_ptr<X509, decltype(&X509_free)> shown(SSL_get1_peer_certificate(session_->handle()), X509_free);
    const ASN1_INTEGER* const number = shown ? X509_get0_serialNumber(shown.get()) : nullptr;
    if (number == nullptr) return {};
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(number)),
            static_cast<std::size_t>(ASN1_STRING_length(number))};
  }

  void send(std::string_view text) {
    session_->write(text);
    flush();
  }
  std::optional<TestingResponse> receive() {
    std::size_t head_end = std::string::npos;
    while ((head_end = received_.find("\r\n\r\n")) == std::string::npos) {
      if (!exchange()) return std::nullopt;
    }
    TestingResponse response;
    response.head = received_.substr(0, head_end + 2);
    received_.erase(0, head_end + 4);
    response.status = std::atoi(response.head.c_str() + 9);
    const std::string length = response.header("Content-Length");
    const std::size_t size = length.empty() ? 0 : std::stoul(length);
    while (received_.size() < size) {
      if (!exchange()) return std::nullopt;
    }
    response.body = received_.substr(0, size);
    received_.erase(0, size);
    return response;
  }
  TestingResponse call(std::string_view method, std::string_view target, std::string_view body = {}) {
    send(request_text(method, target, body));
    return receive().value_or(TestingResponse{});
  }
  /// Until the server ends the connection.
  void wait_for_end() {
    while (exchange()) {
    }
  }

 private:
  void flush() {
    const std::string bytes = session_->take_output();
    std::string_view rest = bytes;
    while (!rest.empty()) {
      const ssize_t size = ::send(socket_, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (size <= 0) return;
      rest.remove_prefix(static_cast<std::size_t>(size));
    }
  }
  bool exchange() {
    flush();
    pollfd waiting{.fd = socket_, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, 10'000) != 1) return false;
    std::vector<char> buffer(65536);
    const ssize_t size = ::recv(socket_, buffer.data(), buffer.size(), 0);
    if (size <= 0) return false;
    session_->feed({buffer.data(), static_cast<std::size_t>(size)});
    while (const std::size_t plain = session_->read(buffer.data(), buffer.size()))
      received_.append(buffer.data(), plain);
    flush();
    return session_->state() != TlsSession::State::failed;
  }

  int socket_;
  std::unique_ptr<TlsSession> session_;
  std::string received_;
};

const security::Certificate& authority() {
  static const security::Certificate made = security::make_authority("authority", 10).value();
  return made;
}

class TlsApi : public NodeApi {
 protected:
  explicit TlsApi(Settings settings = {}) : NodeApi(with_tls(std::move(settings))) {}
  ~TlsApi() override { std::filesystem::remove_all(certificates()); }

  static std::filesystem::path certificates() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    return std::filesystem::temp_directory_path() /
           ("concord_tls." + std::to_string(::getpid()) + "." + test->test_suite_name() + "." + test->name());
  }
  static void write_certificate() {
    const auto made =
        security::make_certificate(authority(), {.name = "node", .hosts = {"127.0.0.1"}, .serves = true}).value();
    std::filesystem::create_directories(certificates());
    std::ofstream(certificates() / "node.key") << made.key;
    std::ofstream(certificates() / "node.crt") << made.certificate;
  }
  static Settings with_tls(Settings settings) {
    write_certificate();
    settings.tls =
        security::TlsContext::load({.certificate = certificates() / "node.crt", .key = certificates() / "node.key"})
            .value();
    return settings;
  }
  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
};

TEST_F(TlsApi, AnswersAsWithoutTls) {
  EXPECT_TRUE(server_->url().starts_with("https://127.0.0.1:"));
  SecureClient client(port());
  ASSERT_TRUE(client.is_open());
  EXPECT_EQ(client.call("PUT", "/api/v1/kv/k", R"({"value":1})").status, 200);
  EXPECT_EQ(client.call("GET", "/api/v1/kv/k").body, R"({"status":"ok","data":{"value":1}})");
  const std::string large(3'000'000, 'x');
  EXPECT_EQ(client.call("PUT", "/api/v1/kv/large", R"({"value":")" + large + "\"}").status, 200);
  EXPECT_NE(client.call("GET", "/api/v1/kv/large").body.find(large), std::string::npos);
  EXPECT_GT(client.call("GET", "/api/docs/swagger-ui-bundle.js").body.size(), 1'000'000U);
  std::string many;
  for (int i = 0; i < 200; ++i) many += request_text("GET", "/api/v1/kv/k");
  client.send(many);
  for (int i = 0; i < 200; ++i) ASSERT_EQ(client.receive().value_or(TestingResponse{}).status, 200) << i;
}

TEST_F(TlsApi, TheEndIsSaid) {
  SecureClient client(port());
  client.send("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.receive().value_or(TestingResponse{}).status, 200);
  client.wait_for_end();
  EXPECT_TRUE(client.is_told_of_the_end());
}

TEST_F(TlsApi, ABadRequestIsAnsweredBeforeTheEnd) {
  SecureClient client(port());
  client.send("nonsense\r\n\r\n");
  EXPECT_EQ(client.receive().value_or(TestingResponse{}).status, 400);
}

TEST_F(TlsApi, WhoDoesNotSpeakTlsIsClosedAndNobodyElse) {
  SecureClient healthy(port());
  std::string random(5000, '\0');
  for (std::size_t i = 0; i < random.size(); ++i) random[i] = static_cast<char>(i * 131 + i / 7);
  for (const std::string& bytes : {std::string("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), random,
                                   std::string("\x16\x03\x01\xff\xff", 5) + random}) {
    TestingClient stranger(port());
    stranger.send(bytes);
    EXPECT_EQ(healthy.call("GET", "/health").status, 200);
  }
  TestingClient plain(port());
  plain.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_FALSE(plain.receive().has_value());
}

TEST_F(TlsApi, ANewCertificateIsTakenWithoutARestart) {
  SecureClient before(port());
  const std::string serial = before.serial();
  write_certificate();
  const auto end = std::chrono::steady_clock::now() + 30s;
  std::string newer = serial;
  while (newer == serial && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(50ms);
    newer = SecureClient(port()).serial();
  }
  EXPECT_NE(newer, serial);
  EXPECT_FALSE(newer.empty());
  EXPECT_EQ(before.call("GET", "/health").status, 200) << "open connections go on";
}

class TlsLimits : public TlsApi {
 protected:
  static Settings limited() {
    Settings settings;
    settings.max_handshakes = 100;
    settings.handshake_timeout = std::chrono::milliseconds(500);
    return settings;
  }
  TlsLimits() : TlsApi(limited()) {}
};

TEST_F(TlsLimits, AHandshakeThatDoesNotGoOnEnds) {
  TestingClient silent(port());
  EXPECT_TRUE(silent.is_ended());
}

TEST_F(TlsLimits, ThousandsOfHalfOpenHandshakesHarmNobody) {
  SecureClient before(port());
  std::vector<std::unique_ptr<TestingClient>> half_open;
  for (int i = 0; i < 800; ++i) {
    half_open.push_back(std::make_unique<TestingClient>(port()));
    if (i % 2 == 0) half_open.back()->send(std::string_view("\x16\x03\x01\x02\x00\x01", 6));
    if (i % 100 != 0) continue;
    SecureClient healthy(port());
    ASSERT_TRUE(healthy.is_open()) << i;
    EXPECT_EQ(healthy.call("GET", "/health").status, 200) << i;
  }
  EXPECT_EQ(before.call("GET", "/health").status, 200);
}

}  // namespace
}  // namespace concord::http

// For tests: TLS in front of a server that has none, with certificates made on the spot.
//
//     const TestingCertificate certificate("IP:127.0.0.1");
//     TlsTerminator terminator(server->port(), certificate);
//     Client::connect({terminator.url()}, {.cacert = file of certificate.certificate_pem()});
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

namespace concord::client {

/// Signed by itself, so that it is also the authority to trust.
class TestingCertificate {
 public:
  /// `subject`: "IP:127.0.0.1", "DNS:localhost"
  explicit TestingCertificate(const std::string& subject);

  [[nodiscard]] const std::string& certificate_pem() const noexcept { return certificate_pem_; }
  [[nodiscard]] const std::string& key_pem() const noexcept { return key_pem_; }

 private:
  std::string certificate_pem_;
  std::string key_pem_;
};

/// Takes TLS connections and passes what they say to a server of this machine, and back. One thread.
class TlsTerminator {
 public:
  TlsTerminator(std::uint16_t server_port, const TestingCertificate& certificate);
  ~TlsTerminator();
  TlsTerminator(const TlsTerminator&) = delete;
  TlsTerminator& operator=(const TlsTerminator&) = delete;

  /// "https://HOST:port"
  [[nodiscard]] std::string url(const std::string& host = "127.0.0.1") const;
  /// How many connections came as far as to be trusted by their client, and which name each had told; empty: none.
  [[nodiscard]] std::vector<std::string> trusted_by();
  /// Says goodbye on every connection, as a server does that ends; the clients' kernels have it when this returns.
  void say_goodbye();

 private:
  struct Link;

  bool try_goodbye();
  boost::asio::awaitable<void> accept();
  boost::asio::awaitable<void> serve(std::shared_ptr<Link> link);
  template <class From, class To>
  static boost::asio::awaitable<void> pipe(std::shared_ptr<Link> link, From& from, To& to);

  boost::asio::io_context io_{1};
  boost::asio::ssl::context tls_{boost::asio::ssl::context::tls_server};
  const boost::asio::ip::tcp::endpoint server_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::list<std::weak_ptr<Link>> links_;
  std::mutex mutex_;
  std::vector<std::string> trusted_by_;
  std::thread thread_;
};

}  // namespace concord::client

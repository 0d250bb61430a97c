// One TLS connection between bytes from a socket and bytes to it: no socket in here, so whoever owns one keeps its own ways of
// waiting.
//
//     session.feed(bytes from the socket)          may make output, of the handshake
//     session.read(buffer, size)                   what was decrypted
//     session.write(text)                          makes output
//     session.take_output()                        bytes for the socket
//
// TLS 1.2 and newer; no renegotiation. After `failed` nothing is read or written; the output may hold the alert that says why.
// Thread rule: one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

namespace concord::security {

class TlsSession {
 public:
  enum class State : std::uint8_t {
    handshake,
    open,
    closed,  ///< the peer says nothing more
    failed,
  };
  enum class Role : std::uint8_t { server, client };

  /// The context may be replaced by its owner: the session keeps the one it began with.
  TlsSession(const std::shared_ptr<SSL_CTX>& context, Role role);

  [[nodiscard]] State state() const noexcept { return state_; }
  State feed(std::string_view bytes);
  /// How many bytes were decrypted into `to`; 0: none are there now.
  [[nodiscard]] std::size_t read(char* to, std::size_t size_bytes);
  void write(std::string_view text);
  /// Tells the peer that nothing more comes. False: it was told, or there is nobody to tell.
  bool shut();

  [[nodiscard]] bool has_output() const noexcept;
  [[nodiscard]] std::string take_output();
  /// Why it failed, for a log.
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
  /// 32 bytes that both ends of an open session know and nobody else, also not who stands between the two and speaks TLS with each of
  /// them (RFC 9266, tls-exporter). Nothing: this session has none, being of TLS 1.2 without an extended master secret.
  [[nodiscard]] std::optional<std::string> binding() const;
  [[nodiscard]] SSL* handle() const noexcept { return ssl_.get(); }

 private:
  void go_on_with_handshake();
  void take_error(int result);

  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  BIO* in_;   // of ssl_
  BIO* out_;  // of ssl_
  State state_ = State::handshake;
  bool is_shut_ = false;
  std::string problem_;
};

}  // namespace concord::security

#include "security/tls_session.hpp"

#include <algorithm>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include "base/check.hpp"

namespace concord::security {
namespace {

constexpr std::size_t largest_piece_bytes = std::size_t{1} << 30U;

constexpr std::string_view binding_label = "EXPORTER-Channel-Binding";
constexpr std::size_t binding_bytes = 32;

/// "tlsv1 alert unknown ca" says "unknown ca".
std::string words_of_alert(std::string_view reason) {
  constexpr std::string_view before = " alert ";
  const std::size_t found = reason.find(before);
  return "the other end says: " + std::string(found == reason.npos ? reason : reason.substr(found + before.size()));
}

std::string error_text(const SSL* ssl) {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  const char* const reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  if (reason == nullptr) return "the connection is not TLS";
  if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) > SSL_AD_REASON_OFFSET) return words_of_alert(reason);
  if (const long found = SSL_get_verify_result(ssl); found != X509_V_OK) {
    return std::string("the certificate of the other end is not accepted: ") + X509_verify_cert_error_string(found);
  }
  return reason;
}

}  // namespace

TlsSession::TlsSession(const std::shared_ptr<SSL_CTX>& context, Role role)
    : ssl_(SSL_new(context.get()), SSL_free), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())) {
  CONCORD_CHECK(ssl_ && in_ != nullptr && out_ != nullptr, "memory for a TLS session");
  BIO_set_mem_eof_return(in_, -1);  // "later", not the end
  SSL_set_bio(ssl_.get(), in_, out_);
  if (role == Role::server) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
    go_on_with_handshake();
  }
}

TlsSession::State TlsSession::feed(std::string_view bytes) {
  if (state_ == State::closed || state_ == State::failed) return state_;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), largest_piece_bytes))) {
    const auto size = static_cast<int>(std::min(bytes.size(), largest_piece_bytes));
    CONCORD_CHECK(BIO_write(in_, bytes.data(), size) == size, "memory for what a TLS peer sends");
  }
  if (state_ == State::handshake) go_on_with_handshake();
  return state_;
}

void TlsSession::go_on_with_handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    state_ = State::open;
  } else {
    take_error(result);
  }
}

void TlsSession::take_error(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return;
    case SSL_ERROR_ZERO_RETURN: state_ = State::closed; return;
    default: break;
  }
  state_ = State::failed;
  problem_ = error_text(ssl_.get());
}

std::size_t TlsSession::read(char* to, std::size_t size_bytes) {
  if (state_ != State::open) return 0;
  ERR_clear_error();
  std::size_t read_bytes = 0;
  const int result = SSL_read_ex(ssl_.get(), to, size_bytes, &read_bytes);
  if (result != 1) take_error(result);
  return result == 1 ? read_bytes : 0;
}

void TlsSession::write(std::string_view text) {
  const bool may_write =
      state_ == State::open || state_ == State::closed;  // the peer says nothing more, but may listen
  if (!may_write || is_shut_ || text.empty()) return;
  ERR_clear_error();
  std::size_t written = 0;
  const int result = SSL_write_ex(ssl_.get(), text.data(), text.size(), &written);
  // What it is written to is memory, which takes all.
  if (result != 1 || written != text.size()) take_error(result);
}

bool TlsSession::shut() {
  if ((state_ != State::open && state_ != State::closed) || is_shut_) return false;
  is_shut_ = true;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  return true;
}

std::optional<std::string> TlsSession::binding() const {
  if (SSL_version(ssl_.get()) < TLS1_3_VERSION && SSL_get_extms_support(ssl_.get()) != 1) return std::nullopt;
  std::string bytes(binding_bytes, '\0');
  const int result =
      SSL_export_keying_material(ssl_.get(), reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(),
                                 binding_label.data(), binding_label.size(), nullptr, 0, 0);
  if (result != 1) return std::nullopt;
  return bytes;
}

bool TlsSession::has_output() const noexcept { return BIO_ctrl_pending(out_) > 0; }

std::string TlsSession::take_output() {
  std::string bytes(BIO_ctrl_pending(out_), '\0');
  if (bytes.empty()) return bytes;
  const int size = BIO_read(out_, bytes.data(), static_cast<int>(bytes.size()));
  CONCORD_CHECK(size == static_cast<int>(bytes.size()), "what is pending can be read");
  return bytes;
}

}  // namespace concord::security

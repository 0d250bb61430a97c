#include "security/tls_context.hpp"

#include <cstring>
#include <string_view>
#include <utility>

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

namespace concord::security {
namespace {

std::string reason() {
  const unsigned long error = ERR_peek_last_error();
  ERR_clear_error();
  const bool is_unread = error == 0 || ERR_GET_REASON(error) == ERR_R_SYS_LIB;  // there is no such file, say
  const char* const text = is_unread ? nullptr : ERR_reason_error_string(error);
  return text == nullptr ? "it can't be read" : text;
}

std::unexpected<Error> unusable(const std::string& path, const std::string& why) {
  return fail(Errc::invalid_request, path + ": " + why);
}

/// Nobody is asked for a password.
int no_password(char*, int, int, void*) { return 0; }

/// HTTP/1.1, when a client asks; one that asks for something else gets no answer to that.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                    unsigned offered_size, void*) {
  static constexpr std::string_view http = "http/1.1";
  for (unsigned at = 0; at + 1 <= offered_size; at += 1U + offered[at]) {
    if (at + 1U + offered[at] > offered_size) break;
    if (std::string_view(reinterpret_cast<const char*>(offered + at + 1), offered[at]) != http) continue;
    *chosen = offered + at + 1;
    *chosen_size = offered[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

}  // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::load(TlsFiles files, TlsUse use) {
  std::unique_ptr<TlsContext> loaded(new TlsContext(std::move(files), use));
  const auto stamps = loaded->stamps();
  auto context = loaded->read();
  if (!context) return std::unexpected(std::move(context.error()));
  const base::MutexLock lock(loaded->mutex_);
  loaded->seen_ = stamps;
  loaded->context_ = std::move(*context);
  return loaded;
}

std::shared_ptr<SSL_CTX> TlsContext::current() const {
  const base::MutexLock lock(mutex_);
  return context_;
}

Result<bool> TlsContext::refresh() {
  const auto now = stamps();  // before reading: what changes meanwhile is seen the next time
  {
    const base::MutexLock lock(mutex_);
    if (now == seen_) return false;
    seen_ = now;
  }
  auto context = read();
  if (!context) return std::unexpected(std::move(context.error()));
  const base::MutexLock lock(mutex_);
  context_ = std::move(*context);
  return true;
}

TlsContext::Stamps TlsContext::stamps() const {
  const auto stamp_of = [](const std::string& path) -> Stamp {
    struct stat found{};
    if (::stat(path.c_str(), &found) != 0) return {};
    return {found.st_mtim.tv_sec, found.st_mtim.tv_nsec, found.st_size, static_cast<std::int64_t>(found.st_ino)};
  };
  return {stamp_of(files_.certificate), stamp_of(files_.key), stamp_of(files_.authority)};
}

Result<std::shared_ptr<SSL_CTX>> TlsContext::read() const {
  ERR_clear_error();
  const bool is_member = use_ == TlsUse::member;
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(is_member ? TLS_method() : TLS_server_method()), SSL_CTX_free);
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1) {
    return fail(Errc::internal, "TLS is not available: " + reason());
  }
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_default_passwd_cb(context.get(), no_password);
  if (!is_member) SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  if (auto done = read_own(context.get()); !done) return std::unexpected(std::move(done.error()));
  if (is_member || !files_.authority.empty()) {
    if (auto done = read_authority(context.get()); !done) return std::unexpected(std::move(done.error()));
  }
  return context;
}

Result<void> TlsContext::read_own(SSL_CTX* context) const {
  if (SSL_CTX_use_certificate_chain_file(context, files_.certificate.c_str()) != 1) {
    return unusable(files_.certificate, reason());
  }
  if (SSL_CTX_use_PrivateKey_file(context, files_.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return unusable(files_.key, reason());
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    return unusable(files_.key, "it is not the key of the certificate in " + files_.certificate);
  }
  return {};
}

Result<void> TlsContext::read_authority(SSL_CTX* context) const {
  STACK_OF(X509_NAME)* const names = SSL_load_client_CA_file(files_.authority.c_str());
  if (names == nullptr) return unusable(files_.authority, reason());
  SSL_CTX_set_client_CA_list(context, names);  // it owns them now
  if (SSL_CTX_load_verify_file(context, files_.authority.c_str()) != 1) return unusable(files_.authority, reason());
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  // As a client and as a server: else who dials would be asked for a client's certificate.
  if (use_ == TlsUse::member && SSL_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER) != 1) {
    return fail(Errc::internal, "TLS is not available: " + reason());
  }
  return {};
}

}  // namespace concord::security

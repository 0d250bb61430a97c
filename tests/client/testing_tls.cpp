#include "testing_tls.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <future>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/check.hpp"

namespace concord::client {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr long hour_s = 3600;

template <auto release>
struct Release {
  void operator()(auto* object) const noexcept { release(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Release<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Release<X509_EXTENSION_free>>;
using Memory = std::unique_ptr<BIO, Release<BIO_free_all>>;

/// Until the other side's kernel has taken all that was sent.
void wait_until_taken(int socket) {
  int left_bytes = 0;
  while (::ioctl(socket, SIOCOUTQ, &left_bytes) == 0 && left_bytes > 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

std::string text_of(const Memory& memory) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

void name_subject(X509* certificate, const std::string& subject) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, NID_subject_alt_name, subject.c_str()));
  CONCORD_CHECK(extension && X509_add_ext(certificate, extension.get(), -1) == 1, "the subject is well formed");
  X509_NAME* const name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
}

}  // namespace

TestingCertificate::TestingCertificate(const std::string& subject) {
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  const Certificate certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -hour_s);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 24 * hour_s);
  X509_set_pubkey(certificate.get(), key.get());
  name_subject(certificate.get(), subject);
  CONCORD_CHECK(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0, "it can be signed");
  const Memory of_certificate(BIO_new(BIO_s_mem()));
  const Memory of_key(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(of_certificate.get(), certificate.get());
  PEM_write_bio_PrivateKey(of_key.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  certificate_pem_ = text_of(of_certificate);
  key_pem_ = text_of(of_key);
}

struct TlsTerminator::Link {
  Link(asio::io_context& io, asio::ssl::context& tls) : client(io, tls), server(io) {}
  void close() {
    error_code ignored;
    client.next_layer().close(ignored);
    server.close(ignored);
  }

  asio::ssl::stream<tcp::socket> client;
  tcp::socket server;
  bool is_writing = false;
};

TlsTerminator::TlsTerminator(std::uint16_t server_port, const TestingCertificate& certificate)
    : server_(asio::ip::address_v4::loopback(), server_port),
      acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
  tls_.use_certificate_chain(asio::buffer(certificate.certificate_pem()));
  tls_.use_private_key(asio::buffer(certificate.key_pem()), asio::ssl::context::pem);
  asio::co_spawn(io_, accept(), asio::detached);
  thread_ = std::thread([this] { io_.run(); });
}

TlsTerminator::~TlsTerminator() {
  io_.stop();
  thread_.join();
}

std::string TlsTerminator::url(const std::string& host) const {
  return "https://" + host + ":" + std::to_string(acceptor_.local_endpoint().port());
}

std::vector<std::string> TlsTerminator::trusted_by() {
  const std::lock_guard lock(mutex_);
  return trusted_by_;
}

void TlsTerminator::say_goodbye() {
  while (true) {
    std::promise<bool> said;
    asio::post(io_, [this, &said] { said.set_value(try_goodbye()); });
    if (said.get_future().get()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

/// False: on some connection something else is just being said, and a goodbye would have to wait behind it.
bool TlsTerminator::try_goodbye() {
  std::vector<std::shared_ptr<Link>> open;
  for (const auto& weak : links_) {
    if (auto link = weak.lock()) open.push_back(std::move(link));
  }
  if (std::ranges::any_of(open, [](const auto& link) { return link->is_writing; })) return false;
  for (const auto& link : open) {
    link->client.async_shutdown([link](error_code) {});  // leaves at once; the other side's goodbye may never come
    wait_until_taken(link->client.next_layer().native_handle());
  }
  return true;
}

asio::awaitable<void> TlsTerminator::accept() {
  while (true) {
    auto link = std::make_shared<Link>(io_, tls_);
    const auto [error] = co_await acceptor_.async_accept(link->client.next_layer(), as_result);
    if (error) co_return;
    links_.push_back(link);
    asio::co_spawn(io_, serve(std::move(link)), asio::detached);
  }
}

asio::awaitable<void> TlsTerminator::serve(std::shared_ptr<Link> link) {
  const auto [refused] = co_await link->client.async_handshake(asio::ssl::stream_base::server, as_result);
  if (refused) co_return;
  {
    const char* const name = SSL_get_servername(link->client.native_handle(), TLSEXT_NAMETYPE_host_name);
    const std::lock_guard lock(mutex_);
    trusted_by_.emplace_back(name == nullptr ? "" : name);
  }
  const auto [unreachable] = co_await link->server.async_connect(server_, as_result);
  if (unreachable) co_return;
  asio::co_spawn(io_, pipe(link, link->server, link->client), asio::detached);
  co_await pipe(link, link->client, link->server);
}

template <class From, class To>
asio::awaitable<void> TlsTerminator::pipe(std::shared_ptr<Link> link, From& from, To& to) {
  std::array<char, 16384> bytes;
  while (true) {
    const auto [read_error, size_bytes] = co_await from.async_read_some(asio::buffer(bytes), as_result);
    if (read_error) break;
    link->is_writing = true;
    const auto [write_error, written] = co_await asio::async_write(to, asio::buffer(bytes, size_bytes), as_result);
    link->is_writing = false;
    if (write_error) break;
  }
  link->close();
}

}  // namespace concord::client

// Certificates are good for what was wished, and only that; and a context takes new ones when the files change, never half of them.
#include "security/certificate.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "security/tls_context.hpp"
#include "security/tls_session.hpp"

namespace concord::security {
namespace {

using testing::HasSubstr;

std::shared_ptr<X509> parsed(const std::string& pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                           BIO_free_all);
  return {PEM_read_bio_X509(text.get(), nullptr, nullptr, nullptr), X509_free};
}

class Certificates : public testing::Test {
 protected:
  Certificates() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    directory_ = std::filesystem::temp_directory_path() /
                 ("concord_certificates." + std::to_string(::getpid()) + "." + test->name());
    std::filesystem::create_directories(directory_);
  }
  ~Certificates() override { std::filesystem::remove_all(directory_); }

  Certificate node(const std::string& host = "127.0.0.1") {
    auto made = make_certificate(authority_, {.name = "node", .hosts = {host}, .serves = true});
    EXPECT_TRUE(made) << made.error().message();
    return *made;
  }
  void write(const Certificate& certificate) {
    std::ofstream(directory_ / "node.crt") << certificate.certificate;
    std::ofstream(directory_ / "node.key") << certificate.key;
  }
  [[nodiscard]] TlsFiles files() const {
    return {.certificate = directory_ / "node.crt", .key = directory_ / "node.key"};
  }

  /// What a client that trusts the authority makes of a server with this context.
  bool is_trusted(const std::shared_ptr<SSL_CTX>& server_context, int highest_version = 0) {
    const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), parsed(authority_.certificate).get());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    if (highest_version != 0) {
      SSL_CTX_set_security_level(context.get(), 0);
      SSL_CTX_set_max_proto_version(context.get(), highest_version);
    }
    TlsSession client(context, TlsSession::Role::client);
    TlsSession server(server_context, TlsSession::Role::server);
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(client.handle()), "127.0.0.1");
    for (int turn = 0; turn < 10; ++turn) {
      server.feed(client.take_output());
      client.feed(server.take_output());
    }
    return client.state() == TlsSession::State::open && server.state() == TlsSession::State::open;
  }

  const Certificate authority_ = make_authority("authority", 10).value();
  std::filesystem::path directory_;
};

TEST_F(Certificates, ANodeIsTrustedUnderItsHostsByWhoTrustsTheAuthority) {
  write(node());
  EXPECT_TRUE(is_trusted(TlsContext::load(files()).value()->current()));
  write(node("10.0.0.1"));
  EXPECT_FALSE(is_trusted(TlsContext::load(files()).value()->current()));
  const Certificate other = make_authority("other", 10).value();
  write(make_certificate(other, {.name = "node", .hosts = {"127.0.0.1"}, .serves = true}).value());
  EXPECT_FALSE(is_trusted(TlsContext::load(files()).value()->current()));
  write(make_certificate(authority_, {.name = "client", .hosts = {"127.0.0.1"}}).value());
  EXPECT_FALSE(is_trusted(TlsContext::load(files()).value()->current())) << "a client's certificate does not serve";
}

TEST_F(Certificates, NothingBelowTls12IsSpoken) {
  write(node());
  const auto context = TlsContext::load(files()).value()->current();
  EXPECT_TRUE(is_trusted(context, TLS1_3_VERSION));
  EXPECT_TRUE(is_trusted(context, TLS1_2_VERSION));
  EXPECT_FALSE(is_trusted(context, TLS1_1_VERSION));
  EXPECT_FALSE(is_trusted(context, TLS1_VERSION));
}

TEST_F(Certificates, SayWhatTheyAreFor) {
  const auto made = parsed(
      make_certificate(authority_, {.name = "n", .hosts = {"a.example", "*.b.example", "::1"}}).value().certificate);
  EXPECT_EQ(X509_check_host(made.get(), "a.example", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_host(made.get(), "x.b.example", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_host(made.get(), "c.example", 0, 0, nullptr), 0);
  EXPECT_EQ(X509_check_ip_asc(made.get(), "::1", 0), 1);
  EXPECT_EQ(X509_check_ca(made.get()), 0);
  EXPECT_EQ(X509_check_ca(parsed(authority_.certificate).get()), 1);
}

TEST_F(Certificates, ABadHostOrAuthorityIsRefused) {
  for (const char* host : {"", "a b", "a,DNS:b", "IP:1.2.3.4", "a\nb"}) {
    EXPECT_EQ(make_certificate(authority_, {.name = "n", .hosts = {host}}).error().code(), Errc::invalid_request)
        << host;
  }
  const Certificate mixed{.certificate = authority_.certificate, .key = make_authority("other", 1).value().key};
  EXPECT_EQ(make_certificate(mixed, {.name = "n"}).error().code(), Errc::invalid_request);
  EXPECT_EQ(make_certificate({}, {.name = "n"}).error().code(), Errc::invalid_request);
}

TEST_F(Certificates, AContextTakesNewFilesAndKeepsWhatItHasWhenTheyAreBad) {
  write(node());
  const auto tls = TlsContext::load(files());
  ASSERT_TRUE(tls);
  const auto first = (*tls)->current();
  EXPECT_FALSE((*tls)->refresh().value());
  std::ofstream(directory_ / "node.crt") << "half of a certif";
  EXPECT_THAT((*tls)->refresh().error().message(), HasSubstr("node.crt"));
  EXPECT_EQ((*tls)->current(), first);
  EXPECT_FALSE((*tls)->refresh().value()) << "said once";
  std::ofstream(directory_ / "node.crt") << node().certificate;
  EXPECT_THAT((*tls)->refresh().error().message(), HasSubstr("node.key"));
  std::filesystem::remove(directory_ / "node.key");
  EXPECT_FALSE((*tls)->refresh());
  write(node());
  EXPECT_TRUE((*tls)->refresh().value());
  EXPECT_NE((*tls)->current(), first);
}

TEST_F(Certificates, AServerThatNamesAnAuthorityAsksForACertificate) {
  write(node());
  std::ofstream(directory_ / "ca.crt") << authority_.certificate;
  TlsFiles both = files();
  both.authority = directory_ / "ca.crt";
  const auto tls = TlsContext::load(both);
  ASSERT_TRUE(tls) << tls.error().message();
  EXPECT_FALSE(is_trusted((*tls)->current())) << "the client shows none";
  std::ofstream(directory_ / "ca.crt") << "no certificate";
  EXPECT_THAT((*tls)->refresh().error().message(), HasSubstr("ca.crt"));
  EXPECT_THAT(TlsContext::load(both).error().message(), HasSubstr("ca.crt"));
  EXPECT_THAT(TlsContext::load(files(), TlsUse::member).error().message(), HasSubstr("can't be read"))
      << "a member needs an authority";
}

TEST_F(Certificates, BothEndsOfASessionKnowTheSameAndNoOtherSessionDoes) {
  write(node());
  std::ofstream(directory_ / "ca.crt") << authority_.certificate;
  TlsFiles all = files();
  all.authority = directory_ / "ca.crt";
  const auto context = TlsContext::load(all, TlsUse::member).value()->current();
  std::vector<std::string> seen;
  for (int session = 0; session < 2; ++session) {
    TlsSession client(context, TlsSession::Role::client);
    TlsSession server(context, TlsSession::Role::server);
    for (int turn = 0; turn < 10; ++turn) {
      server.feed(client.take_output());
      client.feed(server.take_output());
    }
    ASSERT_EQ(server.state(), TlsSession::State::open) << server.problem();
    EXPECT_EQ(client.binding().value_or("none").size(), 32U);
    EXPECT_EQ(client.binding(), server.binding());
    seen.push_back(client.binding().value_or("none"));
  }
  EXPECT_NE(seen[0], seen[1]);
}

TEST_F(Certificates, AContextNeedsBothFiles) {
  EXPECT_THAT(TlsContext::load(files()).error().message(), HasSubstr("node.crt"));
  write(node());
  std::ofstream(directory_ / "node.key") << node().key;
  EXPECT_THAT(TlsContext::load(files()).error().message(), HasSubstr("node.key"));
}

}  // namespace
}  // namespace concord::security

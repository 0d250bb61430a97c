// The remote client over https: whom it trusts, whom it does not, and what it says then.
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <latch>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <concord/concord.hpp>

#include "database/local_database.hpp"
#include "database/testing_store.hpp"
#include "http/server.hpp"
#include "testing_tls.hpp"

namespace concord::client {
namespace {

using namespace std::chrono_literals;
using database::message;
using database::outcome;
using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// A certificate's file, as `ClientOptions::cacert` takes it.
class TrustedFile {
 public:
  explicit TrustedFile(const TestingCertificate& certificate) {
    static int count = 0;
    path_ = std::filesystem::temp_directory_path() /
            ("concord_tls_test." + std::to_string(::getpid()) + "." + std::to_string(count++) + ".pem");
    std::ofstream(path_) << certificate.certificate_pem();
  }
  TrustedFile(const TrustedFile&) = delete;
  TrustedFile& operator=(const TrustedFile&) = delete;
  ~TrustedFile() { std::filesystem::remove(path_); }

  [[nodiscard]] std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class ClientTls : public testing::Test {
 protected:
  ClientTls() {
    auto opened = database::LocalDatabase::open_local(directory_.options());
    EXPECT_TRUE(opened) << message(opened);
    database_ = std::move(*opened);
    auto server = http::Server::start(*database_, {.port = 0, .threads = 1});
    EXPECT_TRUE(server) << message(server);
    server_ = std::move(*server);
  }
  ~ClientTls() override {
    server_->stop(1s);
    database_->close(1s);
  }

  static Client connect(const std::vector<std::string>& endpoints, ClientOptions options) {
    options.rounds = 1;
    auto client = Client::connect(endpoints, std::move(options));
    EXPECT_TRUE(client) << message(client);
    return std::move(client.value());
  }
  /// That nothing was sent, and what is said about it.
  static std::string refusal(Client client) {
    const auto put = client.put("key", 1);
    EXPECT_EQ(outcome(put), "CLUSTER_UNAVAILABLE");
    if (put) return "";
    EXPECT_FALSE(put.error().maybe_committed());
    return put.error().message();
  }

  const TestingCertificate for_address_{"IP:127.0.0.1"};
  const TestingCertificate for_name_{"DNS:localhost"};
  const TrustedFile address_file_{for_address_};
  const TrustedFile name_file_{for_name_};
  database::StoreDirectory directory_;
  std::unique_ptr<database::LocalDatabase> database_;
  std::unique_ptr<http::Server> server_;
};

TEST_F(ClientTls, ANodeWhoseCertificateIsTrustedIsUsedAsAnyOther) {
  TlsTerminator terminator(server_->port(), for_address_);
  Client client = connect({terminator.url()}, {.connections_per_endpoint = 4, .cacert = address_file_.path()});
  const std::string large(1'000'000, 'v');
  EXPECT_EQ(client.put("key", large).value(), Revision(1));
  EXPECT_EQ(client.get<std::string>("key").value(), large);
  EXPECT_THAT(terminator.trusted_by(), SizeIs(1)) << "the connection is kept";
  constexpr int count = 200;
  std::latch all(count);
  std::atomic<int> failed{0};
  for (int i = 0; i < count; ++i) {
    client.async_put("key" + std::to_string(i), i, {.timeout = 60s}, [&](Result<Revision> done) {
      if (!done) ++failed;
      all.count_down();
    });
  }
  all.wait();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(client.count({.prefix = "key"}).value(), 201U);
  EXPECT_LE(terminator.trusted_by().size(), 4U);
  EXPECT_THAT(terminator.trusted_by(), Each(IsEmpty())) << "an address is no name to be told";
}

TEST_F(ClientTls, AnUnknownCertificateIsRefusedBeforeAnythingIsSent) {
  TlsTerminator terminator(server_->port(), for_address_);
  EXPECT_THAT(refusal(connect({terminator.url()}, {.token = "secret"})),
              AllOf(HasSubstr(terminator.url()), HasSubstr("its certificate is not trusted: self-signed certificate"),
                    HasSubstr("cacert")));
  EXPECT_THAT(refusal(connect({terminator.url()}, {.token = "secret", .cacert = name_file_.path()})),
              HasSubstr("its certificate is not trusted"));
  EXPECT_THAT(terminator.trusted_by(), IsEmpty());
  EXPECT_EQ(database_->status().value().storage.revision, Revision(0));
}

TEST_F(ClientTls, ACertificateForAnotherHostIsRefused) {
  TlsTerminator of_address(server_->port(), for_address_);
  EXPECT_THAT(refusal(connect({of_address.url("localhost")}, {.cacert = address_file_.path()})),
              HasSubstr("its certificate is not trusted: hostname mismatch"));
  TlsTerminator of_name(server_->port(), for_name_);
  EXPECT_THAT(refusal(connect({of_name.url("127.0.0.1")}, {.cacert = name_file_.path()})),
              HasSubstr("its certificate is not trusted: IP address mismatch"));
  EXPECT_THAT(of_address.trusted_by(), IsEmpty());
  EXPECT_THAT(of_name.trusted_by(), IsEmpty());
}

TEST_F(ClientTls, ANodeIsToldUnderWhichNameItIsAsked) {
  TlsTerminator terminator(server_->port(), for_name_);
  Client client = connect({terminator.url("localhost")}, {.cacert = name_file_.path()});
  EXPECT_TRUE(client.put("key", 1));
  EXPECT_THAT(terminator.trusted_by(), ElementsAre("localhost"));
}

TEST_F(ClientTls, WhoAsksForItTrustsAnybody) {
  TlsTerminator terminator(server_->port(), for_name_);
  Client client = connect({terminator.url("127.0.0.1")}, {.verify_certificates = false});
  EXPECT_TRUE(client.put("key", 1));
}

TEST_F(ClientTls, TheNextEndpointIsAskedWhenOneIsNotTrusted) {
  TlsTerminator untrusted(server_->port(), for_name_);
  TlsTerminator trusted(server_->port(), for_address_);
  Client client = connect({untrusted.url(), trusted.url()}, {.cacert = address_file_.path()});
  EXPECT_EQ(client.put("key", 1).value(), Revision(1));
  EXPECT_THAT(untrusted.trusted_by(), IsEmpty());
}

TEST_F(ClientTls, AServerWithoutTlsIsNoHttpsEndpoint) {
  const std::string url = "https://127.0.0.1:" + std::to_string(server_->port());
  EXPECT_THAT(refusal(connect({url}, {.verify_certificates = false})), HasSubstr(url));
}

TEST_F(ClientTls, AfterANodesGoodbyeAWriteGoesOverANewConnection) {
  TlsTerminator terminator(server_->port(), for_address_);
  Client client = connect({terminator.url()}, {.cacert = address_file_.path()});
  EXPECT_EQ(client.put("key", 1).value(), Revision(1));
  terminator.say_goodbye();
  const auto put = client.put("key", 2);
  EXPECT_TRUE(put) << message(put) << ": sent into a connection that the node had ended";
  EXPECT_THAT(terminator.trusted_by(), SizeIs(2));
}

}  // namespace
}  // namespace concord::client

// Members that speak TLS: with each other all is as without it; who shows no certificate of the authority is let in by nobody, and who
// says nonsense or nothing costs no more than its handshake.
#include <gtest/gtest.h>

#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "security/certificate.hpp"
#include "security/tls_context.hpp"
#include "security/tls_session.hpp"
#include "transport/testing_member.hpp"
#include "transport/transport.hpp"

namespace concord::transport {
namespace {

using security::CertificateWish;
using security::TlsSession;

/// A socket in the test's own hands, with TLS on it.
class SecurePeer {
 public:
  SecurePeer(std::uint16_t port, const std::shared_ptr<SSL_CTX>& context)
      : raw_(port), tls_(context, TlsSession::Role::client) {
    raw_.write(tls_.take_output());
    while (tls_.state() == TlsSession::State::handshake && exchange()) {
    }
  }

  [[nodiscard]] const TlsSession& tls() const { return tls_; }
  void write(std::string_view bytes) {
    tls_.write(bytes);
    raw_.write(tls_.take_output());
  }
  void write_raw(std::string_view bytes) { raw_.write(bytes); }
  [[nodiscard]] std::string read(std::size_t size_bytes) {
    std::string bytes(size_bytes, '\0');
    std::size_t there = 0;
    while (there < size_bytes) {
      const std::size_t read_bytes = tls_.read(bytes.data() + there, size_bytes - there);
      there += read_bytes;
      if (read_bytes == 0 && !exchange()) break;
    }
    bytes.resize(there);
    return bytes;
  }
  [[nodiscard]] std::string read_packet() {
    const std::string front = read(packet_front_bytes);
    if (front.size() != packet_front_bytes) return front;
    return front + read(*packet_size(front) - packet_front_bytes);
  }
  [[nodiscard]] bool greet(std::uint64_t node, const std::optional<std::string>& binding) {
    DiallerHandshake handshake({.self = test_identity(node), .cookie = "secret", .binding = binding.value_or("")},
                               Purpose::control, {}, Nonce{});
    write(handshake.hello());
    const auto proof = handshake.take_answer(read_packet());
    if (!proof) return false;
    write(*proof);
    return handshake.take_welcome(read_packet()).has_value();
  }
  [[nodiscard]] bool is_closed() { return raw_.is_closed(); }
  /// All that comes, until the end.
  void read_all() {
    while (exchange()) {
    }
  }
  [[nodiscard]] std::string serial() const {
    const std::unique_ptr<X509, decltype(&X509_free)> shown(SSL_get1_peer_certificate(tls_.handle()), X509_free);
    const ASN1_INTEGER* const number = shown ? X509_get0_serialNumber(shown.get()) : nullptr;
    if (number == nullptr) return {};
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(number)),
            static_cast<std::size_t>(ASN1_STRING_length(number))};
  }

 private:
  bool exchange() {
    const std::string bytes = raw_.read_some();
    if (bytes.empty()) return false;
    tls_.feed(bytes);
    raw_.write(tls_.take_output());
    return tls_.state() != TlsSession::State::failed;
  }

  RawPeer raw_;
  TlsSession tls_;
};

class Tls : public testing::Test {
 protected:
  Tls() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    directory_ = std::filesystem::temp_directory_path() /
                 ("concord_member_tls." + std::to_string(::getpid()) + "." + test->name());
    std::filesystem::create_directories(directory_);
    one.options.tls = files("one");
    two.options.tls = files("two");
  }
  ~Tls() override { std::filesystem::remove_all(directory_); }

  static security::Certificate& authority() {
    static security::Certificate made = security::make_authority("authority", 10).value();
    return made;
  }
  static CertificateWish of_a_node() { return {.name = "node", .hosts = {"127.0.0.1"}, .serves = true}; }

  void write(const std::string& name, const CertificateWish& wish, const security::Certificate& signed_by) const {
    const auto made = security::make_certificate(signed_by, wish).value();
    std::ofstream(directory_ / (name + ".key")) << made.key;
    std::ofstream(directory_ / (name + ".crt")) << made.certificate;
  }
  /// Made anew.
  security::TlsFiles files(const std::string& name, const CertificateWish& wish = of_a_node(),
                           const security::Certificate& signed_by = authority()) const {
    write(name, wish, signed_by);
    std::ofstream(directory_ / "ca.crt") << authority().certificate;
    return {.certificate = directory_ / (name + ".crt"),
            .key = directory_ / (name + ".key"),
            .authority = directory_ / "ca.crt"};
  }
  std::shared_ptr<SSL_CTX> member_context() const {
    return security::TlsContext::load(files("raw"), security::TlsUse::member).value()->current();
  }
  /// Of a client that trusts anybody, and shows nothing.
  static std::shared_ptr<SSL_CTX> nobodys_context() { return {SSL_CTX_new(TLS_client_method()), SSL_CTX_free}; }

  void open() {
    two.open();
    one.open();
    one.transport->set_peers({two.as_peer()});
    two.transport->set_peers({one.as_peer()});
    ASSERT_TRUE(eventually([&] { return one.is_connected(2) && two.is_connected(1); }));
  }
  void expect_undisturbed() {
    const std::size_t before = one.recorder.notes().messages.size();
    EXPECT_TRUE(two.send(1, "undisturbed"));
    EXPECT_TRUE(eventually([&] { return one.recorder.notes().messages.size() > before; }));
  }
  /// `two` dials `one`, or is dialled by it, and is not let in. Why, in the words of the dialler.
  std::string refusal(Member& dialler, Member& listener) {
    listener.open();
    dialler.open();
    dialler.transport->set_peers({listener.as_peer()});
    std::string why;
    EXPECT_TRUE(eventually([&] {
      why = dialler.transport->peers().at(0).last_error;
      return !why.empty() && why != "not dialled yet" && dialler.recorder.notes().refused.size() == 1;
    }));
    EXPECT_FALSE(dialler.is_connected(listener.options.self.node.value()));
    EXPECT_TRUE(listener.recorder.notes().admitted.empty());
    return why;
  }

  std::filesystem::path directory_;
  Member one{1};
  Member two{2};
};

bool contains(std::string_view text, std::string_view words) { return text.contains(words); }

TEST_F(Tls, MessagesOfAnySizePassInOrderBothWays) {
  open();
  const std::size_t earlier_one = one.recorder.notes().messages.size();
  std::vector<std::string> expected;
  for (const std::size_t size_bytes :
       {0U, 1U, 16'383U, 16'384U, 16'385U, 65'519U, 262'144U, 262'145U, 9'000'000U, 5U, 1'048'576U}) {
    std::string message(size_bytes, '\0');
    for (std::size_t i = 0; i < message.size(); ++i) message[i] = static_cast<char>(i * 7 + i / 256);
    EXPECT_TRUE(one.send(2, message));
    EXPECT_TRUE(two.send(1, message));
    expected.push_back(std::move(message));
  }
  for (int i = 0; i < 5000; ++i) {
    expected.push_back(std::to_string(i));
    ASSERT_TRUE(one.send(2, expected.back()));
    ASSERT_TRUE(two.send(1, expected.back()));
  }
  ASSERT_TRUE(eventually([&] { return two.recorder.notes().messages.size() >= expected.size(); }));
  ASSERT_TRUE(eventually([&] { return one.recorder.notes().messages.size() >= earlier_one + expected.size(); }));
  EXPECT_TRUE(two.recorder.notes().messages == expected);
  EXPECT_TRUE(one.recorder.notes().messages == expected);
}

TEST_F(Tls, RequestsOfManyThreadsAreAnsweredOnBothChannels) {
  open();
  std::vector<std::thread> threads;
  for (const Channel channel : {Channel::control, Channel::bulk}) {
    ASSERT_TRUE(eventually([&] {
      Outcome outcome;
      one.transport->request(base::NodeId(2), channel, 1, "", 60s, outcome.taker());
      return outcome.wait().has_value();
    }));
    threads.emplace_back([&, channel] {
      for (std::size_t size_bytes = 1; size_bytes < 4'000'000; size_bytes *= 3) {
        Outcome outcome;
        one.transport->request(base::NodeId(2), channel, 1, std::string(size_bytes, 'q'), 60s, outcome.taker());
        EXPECT_EQ(outcome.wait().value_or("error").size(), size_bytes);
      }
    });
  }
  Outcome outcome;
  one.transport->request_at(two.address(), 1, "a stranger's", 60s, outcome.taker());
  EXPECT_EQ(outcome.wait().value_or("error"), "a stranger's");
  for (std::thread& thread : threads) thread.join();
}

TEST_F(Tls, WhoStopsReadingCostsItsQueueAndNothingElse) {
  constexpr std::size_t max_queue_bytes = 1U << 20U;
  one.options.limits.max_queue_bytes = max_queue_bytes;
  one.recorder.answers = [](const Identity&, std::uint8_t, std::string_view, Respond respond) {
    respond(std::string(100'000, 'x'));
  };
  open();
  SecurePeer peer(one.transport->port(), member_context());
  ASSERT_TRUE(peer.greet(9, peer.tls().binding()));
  const auto is_lost = [&] {
    const auto lost = one.recorder.notes().lost;
    return std::ranges::any_of(lost, [](const auto& each) { return each.first == 9; });
  };
  std::uint64_t sequence = 0;
  for (int turn = 0; turn < 10'000 && !is_lost(); ++turn) {
    std::string questions;
    for (int i = 0; i < 1000; ++i) {
      ++sequence;
      questions += test_frame(sequence, FrameKind::request, request_front(sequence, 1) + std::string(20, 'q'));
    }
    peer.write(questions);
  }
  EXPECT_TRUE(is_lost());
  expect_undisturbed();
}

TEST_F(Tls, WhatWasSaidBeforeTheConnectionStartedIsHeard) {
  open();
  SecurePeer peer(one.transport->port(), member_context());
  DiallerHandshake handshake(
      {.self = test_identity(9), .cookie = "secret", .binding = peer.tls().binding().value_or("")}, Purpose::control,
      {}, Nonce{});
  peer.write(handshake.hello());
  const auto proof = handshake.take_answer(peer.read_packet());
  ASSERT_TRUE(proof.has_value());
  peer.write(*proof + test_frame(1, FrameKind::message, "early"));  // one record
  EXPECT_TRUE(eventually([&] {
    const auto heard = one.recorder.notes().messages;
    return std::ranges::find(heard, "early") != heard.end();
  }));
}

TEST_F(Tls, WhoShowsNoCertificateIsNotLetIn) {
  open();
  const std::size_t admitted = one.recorder.notes().admitted.size();
  SecurePeer nobody(one.transport->port(), nobodys_context());
  EXPECT_FALSE(nobody.greet(9, nobody.tls().binding()));
  nobody.read_all();
  EXPECT_TRUE(contains(nobody.tls().problem(), "certificate required")) << nobody.tls().problem();
  EXPECT_TRUE(eventually([&] { return one.recorder.lines_with("did not return a certificate") == 1; }));
  EXPECT_EQ(one.recorder.notes().admitted.size(), admitted);
  expect_undisturbed();
}

TEST_F(Tls, ACertificateOfAnotherAuthorityOpensNothingEitherWay) {
  const auto other = security::make_authority("other", 10).value();
  two.options.tls = files("two", of_a_node(), other);
  EXPECT_TRUE(contains(refusal(two, one), "unknown ca"));
  EXPECT_TRUE(eventually([&] { return one.recorder.lines_with("is not accepted") == 1; }));
  Member three(3);
  three.options.tls = files("three");
  Member four(4);
  four.options.tls = files("four", of_a_node(), other);
  EXPECT_TRUE(contains(refusal(three, four), "the certificate of the other end is not accepted"));
}

TEST_F(Tls, ACertificateThatHasExpiredOpensNothing) {
  CertificateWish wish = of_a_node();
  wish.days = -1;
  two.options.tls = files("two", wish);
  EXPECT_TRUE(contains(refusal(two, one), "expired"));
  Member three(3);
  three.options.tls = files("three");
  Member four(4);
  four.options.tls = files("four", wish);
  EXPECT_TRUE(contains(refusal(three, four), "certificate has expired"));
}

TEST_F(Tls, AClientsCertificateMakesNoMember) {
  two.options.tls = files("two", {.name = "client", .hosts = {"127.0.0.1"}});
  const std::string why = refusal(two, one);
  EXPECT_TRUE(contains(why, "certificate")) << why;
  EXPECT_TRUE(eventually([&] { return one.recorder.lines_with("purpose") == 1; }));
}

TEST_F(Tls, AMemberOfTheAuthorityWithAnotherCookieIsNotLetIn) {
  two.options.cookie = "another";
  EXPECT_TRUE(contains(refusal(two, one), "wrong cookie"));
}

TEST_F(Tls, AProofOfAnotherConnectionIsRefused) {
  open();
  SecurePeer peer(one.transport->port(), member_context());
  SecurePeer other(one.transport->port(), member_context());
  ASSERT_NE(peer.tls().binding(), other.tls().binding());
  EXPECT_FALSE(peer.greet(9, other.tls().binding()));
  EXPECT_FALSE(other.greet(9, std::nullopt));
}

TEST_F(Tls, WhoSpeaksNoneIsToldSoBothWays) {
  two.options.tls = {};
  EXPECT_EQ(refusal(two, one), "the other node speaks TLS to its peers, this one doesn't");
  EXPECT_TRUE(
      eventually([&] { return one.recorder.lines_with("this node speaks TLS to its peers, the other doesn't") == 1; }));
  Member three(3);
  three.options.tls = files("three");
  Member four(4);
  EXPECT_EQ(refusal(three, four), "this node speaks TLS to its peers, the other doesn't");
  EXPECT_TRUE(eventually(
      [&] { return four.recorder.lines_with("the other node speaks TLS to its peers, this one doesn't") == 1; }));
}

TEST_F(Tls, NonsenseEndsItsConnectionAlone) {
  open();
  std::string random(5000, '\0');
  for (std::size_t i = 0; i < random.size(); ++i) random[i] = static_cast<char>(i * 131 + i / 7);
  for (const std::string& bytes :
       {random, std::string("\x16\x03\x01\xff\xff", 5) + random,
        std::string("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), std::string("CNCP\0\0\0", 7)}) {
    RawPeer stranger(one.transport->port());
    stranger.write(bytes);
    EXPECT_TRUE(stranger.is_closed());
  }
  SecurePeer damaged(one.transport->port(), member_context());
  ASSERT_TRUE(damaged.greet(9, damaged.tls().binding()));
  damaged.write_raw(std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x'));
  EXPECT_TRUE(damaged.is_closed());
  EXPECT_TRUE(eventually([&] { return one.recorder.lines_with("TLS failed") == 1; }));
  SecurePeer mixed(one.transport->port(), member_context());
  mixed.write(random);
  EXPECT_TRUE(mixed.is_closed());
  expect_undisturbed();
}

TEST_F(Tls, AHandshakeThatDoesNotGoOnEndsInTime) {
  one.options.limits.handshake_timeout = 500ms;
  open();
  RawPeer silent(one.transport->port());
  RawPeer half(one.transport->port());
  half.write(std::string_view("\x16\x03\x01\x02\x00\x01", 6));
  SecurePeer secure_and_silent(one.transport->port(), member_context());
  EXPECT_TRUE(silent.is_closed());
  EXPECT_TRUE(half.is_closed());
  EXPECT_TRUE(secure_and_silent.is_closed());
  expect_undisturbed();
}

TEST_F(Tls, ThousandsOfHalfOpenHandshakesKeepNobodyOut) {
  one.options.limits.max_handshakes = 20;
  open();
  std::list<RawPeer> half_open;
  for (int i = 0; i < 900; ++i) {
    half_open.emplace_back(one.transport->port());
    if (i % 2 == 0) half_open.back().write(std::string_view("\x16\x03\x01\x02\x00\x01", 6));
    if (i % 300 != 299) continue;
    SecurePeer healthy(one.transport->port(), member_context());
    EXPECT_TRUE(healthy.greet(9, healthy.tls().binding())) << i;
  }
  EXPECT_TRUE(half_open.front().is_closed());
  expect_undisturbed();
}

TEST_F(Tls, NothingBelowTls12IsSpoken) {
  open();
  for (const auto& [version, is_spoken] : {std::pair(TLS1_3_VERSION, true), std::pair(TLS1_2_VERSION, true),
                                           std::pair(TLS1_1_VERSION, false), std::pair(TLS1_VERSION, false)}) {
    const auto context = member_context();
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_min_proto_version(context.get(), version);
    SSL_CTX_set_max_proto_version(context.get(), version);
    SecurePeer peer(one.transport->port(), context);
    EXPECT_EQ(peer.tls().state() == TlsSession::State::open && peer.greet(9, peer.tls().binding()), is_spoken)
        << version;
  }
}

TEST_F(Tls, NewFilesAreTakenForNewConnectionsAndBadOnesAreNot) {
  open();
  const auto context = member_context();
  const auto shown = [&] { return SecurePeer(one.transport->port(), context).serial(); };
  const std::string first = shown();
  ASSERT_FALSE(first.empty());
  std::ofstream(directory_ / "one.crt") << "half of a certif";
  EXPECT_TRUE(eventually([&] { return one.recorder.lines_with("the certificates in use stay: ") == 1; }));
  EXPECT_EQ(shown(), first);
  write("one", of_a_node(), authority());
  EXPECT_TRUE(eventually([&] { return shown() != first; }));
  EXPECT_TRUE(one.recorder.lines_with("the certificates were read again") >= 1);
  expect_undisturbed();
  EXPECT_EQ(one.recorder.notes().lost.size(), 0U) << "open connections go on";
}

TEST_F(Tls, FilesThatCantBeUsedAreNamed) {
  Recorder recorder;
  one.options.tls.authority = directory_ / "nothing.crt";
  const auto without_authority = Transport::open(one.options, recorder);
  ASSERT_FALSE(without_authority.has_value());
  EXPECT_EQ(without_authority.error().code(), Errc::invalid_request);
  EXPECT_TRUE(contains(without_authority.error().message(), "nothing.crt"));
  two.options.tls.key = directory_ / "one.key";
  const auto mixed = Transport::open(two.options, recorder);
  ASSERT_FALSE(mixed.has_value());
  EXPECT_TRUE(contains(mixed.error().message(), "one.key"));
}

}  // namespace
}  // namespace concord::transport

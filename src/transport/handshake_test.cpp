#include "transport/handshake.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <numeric>
#include <optional>

namespace concord::transport {
namespace {

Identity dialler_identity() {
  return {.cluster_name = "green",
          .cluster = base::ClusterId(7),
          .node = base::NodeId(1),
          .directory = 1001,
          .incarnation = 3,
          .name = "n1",
          .peer_address = "h:1",
          .api_url = {},
          .version = "1.0"};
}

Identity listener_identity() {
  return {.cluster_name = "green",
          .cluster = base::ClusterId(7),
          .node = base::NodeId(2),
          .directory = 1002,
          .incarnation = 4,
          .name = "n2",
          .peer_address = "h:2",
          .api_url = "http://h",
          .version = "1.0"};
}

Nonce nonce_from(char first) {
  Nonce nonce{};
  std::iota(nonce.begin(), nonce.end(), first);
  return nonce;
}

/// Both ends, with what they say to each other. A change is made before the handshake begins.
struct Ends {
  Credentials dialler{.self = dialler_identity(), .cookie = "secret"};
  Credentials listener{.self = listener_identity(), .cookie = "secret"};
  Expected expected{.node = base::NodeId(2), .directory = 1002};
  std::function<void(std::string&)> on_hello = [](std::string&) {};
  std::function<void(std::string&)> on_answer = [](std::string&) {};
  std::function<void(std::string&)> on_proof = [](std::string&) {};

  std::optional<Refusal> refused_by_dialler;
  std::optional<Refusal> refused_by_listener;
  Identity seen_by_dialler;
  Identity seen_by_listener;

  /// True: both agree.
  bool greet() {
    DiallerHandshake dial(dialler, Purpose::bulk, expected, nonce_from(0));
    ListenerHandshake listen(listener, nonce_from(16));
    std::string hello = dial.hello();
    on_hello(hello);
    auto answer = listen.take_hello(hello);
    if (!answer) return refuse(refused_by_listener, answer.error());
    on_answer(*answer);
    auto proof = dial.take_answer(*answer);
    if (!proof) return refuse(refused_by_dialler, proof.error());
    on_proof(*proof);
    if (auto proved = listen.take_proof(*proof); !proved) return refuse(refused_by_listener, proved.error());
    seen_by_dialler = dial.peer();
    seen_by_listener = listen.peer();
    return listen.purpose() == Purpose::bulk && dial.take_welcome(ListenerHandshake::welcome()).has_value();
  }
  static bool refuse(std::optional<Refusal>& end, const Refusal& refusal) {
    end = refusal;
    return false;
  }
};

std::string hex_of(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    hex += digits[static_cast<unsigned char>(byte) >> 4U];
    hex += digits[static_cast<unsigned char>(byte) & 15U];
  }
  return hex;
}

TEST(Handshake, HasTheBytesOfItsGrammar) {  // made apart from this code, with another implementation of HMAC-SHA256
  Ends ends;
  ends.on_hello = [](const std::string& hello) {
    EXPECT_EQ(
        hex_of(hello),
        "434e4350450000000101010105677265656e07000000000000000100000000000000e9030000000000000300000000000000026e3103"
        "683a310003312e30000102030405060708090a0b0c0d0e0f");
  };
  ends.on_answer = [](const std::string& answer) {
    EXPECT_EQ(
        hex_of(answer),
        "434e43506b000000020105677265656e07000000000000000200000000000000ea030000000000000400000000000000026e3203683a"
        "3208687474703a2f2f6803312e30101112131415161718191a1b1c1d1e1f4956e50b0427fd1b3d4283c2d5f677b58cd35c4e237b483b"
        "ff60f9369e2750ae");
  };
  ends.on_proof = [](const std::string& proof) {
    EXPECT_EQ(hex_of(proof), "434e43502000000003309df87bcc5520535b2d60a2a56d62a40f72c50a12f08124800a3232b1129aef");
  };
  EXPECT_TRUE(ends.greet());
  EXPECT_EQ(hex_of(ListenerHandshake::welcome()), "434e43500000000004");
  const Refusal refusal{
      .cause = Cause::cookie, .error = Error(Errc::unauthorized, "wrong cookie"), .told = "wrong cookie"};
  EXPECT_EQ(hex_of(refusal_packet(refusal)), "434e43500f0000000505060c77726f6e6720636f6f6b6965");
}

TEST(Handshake, TellsEachEndAllOfTheOther) {
  Ends ends;
  ASSERT_TRUE(ends.greet());
  EXPECT_EQ(ends.seen_by_listener.cluster_name, "green");
  EXPECT_EQ(ends.seen_by_listener.cluster, base::ClusterId(7));
  EXPECT_EQ(ends.seen_by_listener.node, base::NodeId(1));
  EXPECT_EQ(ends.seen_by_listener.directory, 1001U);
  EXPECT_EQ(ends.seen_by_listener.incarnation, 3U);
  EXPECT_EQ(ends.seen_by_listener.name, "n1");
  EXPECT_EQ(ends.seen_by_listener.peer_address, "h:1");
  EXPECT_EQ(ends.seen_by_dialler.node, base::NodeId(2));
  EXPECT_EQ(ends.seen_by_dialler.api_url, "http://h");
  EXPECT_EQ(ends.seen_by_dialler.version, "1.0");
}

TEST(Handshake, NeedsTheSameCookie) {
  Ends ends;
  ends.dialler.cookie = "guess";
  EXPECT_FALSE(ends.greet());
  ASSERT_TRUE(ends.refused_by_dialler.has_value());
  EXPECT_EQ(ends.refused_by_dialler->cause, Cause::cookie);
  EXPECT_EQ(ends.refused_by_dialler->error.code(), Errc::unauthorized);
  EXPECT_EQ(ends.refused_by_dialler->error.message(), "wrong cookie");
  EXPECT_EQ(ends.refused_by_dialler->told, "wrong cookie");
}

TEST(Handshake, ARefusalIsProvedByWhoKnowsTheCookieAndAboutThisHandshakeOnly) {
  const Refusal removed = not_admitted(Error(Errc::not_found, "this node was removed from the cluster"));
  const auto refuse = [&](const std::string& listeners_cookie, char listeners_nonce, auto change) {
    DiallerHandshake dial({.self = dialler_identity(), .cookie = "secret"}, Purpose::control, {}, nonce_from(0));
    ListenerHandshake listen({.self = listener_identity(), .cookie = "secret"}, nonce_from(16));
    EXPECT_TRUE(listen.take_proof(*dial.take_answer(*listen.take_hello(dial.hello()))));
    // Another handshake, whose refusal comes into this one.
    DiallerHandshake other_dial({.self = dialler_identity(), .cookie = listeners_cookie}, Purpose::control, {},
                                nonce_from(0));
    ListenerHandshake other({.self = listener_identity(), .cookie = listeners_cookie}, nonce_from(listeners_nonce));
    EXPECT_TRUE(other.take_proof(*other_dial.take_answer(*other.take_hello(other_dial.hello()))));
    std::string packet = other.refusal(removed);
    change(packet);
    return dial.take_welcome(packet).error();
  };
  const auto as_it_is = [](std::string&) {};
  const Refusal proved = refuse("secret", 16, as_it_is);
  EXPECT_TRUE(proved.is_proved);
  EXPECT_EQ(proved.cause, Cause::not_admitted);
  EXPECT_EQ(proved.error.code(), Errc::not_found);
  EXPECT_EQ(proved.error.message(), "this node was removed from the cluster");
  EXPECT_FALSE(refuse("guess", 16, as_it_is).is_proved);
  EXPECT_FALSE(refuse("secret", 17, as_it_is).is_proved) << "one that was recorded";
  const std::size_t size_bytes = ListenerHandshake({}, {}).refusal(removed).size();
  for (std::size_t at = packet_front_bytes; at < size_bytes; ++at) {
    EXPECT_FALSE(
        refuse("secret", 16, [&](std::string& packet) { packet[at] = static_cast<char>(packet[at] ^ 1); }).is_proved)
        << at;
  }
  EXPECT_FALSE(refuse("secret", 16, [&](std::string& packet) { packet = refusal_packet(removed); }).is_proved)
      << "as anybody may send it";
}

TEST(Handshake, ARefusalBeforeAnythingWasProvedIsNotProved) {
  DiallerHandshake dial({.self = dialler_identity(), .cookie = "secret"}, Purpose::control, {}, nonce_from(0));
  const std::string packet = ListenerHandshake({.self = listener_identity(), .cookie = ""}, nonce_from(0))
                                 .refusal(not_admitted(Error(Errc::not_found, "gone")));
  EXPECT_FALSE(dial.take_answer(packet).error().is_proved);
  EXPECT_FALSE(dial.take_welcome(packet).error().is_proved);
}

/// Who stands between the two speaks TLS with each, and passes on what they say.
TEST(Handshake, OfAnotherTlsConnectionProvesNothing) {
  Ends ends;
  ends.dialler.binding = ends.listener.binding = std::string(32, 'a');
  EXPECT_TRUE(ends.greet());
  Ends passed_on;
  passed_on.dialler.binding = std::string(32, 'a');
  passed_on.listener.binding = std::string(32, 'b');
  EXPECT_FALSE(passed_on.greet());
  ASSERT_TRUE(passed_on.refused_by_dialler.has_value());
  EXPECT_EQ(passed_on.refused_by_dialler->cause, Cause::cookie);
  Ends half;
  half.listener.binding = std::string(32, 'a');
  EXPECT_FALSE(half.greet());
}

TEST(Handshake, OfTlsWithWhoDoesntSpeakItIsToldToBoth) {
  const auto size = packet_size("\x16\x03\x01\x02\x00\x01\x00\x01\xfc");
  ASSERT_FALSE(size.has_value());
  EXPECT_EQ(size.error().cause, Cause::tls);
  EXPECT_TRUE(is_plain(refusal_packet(size.error())));
  EXPECT_TRUE(is_plain("CNCP"));
  EXPECT_FALSE(is_plain("\x16\x03\x01\x02"));
}

TEST(Handshake, ADiallerThatKnowsNoCookieCantProve) {
  Ends ends;
  ends.on_proof = [](std::string& proof) { proof.back() = static_cast<char>(proof.back() ^ 1); };
  EXPECT_FALSE(ends.greet());
  ASSERT_TRUE(ends.refused_by_listener.has_value());
  EXPECT_EQ(ends.refused_by_listener->error.message(), "wrong cookie");
}

TEST(Handshake, ARecordedProofProvesNothingToANewNonce) {
  std::string recorded;
  Ends first;
  first.on_proof = [&](const std::string& proof) { recorded = proof; };
  ASSERT_TRUE(first.greet());
  DiallerHandshake dial(first.dialler, Purpose::bulk, {}, nonce_from(0));
  ListenerHandshake listen(first.listener, nonce_from(17));
  ASSERT_TRUE(listen.take_hello(dial.hello()).has_value());
  EXPECT_FALSE(listen.take_proof(recorded).has_value());
}

TEST(Handshake, TheProofOfOneEndIsNoneOfTheOther) {
  DiallerHandshake dial({.self = dialler_identity(), .cookie = "secret"}, Purpose::bulk, {}, nonce_from(0));
  ListenerHandshake listen({.self = listener_identity(), .cookie = "secret"}, nonce_from(16));
  const auto answer = listen.take_hello(dial.hello());
  ASSERT_TRUE(answer.has_value());
  std::string reflected = *dial.take_answer(*answer);
  reflected.replace(packet_front_bytes, Mac().size(), answer->substr(answer->size() - Mac().size()));
  EXPECT_FALSE(listen.take_proof(reflected).has_value());
}

TEST(Handshake, AProofBeforeTheHelloIsRefused) {
  ListenerHandshake listen({.self = listener_identity(), .cookie = "secret"}, nonce_from(16));
  std::string proof;
  Ends ends;
  ends.on_proof = [&](const std::string& bytes) { proof = bytes; };
  ASSERT_TRUE(ends.greet());
  EXPECT_FALSE(listen.take_proof(proof).has_value());
}

TEST(Handshake, AnotherClusterIsNamedToBothEnds) {
  Ends ends;
  ends.listener.self.cluster_name = "blue";
  EXPECT_FALSE(ends.greet());
  ASSERT_TRUE(ends.refused_by_listener.has_value());
  EXPECT_EQ(ends.refused_by_listener->error.message(), "the peer belongs to cluster \"green\"");
  EXPECT_EQ(ends.refused_by_listener->told, "the peer belongs to cluster \"blue\"");
}

TEST(Handshake, AnotherClusterOfTheSameNameIsRefused) {
  Ends ends;
  ends.dialler.self.cluster = base::ClusterId(8);
  EXPECT_FALSE(ends.greet());
  ASSERT_TRUE(ends.refused_by_listener.has_value());
  EXPECT_EQ(ends.refused_by_listener->cause, Cause::cluster_id);
  EXPECT_NE(ends.refused_by_listener->told.find("one of the two was recovered or formed anew"), std::string::npos);
}

TEST(Handshake, ANodeWithoutAClusterIsLetIn) {
  for (const bool of_dialler : {true, false}) {
    Ends ends;
    (of_dialler ? ends.dialler : ends.listener).self.cluster = base::ClusterId();
    EXPECT_TRUE(ends.greet()) << of_dialler;
  }
}

TEST(Handshake, AStrangerIsLetInAndIsNobody) {
  Ends ends;
  ends.dialler.self.node = base::NodeId();
  ends.dialler.self.directory = 0;
  EXPECT_TRUE(ends.greet());
  EXPECT_TRUE(ends.seen_by_listener.node.is_zero());
}

TEST(Handshake, TheNodeThatWasDialledMustAnswer) {
  Ends ends;
  ends.expected.node = base::NodeId(5);
  EXPECT_FALSE(ends.greet());
  ASSERT_TRUE(ends.refused_by_dialler.has_value());
  EXPECT_EQ(ends.refused_by_dialler->error.message(), "node 5 was expected, and node 2 answered");
  EXPECT_EQ(ends.refused_by_dialler->told, "node 5 was expected here, and this is node 2");
}

TEST(Handshake, AWipedDirectoryIsTold) {
  Ends ends;
  ends.listener.self.directory = 2002;
  EXPECT_FALSE(ends.greet());
  ASSERT_TRUE(ends.refused_by_dialler.has_value());
  EXPECT_EQ(ends.refused_by_dialler->cause, Cause::unexpected_directory);
  ends.expected.directory = 0;
  EXPECT_TRUE(ends.greet());
}

TEST(Handshake, ANodeDoesntTalkToItself) {
  Ends ends;
  ends.listener.self = ends.dialler.self;
  EXPECT_FALSE(ends.greet());
  ASSERT_TRUE(ends.refused_by_listener.has_value());
  EXPECT_EQ(ends.refused_by_listener->error.message(), "this is a connection of the node to itself");
}

TEST(Handshake, ACopyOfANodeIsToldApartFromTheNodeItself) {
  Ends ends;
  ends.listener.self.node = ends.dialler.self.node;
  EXPECT_FALSE(ends.greet());
  ASSERT_TRUE(ends.refused_by_listener.has_value());
  EXPECT_EQ(ends.refused_by_listener->error.message(), "two nodes have the id 1, with different data directories");
}

TEST(Handshake, VersionsMustMeet) {
  Ends newer;
  newer.on_hello = [](std::string& hello) { hello.replace(packet_front_bytes, 2, "\x02\x03"); };
  EXPECT_FALSE(newer.greet());
  ASSERT_TRUE(newer.refused_by_listener.has_value());
  EXPECT_EQ(newer.refused_by_listener->cause, Cause::version);
  EXPECT_EQ(newer.refused_by_listener->error.message(),
            "there is no common version of the protocol: this node speaks 1, the peer 2 to 3");
  EXPECT_EQ(newer.refused_by_listener->told,
            "there is no common version of the protocol: the peer speaks 1, this node 2 to 3");

  Ends older;
  older.on_answer = [](std::string& answer) { answer[packet_front_bytes] = '\x02'; };
  EXPECT_FALSE(older.greet());
  ASSERT_TRUE(older.refused_by_dialler.has_value());
  EXPECT_EQ(older.refused_by_dialler->cause, Cause::version);
  EXPECT_EQ(older.refused_by_dialler->error.message(), "the peer chose version 2 of the protocol; this node speaks 1");

  DiallerHandshake dial({.self = dialler_identity(), .cookie = "secret"}, Purpose::control, {}, nonce_from(0));
  ListenerHandshake listen({.self = listener_identity(), .cookie = "secret"}, nonce_from(16));
  std::string wider = dial.hello();
  wider[packet_front_bytes + 1] = '\x09';
  const auto answer = listen.take_hello(wider);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ((*answer)[packet_front_bytes], '\x01') << "the highest that both speak";
}

TEST(Handshake, WhatALaterVersionAddsToAHelloIsPassedOver) {
  DiallerHandshake dial({.self = dialler_identity(), .cookie = "secret"}, Purpose::control, {}, nonce_from(0));
  ListenerHandshake listen({.self = listener_identity(), .cookie = "secret"}, nonce_from(16));
  std::string hello = dial.hello() + "more";
  hello[4] = static_cast<char>(hello[4] + 4);
  EXPECT_TRUE(listen.take_hello(hello).has_value());
}

TEST(Handshake, ARefusalIsReadInsteadOfWhatWasDue) {
  const Refusal refusal{
      .cause = Cause::not_admitted, .error = Error(Errc::not_found, "x"), .told = "node 1 was removed\n"};
  DiallerHandshake dial({.self = dialler_identity(), .cookie = "secret"}, Purpose::control, {}, nonce_from(0));
  const auto answer = dial.take_answer(refusal_packet(refusal));
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().cause, Cause::not_admitted);
  EXPECT_EQ(answer.error().error.code(), Errc::not_found);
  EXPECT_EQ(answer.error().error.message(), "node 1 was removed?");
  EXPECT_TRUE(answer.error().told.empty()) << "who said it need not be told";
}

TEST(Handshake, AnotherProtocolIsSeenByItsFirstBytes) {
  const auto size_bytes = packet_size("GET / HTT");
  ASSERT_FALSE(size_bytes.has_value());
  EXPECT_EQ(size_bytes.error().error.message(), "the peer doesn't speak Concord's protocol");
}

TEST(Handshake, APacketThatIsTooLargeIsRefusedByItsFrontAlone) {
  using namespace std::string_literals;
  EXPECT_TRUE(packet_size("CNCP\x00\x10\x00\x00\x01"s).has_value());
  EXPECT_FALSE(packet_size("CNCP\x01\x10\x00\x00\x01"s).has_value());
}

TEST(Handshake, DamageOfAnyBitIsNoticed) {
  const auto damage_all = [](std::function<void(std::string&)> Ends::* which, std::size_t size_bytes) {
    for (std::size_t bit = 0; bit < 8 * size_bytes; ++bit) {
      Ends ends;
      ends.*
          which = [bit](std::string& bytes) { bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8))); };
      EXPECT_FALSE(ends.greet()) << "bit " << bit;
    }
  };
  const Ends ends;
  damage_all(&Ends::on_hello, DiallerHandshake(ends.dialler, Purpose::bulk, {}, nonce_from(0)).hello().size());
  damage_all(&Ends::on_answer, packet_front_bytes + 0x6b);
  damage_all(&Ends::on_proof, packet_front_bytes + Mac().size());
}

TEST(Handshake, AnIdentityThatFitsFitsIntoAPacket) {
  Identity identity = dialler_identity();
  EXPECT_TRUE(fits(identity));
  while (fits(identity)) identity.name += std::string(50, 'x');
  identity.name.resize(identity.name.size() - 50);
  const DiallerHandshake dial({.self = identity, .cookie = "secret"}, Purpose::control, {}, nonce_from(0));
  EXPECT_TRUE(packet_size(dial.hello().substr(0, packet_front_bytes)).has_value());
}

}  // namespace
}  // namespace concord::transport

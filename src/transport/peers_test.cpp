// Peers that come, go, restart and change, and where they are dialled.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "transport/testing_member.hpp"
#include "transport/transport.hpp"

namespace concord::transport {
namespace {

class Peers : public testing::Test {
 protected:
  void connect() {
    two.open();
    one.open();
    one.transport->set_peers({two.as_peer()});
    ASSERT_TRUE(knows(one, 1) && eventually([&] { return two.recorder.notes().admitted.size() >= 2; }));
  }
  /// The member was told so often that it is connected.
  [[nodiscard]] static bool knows(const Member& member, std::size_t times) {
    return eventually([&] { return member.recorder.notes().connected.size() == times; });
  }
  [[nodiscard]] static bool has_lost(const Member& member, std::uint64_t node, std::size_t times = 1) {
    return eventually([&] {
      const auto lost = member.recorder.notes().lost;
      return static_cast<std::size_t>(std::ranges::count(lost, node, &std::pair<std::uint64_t, Lost>::first)) >= times;
    });
  }

  std::vector<Respond>
      kept;  ///< of the transport's thread, until `asked` says so; these outlive the members that use them
  std::atomic<int> asked = 0;
  std::atomic<int> outcomes = 0;
  Member one{1};
  Member two{2};
};

TEST_F(Peers, AreTheirIdentity) {
  two.options.self.api_url = "http://two";
  connect();
  ASSERT_EQ(one.recorder.notes().connected.size(), 1U);
  const Identity seen = one.recorder.notes().connected.front();
  EXPECT_EQ(seen.node, base::NodeId(2));
  EXPECT_EQ(seen.api_url, "http://two");
  EXPECT_EQ(seen.directory, 1002U);
  const PeerState state = one.transport->peers().at(0);
  EXPECT_TRUE(state.connected);
  EXPECT_EQ(state.identity.name, "n2");
  EXPECT_EQ(state.last_error, "");
  EXPECT_EQ(two.recorder.notes().admitted.front().name, "n1");
}

TEST_F(Peers, ThatRestartAreConnectedAgain) {
  connect();
  const std::string address = two.address();
  two.options.listen_port = two.transport->port();
  two.transport.reset();
  ASSERT_TRUE(has_lost(one, 2));
  EXPECT_FALSE(one.send(2, "lost"));
  two.options.self.incarnation = 2;
  two.open();
  ASSERT_EQ(two.address(), address);
  ASSERT_TRUE(knows(one, 2));
  EXPECT_EQ(one.recorder.notes().connected.back().incarnation, 2U);
  EXPECT_TRUE(one.send(2, "found"));
  EXPECT_TRUE(eventually([&] { return two.recorder.notes().messages == std::vector<std::string>{"found"}; }));
}

TEST_F(Peers, ThatComeLaterAreConnectedThen) {
  two.open();
  const Peer peer = two.as_peer();
  two.options.listen_port = two.transport->port();
  two.transport.reset();
  one.open();
  one.transport->set_peers({peer});
  ASSERT_TRUE(eventually([&] { return one.transport->peers().at(0).last_error.contains("refused"); }));
  two.open();
  EXPECT_TRUE(eventually([&] { return one.is_connected(2); }));
  EXPECT_TRUE(one.recorder.notes().refused.empty()) << "nobody was there to refuse";
}

TEST_F(Peers, ThatAreNoneAnyMoreAreClosed) {
  connect();
  one.transport->set_peers({});
  EXPECT_FALSE(one.send(2, "nobody"));
  EXPECT_TRUE(has_lost(one, 2));
  EXPECT_TRUE(has_lost(two, 1));
  EXPECT_TRUE(one.transport->peers().empty());
}

TEST_F(Peers, ThatStayKeepTheirConnection) {
  connect();
  Member three(3);
  three.open();
  one.transport->set_peers({three.as_peer(), two.as_peer()});
  ASSERT_TRUE(knows(one, 2));
  EXPECT_TRUE(one.is_connected(3));
  EXPECT_TRUE(one.send(2, "hello"));
  EXPECT_TRUE(one.recorder.notes().lost.empty());
}

TEST_F(Peers, ThatMoveAreConnectedThere) {
  connect();
  Member moved(2);
  moved.open();
  one.transport->set_peers({moved.as_peer()});
  EXPECT_TRUE(has_lost(two, 1));
  ASSERT_TRUE(eventually([&] { return one.send(2, "hello"); }));
  EXPECT_TRUE(eventually([&] { return moved.recorder.notes().messages == std::vector<std::string>{"hello"}; }));
}

TEST_F(Peers, WithAnotherDirectoryAreLetGo) {
  connect();
  Peer wiped = two.as_peer();
  wiped.directory = 5;
  one.transport->set_peers({wiped});
  EXPECT_TRUE(has_lost(one, 2));
  EXPECT_TRUE(eventually([&] { return !one.recorder.notes().refused.empty(); }));
}

TEST_F(Peers, ThatAreDroppedAreClosedBothWays) {
  connect();
  two.transport->set_peers({one.as_peer()});
  ASSERT_TRUE(knows(two, 1));
  one.transport->set_peers({});
  ASSERT_TRUE(has_lost(one, 2));
  one.transport->drop(base::NodeId(2));
  EXPECT_TRUE(has_lost(one, 2, 2));
  EXPECT_TRUE(has_lost(two, 1, 2));
}

TEST_F(Peers, ThatAreDroppedMayComeAgainAsLongAsTheyArePeers) {
  connect();
  one.transport->drop(base::NodeId(2));
  EXPECT_TRUE(has_lost(one, 2));
  EXPECT_TRUE(has_lost(two, 1));
  EXPECT_TRUE(knows(one, 2));
}

TEST_F(Peers, OfANodeThatBecomesAnotherAreConnectedAnew) {
  one.options.self.cluster = base::ClusterId();
  connect();
  two.transport->set_peers({one.as_peer()});
  ASSERT_TRUE(knows(two, 1));
  Identity joined = one.options.self;
  joined.cluster = base::ClusterId(7);
  one.transport->set_self(joined);
  ASSERT_TRUE(knows(one, 2) && knows(two, 2));
  EXPECT_EQ(two.recorder.notes().connected.back().cluster, base::ClusterId(7));
  EXPECT_EQ(two.recorder.notes().admitted.back().cluster, base::ClusterId(7));
  EXPECT_TRUE(eventually([&] { return one.send(2, "hello"); }));
  EXPECT_TRUE(eventually([&] { return two.recorder.notes().messages == std::vector<std::string>{"hello"}; }));
}

TEST_F(Peers, KeepTheirConnectionWhenANodeOnlyChangesItsWords) {
  connect();
  Identity renamed = one.options.self;
  renamed.api_url = "http://new";
  one.transport->set_self(renamed);
  EXPECT_TRUE(one.send(2, "hello"));
  EXPECT_TRUE(eventually([&] { return two.recorder.notes().messages.size() == 1; }));
  EXPECT_TRUE(one.recorder.notes().lost.empty());
  Outcome outcome;
  one.transport->request_at(two.address(), 1, "", 60s, outcome.taker());
  EXPECT_EQ(outcome.wait_for_code(), 0);
  EXPECT_EQ(two.recorder.notes().admitted.back().api_url, "http://new");
}

TEST_F(Peers, HaveOneConnectionOfAChannelTheNewest) {
  one.open();
  RawPeer before(one.transport->port());
  ASSERT_TRUE(before.greet(9));
  RawPeer other_channel(one.transport->port());
  ASSERT_TRUE(other_channel.greet(9, Purpose::bulk));
  RawPeer asking(one.transport->port());
  ASSERT_TRUE(asking.greet(9, Purpose::one_request));
  RawPeer now(one.transport->port());
  ASSERT_TRUE(now.greet(9));
  EXPECT_TRUE(before.is_closed());
  now.write(test_frame(1, FrameKind::message, "hello"));
  EXPECT_TRUE(eventually([&] { return one.recorder.notes().messages.size() == 1; }));
  const std::string answer = test_frame(1, FrameKind::answer, answer_front(1));
  for (RawPeer* const open_one : {&other_channel, &asking}) {
    open_one->write(test_frame(1, FrameKind::request, request_front(1, 1)));
    EXPECT_EQ(open_one->read(answer.size()), answer);
  }
}

TEST_F(Peers, TheirSilenceIsCounted) {
  connect();
  const std::uint64_t silent_ms = one.transport->peers().at(0).silent_ms;
  EXPECT_TRUE(eventually([&] { return one.transport->peers().at(0).silent_ms > silent_ms; }));
  Outcome outcome;
  one.transport->request(base::NodeId(2), Channel::control, 1, "", 60s, outcome.taker());
  EXPECT_EQ(outcome.wait_for_code(), 0);
  EXPECT_TRUE(eventually([&] { return one.transport->peers().at(0).silent_ms > 0; }));
}

// ---------------------------------------------------------------------------------------------------------------------

TEST_F(Peers, ThatAreStrangersMayBeAsked) {
  two.open();
  one.options.self.node = base::NodeId();
  one.options.self.cluster = base::ClusterId();
  one.open();
  Outcome outcome;
  one.transport->request_at(two.address(), 1, "may I join?", 60s, outcome.taker());
  EXPECT_EQ(outcome.wait().value_or("error"), "may I join?");
  EXPECT_EQ(outcome.who().node, base::NodeId(2));
  EXPECT_TRUE(two.recorder.notes().admitted.front().node.is_zero());
  EXPECT_TRUE(two.recorder.notes().lost.empty());
}

TEST_F(Peers, ThatAreNotThereCantBeAsked) {
  two.open();
  const std::string address = two.address();
  two.transport.reset();
  one.open();
  Outcome nobody;
  one.transport->request_at(address, 1, "", 60s, nobody.taker());
  EXPECT_EQ(nobody.wait_for_code(), static_cast<int>(Errc::cluster_not_ready));
  Outcome nowhere;
  one.transport->request_at("no port", 1, "", 60s, nowhere.taker());
  EXPECT_EQ(nowhere.calls(), 1);
  EXPECT_EQ(nowhere.wait_for_code(), static_cast<int>(Errc::invalid_request));
}

TEST_F(Peers, ThatDontAnswerAreWaitedForAsLongAsWasSaid) {
  two.recorder.answers = [&](const Identity&, std::uint8_t, std::string_view, Respond respond) {
    kept.push_back(std::move(respond));
  };
  connect();
  Outcome unanswered;
  one.transport->request_at(two.address(), 1, "", 200ms, unanswered.taker());
  const int code = unanswered.wait_for_code();
  EXPECT_TRUE(code == static_cast<int>(Errc::timeout) || code == static_cast<int>(Errc::cluster_not_ready)) << code;

  boost::asio::io_context context;  // takes connections, and says nothing
  boost::asio::ip::tcp::acceptor mute(context, {boost::asio::ip::make_address("127.0.0.1"), 0});
  Outcome silence;
  one.transport->request_at("127.0.0.1:" + std::to_string(mute.local_endpoint().port()), 1, "", 50ms, silence.taker());
  EXPECT_EQ(silence.wait_for_code(), static_cast<int>(Errc::cluster_not_ready));
  two.transport.reset();
}

TEST_F(Peers, ThatDontGreetAreGivenUpInTime) {
  boost::asio::io_context context;
  boost::asio::ip::tcp::acceptor mute(context, {boost::asio::ip::make_address("127.0.0.1"), 0});
  one.options.limits.handshake_timeout = 50ms;
  one.open();
  one.transport->set_peers({{.node = base::NodeId(2),
                             .directory = 0,
                             .address = "127.0.0.1:" + std::to_string(mute.local_endpoint().port())}});
  EXPECT_TRUE(eventually([&] { return one.transport->peers().at(0).last_error.contains("took longer than 50 ms"); }));
}

TEST_F(Peers, AreFoundByName) {
  two.open();
  one.open();
  Peer peer = two.as_peer();
  peer.address = "localhost:" + std::to_string(two.transport->port());
  one.transport->set_peers({peer});
  EXPECT_TRUE(eventually([&] { return one.is_connected(2); }));
}

TEST_F(Peers, AreFoundByIpv6) {
  two.options.listen_host = "::1";
  auto opened = Transport::open(two.options, two.recorder);
  if (!opened) {
    EXPECT_TRUE(opened.error().message().contains("on ::1:0: ")) << "only a system without IPv6 may fail here";
    return;
  }
  two.transport = std::move(*opened);
  one.open();
  Peer peer = two.as_peer();
  peer.address = "[::1]:" + std::to_string(two.transport->port());
  one.transport->set_peers({peer});
  EXPECT_TRUE(eventually([&] { return one.is_connected(2); }));
}

// ---------------------------------------------------------------------------------------------------------------------

TEST_F(Peers, AreLeftInGoodOrder) {
  two.recorder.answers = [&](const Identity&, std::uint8_t, std::string_view, Respond respond) {
    kept.push_back(std::move(respond));
    ++asked;
  };
  connect();
  const std::vector<Outcome> results(10);
  for (const Outcome& outcome : results) {
    one.transport->request(base::NodeId(2), Channel::control, 1, "", 60s, outcome.taker());
  }
  Outcome elsewhere;
  one.transport->request_at(two.address(), 1, "", 60s, elsewhere.taker());
  ASSERT_TRUE(eventually([&] { return asked == 11; }));
  const auto before = one.recorder.notes();
  one.transport.reset();
  for (const Outcome& outcome : results) {
    EXPECT_EQ(outcome.calls(), 1);
    EXPECT_EQ(outcome.wait_for_code(), static_cast<int>(Errc::timeout));
  }
  EXPECT_EQ(elsewhere.calls(), 1);
  EXPECT_EQ(elsewhere.wait_for_code(), static_cast<int>(Errc::timeout));
  EXPECT_EQ(one.recorder.notes().lost.size(), before.lost.size()) << "the handler isn't called any more";
  kept.front()("nobody is left to hear it");
  two.transport.reset();
  kept.back()("and nobody to say it");
}

TEST_F(Peers, ARequestHasOneOutcomeWhateverBecomesOfTheConnection) {
  connect();
  constexpr int threads = 3;
  constexpr int requests_each = 1000;
  std::atomic<int> asking = threads;
  std::vector<std::thread> askers;
  for (int thread = 0; thread < threads; ++thread) {
    askers.emplace_back([&] {
      for (int i = 0; i < requests_each; ++i) {
        const auto timeout = i % 3 == 0 ? 0ms : 60'000ms;
        one.transport->request(base::NodeId(2), i % 2 == 0 ? Channel::control : Channel::bulk, 1,
                               std::string(1000, 'x'), timeout,
                               [&](const Result<std::string>& /*answer*/) { ++outcomes; });
        (void)one.send(2, "message");
      }
      --asking;
    });
  }
  while (asking > 0) {
    (asking == threads ? one : two).transport->drop(base::NodeId(asking == threads ? 2 : 1));
    std::this_thread::sleep_for(1ms);
  }
  for (std::thread& asker : askers) asker.join();
  EXPECT_TRUE(eventually([&] { return outcomes == threads * requests_each; }));
  one.transport.reset();
  EXPECT_EQ(outcomes, threads * requests_each);
}

TEST_F(Peers, AreLeftWhileTheyAreBeingDialled) {
  boost::asio::io_context context;
  boost::asio::ip::tcp::acceptor mute(context, {boost::asio::ip::make_address("127.0.0.1"), 0});
  const std::string address = "127.0.0.1:" + std::to_string(mute.local_endpoint().port());
  one.open();
  one.transport->set_peers({{.node = base::NodeId(2), .directory = 0, .address = address}});
  Outcome outcome;
  one.transport->request_at(address, 1, "", 60s, outcome.taker());
  one.transport.reset();
  EXPECT_EQ(outcome.calls(), 1);
  EXPECT_EQ(outcome.wait_for_code(), static_cast<int>(Errc::cluster_not_ready));
}

TEST_F(Peers, CantBeListenedForOnAPortInUse) {
  one.open();
  two.options.listen_port = one.transport->port();
  const auto refused = Transport::open(two.options, two.recorder);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), Errc::cluster_not_ready);
  EXPECT_TRUE(refused.error().message().contains(std::to_string(one.transport->port()))) << refused.error().message();
}

TEST_F(Peers, NeedACookie) {
  one.options.cookie = "";
  const auto refused = Transport::open(one.options, one.recorder);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), Errc::invalid_request);
}

}  // namespace
}  // namespace concord::transport

// Who isn't let in, and who is told why.
#include <gtest/gtest.h>

#include "transport/testing_member.hpp"
#include "transport/transport.hpp"

namespace concord::transport {
namespace {

/// Node 2 listens, node 1 dials it; a third knows both and must not notice. Changes are made before `dial`.
class Refusals : public testing::Test {
 protected:
  void dial() {
    two.open();
    three.open();
    three.transport->set_peers({two.as_peer()});
    ASSERT_TRUE(eventually([&] { return three.is_connected(2); }));
    one.open();
    Peer peer = two.as_peer();
    if (expected.node != base::NodeId()) peer.node = expected.node;
    if (expected.directory != 0) peer.directory = expected.directory;
    one.transport->set_peers({peer});
  }
  /// Both ends say these words, once.
  void expect_refused(const std::string& dialler_says, const std::string& listener_says) {
    const std::string at_dialler = "at " + two.address() + " was refused: " + dialler_says;
    const std::string at_listener = "from 127.0.0.1 was refused: " + listener_says;
    EXPECT_TRUE(eventually([&] { return one.recorder.lines_with(at_dialler) > 0; }));
    EXPECT_TRUE(eventually([&] { return two.recorder.lines_with(at_listener) > 0; }));
    ASSERT_TRUE(eventually([&] { return one.recorder.notes().refused.size() == 1; }));
    EXPECT_EQ(one.recorder.notes().refused.front().first, two.address());
    EXPECT_EQ(one.recorder.notes().refused.front().second.message(), dialler_says);
    EXPECT_EQ(one.recorder.lines_with("was refused"), 1U);
    EXPECT_EQ(two.recorder.lines_with("was refused"), 1U);
    EXPECT_EQ(one.recorder.lines_with("secret") + two.recorder.lines_with("secret"), 0U);
    EXPECT_TRUE(one.recorder.notes().connected.empty());
    const auto state = one.transport->peers().at(0);
    EXPECT_FALSE(state.connected);
    EXPECT_EQ(state.last_error, dialler_says);
    EXPECT_TRUE(three.send(2, "still here"));
    EXPECT_TRUE(eventually([&] { return two.recorder.notes().messages == std::vector<std::string>{"still here"}; }));
    EXPECT_TRUE(three.recorder.notes().lost.empty());
  }

  std::atomic<int> attempts = 0;  ///< these outlive the members that use them
  std::atomic<bool> is_member = false;
  Member one{1};
  Member two{2};
  Member three{3};
  Peer expected;
};

TEST_F(Refusals, OfAWrongCookie) {
  one.options.cookie = "secret of another";
  dial();
  expect_refused("wrong cookie", "wrong cookie");
  EXPECT_EQ(one.recorder.notes().refused_by.front(), Refuser::anybody);
}

TEST_F(Refusals, OfAnotherClusterName) {
  one.options.self.cluster_name = "blue";
  dial();
  expect_refused("the peer belongs to cluster \"green\"", "the peer belongs to cluster \"blue\"");
}

TEST_F(Refusals, OfAnotherClusterId) {
  one.options.self.cluster = base::ClusterId(8);
  dial();
  const std::string words =
      "the peer belongs to another cluster that is called \"green\" too: one of the two was recovered or formed anew, "
      "and a "
      "node of one joins the other with an empty directory only";
  expect_refused(words, words);
}

TEST_F(Refusals, OfAWipedDirectory) {
  expected.directory = 5;
  dial();
  const std::string words = "node 2 has another data directory than the one that is known";
  expect_refused(words, words);
}

TEST_F(Refusals, OfAnotherNodeThanTheOneDialled) {
  expected.node = base::NodeId(9);
  dial();
  expect_refused("node 9 was expected, and node 2 answered", "node 9 was expected here, and this is node 2");
}

TEST_F(Refusals, OfANodeWithTheSameId) {
  one.options.self.node = base::NodeId(2);
  dial();
  const std::string words = "two nodes have the id 2, with different data directories";
  expect_refused(words, words);
}

TEST_F(Refusals, OfWhoIsNotAdmitted) {
  two.recorder.admits = [](const Identity& peer) -> Result<void> {
    if (peer.node == base::NodeId(1)) return fail(Errc::not_found, "node 1 was removed from the cluster");
    return {};
  };
  dial();
  const std::string words = "node 1 was removed from the cluster";
  expect_refused(words, words);
  EXPECT_EQ(one.recorder.notes().refused.front().second.code(), Errc::not_found);
  EXPECT_EQ(one.recorder.notes().refused_by.front(), Refuser::member);
}

TEST_F(Refusals, OfTheNodeItself) {
  one.open();
  one.transport->set_peers({one.as_peer()});
  const std::string words = "was refused: this is a connection of the node to itself";
  EXPECT_TRUE(eventually([&] { return one.recorder.lines_with(words) == 2; }));  // as both ends of it
  EXPECT_FALSE(one.is_connected(1));
}

TEST_F(Refusals, AreReportedOnceAMinuteOfEachAddress) {
  two.recorder.admits = [&](const Identity& peer) -> Result<void> {
    if (peer.node != base::NodeId(1)) return {};
    ++attempts;
    return fail(Errc::forbidden, "not you");
  };
  dial();
  for (const std::size_t minutes : {1U, 2U, 3U}) {
    const int before = attempts;
    ASSERT_TRUE(eventually([&] { return attempts > before + 6; }));
    ASSERT_TRUE(eventually([&] { return one.recorder.notes().refused.size() == minutes; }));
    EXPECT_EQ(one.recorder.lines_with("was refused: not you"), minutes);
    EXPECT_EQ(two.recorder.lines_with("was refused: not you"), minutes);
    two.clock.now_ms += 60'000;
    const int turn = attempts;
    ASSERT_TRUE(eventually([&] { return attempts > turn + 3; }));
    EXPECT_EQ(two.recorder.lines_with("was refused: not you"), minutes + 1);
    one.clock.now_ms += 60'000;
  }
}

TEST_F(Refusals, EndWhenTheirCauseDoes) {
  two.recorder.admits = [&](const Identity& peer) -> Result<void> {
    if (peer.node == base::NodeId(1) && !is_member) return fail(Errc::forbidden, "not yet");
    return {};
  };
  dial();
  ASSERT_TRUE(eventually([&] { return one.recorder.lines_with("not yet") == 1; }));
  is_member = true;
  EXPECT_TRUE(eventually([&] { return one.is_connected(2); }));
  EXPECT_TRUE(eventually([&] { return one.transport->peers().at(0).last_error.empty(); }));
}

TEST_F(Refusals, OfARequestToAnAddressAreItsError) {
  two.open();
  one.options.cookie = "guess";
  one.open();
  Outcome outcome;
  one.transport->request_at(two.address(), 1, "may I join?", 60s, outcome.taker());
  const Result<std::string> answer = outcome.wait();
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code(), Errc::unauthorized);
  EXPECT_EQ(answer.error().message(), "wrong cookie");
}

TEST_F(Refusals, ADirectoryThatBecomesTheExpectedOneIsLetIn) {
  expected.directory = 5;
  dial();
  ASSERT_TRUE(eventually([&] { return one.recorder.notes().refused.size() == 1; }));
  one.transport->set_peers({two.as_peer()});
  EXPECT_TRUE(eventually([&] { return one.is_connected(2); }));
}

}  // namespace
}  // namespace concord::transport

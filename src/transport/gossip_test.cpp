// Nodes hear of each other by datagrams: at given addresses, answered by who is asked, and through a group; what isn't theirs is dropped.
#include "transport/gossip.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>

#include "transport/testing_member.hpp"

namespace concord::transport {
namespace {

namespace asio = boost::asio;

class Speaker {
 public:
  explicit Speaker(const std::string& name, const std::function<void(GossipOptions&)>& change = {}) {
    GossipOptions options;
    options.cookie = "secret";
    options.self = {.cluster_name = "green",
                    .name = name,
                    .directory = std::hash<std::string>()(name),
                    .peer_address = name + ":9100"};
    options.interval_looking = 5ms;
    options.interval_settled = 5ms;
    options.clock = &clock;
    options.heard = [this](const Announcement& said) {
      const std::lock_guard lock(mutex_);
      heard_[said.name] = said;
    };
    options.log = [this](LogLevel, const std::string& line) {
      const std::lock_guard lock(mutex_);
      lines_.push_back(line);
    };
    if (change) change(options);
    self = options.self;
    auto opened = Gossip::open(std::move(options));
    if (!opened) {
      ADD_FAILURE() << opened.error().message();
      return;
    }
    gossip = std::move(*opened);
  }
  ~Speaker() { gossip.reset(); }
  Speaker(const Speaker&) = delete;
  Speaker& operator=(const Speaker&) = delete;

  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(gossip->port()); }
  [[nodiscard]] bool has_heard(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    return heard_.contains(name);
  }
  [[nodiscard]] Announcement last_of(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = heard_.find(name);
    return found == heard_.end() ? Announcement() : found->second;
  }
  [[nodiscard]] std::ptrdiff_t lines_with(const std::string& text) const {
    const std::lock_guard lock(mutex_);
    return std::ranges::count_if(lines_, [&](const std::string& line) { return line.contains(text); });
  }

  TestClock clock;
  Announcement self;
  std::unique_ptr<Gossip> gossip;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Announcement> heard_;
  std::vector<std::string> lines_;
};

/// Somebody who sends what no node does.
class Stranger {
 public:
  Stranger() : socket_(context_, asio::ip::udp::endpoint(asio::ip::make_address("127.0.0.1"), 0)) {}
  void send(const Speaker& to, std::string_view datagram) {
    socket_.send_to(asio::buffer(datagram),
                    asio::ip::udp::endpoint(asio::ip::make_address("127.0.0.1"), to.gossip->port()));
  }

 private:
  asio::io_context context_;
  asio::ip::udp::socket socket_;
};

std::function<void(GossipOptions&)> telling(const Speaker& other) {
  return [address = other.address()](GossipOptions& options) { options.addresses = {address}; };
}

TEST(Gossip, WhoKnowsAnAddressIsHeardThereAndHearsTheAnswer) {
  const Speaker known("known");
  const Speaker knows("knows", telling(known));
  EXPECT_TRUE(eventually([&] { return known.has_heard("knows") && knows.has_heard("known"); }));
  EXPECT_EQ(known.last_of("knows").peer_address, "knows:9100");
}

TEST(Gossip, ANodeWithAClusterSaysSoAndAnswersStill) {
  const Speaker known("known", [](GossipOptions& options) {
    options.self.node = base::NodeId(3);
    options.self.cluster = base::ClusterId(4);
  });
  const Speaker knows("knows", telling(known));
  EXPECT_TRUE(eventually([&] { return knows.last_of("known").cluster == base::ClusterId(4); }));
  EXPECT_EQ(knows.last_of("known").node, base::NodeId(3));
}

TEST(Gossip, WhatIsAnnouncedLaterIsSaidFromThenOn) {
  const Speaker known("known");
  const Speaker knows("knows", telling(known));
  EXPECT_TRUE(eventually([&] { return known.has_heard("knows"); }));
  Announcement news = knows.self;
  news.cluster = base::ClusterId(9);
  knows.gossip->announce(news);
  EXPECT_TRUE(eventually([&] { return known.last_of("knows").cluster == base::ClusterId(9); }));
}

TEST(Gossip, AnotherCookieIsDroppedAndLoggedOnceAMinute) {
  Speaker node("node");
  Stranger stranger;
  Announcement said = node.self;
  said.name = "spy";
  said.directory = 1;
  const auto lie = [&] { stranger.send(node, encode_gossip(said, "guess")); };
  EXPECT_TRUE(eventually([&] {
    lie();
    return node.lines_with("wrong cookie") == 1;
  }));
  said.name = "friend";
  stranger.send(node, encode_gossip(said, "secret"));  // behind the lies
  EXPECT_TRUE(eventually([&] { return node.has_heard("friend"); }));
  EXPECT_EQ(node.lines_with("wrong cookie"), 1);
  EXPECT_FALSE(node.has_heard("spy"));
  node.clock.now_ms += 60'000;
  EXPECT_TRUE(eventually([&] {
    lie();
    return node.lines_with("wrong cookie") == 2;
  }));
}

TEST(Gossip, OfAnotherClusterNameNobodySpeaks) {
  const Speaker node("node");
  Stranger stranger;
  Announcement said = node.self;
  said.directory = 1;
  said.name = "other";
  said.cluster_name = "blue";
  stranger.send(node, encode_gossip(said, "another secret"));
  said.cluster_name = "green";
  said.name = "friend";
  stranger.send(node, encode_gossip(said, "secret"));
  EXPECT_TRUE(eventually([&] { return node.has_heard("friend"); }));
  EXPECT_FALSE(node.has_heard("other"));
  EXPECT_EQ(node.lines_with(""), 0);
}

TEST(Gossip, GarbledDatagramsAreDroppedAndLoggedOnceAMinute) {
  const Speaker node("node");
  Stranger stranger;
  for (const std::string& bytes :
       {std::string(), std::string("x"), std::string(1500, 'x'), std::string("CNCG\x01\xff")}) {
    for (int times = 0; times < 5; ++times) stranger.send(node, bytes);
  }
  Announcement said = node.self;
  said.directory = 1;
  said.name = "friend";
  stranger.send(node, encode_gossip(said, "secret"));
  EXPECT_TRUE(eventually([&] { return node.has_heard("friend"); }));
  EXPECT_EQ(node.lines_with("garbled"), 1);
}

TEST(Gossip, ADatagramThatIsSentAgainSaysNothingAgain) {
  const Speaker node("node");
  Stranger stranger;
  Announcement said = node.self;
  said.directory = 1;
  said.name = "friend";
  said.peer_address = "old:9100";
  said.nonce = {1};
  const std::string recorded = encode_gossip(said, "secret");
  stranger.send(node, recorded);
  said.peer_address = "new:9100";
  said.nonce = {2};
  stranger.send(node, encode_gossip(said, "secret"));
  stranger.send(node, recorded);
  said.name = "last";
  said.nonce = {3};
  stranger.send(node, encode_gossip(said, "secret"));
  EXPECT_TRUE(eventually([&] { return node.has_heard("last"); }));
  EXPECT_EQ(node.last_of("friend").peer_address, "new:9100");
}

TEST(Gossip, AnAddressThatCantBeDialledIsDropped) {
  const Speaker node("node");
  Stranger stranger;
  Announcement said = node.self;
  said.directory = 1;
  said.name = "nowhere";
  said.peer_address = "nowhere";
  stranger.send(node, encode_gossip(said, "secret"));
  EXPECT_TRUE(eventually([&] { return node.lines_with("can't be dialled") == 1; }));
  EXPECT_FALSE(node.has_heard("nowhere"));
}

TEST(Gossip, OptionsThatMakeNoSenseAreRefused) {
  for (const auto& change : std::vector<std::function<void(GossipOptions&)>>{
           [](GossipOptions& options) { options.group = "10.0.0.1:9100"; },
           [](GossipOptions& options) { options.group = "239.255.90.40"; },
           [](GossipOptions& options) {
             options.group_interface = "eth0";
             options.group = "239.255.90.40:9099";
           },
           [](GossipOptions& options) { options.addresses = {"127.0.0.1"}; }}) {
    GossipOptions options{.cookie = "secret"};
    change(options);
    const auto opened = Gossip::open(std::move(options));
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), Errc::invalid_request);
  }
}

}  // namespace
}  // namespace concord::transport

// Embedded nodes that find each other: what a host program sets, and gets.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "database/testing_store.hpp"

namespace concord::database {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr auto patience = 60s;

/// A UDP port of the loopback address that nobody uses now.
std::uint16_t free_port() {
  const int probe = ::socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(probe, reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size), 0);
  ::close(probe);
  return ntohs(address.sin_port);
}

class DiscoveredCluster : public testing::Test {
 protected:
  [[nodiscard]] Options options(const std::string& name) const {
    Options options = directory_.options();
    options.name = name;
    options.data_dir /= name;
    options.cluster.cookie = "a secret";
    options.cluster.peer_port = 0;
    options.cluster.discovery = Discovery::gossip;
    options.cluster.expected_size = 3;
    options.cluster.settle_time = 300ms;
    options.cluster.gossip_group.clear();
    options.cluster.gossip_addresses = {"127.0.0.1:" + std::to_string(known_port_)};
    if (name == "n1") options.cluster.gossip_port = known_port_;
    return options;
  }
  void open(const std::string& name) {
    auto node = Node::open(options(name));
    ASSERT_TRUE(node) << message(node);
    nodes_.push_back(std::make_unique<Node>(std::move(node.value())));
  }
  void expect_all_ready() {
    for (const auto& node : nodes_) {
      const auto ready = node->wait_ready(patience);
      EXPECT_TRUE(ready) << message(ready);
    }
  }

  StoreDirectory directory_;
  const std::uint16_t known_port_ = free_port();
  std::vector<std::unique_ptr<Node>> nodes_;
};

TEST_F(DiscoveredCluster, ThreeFormItAndAFourthJoinsAndVotes) {
  std::filesystem::create_directories(directory_.options().data_dir);
  for (const char* name : {"n1", "n2", "n3"}) ASSERT_NO_FATAL_FAILURE(open(name));
  expect_all_ready();
  ASSERT_NO_FATAL_FAILURE(open("n4"));
  expect_all_ready();
  const auto put = nodes_[3]->put("k", "v");
  EXPECT_TRUE(put) << message(put);
  const auto voters = [&] {
    const auto members = nodes_[0]->members();
    return members ? std::ranges::count_if(*members, &MemberStatus::voter) : 0;
  };
  const auto end = std::chrono::steady_clock::now() + patience;
  while (voters() < 4 && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(voters(), 4);
}

TEST_F(DiscoveredCluster, TooFewSayWhatIsMissing) {
  std::filesystem::create_directories(directory_.options().data_dir);
  for (const char* name : {"n1", "n2"}) ASSERT_NO_FATAL_FAILURE(open(name));
  const auto end = std::chrono::steady_clock::now() + patience;
  std::string why;
  while (!why.contains("2 of 3 expected nodes are there") && std::chrono::steady_clock::now() < end) {
    const auto ready = nodes_[0]->wait_ready(10ms);
    ASSERT_FALSE(ready);
    why = message(ready);
  }
  EXPECT_THAT(why, HasSubstr("2 of 3 expected nodes are there: \"n1\" and \"n2\""));
}

TEST_F(DiscoveredCluster, OptionsThatMakeNoSenseAreRefused) {
  Options both = options("n1");
  both.cluster.initial = {{.name = "n1", .peer = "127.0.0.1:9100"}};
  EXPECT_EQ(outcome(Node::open(both)), "INVALID_REQUEST");
  Options nameless = options("n1");
  nameless.cluster.discovery = Discovery::dns;
  EXPECT_EQ(outcome(Node::open(nameless)), "INVALID_REQUEST");
  Options open = options("n1");
  open.cluster.cookie.clear();
  EXPECT_EQ(outcome(Node::open(open)), "INVALID_REQUEST");
}

}  // namespace
}  // namespace concord::database

// A datagram of gossip is read back as it was written, by who knows the cookie, and by nobody else; nothing else is taken for one.
#include "transport/gossip_datagram.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace concord::transport {
namespace {

Announcement announcement() {
  Announcement said{.cluster_name = "green",
                    .name = "n1",
                    .directory = 7,
                    .node = base::NodeId(8),
                    .cluster = base::ClusterId(9),
                    .peer_address = "10.0.0.1:9100",
                    .asks = true};
  said.nonce.fill('x');
  return said;
}

BadGossip problem_of(std::string_view datagram, std::string_view cluster = "green",
                     std::string_view cookie = "secret") {
  const auto read = decode_gossip(datagram, cluster, cookie);
  EXPECT_FALSE(read);
  return read ? BadGossip{} : read.error();
}

TEST(GossipDatagram, IsReadBackAsItWasWritten) {
  for (const bool asks : {false, true}) {
    Announcement said = announcement();
    said.asks = asks;
    const auto read = decode_gossip(encode_gossip(said, "secret"), "green", "secret");
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, said);
  }
}

TEST(GossipDatagram, OfAnotherCookieIsToldFromOneOfAnotherCluster) {
  const std::string datagram = encode_gossip(announcement(), "secret");
  EXPECT_EQ(problem_of(datagram, "green", "guess"), BadGossip::cookie);
  EXPECT_EQ(problem_of(datagram, "blue", "secret"), BadGossip::other_cluster);
  EXPECT_EQ(problem_of(datagram, "blue", "guess"), BadGossip::other_cluster);
}

TEST(GossipDatagram, WithAnyBitChangedIsRefused) {
  const std::string datagram = encode_gossip(announcement(), "secret");
  for (std::size_t bit = 0; bit < 8 * datagram.size(); ++bit) {
    std::string changed = datagram;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(decode_gossip(changed, "green", "secret")) << "bit " << bit;
  }
}

TEST(GossipDatagram, CutShortOrMadeLongerIsRefused) {
  const std::string datagram = encode_gossip(announcement(), "secret");
  for (std::size_t size = 0; size < datagram.size(); ++size) {
    EXPECT_FALSE(decode_gossip(datagram.substr(0, size), "green", "secret")) << size;
  }
  EXPECT_FALSE(decode_gossip(datagram + "x", "green", "secret"));
  EXPECT_EQ(problem_of({}), BadGossip::garbled);
  EXPECT_EQ(problem_of(std::string(max_gossip_bytes + 1, 'x')), BadGossip::garbled);
}

TEST(GossipDatagram, OfALaterVersionIsToldAsSuch) {
  std::string datagram = encode_gossip(announcement(), "secret");
  datagram[4] = 2;
  EXPECT_EQ(problem_of(datagram), BadGossip::version);
}

TEST(GossipDatagram, TooLongToTravelInOnePieceIsNotMade) {
  Announcement said = announcement();
  said.name = std::string(max_gossip_bytes, 'n');
  EXPECT_EQ(encode_gossip(said, "secret"), "");
}

TEST(GossipDatagram, ArbitraryBytesAreRefused) {
  const std::uint64_t seed = 20261;
  SCOPED_TRACE("seed " + std::to_string(seed));
  base::Random random(seed);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = round % 2 == 0 ? "CNCG\x01" : "";
    for (std::uint64_t left = random.below(max_gossip_bytes); left > 0; --left)
      bytes += static_cast<char>(random.next());
    EXPECT_FALSE(decode_gossip(bytes, "green", "secret"));
  }
}

}  // namespace
}  // namespace concord::transport

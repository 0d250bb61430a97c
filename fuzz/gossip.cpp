// A datagram from anybody: what is not exactly what somebody with the cookie wrote is dropped, whatever it is.
// Input: bytes as they are, or decisions to build a datagram, with a bit changed or none.
#include <algorithm>

#include "base/check.hpp"
#include "input.hpp"
#include "target.hpp"
#include "transport/gossip_datagram.hpp"

namespace concord::fuzz {
namespace {

using namespace transport;

constexpr std::string_view cluster = "green";
constexpr std::string_view cookie = "a cookie that no input knows";

void take_bytes(std::string_view bytes) {
  CONCORD_CHECK(!decode_gossip(bytes, cluster, cookie), "nobody proves a cookie by chance");
}

void build_datagram(Input& input) {
  Announcement said{.cluster_name = input.flag() ? std::string(cluster) : std::string(input.text(20)),
                    .name = std::string(input.text(255)),
                    .directory = input.number(),
                    .node = base::NodeId(input.number()),
                    .cluster = base::ClusterId(input.number()),
                    .peer_address = std::string(input.text(255)),
                    .asks = input.flag()};
  std::ranges::generate(said.nonce, [&] { return static_cast<char>(input.byte()); });
  const bool knows = input.below(4) != 3;
  std::string datagram = encode_gossip(said, knows ? cookie : "guess");
  CONCORD_CHECK(!datagram.empty() && datagram.size() <= max_gossip_bytes, "these texts fit");
  const bool is_changed = input.below(4) == 3;
  if (is_changed) {
    const auto bit = static_cast<std::size_t>(input.number() % (8 * datagram.size()));
    datagram[bit / 8] = static_cast<char>(datagram[bit / 8] ^ (1 << (bit % 8)));
  }
  const auto read = decode_gossip(datagram, cluster, cookie);
  const bool is_due = knows && !is_changed && said.cluster_name == cluster;
  CONCORD_CHECK(read.has_value() == is_due, "what was written is read, and nothing else");
  CONCORD_CHECK(!read || *read == said, "it says what was written");
}

}  // namespace

void run(std::string_view bytes) {
  Input input(bytes);
  if (input.flag()) return build_datagram(input);
  take_bytes(input.rest());
}

std::vector<std::string> seeds() {
  std::vector<std::string> seeds = arbitrary_inputs(20, "\x01");
  const Announcement said{.cluster_name = std::string(cluster), .name = "n1", .directory = 7, .peer_address = "a:1"};
  seeds.push_back(std::string(1, '\0') + encode_gossip(said, "guess"));
  return seeds;
}

}  // namespace concord::fuzz

#include "transport/gossip_datagram.hpp"

#include <algorithm>

#include "base/wire.hpp"

namespace concord::transport {
namespace {

constexpr std::string_view magic = "CNCG";
constexpr std::string_view label = "gossip";
constexpr std::uint8_t known_version = 1;

}  // namespace

std::string encode_gossip(const Announcement& announcement, std::string_view cookie) {
  std::string datagram(magic);
  datagram.push_back(static_cast<char>(known_version));
  base::append_bytes(datagram, announcement.cluster_name);
  datagram.push_back(announcement.asks ? 1 : 0);
  base::append_bytes(datagram, announcement.name);
  base::append_fixed64(datagram, announcement.directory);
  base::append_fixed64(datagram, announcement.node.value());
  base::append_fixed64(datagram, announcement.cluster.value());
  base::append_bytes(datagram, announcement.peer_address);
  datagram.append(announcement.nonce.data(), announcement.nonce.size());
  const Mac mac = mac_of(cookie, label, datagram);
  datagram.append(mac.data(), mac.size());
  return datagram.size() <= max_gossip_bytes ? datagram : std::string();
}

std::expected<Announcement, BadGossip> decode_gossip(std::string_view datagram, std::string_view cluster_name,
                                                     std::string_view cookie) {
  const std::size_t least = magic.size() + 1 + Mac().size();
  if (datagram.size() < least || datagram.size() > max_gossip_bytes || !datagram.starts_with(magic)) {
    return std::unexpected(BadGossip::garbled);
  }
  const std::string_view said = datagram.substr(0, datagram.size() - Mac().size());
  base::Reader reader(said.substr(magic.size()));
  if (reader.byte() != known_version) return std::unexpected(BadGossip::version);
  Announcement announcement;
  announcement.cluster_name = reader.bytes();
  if (!reader.ok()) return std::unexpected(BadGossip::garbled);
  // Before the proof, which others make with other cookies: sharing a group with them is no mistake.
  if (announcement.cluster_name != cluster_name) return std::unexpected(BadGossip::other_cluster);
  if (!is_same(mac_of(cookie, label, said), datagram.substr(said.size()))) return std::unexpected(BadGossip::cookie);
  const std::uint8_t kind = reader.byte();
  announcement.asks = kind == 1;
  announcement.name = reader.bytes();
  announcement.directory = reader.fixed64();
  announcement.node = base::NodeId(reader.fixed64());
  announcement.cluster = base::ClusterId(reader.fixed64());
  announcement.peer_address = reader.bytes();
  const std::string_view nonce = reader.take(announcement.nonce.size());
  if (!reader.ok() || kind > 1) return std::unexpected(BadGossip::garbled);
  std::ranges::copy(nonce, announcement.nonce.begin());
  return announcement;
}

}  // namespace concord::transport

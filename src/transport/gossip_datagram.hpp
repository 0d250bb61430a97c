// What nodes tell each other by datagrams: that they are there, and where to dial them.
//
//   datagram := "CNCG" version:u8(=1) cluster_name:bytes kind:u8(0 here I am | 1 the same, and who are you?)
//               name:bytes directory:fixed64 node:fixed64 cluster:fixed64(0: belongs to none yet) peer_address:bytes nonce:16
//               later mac:32                                              at most 1200 bytes in all; no two nonces are the same
//   mac      := HMAC-SHA256(cookie, "gossip" all before it)
//   later    := what later versions add; not read
//
// A datagram proves that somebody who knows the cookie wrote it once: when, and who sent this copy, nobody can tell (clocks need not
// agree). So it is believed only that it may be worth dialling `peer_address`, where the handshake proves everything again, and
// that a warning may be logged. The cookie itself never travels.
//
// Pure: nonces come in. Thread rule: any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/ids.hpp"
#include "transport/secret.hpp"

namespace concord::transport {

/// Travels in one piece on every network of IPv6, and on all that matter of IPv4.
inline constexpr std::size_t max_gossip_bytes = 1200;

struct Announcement {
  std::string cluster_name = {};
  std::string name = {};  ///< of the node
  std::uint64_t directory = 0;
  base::NodeId node = {};        ///< 0: has none yet
  base::ClusterId cluster = {};  ///< 0: belongs to none yet
  std::string peer_address = {};
  bool asks = false;  ///< wants to be answered
  Nonce nonce = {};

  friend bool operator==(const Announcement&, const Announcement&) = default;
};

enum class BadGossip : std::uint8_t {
  garbled,        ///< no datagram of ours
  version,        ///< of a version this one doesn't know
  other_cluster,  ///< of a cluster with another name, which may use the same group
  cookie,         ///< of this name, made with another cookie
};

/// Empty: too long to be said.
[[nodiscard]] std::string encode_gossip(const Announcement& announcement, std::string_view cookie);
/// Of this cluster name and cookie; or why it is dropped.
[[nodiscard]] std::expected<Announcement, BadGossip> decode_gossip(std::string_view datagram,
                                                                   std::string_view cluster_name,
                                                                   std::string_view cookie);

}  // namespace concord::transport

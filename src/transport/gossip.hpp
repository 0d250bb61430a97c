// Gossip: a node says again and again where it is, to a multicast group, to given addresses, or both, and hears what others say
// (gossip_datagram.hpp). It answers who asks it directly, so that it is enough when one side knows the other's address.
//
// A datagram that is not ours, or made with another cookie, is dropped and logged once a minute for each cause; so is a problem with
// sending. Above `Gossip::most_a_second` datagrams nothing more is looked at in that second. One that was heard before is dropped too.
//
// Thread rule: any thread, but the destructor: not from `heard`.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <concord/error.hpp>
#include <concord/options.hpp>

#include "env/clock.hpp"
#include "transport/gossip_datagram.hpp"

namespace concord::transport {

struct GossipOptions {
  std::string listen_host = "127.0.0.1";
  std::uint16_t listen_port = 0;     ///< 0: a free one
  std::string group = {};            ///< IPv4 group and port; empty: none
  std::string group_interface = {};  ///< IPv4 address; empty: `listen_host` when that is one of this machine, else any
  std::uint8_t ttl = 1;              ///< of datagrams to the group
  std::vector<std::string> addresses = {};  ///< host:port of others
  std::string cookie = {};
  Announcement self = {};
  std::chrono::milliseconds interval_looking{500};  ///< between two announcements of a node without a cluster
  std::chrono::milliseconds interval_settled{1000};
  /// On the gossip's thread: somebody else of this cluster's name and cookie.
  std::function<void(const Announcement&)> heard = {};
  std::function<void(LogLevel, const std::string&)> log = {};
  const env::Clock* clock = nullptr;  ///< for "once a minute" alone; none: the real one
};

class Gossip {
 public:
  static constexpr std::size_t most_a_second = 1000;
  static constexpr std::size_t remembered_nonces = 1024;

  /// Errors: invalid_request (an address can't be read); cluster_not_ready (the port is in use). A group that can't be entered is
  /// tried again, and logged.
  [[nodiscard]] static Result<std::unique_ptr<Gossip>> open(GossipOptions options);
  ~Gossip();
  Gossip(Gossip&&) = delete;
  Gossip& operator=(Gossip&&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept;
  /// What is said from now on; `asks` and `nonce` don't count.
  void announce(const Announcement& self);

 private:
  class Impl;
  explicit Gossip(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace concord::transport

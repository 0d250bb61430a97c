// Where others of this cluster's name may be: what gossip says, or the addresses of a name; who has asked this node; and what those
// who were asked have heard of themselves, so that it is enough when all know one. Hearsay is not passed on: else nobody would ever
// be forgotten.
//
// All of it is a hint and no more: whoever is dialled there proves who it is. Addresses are forgotten when nobody has spoken of them
// for a while, and there are never more than `most_addresses`.
//
// Thread rule: any thread, but `start`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <concord/error.hpp>
#include <concord/options.hpp>

#include "base/ids.hpp"
#include "base/mutex.hpp"
#include "transport/gossip.hpp"
#include "transport/name_lookup.hpp"
#include "transport/once_a_minute.hpp"
#include "transport/transport.hpp"

namespace concord::node {

class Finder {
 public:
  static constexpr std::size_t most_addresses = 256;
  static constexpr std::uint64_t forgotten_after_ms = 15'000;

  struct Hooks {
    std::function<std::uint64_t()> now_ms;
    std::function<void(LogLevel, const std::string&)> say;
  };
  Finder(const ClusterOptions& options, Hooks hooks) : options_(options), hooks_(std::move(hooks)) {}

  /// Once. `self`: with the address others dial; `peer_port`: where this node listens. Errors: those of Gossip::open; invalid_request.
  [[nodiscard]] Result<void> start(const transport::Identity& self, std::uint16_t peer_port);
  /// This node has its place.
  void belongs_to(base::ClusterId cluster, base::NodeId node);
  /// Somebody who knows the cookie has asked this node something. Returns who else is known, not by hearsay.
  std::vector<std::string> met(const transport::Identity& who);
  /// Somebody who was asked has heard of these.
  void told(const std::vector<std::string>& others);

  /// To be asked who is there.
  [[nodiscard]] std::vector<std::string> addresses();
  /// What keeps it from finding any; empty: nothing that it knows of.
  [[nodiscard]] std::string problem();

 private:
  [[nodiscard]] Result<void> start_gossip(const transport::Identity& self, std::uint16_t peer_port);
  void heard(const transport::Announcement& said);
  using Addresses = std::map<std::string, std::uint64_t>;  ///< and when somebody spoke of them last, in ms
  void note(Addresses& where, const std::string& address) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void forget_old(Addresses& where) const;

  const ClusterOptions options_;
  const Hooks hooks_;
  base::Mutex mutex_;
  Addresses heard_of_ ABSL_GUARDED_BY(mutex_);
  Addresses by_hearsay_ ABSL_GUARDED_BY(mutex_);
  transport::Announcement self_ ABSL_GUARDED_BY(mutex_);
  transport::OnceAMinute reports_ ABSL_GUARDED_BY(mutex_);
  std::optional<transport::NameLookup> lookup_;  // set by `start`
  std::unique_ptr<transport::Gossip> gossip_;    // set by `start`; last: its thread calls `heard`
};

}  // namespace concord::node

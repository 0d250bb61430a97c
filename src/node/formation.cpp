#include "node/formation.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "base/wire.hpp"

namespace concord::node {

using base::ClusterId;
using base::NodeId;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds probe_timeout{1000};
constexpr milliseconds join_timeout{12'000};

/// A number for a text, the same on every machine: FNV-1a, then the finaliser of SplitMix64. Never 0.
std::uint64_t digest_of(std::string_view text) {
  std::uint64_t x = 0xcbf29ce484222325U;
  for (const char c : text) x = (x ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  x ^= x >> 31U;
  return x == 0 ? 1 : x;
}

std::vector<InitialMember> by_name(const ClusterOptions& options) {
  std::vector<InitialMember> members = options.initial;
  std::ranges::sort(members, {}, &InitialMember::name);
  return members;
}

std::string text_of(const ClusterOptions& options) {
  std::string text;
  base::append_bytes(text, options.name);
  for (const InitialMember& member : by_name(options)) {
    base::append_bytes(text, member.name);
    base::append_bytes(text, member.peer);
  }
  return text;
}

}  // namespace

std::uint64_t formation_digest(const ClusterOptions& options) {
  return options.initial.empty() ? 0 : digest_of(text_of(options));
}

Place found_cluster(const ClusterOptions& options, std::string_view own_name) {
  const std::string text = text_of(options);
  Place place{.cluster = ClusterId(digest_of(text)), .node = {}, .founders = replica::Membership()};
  for (const InitialMember& initial : options.initial) {
    const NodeId id(digest_of(text + "#" + initial.name));
    place.founders->members.push_back({.id = id, .name = initial.name, .peer = initial.peer});
    place.founders->conf.voters.push_back(id);
    if (initial.name == own_name) place.node = id;
  }
  std::ranges::sort(place.founders->members, {}, &replica::Member::id);
  std::ranges::sort(place.founders->conf.voters);
  return place;
}

std::vector<std::string> Formation::addresses() const {
  std::set<std::string> all(options_.join.begin(), options_.join.end());
  for (const InitialMember& member : options_.initial) {
    if (member.name != own_.name) all.insert(member.peer);
  }
  all.erase(own_.peer);
  return {all.begin(), all.end()};
}

Result<Place> Formation::attempt() {
  const std::vector<std::string> asked = addresses();
  if (asked.empty() && options_.initial.size() <= 1) {
    replica::Membership alone;
    replica::Member member = own_;
    member.id = NodeId(drawn_id_);
    alone.members = {member};
    alone.conf.voters = {member.id};
    return Place{.cluster = ClusterId(drawn_cluster_), .node = member.id, .founders = std::move(alone)};
  }
  const std::uint64_t formation = formation_digest(options_);
  const Place own_cluster = found_cluster(options_, own_.name);
  std::size_t agreeing = 1;  // this node
  std::string silent;
  for (const std::string& address : asked) {
    const auto found = peers_.probe(address, probe_timeout);
    if (!found) {
      silent += (silent.empty() ? "" : "; ") + address + ": " + found.error().message();
      continue;
    }
    // A founder that was quicker: without this node it may not have a majority.
    if (found->second.is_young && formation != 0 && found->second.cluster == own_cluster.cluster) {
      ++agreeing;
      continue;
    }
    if (found->second.formed) return join(address, found->second);
    if (formation != 0 && found->second.formation == formation) ++agreeing;
    if (formation != 0 && found->second.formation != 0 && found->second.formation != formation) {
      return fail(Errc::forbidden, address + " is to form a cluster of other initial members");
    }
  }
  if (options_.initial.empty()) return fail(Errc::cluster_not_ready, "no cluster to join answers: " + silent);
  if (agreeing <= options_.initial.size() / 2) {
    return fail(Errc::cluster_not_ready, std::to_string(agreeing) + " of " + std::to_string(options_.initial.size()) +
                                             " initial members are there, more than half are needed: " + silent);
  }
  if (own_cluster.node.is_zero()) {
    return fail(Errc::forbidden, "this node, \"" + own_.name + "\", is not among the initial members");
  }
  return own_cluster;
}

std::optional<replica::Membership> Formation::contacts(ClusterId cluster) {
  for (const std::string& address : addresses()) {
    auto found = peers_.probe(address, probe_timeout);
    if (found && found->second.formed && found->second.cluster == cluster) return std::move(found->second.members);
  }
  return std::nullopt;
}

Result<Place> Formation::join(const std::string& address, const ProbeAnswer& answer) {
  const MembershipChange wish{.kind = ChangeKind::join, .member = own_, .drawn_id = NodeId(drawn_id_)};
  // The leader, if it is known, makes the change itself; else the one that answered passes it on.
  const std::string& to = answer.leader_address.empty() ? address : answer.leader_address;
  const auto joined = peers_.ask_change_at(to, wish, join_timeout);
  if (!joined) return std::unexpected(joined.error());
  if (joined->member.id.is_zero() || joined->cluster.is_zero()) {
    return fail(Errc::cluster_not_ready, address + " did not say which place this node has");
  }
  return Place{.cluster = joined->cluster, .node = joined->member.id};
}

}  // namespace concord::node

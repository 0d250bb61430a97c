#include "node/formation.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
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
/// Addresses move between machines.
constexpr std::uint64_t own_address_ms = 30'000;

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

std::vector<std::string> Formation::addresses() {
  std::set<std::string> all(options_.join.begin(), options_.join.end());
  for (const InitialMember& member : options_.initial) {
    if (member.name != own_.name) all.insert(member.peer);
  }
  if (finder_ != nullptr) {
    for (const std::string& address : finder_->addresses()) all.insert(address);
  }
  all.erase(own_.peer);
  // First those that have called: they are there, and members.
  const std::set<std::string> callers = peers_.take_callers();
  was_called_ |= !callers.empty();
  std::vector<std::string> asked(callers.begin(), callers.end());
  std::ranges::copy_if(all, std::back_inserter(asked), [&](const std::string& one) { return !callers.contains(one); });
  return asked;
}

Result<Place> Formation::attempt(std::uint64_t now_ms, std::uint64_t drawn_proposal) {
  return bootstrap_ == nullptr ? attempt_listed() : attempt_discovered(now_ms, drawn_proposal);
}

Result<Place> Formation::attempt_listed() {
  const std::vector<std::string> asked = addresses();
  if (asked.empty() && options_.initial.size() <= 1 && !was_called_) {
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

/// Who answers now, by address.
std::map<std::string, Met> Formation::look_around(std::uint64_t now_ms, std::string& silent) {
  std::erase_if(own_until_ms_, [&](const auto& own) { return now_ms >= own.second; });
  std::vector<std::string> asked = addresses();
  std::erase_if(asked, [&](const std::string& address) { return own_until_ms_.contains(address); });
  std::vector<Result<Met>> answers = peers_.meet(asked, probe_timeout);
  std::map<std::string, Met> met;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (answers[i]) {
      finder_->told(answers[i]->answer.others);
      met.emplace(asked[i], std::move(*answers[i]));
    } else if (answers[i].error().code() == Errc::already_exists) {
      own_until_ms_[asked[i]] = now_ms + own_address_ms;
    } else {
      silent += "; " + asked[i] + ": " + answers[i].error().message();
    }
  }
  if (const std::string problem = finder_->problem(); !problem.empty()) silent += "; " + problem;
  return met;
}

Result<Place> Formation::attempt_discovered(std::uint64_t now_ms, std::uint64_t drawn_proposal) {
  std::string silent;
  const std::map<std::string, Met> met = look_around(now_ms, silent);
  std::vector<Sighting> seen;
  for (const auto& [address, one] : met) {
    seen.push_back({.who = {.name = one.who.name, .directory = one.who.directory, .peer = one.who.peer_address},
                    .address = address,
                    .cluster = one.answer.probe.formed ? one.answer.probe.cluster : ClusterId(),
                    .view = one.answer.view});
  }
  const Founder self{.name = own_.name, .directory = own_.directory, .peer = own_.peer};
  return take_step(bootstrap_->next(self, seen, now_ms, drawn_proposal), met, silent);
}

Result<Place> Formation::take_step(const Bootstrap::Next& step, const std::map<std::string, Met>& met,
                                   const std::string& silent) {
  using Kind = Bootstrap::Next::Kind;
  switch (step.kind) {
    case Kind::wait: break;
    case Kind::refuse: return fail(Errc::condition_failed, step.why);
    case Kind::join: {
      // Of its members rather one that knows the leader.
      const base::ClusterId cluster = met.at(step.at).answer.probe.cluster;
      const auto knows = std::ranges::find_if(met, [&](const auto& one) {
        const ProbeAnswer& answer = one.second.answer.probe;
        return answer.formed && answer.cluster == cluster && !answer.leader_address.empty();
      });
      const auto& [address, one] = knows == met.end() ? *met.find(step.at) : *knows;
      auto place = join(address, one.answer.probe);
      bootstrap_->joined(place.has_value());
      return place;
    }
    case Kind::propose: {
      const bool all_agreed = peers_.ask_to_agree(step.proposal, probe_timeout);
      if (bootstrap_->conclude(step.proposal.id, all_agreed)) {
        return place_in(step.proposal, options_.name, own_.directory);
      }
      return fail(Errc::cluster_not_ready, "not all of the nodes that were to form a cluster have agreed to it");
    }
    case Kind::ask: {
      const auto given_up = peers_.ask_given_up(step.at, step.proposal, probe_timeout);
      if (given_up && *given_up) {
        if (auto released = bootstrap_->release(step.proposal.id); !released) return std::unexpected(released.error());
      }
      break;
    }
    case Kind::take: return place_in(step.proposal, options_.name, own_.directory);
  }
  return fail(Errc::cluster_not_ready, step.why + silent);
}

std::optional<replica::Membership> Formation::contacts(ClusterId cluster) {
  for (const std::string& address : addresses()) {
    auto found = peers_.probe(address, probe_timeout);
    if (found && found->second.formed && found->second.cluster == cluster) return std::move(found->second.members);
  }
  return std::nullopt;
}

std::map<base::NodeId, std::string> Formation::members_around(ClusterId cluster, std::uint64_t now_ms) {
  std::string silent;
  std::map<NodeId, std::string> found;
  for (const auto& [address, one] : look_around(now_ms, silent)) {
    if (one.who.cluster == cluster && !one.who.node.is_zero()) found.emplace(one.who.node, address);
  }
  return found;
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

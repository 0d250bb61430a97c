#include "node/finder.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace concord::node {

using std::chrono::milliseconds;

Result<void> Finder::start(const transport::Identity& self, std::uint16_t peer_port) {
  if (options_.discovery == Discovery::gossip) return start_gossip(self, peer_port);
  if (options_.discovery != Discovery::dns) return {};
  auto lookup = transport::NameLookup::of(options_.dns_name, peer_port);
  if (!lookup) return std::unexpected(std::move(lookup.error()));
  lookup_ = std::move(*lookup);
  return {};
}

Result<void> Finder::start_gossip(const transport::Identity& self, std::uint16_t peer_port) {
  const transport::Announcement own{.cluster_name = self.cluster_name,
                                    .name = self.name,
                                    .directory = self.directory,
                                    .node = self.node,
                                    .cluster = self.cluster,
                                    .peer_address = self.peer_address};
  {
    const base::MutexLock lock(mutex_);
    self_ = own;
  }
  // So often that a cluster, or another node, is heard several times before one is formed.
  auto opened = transport::Gossip::open(
      {.listen_host = options_.peer_host,
       .listen_port = options_.gossip_port == 0 ? peer_port : options_.gossip_port,
       .group = options_.gossip_group,
       .group_interface = options_.gossip_interface,
       .ttl = options_.gossip_ttl,
       .addresses = options_.gossip_addresses,
       .cookie = options_.cookie,
       .self = own,
       .interval_looking = std::clamp(options_.settle_time / 6, milliseconds(50), milliseconds(500)),
       .interval_settled = std::clamp(options_.settle_time / 3, milliseconds(100), milliseconds(1000)),
       .heard = [this](const transport::Announcement& said) { heard(said); },
       .log = hooks_.say});
  if (!opened) return std::unexpected(std::move(opened.error()));
  gossip_ = std::move(*opened);
  return {};
}

void Finder::belongs_to(base::ClusterId cluster, base::NodeId node) {
  transport::Announcement own;
  {
    const base::MutexLock lock(mutex_);
    self_.cluster = cluster;
    self_.node = node;
    own = self_;
  }
  if (gossip_) gossip_->announce(own);
}

std::vector<std::string> Finder::met(const transport::Identity& who) {
  std::vector<std::string> others;
  const base::MutexLock lock(mutex_);
  forget_old(heard_of_);
  for (const auto& [address, last_ms] : heard_of_) others.push_back(address);
  if (!who.peer_address.empty()) note(heard_of_, who.peer_address);
  return others;
}

void Finder::told(const std::vector<std::string>& others) {
  const base::MutexLock lock(mutex_);
  for (const std::string& address : others) {
    if (address != self_.peer_address) note(by_hearsay_, address);
  }
}

void Finder::heard(const transport::Announcement& said) {
  {
    const base::MutexLock lock(mutex_);
    note(heard_of_, said.peer_address);
    const bool is_foreign = !said.cluster.is_zero() && !self_.cluster.is_zero() && said.cluster != self_.cluster;
    if (!is_foreign || !reports_.allows("another cluster", hooks_.now_ms())) return;
  }
  hooks_.say(LogLevel::error,
             "there is another cluster \"" + said.cluster_name + "\" with the same cookie, at " + said.peer_address +
                 ": two were formed apart, and won't become one; empty the directories of one of them");
}

void Finder::note(Addresses& where, const std::string& address) {
  where[address] = hooks_.now_ms();
  if (where.size() > most_addresses) {
    where.erase(std::ranges::min_element(where, {}, [](const auto& one) { return one.second; }));
  }
}

void Finder::forget_old(Addresses& where) const {
  const std::uint64_t now_ms = hooks_.now_ms();
  std::erase_if(where, [&](const auto& one) { return now_ms >= one.second + forgotten_after_ms; });
}

std::vector<std::string> Finder::addresses() {
  std::vector<std::string> all;
  if (lookup_) all = lookup_->found().addresses;
  const base::MutexLock lock(mutex_);
  for (Addresses* const where : {&heard_of_, &by_hearsay_}) {
    forget_old(*where);
    for (const auto& [address, last_ms] : *where) all.push_back(address);
  }
  return all;
}

std::string Finder::problem() { return lookup_ ? lookup_->found().problem : std::string(); }

}  // namespace concord::node

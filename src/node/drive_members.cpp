// Changes of members: what is wished for, step by step (membership_change.hpp). With the drive lock held.
#include <algorithm>
#include <future>
#include <iterator>
#include <utility>

#include "node/runtime.hpp"

namespace concord::node {

using base::NodeId;
using raft::ProposeResult;
using raft::Role;

namespace {

/// Nothing else is done about a change while this is under way.
constexpr std::chrono::milliseconds ask_timeout{5000};

}  // namespace

Result<void> Runtime::take(ChangeWanted& wanted) {
  const bool was_there = wanted.may_be_done;
  cluster_->changes.push_back({.wanted = std::move(wanted), .was_there = was_there});
  return {};
}

ClusterPicture Runtime::picture(const std::vector<raft::PeerProgress>& progress) const {
  const raft::RaftStatus status = replica_->raft_status();
  return {.members = replica_->members(),
          .self = directory_->identity().node,
          .self_leads = status.role == Role::leader,
          .last_index = status.last,
          .progress = progress,
          .auto_join = options_.cluster.auto_join,
          .full = cluster_->full_members};
}

/// Raft forgets with every check of its quorum whom it has heard of; the connections know it at any time.
std::vector<raft::PeerProgress> Runtime::living_progress() const {
  std::vector<raft::PeerProgress> progress = replica_->progress();
  const auto health = cluster_->peers->health();
  const auto longest_ms = static_cast<std::uint64_t>(options_.election_timeout.count());
  for (raft::PeerProgress& peer : progress) {
    const auto found = health.find(peer.node);
    peer.recently_active = found != health.end() && found->second.connected && found->second.silent_ms <= longest_ms;
  }
  return progress;
}

/// Raft makes one after the other. One that waits for something else holds up none, and each has a deadline of its own.
Result<void> Runtime::step_changes() {
  std::deque<PendingChange>& changes = cluster_->changes;
  for (auto change = changes.begin(); change != changes.end();) {
    const auto is_answered = step_change(*change);
    if (!is_answered) return std::unexpected(is_answered.error());
    change = *is_answered ? changes.erase(change) : std::next(change);
  }
  return {};
}

void Runtime::answer_change(PendingChange& change, Result<replica::Member> result) {
  if (change.wanted.made) result = std::move(*change.wanted.made);
  if (change.wanted.done) change.wanted.done(std::move(result));
}

/// Only who leads next can end that: the leader has handed over for it.
bool Runtime::removes_self(const MembershipChange& change) const {
  if (change.kind != ChangeKind::remove) return false;
  const replica::Member* const member = replica_->members().find(std::string_view(change.member.name));
  return member != nullptr && member->id == directory_->identity().node;
}

/// Who asked this node looks here for what came of it.
bool Runtime::knows_of(const MembershipChange& change) const {
  const replica::Membership& members = replica_->members();
  const replica::Member* const member = members.find(std::string_view(change.member.name));
  if (change.kind == ChangeKind::add) return member != nullptr;
  return change.kind != ChangeKind::promote || member == nullptr || members.is_voter(member->id);
}

/// Who is removed is told by whoever refuses it, perhaps before the answer of who has removed it.
bool Runtime::has_removed_self(const MembershipChange& change) const {
  const bool is_own = change.kind == ChangeKind::remove && change.member.name == options_.name;
  return is_own && removed_.load(std::memory_order_acquire);
}

/// True: it was answered.
Result<bool> Runtime::step_change(PendingChange& change) {
  const std::uint64_t now_ms = clock_->coarse_ms();
  if (has_removed_self(change.wanted.change)) change.wanted.made = change.wanted.change.member;
  if (change.wanted.made && (now_ms >= change.wanted.deadline_ms || knows_of(change.wanted.change))) {
    answer_change(change, {});
    return true;
  }
  if (change.wanted.made) return false;
  const raft::RaftStatus status = replica_->raft_status();
  const bool leads = status.role == Role::leader;
  if (now_ms >= change.wanted.deadline_ms) {
    const std::string why = change.waits_for.empty() ? "no leader made the change in time" : change.waits_for;
    answer_change(change, concord::fail(change.asked_in.is_zero() ? Errc::cluster_not_ready : Errc::timeout, why,
                                        !change.asked_in.is_zero()));
    return true;
  }
  const bool is_transfer = change.wanted.change.kind == ChangeKind::transfer;
  // A transfer that this leader began is done once another leads.
  if (!leads && !(is_transfer && !change.asked_in.is_zero())) {
    if (change.wanted.is_of_member && !removes_self(change.wanted.change)) {
      // Handed on from leader to leader, with a deadline of its own at each, it would outlive who wished it: while leaders change
      // quickly such changes multiply without end. Found by simulation.
      const bool was_begun = !change.asked_in.is_zero();
      answer_change(change, concord::fail(was_begun ? Errc::timeout : Errc::cluster_not_ready,
                                          "this node does not lead any more", was_begun));
      return true;
    }
    ask_leader(change, status, now_ms);
    return change.is_handed_on;
  }
  if (is_transfer && !leads && status.leader.is_zero()) return false;
  if (status.pending_conf_change || !status.transferee.is_zero()) return false;
  const auto progress = living_progress();
  ChangeStep step = next_step(change.wanted.change, picture(progress), change.was_there);
  change.was_there = change.was_there || step.kind != ChangeStep::Kind::refuse;
  change.waits_for = step.why;
  switch (step.kind) {
    case ChangeStep::Kind::done: answer_change(change, std::move(step.member)); return true;
    case ChangeStep::Kind::refuse: answer_change(change, std::unexpected(std::move(*step.refusal))); return true;
    case ChangeStep::Kind::wait: return false;
    case ChangeStep::Kind::transfer: {
      // Raft has given it up. As long as it tries it takes no writes: it is not tried again before somebody wishes it again.
      if (!change.asked_in.is_zero()) {
        answer_change(change, concord::fail(Errc::condition_failed,
                                            name_of(step.transferee) + " did not take over the leadership in time"));
        return true;
      }
      change.asked_in = status.term;
      const auto begun = replica_->transfer_leader(step.transferee);
      if (!begun && begun.error().code() != Errc::invalid_request) return std::unexpected(begun.error());
      return false;
    }
    case ChangeStep::Kind::propose: {
      const auto proposed = replica_->propose_change(step.conf_kind, step.member);
      if (!proposed) return std::unexpected(proposed.error());
      if (*proposed == ProposeResult::accepted) change.asked_in = status.term;
      return false;
    }
  }
  return false;
}

/// Whoever is asked and does not lead asks the leader; the answer goes back the same way.
void Runtime::ask_leader(PendingChange& change, const raft::RaftStatus& status, std::uint64_t now_ms) {
  if (status.leader.is_zero() || status.leader == directory_->identity().node) return;
  const auto left = std::chrono::milliseconds(change.wanted.deadline_ms - now_ms);
  const MembershipChange asked = change.wanted.change;  // before it moves
  const bool removes_known =
      asked.kind == ChangeKind::remove && replica_->members().find(std::string_view(asked.member.name)) != nullptr;
  cluster_->peers->ask_change(
      status.leader, asked, std::min(left, ask_timeout),
      [this, removes_known, wanted = std::move(change.wanted)](Result<replica::Member> member) mutable {
        // A leader that is removed hands the change on, and can't tell any more what became of it.
        if (!member && member.error().code() == Errc::not_found && wanted.may_be_done) member = wanted.change.member;
        if (!member && has_removed_self(wanted.change)) member = wanted.change.member;
        const bool is_seen_here = wanted.change.kind == ChangeKind::add || wanted.change.kind == ChangeKind::promote;
        if (member && is_seen_here && !has_ended()) {
          wanted.made = std::move(*member);
          return post(std::move(wanted));
        }
        const bool may_try_again =
            !member && (member.error().code() == Errc::cluster_not_ready || member.error().code() == Errc::timeout);
        if (!may_try_again || has_ended() || clock_->coarse_ms() >= wanted.deadline_ms) {
          if (wanted.done) wanted.done(std::move(member));
          return;
        }
        wanted.may_be_done = wanted.may_be_done || removes_known;
        const base::MutexLock lock(cluster_->mutex);
        cluster_->retries.push_back(std::move(wanted));
      });
  change.is_handed_on = true;
}

/// Every member keeps its own entry true: directory, addresses. A leader whose disk is full hands over. It makes voters of learners that
/// have caught up.
void Runtime::wish_for_what_is_due() {
  ClusterState& cluster = *cluster_;
  const NodeId self = directory_->identity().node;
  const replica::Membership& members = replica_->members();
  if (cluster.leader.is_zero() || !members.contains(self)) return;
  if (std::ranges::any_of(cluster.changes, &PendingChange::is_own)) return;
  const std::uint64_t now_ms = clock_->coarse_ms();
  const std::uint64_t deadline_ms = now_ms + 5000;
  const auto wish = [&](MembershipChange change, std::move_only_function<void(Result<replica::Member>)> done) {
    cluster.changes.push_back(
        {.wanted = {.change = std::move(change), .deadline_ms = deadline_ms, .done = std::move(done)}, .is_own = true});
  };
  const transport::Identity identity = cluster.peers->self();
  const replica::Member said{.id = self,
                             .directory = identity.directory,
                             .name = identity.name,
                             .peer = identity.peer_address,
                             .api = identity.api_url};
  const replica::Member* const known = members.find(self);
  const bool may_update = now_ms >= cluster.update_self_at_ms;
  if ((known == nullptr || *known != said) && may_update && !cluster.is_updating_self.exchange(true)) {
    return wish({.kind = ChangeKind::update, .member = said},
                [this](const Result<replica::Member>& updated) { note_self_updated(updated); });
  }
  if (serving_.load(std::memory_order_relaxed) && full_.load(std::memory_order_relaxed)) {
    const auto progress = living_progress();
    auto hand_over = due_hand_over(picture(progress));
    if (!hand_over) return;
    say(LogLevel::warn, "this leader's disk is full: " + name_of(hand_over->member.id) + " is to lead");
    return wish(std::move(*hand_over), {});
  }
  const bool promotes = options_.cluster.auto_promote && serving_.load(std::memory_order_relaxed);
  if (!promotes || members.conf.learners.empty()) return;
  const auto progress = living_progress();
  if (auto promotion = due_promotion(picture(progress))) wish(std::move(*promotion), {});
}

// ---------------------------------------------------------------------------------------------------------------------
// From outside the driver.

/// Refused for good is a name that another member has: nothing changes until somebody does something about it.
void Runtime::note_self_updated(const Result<replica::Member>& updated) {
  constexpr std::uint64_t again_after_ms = 60'000;
  ClusterState& cluster = *cluster_;
  const bool is_refused = !updated && updated.error().code() == Errc::condition_failed;
  {
    const base::MutexLock lock(cluster.mutex);
    cluster.self_refused = is_refused ? updated.error().message() : std::string();
  }
  if (is_refused) {
    cluster.update_self_at_ms = clock_->coarse_ms() + again_after_ms;
    say(LogLevel::warn, "the cluster does not know this node as it is now: " + updated.error().message());
  }
  cluster.is_updating_self = false;
}

void Runtime::change_members(MembershipChange change, std::chrono::milliseconds timeout,
                             std::move_only_function<void(Result<replica::Member>)> done) {
  if (!cluster_) {
    return done(concord::fail(Errc::condition_failed, "this node is alone: a cluster needs a cookie (cluster.cookie)"));
  }
  if (!formed_.load(std::memory_order_acquire)) return done(std::unexpected(no_place()));
  if (auto problem = failure()) return done(std::unexpected(std::move(*problem)));
  if (stopped_.load(std::memory_order_acquire))
    return done(concord::fail(Errc::cluster_not_ready, "the node has stopped"));
  change.drawn_id = NodeId(host_.draw());
  post(ChangeWanted{.change = std::move(change), .deadline_ms = deadline_of(timeout), .done = std::move(done)});
}

void Runtime::hand_over(std::chrono::milliseconds limit) {
  if (!cluster_ || !serving_.load(std::memory_order_acquire) || failed_.load(std::memory_order_acquire)) return;
  if (sole_voter_.load(std::memory_order_acquire)) return;
  const auto waiter = std::make_shared<std::promise<void>>();
  auto answered = waiter->get_future();
  change_members({.kind = ChangeKind::transfer}, limit,
                 [waiter](const Result<replica::Member>&) { waiter->set_value(); });
  wake();
  (void)answered.wait_for(2 * limit);
}

void Runtime::announce_api(const std::string& url) {
  if (cluster_) cluster_->ask_peers([&](Peers& peers) { peers.announce_api(url); });
  const base::MutexLock lock(error_mutex_);
  api_url_ = url;
}

std::string Runtime::peer_address() const {
  std::string address;
  if (cluster_) cluster_->ask_peers([&](const Peers& peers) { address = peers.self().peer_address; });
  return address;
}

}  // namespace concord::node

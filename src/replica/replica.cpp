#include "replica/replica.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/check.hpp"
#include "base/mutant.hpp"
#include "store/snapshot.hpp"

namespace concord::replica {

using base::EntryType;
using base::EntryView;
using base::Index;

Replica::Replica(const Config& config, std::unique_ptr<store::StateMachine> state)
    : config_(config), state_(std::move(state)) {
  set_members(config_.initial_members);
}

void Replica::restore_members(Membership members) { set_members(std::move(members)); }

void Replica::set_members(Membership members) {
  members_ = std::move(members);
  const raft::ConfState& conf = members_.conf;
  sole_voter_ = conf.voters.size() == 1 && conf.voters.front() == config_.raft.id && conf.learners.empty() &&
                conf.voters_outgoing.empty() && conf.learners_next.empty();
}

// ---------------------------------------------------------------------------------------------------------------------
// Recovery. Entries up to the stored commit index are committed whatever raft decides later, so commands among them are
// applied without passing through raft. From the first change of members on everything goes through raft, which alone
// knows what such a change makes of the configuration. So do the last entries of a member that is not alone: followers that were
// a little behind are to get them as entries and not as a snapshot.

Result<void> Replica::begin_replay(const base::HardState& hard_state) {
  replayed_hard_state_ = hard_state;
  // The snapshot may be newer than the last commit index that reached the log (reliability rule 3.8).
  replayed_hard_state_.commit = std::max(hard_state.commit, state_->applied_index());
  replayed_index_ = state_->applied_index();
  replayed_term_ = state_->applied_term();
  return {};
}

Result<void> Replica::replay(const EntryView& entry) {
  CONCORD_CHECK(entry.index == replayed_index_.next(), "replayed entries are contiguous");
  replayed_index_ = entry.index;
  const std::uint64_t kept = sole_voter_ ? 0 : config_.mirror_entries;
  const bool settled =
      entry.index.value() + kept <= replayed_hard_state_.commit.value() && entry.type == EntryType::normal && !raft_;
  if (settled) {
    replay_applied_.clear();
    replayed_term_ = entry.term;
    return state_->apply(entry.index, entry.term, entry.data, replay_applied_);
  }
  if (auto made = make_raft(); !made) return made;
  return raft_->append_initial(entry);
}

/// Once: raft begins where the state machine stands.
Result<void> Replica::make_raft() {
  if (raft_) return {};
  auto created = raft::RaftNode::create(config_.raft, {.hard_state = replayed_hard_state_,
                                                       .conf_state = members_.conf,
                                                       .applied = state_->applied_index(),
                                                       .compacted_index = state_->applied_index(),
                                                       .compacted_term = replayed_term_});
  if (!created) return std::unexpected(std::move(created.error()));
  raft_.emplace(std::move(*created));
  return {};
}

Result<void> Replica::start() {
  if (auto made = make_raft(); !made) return made;
  return raft_->start();
}

// ---------------------------------------------------------------------------------------------------------------------
// A turn.

Result<PersistRequest> Replica::begin_turn() {
  CONCORD_CHECK(!in_turn_, "a turn begins after the last one finished");
  if (auto done = compact_mirror(); !done) return std::unexpected(std::move(done.error()));
  if (auto done = raft_->ready(ready_); !done) return std::unexpected(std::move(done.error()));
  note_snapshots(ready_.messages);
  in_turn_ = true;
  applied_early_ = 0;
  digests_.clear();
  return PersistRequest{.messages = ready_.messages,
                        .snapshot = ready_.snapshot,
                        .entries = ready_.entries,
                        .hard_state = ready_.hard_state,
                        .must_sync = ready_.must_sync};
}

Result<void> Replica::install(std::unique_ptr<store::LoadedState> loaded) {
  CONCORD_CHECK(in_turn_ && ready_.snapshot && loaded->meta.index == ready_.snapshot->index &&
                    loaded->meta.term == ready_.snapshot->term,
                "the snapshot that is installed is the one that was asked for");
  auto members = decode_membership(loaded->meta.conf_state);
  if (!members) return fail(Errc::storage_failed, "a snapshot's members: " + members.error().message());
  if (!CONCORD_MUTANT("a-snapshot-brings-no-members")) set_members(std::move(*members));
  members_changed_ = true;
  state_->install(std::move(loaded));
  return {};
}

Result<bool> Replica::apply_committed(std::vector<store::Applied>& applied) {
  CONCORD_CHECK(in_turn_ && !ready_.snapshot && applied_early_ == 0, "what is committed is applied once in a turn");
  // Raft takes changes of members only behind `advance`.
  for (const EntryView& entry : ready_.committed) {
    if (entry.type != EntryType::normal) return false;
    if (auto done = apply_one(entry, applied); !done) return std::unexpected(std::move(done.error()));
    ++applied_early_;
  }
  return true;
}

Result<TurnResult> Replica::finish_turn(std::vector<store::Applied>& applied) {
  CONCORD_CHECK(in_turn_, "a turn finishes once");
  CONCORD_CHECK(!ready_.snapshot || state_->applied_index() >= ready_.snapshot->index, "a snapshot is installed");
  in_turn_ = false;
  if (auto done = raft_->advance(advanced_); !done) return std::unexpected(std::move(done.error()));
  // Raft, too, must know that all up to there is applied: it looks through what is not before it asks for votes.
  if (ready_.snapshot) {
    if (auto done = raft_->advance_apply(ready_.snapshot->index); !done)
      return std::unexpected(std::move(done.error()));
  }
  if (auto done = apply(ready_.committed, applied_early_, applied); !done)
    return std::unexpected(std::move(done.error()));
  if (auto done = apply(advanced_.committed, 0, applied); !done) return std::unexpected(std::move(done.error()));
  note_snapshots(advanced_.messages);
  return TurnResult{.persisted_messages = ready_.persisted_messages,
                    .messages = advanced_.messages,
                    .read_states = ready_.read_states,
                    .digests = digests_,
                    .role_changed = ready_.role_changed,
                    .members_changed = std::exchange(members_changed_, false)};
}

/// The first `applied_count` of them are applied already.
Result<void> Replica::apply(std::span<const EntryView> entries, std::size_t applied_count,
                            std::vector<store::Applied>& applied) {
  for (const EntryView& entry : entries.subspan(applied_count)) {
    if (auto done = apply_one(entry, applied); !done) return done;
  }
  if (entries.empty()) return {};
  return raft_->advance_apply(entries.back().index);
}

Result<void> Replica::apply_one(const EntryView& entry, std::vector<store::Applied>& applied) {
  CONCORD_CHECK(entry.index == state_->applied_index().next(), "entries are applied in order, each once");
  const bool is_change = entry.type != EntryType::normal;
  if (is_change) {
    if (auto changed = apply_change(entry); !changed) return changed;
  }
  auto done = state_->apply(entry.index, entry.term, is_change ? std::string_view() : entry.data, applied);
  if (done && entry.index.value() % digest_interval == 0) digests_.push_back({entry.index, state_->digest()});
  return done;
}

Result<void> Replica::apply_change(const EntryView& entry) {
  const auto change = raft::decode_conf_change(entry);
  if (!change) return std::unexpected(change.error());
  auto after = raft_->apply_conf_change(entry);
  // A change that cannot be is rejected by every node alike.
  if (!after && after.error().code() == Errc::invalid_request) return {};
  if (!after) return std::unexpected(std::move(after.error()));
  Membership members = members_;
  members.apply(*change, std::move(*after));
  set_members(std::move(members));
  members_changed_ = true;
  return {};
}

Result<raft::ProposeResult> Replica::propose_change(raft::ConfChangeKind kind, const Member& member) {
  return raft_->propose_conf_change({.kind = kind, .node = member.id, .context = encode_member(member)});
}

Result<void> Replica::offer_snapshot(Index index, base::Term term, const Membership& members) {
  return raft_->set_snapshot(index, term, members.conf, {});
}

/// The last entry that every follower which is being brought up to date has, or gets with its snapshot.
Index Replica::needed_after() const {
  Index needed = state_->applied_index();
  for (const raft::PeerProgress& peer : raft_->progress()) {
    const auto sent = sent_snapshots_.find(peer.node);
    const bool gets_snapshot = peer.state == raft::PeerState::snapshot && sent != sent_snapshots_.end();
    if (gets_snapshot) needed = std::min(needed, sent->second);
    // A peer that is silent may be gone for good; it gets a snapshot when it comes back.
    if (!gets_snapshot && peer.recently_active) needed = std::min(needed, peer.match);
  }
  return needed;
}

void Replica::note_snapshots(std::span<const raft::Message> messages) {
  for (const raft::Message& message : messages) {
    if (message.is_snapshot) sent_snapshots_[message.to] = message.snapshot_index;
  }
}

/// Forgets entries that no follower will ask for. Between turns only: it ends the views of the last one.
Result<void> Replica::compact_mirror() {
  constexpr std::uint64_t turns_between_looks = 256;
  // A sole voter needs none of them: so few are given back at a time that the allocator has them at hand for the next entries.
  constexpr std::uint64_t turns_between_looks_alone = 4;
  // What followers need is kept longer than the rest, but not without an end.
  constexpr std::uint64_t patience = 10;
  if (++turns_since_look_ < (sole_voter_ ? turns_between_looks_alone : turns_between_looks)) return {};
  turns_since_look_ = 0;
  if (sole_voter_) return raft_->compact(state_->applied_index());
  const raft::RaftStatus status = raft_->status();
  const std::uint64_t applied = state_->applied_index().value();
  const std::uint64_t first = status.first.value();
  const bool too_many = applied > first + config_.mirror_entries;
  if (!too_many && status.log_bytes <= config_.mirror_bytes) return {};
  const Index wanted(too_many ? applied - config_.mirror_entries : first + (applied - first) / 2);
  const bool far_too_many =
      applied > first + patience * config_.mirror_entries || status.log_bytes > patience * config_.mirror_bytes;
  return raft_->compact(far_too_many ? wanted : std::min(wanted, needed_after()));
}

bool Replica::is_serving_leader(const raft::RaftStatus& status) const noexcept {
  const bool has_caught_up = state_->applied_term() == status.term || CONCORD_MUTANT("a-new-leader-serves-at-once");
  return status.role == raft::Role::leader && has_caught_up;
}

}  // namespace concord::replica

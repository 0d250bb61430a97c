#include "node/membership_change.hpp"

#include <algorithm>
#include <utility>

#include "base/mutant.hpp"
#include "base/wire.hpp"

namespace concord::node {

using base::NodeId;
using raft::ConfChangeKind;
using raft::PeerProgress;
using replica::Member;

namespace {

using Step = ChangeStep;

Step done(const Member& member) { return {.kind = Step::Kind::done, .member = member}; }
Step refuse(Errc code, std::string why) { return {.kind = Step::Kind::refuse, .refusal = Error(code, std::move(why))}; }
Step wait(std::string why) { return {.kind = Step::Kind::wait, .why = std::move(why)}; }
Step propose(ConfChangeKind kind, Member member) {
  return {.kind = Step::Kind::propose, .conf_kind = kind, .member = std::move(member)};
}

std::string quoted(std::string_view name) { return '"' + std::string(name) + '"'; }

const PeerProgress* progress_of(const ClusterPicture& picture, NodeId id) {
  const auto found = std::ranges::find(picture.progress, id, &PeerProgress::node);
  return found == picture.progress.end() ? nullptr : &*found;
}

bool is_answering(const ClusterPicture& picture, NodeId id) {
  const PeerProgress* const progress = progress_of(picture, id);
  return progress != nullptr && progress->recently_active;
}

bool is_caught_up(const ClusterPicture& picture, NodeId id) {
  const PeerProgress* const progress = progress_of(picture, id);
  if (CONCORD_MUTANT("a-learner-votes-before-it-has-caught-up")) return true;
  return progress != nullptr && progress->recently_active && !progress->match.is_zero() &&
         progress->match.value() + caught_up_entries >= picture.last_index.value();
}

/// The kind of change that leaves a member's part as it is.
ConfChangeKind as_it_is(const ClusterPicture& picture, NodeId id) {
  return picture.members.is_learner(id) ? ConfChangeKind::add_learner : ConfChangeKind::add_voter;
}

Step add(const MembershipChange& change, const ClusterPicture& picture) {
  const Member* const member = picture.members.find(change.member.name);
  if (member == nullptr) {
    // Ids are drawn by who asks; one that means somebody, or nobody, would change another member.
    const NodeId id = change.drawn_id;
    if (picture.members.was_removed(id)) {
      return refuse(Errc::invalid_request, quoted(change.member.name) +
                                               " was removed from the cluster while it was joining; to join all the "
                                               "same, start it again");
    }
    if (id.is_zero() || picture.members.contains(id)) {
      return refuse(Errc::invalid_request,
                    "the id that was drawn for " + quoted(change.member.name) + " can't be given");
    }
    Member fresh = change.member;
    fresh.id = change.drawn_id;
    return propose(ConfChangeKind::add_learner, std::move(fresh));
  }
  if (member->id == change.drawn_id) return done(*member);
  return refuse(Errc::already_exists, "there is a member " + quoted(member->name) + " already");
}

Step join(const MembershipChange& change, const ClusterPicture& picture) {
  const Member& wanted = change.member;
  const Member* const member = picture.members.find(wanted.name);
  if (member == nullptr) {
    if (!picture.auto_join) {
      return refuse(Errc::forbidden, "the cluster lets nobody join by itself (cluster.auto_join); add " +
                                         quoted(wanted.name) + " as a member first");
    }
    return add(change, picture);
  }
  if (member->directory == wanted.directory) return done(*member);
  // One that has acknowledged entries was there, though it may have gone before it was written down.
  const PeerProgress* const progress = progress_of(picture, member->id);
  const bool was_there = member->directory != 0 || (progress != nullptr && !progress->match.is_zero());
  if (was_there && !CONCORD_MUTANT("a-wiped-directory-keeps-its-place")) {
    return refuse(Errc::condition_failed,
                  quoted(wanted.name) +
                      " is a member with another data directory; a directory that is empty can't take "
                      "its place: remove the member and add it again");
  }
  Member seen = wanted;
  seen.id = member->id;
  return propose(as_it_is(picture, member->id), std::move(seen));
}

Step update(const MembershipChange& change, const ClusterPicture& picture) {
  if (!picture.members.contains(change.member.id)) return refuse(Errc::not_found, "no such member");
  const Member* const known = picture.members.find(change.member.id);
  if (known != nullptr && *known == change.member) return done(*known);
  const Member* const namesake = picture.members.find(change.member.name);
  if (namesake != nullptr && namesake->id != change.member.id) {
    return refuse(Errc::condition_failed, "there is another member " + quoted(change.member.name));
  }
  return propose(as_it_is(picture, change.member.id), change.member);
}

Step promote(const MembershipChange& change, const ClusterPicture& picture) {
  const Member* const member = picture.members.find(change.member.name);
  if (member == nullptr) return refuse(Errc::not_found, "there is no member " + quoted(change.member.name));
  if (picture.members.is_voter(member->id)) return done(*member);
  if (!is_caught_up(picture, member->id)) return wait(quoted(member->name) + " has not caught up with the log yet");
  return propose(ConfChangeKind::add_voter, *member);
}

/// The other voter that answers, has room on its disk if any has, and knows most of the log.
NodeId furthest_voter(const ClusterPicture& picture) {
  const PeerProgress* best = nullptr;
  for (const PeerProgress& peer : picture.progress) {
    if (peer.is_learner || !peer.recently_active) continue;
    const auto worth = [&](const PeerProgress& one) { return std::pair(!picture.full.contains(one.node), one.match); };
    if (best == nullptr || worth(peer) > worth(*best)) best = &peer;
  }
  return best == nullptr ? NodeId() : best->node;
}

Step transfer(const MembershipChange& change, const ClusterPicture& picture) {
  if (change.member.name.empty()) {
    if (!picture.self_leads) return done({});
    const NodeId to = furthest_voter(picture);
    if (to.is_zero()) return refuse(Errc::condition_failed, "there is no other voter that could lead");
    return {.kind = Step::Kind::transfer, .transferee = to};
  }
  const Member* const member = picture.members.find(change.member.name);
  if (member == nullptr) return refuse(Errc::not_found, "there is no member " + quoted(change.member.name));
  if (!picture.members.is_voter(member->id)) {
    return refuse(Errc::condition_failed, quoted(member->name) + " is a learner and can't lead; promote it first");
  }
  if (!picture.self_leads || member->id == picture.self) return done(*member);
  if (!is_answering(picture, member->id)) {
    return refuse(Errc::condition_failed, quoted(member->name) + " does not answer and can't lead");
  }
  if (picture.full.contains(member->id)) {
    return refuse(Errc::condition_failed, "the disk of " + quoted(member->name) + " is full: it can't lead");
  }
  return {.kind = Step::Kind::transfer, .transferee = member->id};
}

/// Why the others could not go on without `leaving`; empty: they can.
std::string lost_quorum(const ClusterPicture& picture, NodeId leaving) {
  std::size_t voters = 0;
  std::size_t answering = 0;
  for (const NodeId voter : picture.members.conf.voters) {
    if (voter == leaving) continue;
    ++voters;
    // One without room on its disk answers and takes no entries.
    if (voter == picture.self || (is_answering(picture, voter) && !picture.full.contains(voter))) ++answering;
  }
  if (voters == 0) return "it is the last voter";
  if (answering > voters / 2 || CONCORD_MUTANT("a-removal-may-cost-the-quorum")) return {};
  return "of the " + std::to_string(voters) + " voters that would be left only " + std::to_string(answering) +
         " answer and have room";
}

Step remove(const MembershipChange& change, const ClusterPicture& picture, bool was_there) {
  const Member* const member = picture.members.find(change.member.name);
  if (member == nullptr) {
    return was_there ? done({}) : refuse(Errc::not_found, "there is no member " + quoted(change.member.name));
  }
  if (picture.members.is_voter(member->id)) {
    if (const std::string why = lost_quorum(picture, member->id); !why.empty()) {
      return refuse(Errc::condition_failed,
                    quoted(member->name) + " can't be removed, the cluster would lose its quorum: " + why);
    }
  }
  if (member->id == picture.self && !CONCORD_MUTANT("a-leader-removes-itself")) {
    const NodeId to = furthest_voter(picture);
    if (to.is_zero()) return refuse(Errc::condition_failed, "the leader can't leave: no other voter could lead");
    return {.kind = Step::Kind::transfer, .transferee = to};
  }
  return propose(ConfChangeKind::remove_node, *member);
}

}  // namespace

ChangeStep next_step(const MembershipChange& change, const ClusterPicture& picture, bool was_there) {
  switch (change.kind) {
    case ChangeKind::add: return add(change, picture);
    case ChangeKind::join: return join(change, picture);
    case ChangeKind::promote: return promote(change, picture);
    case ChangeKind::remove: return remove(change, picture, was_there);
    case ChangeKind::transfer: return transfer(change, picture);
    case ChangeKind::update: return update(change, picture);
  }
  return refuse(Errc::invalid_request, "an unknown kind of membership change");
}

std::optional<MembershipChange> due_promotion(const ClusterPicture& picture) {
  for (const NodeId learner : picture.members.conf.learners) {
    const Member* const member = picture.members.find(learner);
    if (member == nullptr || member->directory == 0 || !is_caught_up(picture, learner)) continue;
    return MembershipChange{.kind = ChangeKind::promote, .member = *member};
  }
  return std::nullopt;
}

std::optional<MembershipChange> due_hand_over(const ClusterPicture& picture) {
  const Member* const member = picture.members.find(furthest_voter(picture));
  if (member == nullptr || picture.full.contains(member->id)) return std::nullopt;
  return MembershipChange{.kind = ChangeKind::transfer, .member = *member};
}

std::string encode_change(const MembershipChange& change) {
  std::string bytes;
  bytes.push_back(static_cast<char>(change.kind));
  base::append_varint(bytes, change.drawn_id.value());
  base::append_bytes(bytes, replica::encode_member(change.member));
  return bytes;
}

Result<MembershipChange> decode_change(std::string_view bytes) {
  base::Reader reader(bytes);
  const std::uint8_t kind = reader.byte();
  const NodeId drawn_id(reader.varint());
  auto member = replica::decode_member(reader.bytes());
  if (!member) return std::unexpected(std::move(member.error()));
  if (!reader.finished() || kind < static_cast<std::uint8_t>(ChangeKind::add) ||
      kind > static_cast<std::uint8_t>(ChangeKind::update)) {
    return fail(Errc::invalid_request, "the bytes are no membership change");
  }
  return MembershipChange{.kind = static_cast<ChangeKind>(kind), .member = std::move(*member), .drawn_id = drawn_id};
}

}  // namespace concord::node

// What may be asked of the members of a cluster, and what the leader does about it next.
//
// A change is a wish: the leader looks at the members as they are and takes the next step towards it, until it is so or cannot
// be. So a change that is repeated, or begun under one leader and gone on with under the next, does no harm. Pure: the same
// picture gives the same step.
//
//   add        a learner of that name and address, whose directory is not known yet
//   join       the node that asks becomes a learner, or the listed member that has not been seen before
//   promote    a learner that has caught up becomes a voter
//   remove     a member leaves; a leader hands over first; refused when the others would have no quorum
//   transfer   another voter becomes leader: the named one, or the one that is furthest
//   update     what is known of a member: address, URL, directory
//
// Bytes (of requests between members; never renumber):
//
//   change := kind:u8 target_id:varint member:bytes                    member as in replica/membership.hpp, its id may be 0
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include <concord/error.hpp>

#include "base/ids.hpp"
#include "raft/raft_node.hpp"
#include "replica/membership.hpp"

namespace concord::node {

/// Who is so few entries behind the leader has caught up: it gets them within a heartbeat.
inline constexpr std::uint64_t caught_up_entries = 1000;

enum class ChangeKind : std::uint8_t { add = 1, join = 2, promote = 3, remove = 4, transfer = 5, update = 6 };

struct MembershipChange {
  ChangeKind kind = ChangeKind::add;
  replica::Member member = {};  ///< named by its name, but for `update`: by its id
  base::NodeId drawn_id = {};   ///< the id that a new member gets
};

/// The cluster as its leader sees it.
struct ClusterPicture {
  const replica::Membership& members;
  base::NodeId self;
  bool self_leads = true;  ///< false: a transfer that was begun has happened
  base::Index last_index;
  std::span<const raft::PeerProgress> progress;
  bool auto_join = true;
  std::set<base::NodeId> full = {};  ///< those with no room on their disks
};

/// What is to be done next. One of them.
struct ChangeStep {
  enum class Kind : std::uint8_t { done, refuse, propose, transfer, wait } kind = Kind::wait;
  std::optional<Error> refusal = {};                                   ///< refuse
  raft::ConfChangeKind conf_kind = raft::ConfChangeKind::add_learner;  ///< propose
  replica::Member member = {};                                         ///< propose; done: the member as it is
  base::NodeId transferee = {};                                        ///< transfer
  std::string why = {};  ///< wait: what for, told when the deadline passes
};

/// `was_there`: an earlier step of this change saw the member, so that its absence now is a success.
[[nodiscard]] ChangeStep next_step(const MembershipChange& change, const ClusterPicture& picture, bool was_there);

/// What the leader changes by itself: a learner that has caught up is promoted. Nothing: all is well.
[[nodiscard]] std::optional<MembershipChange> due_promotion(const ClusterPicture& picture);

/// To whom a leader that has no room on its disk hands over. Nothing: to nobody, all others have none either or don't answer.
[[nodiscard]] std::optional<MembershipChange> due_hand_over(const ClusterPicture& picture);

[[nodiscard]] std::string encode_change(const MembershipChange& change);
[[nodiscard]] Result<MembershipChange> decode_change(std::string_view bytes);

}  // namespace concord::node

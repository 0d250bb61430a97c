// Who is a member: what raft counts, and what people and connections need to know of each.
//
// There is one truth (reliability 16): the membership as of the applied index, changed by conf_change entries alone and saved with
// every snapshot. A change carries the member it is about as its context.
//
// Bytes (in snapshots and in conf_change entries; never renumber):
//
//   membership := 2:u8 conf_state:bytes count:varint member* count:varint removed_id:varint*
//                                                                      members by id, each once; removed oldest first
//               | conf_state                                           of versions that knew one node only: nobody has a name
//   member     := id:varint directory:fixed64 name:bytes peer:bytes api:bytes
//
// `directory` is the random number of the data directory that the member has; 0: it has not been seen yet. A directory that
// was wiped has another one, so it is never taken for the member that remembers its votes (reliability 18).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <concord/error.hpp>

#include "base/ids.hpp"
#include "raft/conf_state.hpp"
#include "raft/raft_node.hpp"

namespace concord::replica {

struct Member {
  base::NodeId id = {};
  std::uint64_t directory = 0;
  std::string name = {};
  std::string peer = {};  ///< host:port
  std::string api = {};   ///< URL; empty without HTTP

  friend bool operator==(const Member&, const Member&) = default;
};

inline constexpr std::size_t remembered_removed = 1000;

struct Membership {
  raft::ConfState conf;
  std::vector<Member> members;  ///< ascending by id; may lack some, of whom nothing is known but the id
  std::vector<base::NodeId> removed =
      {};  ///< the last `remembered_removed` that were, oldest first: told so when they come back

  [[nodiscard]] const Member* find(base::NodeId id) const noexcept;
  [[nodiscard]] const Member* find(std::string_view name) const noexcept;
  [[nodiscard]] bool is_voter(base::NodeId id) const noexcept;
  [[nodiscard]] bool is_learner(base::NodeId id) const noexcept;
  [[nodiscard]] bool was_removed(base::NodeId id) const noexcept;
  [[nodiscard]] bool contains(base::NodeId id) const noexcept { return is_voter(id) || is_learner(id); }
  /// Takes over what a committed change says of its member. `after` is what raft made of it.
  void apply(const raft::ConfChange& change, raft::ConfState after);

  friend bool operator==(const Membership&, const Membership&) = default;
};

[[nodiscard]] std::string encode_member(const Member& member);
[[nodiscard]] Result<Member> decode_member(std::string_view bytes);

[[nodiscard]] std::string encode_membership(const Membership& membership);
/// Errc::invalid_request with the reason when the bytes are not exactly one membership.
[[nodiscard]] Result<Membership> decode_membership(std::string_view bytes);

}  // namespace concord::replica

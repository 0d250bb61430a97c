// Who is a member, as raft counts: the part of a snapshot that raft itself needs.
//
// Bytes (in snapshots; never renumber):
//
//   conf_state  := format:u8(=1) auto_leave:u8(0|1) ids ids ids ids     voters, learners, voters_outgoing, learners_next
//   ids         := count:varint id:varint*                              strictly ascending, none is 0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <concord/error.hpp>

#include "base/ids.hpp"

namespace concord::raft {

/// Lists are ascending. Concord changes one member at a time, so the last two stay empty; they are kept because raft
/// defines them and a snapshot must say all of it.
struct ConfState {
  std::vector<base::NodeId> voters;
  std::vector<base::NodeId> learners;
  std::vector<base::NodeId> voters_outgoing;
  std::vector<base::NodeId> learners_next;
  bool auto_leave = false;

  friend bool operator==(const ConfState&, const ConfState&) = default;
};

[[nodiscard]] std::string encode_conf_state(const ConfState& state);
/// Errc::invalid_request with the reason when the bytes are not exactly one conf state.
Result<ConfState> decode_conf_state(std::string_view bytes);

}  // namespace concord::raft

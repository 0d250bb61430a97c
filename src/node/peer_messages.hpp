// What members ask each other beside raft's own messages, and the bytes of it (never renumber):
//
//   method 1  probe           nothing
//             answer          state:u8(0 waits | 1 formed | 2 formed, and nothing was ever committed that it knows of)
//                             cluster:fixed64 formation:fixed64 leader_address:bytes membership:bytes
//   method 2  change          as in membership_change.hpp; to the leader
//             answer          cluster:fixed64 member:bytes                the member as it is now; empty when there is none
//   method 3  forward         term:varint incarnation:varint settled_below:varint first:varint count:varint awaits:u8 commands
//             answer          nothing: the leader has proposed it, or had before
//                             when asked to wait, and nobody had asked before: the outcomes, as in awaited_forwards.hpp
//   method 4  beat            term:varint flags:u8(1 leads | 2 the time is a guess | 4 its disk is full) cluster_time_ms:varint applied:varint digest_index:varint digest:fixed64
//                             count:varint (id:varint match:varint heard_ms:varint)*      the last from a leader
//                             the digest is that of the entry which the leader told of last, if the sender has it (digests.hpp)
//             answer          nothing
//   method 5  snapshot begin  index:varint term:varint size_bytes:varint
//             answer          received_bytes:varint                       where to go on
//   method 6  snapshot chunk  index:varint offset:varint bytes
//             answer          nothing
//   method 7  snapshot end    index:varint raft_message
//             answer          nothing: it is durable and checked, and raft was asked whether it wants it
//   method 8  meet            nothing
//             answer          probe:bytes view:bytes count:varint address:bytes*
//                             what method 1 is answered; view as in proposal.hpp; where others were that it heard of itself
//   method 9  agree           proposal                                    as in proposal.hpp; from who proposes, to each founder
//             answer          nothing: the founder has agreed, durably
//   method 10 outcome         id:fixed64                                  of a proposal of who is asked
//             answer          given_up:u8                                 0: it was not, or not yet
//   method 11 traces          incarnation:varint count:varint (sequence:varint trace:fixed64 trace:fixed64 span:fixed64)*
//                             to the leader, before writes are forwarded to it of which some are traced: below which spans its part stands
//             answer          nothing; a version that does not know this method refuses it, and nothing is lost but its spans
//
// Errors travel as such (transport). Bytes that don't follow the grammar: invalid_request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <concord/error.hpp>

#include "base/ids.hpp"
#include "node/proposal.hpp"
#include "observe/trace_context.hpp"
#include "replica/membership.hpp"

namespace concord::node {

enum class Method : std::uint8_t {
  probe = 1,
  change = 2,
  forward = 3,
  beat = 4,
  snapshot_begin = 5,
  snapshot_chunk = 6,
  snapshot_end = 7,
  meet = 8,
  agree = 9,
  outcome = 10,
  traces = 11,
};

/// What a node says to one that looks for a cluster.
struct ProbeAnswer {
  bool formed = false;
  bool is_young = false;  ///< formed: nothing was ever committed that it knows of
  base::ClusterId cluster = {};
  std::uint64_t formation = 0;       ///< not formed: which members it waits for (formation.hpp)
  std::string leader_address = {};   ///< formed: peer address of the leader, when known
  replica::Membership members = {};  ///< formed
};

inline constexpr std::size_t most_others = 64;

/// The same, and what it thinks of others without a cluster.
struct MeetAnswer {
  ProbeAnswer probe = {};
  View view = {};
  std::vector<std::string> others = {};  ///< addresses, at most `most_others`
};

struct ChangeAnswer {
  base::ClusterId cluster = {};
  replica::Member member = {};
};

struct ForwardHead {
  base::Term term = {};
  std::uint64_t incarnation = 0;
  std::uint64_t settled_below = 0;  ///< writes before this one are answered there: they will not be sent again
  std::uint64_t first_sequence = 0;
  std::uint64_t count = 0;
  bool awaits_outcomes = false;  ///< the sender can't apply it itself now
};

/// Which of a sender's writes are traced, and the spans in which they were passed on.
struct ForwardTraces {
  struct Write {
    std::uint64_t sequence = 0;
    observe::TraceId trace = {};
    std::uint64_t span = 0;
  };
  std::uint64_t incarnation = 0;
  std::vector<Write> writes = {};  ///< at most `most_traces`
};
inline constexpr std::size_t most_traces = 1024;

struct Beat {
  struct MemberState {
    base::NodeId id = {};
    base::Index match = {};
    std::uint64_t heard_ms = 0;  ///< since the leader heard of it
  };
  base::Term term = {};
  bool leads = false;
  bool is_guess = false;  ///< the time, by the wall clock of a node that has just started
  bool full = false;      ///< its disk: it can't take writes
  base::ClusterTimeMs cluster_time_ms = 0;
  base::Index applied = {};
  base::Index digest_index = {};  ///< 0: no digest yet
  std::uint64_t digest = 0;
  std::vector<MemberState> members = {};
};

struct SnapshotHead {
  base::Index index = {};
  base::Term term = {};
  std::uint64_t size_bytes = 0;
};

/// A number and the bytes behind it: a chunk and its offset, or a snapshot's index and raft's message.
struct SnapshotPiece {
  base::Index index = {};
  std::uint64_t offset = 0;
  std::string_view bytes;
};

[[nodiscard]] std::string encode(const ProbeAnswer& answer);
[[nodiscard]] Result<ProbeAnswer> decode_probe_answer(std::string_view bytes);
[[nodiscard]] std::string encode(const MeetAnswer& answer);
[[nodiscard]] Result<MeetAnswer> decode_meet_answer(std::string_view bytes);
[[nodiscard]] std::string encode(const ChangeAnswer& answer);
[[nodiscard]] Result<ChangeAnswer> decode_change_answer(std::string_view bytes);
[[nodiscard]] std::string encode_forward(const ForwardHead& head, std::string_view commands);
/// `commands` views `bytes`.
[[nodiscard]] Result<ForwardHead> decode_forward(std::string_view bytes, std::string_view& commands);
[[nodiscard]] std::string encode(const ForwardTraces& traces);
[[nodiscard]] Result<ForwardTraces> decode_forward_traces(std::string_view bytes);
[[nodiscard]] std::string encode(const Beat& beat);
[[nodiscard]] Result<Beat> decode_beat(std::string_view bytes);
[[nodiscard]] std::string encode(const SnapshotHead& head);
[[nodiscard]] Result<SnapshotHead> decode_snapshot_head(std::string_view bytes);
[[nodiscard]] std::string encode_offset(std::uint64_t offset);
[[nodiscard]] Result<std::uint64_t> decode_offset(std::string_view bytes);
[[nodiscard]] std::string encode_chunk(const SnapshotPiece& piece);
[[nodiscard]] Result<SnapshotPiece> decode_chunk(std::string_view bytes);
[[nodiscard]] std::string encode_end(const SnapshotPiece& piece);
[[nodiscard]] Result<SnapshotPiece> decode_end(std::string_view bytes);

}  // namespace concord::node

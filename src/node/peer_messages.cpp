#include "node/peer_messages.hpp"

#include <utility>

#include "base/wire.hpp"

namespace concord::node {

using base::ClusterId;
using base::Index;
using base::NodeId;
using base::Reader;
using base::Term;

namespace {

std::unexpected<Error> bad(std::string_view what) {
  return fail(Errc::invalid_request, "the bytes are no " + std::string(what));
}

}  // namespace

std::string encode(const ProbeAnswer& answer) {
  std::string bytes;
  bytes.push_back(answer.is_young ? 2 : answer.formed ? 1 : 0);
  base::append_fixed64(bytes, answer.cluster.value());
  base::append_fixed64(bytes, answer.formation);
  base::append_bytes(bytes, answer.leader_address);
  base::append_bytes(bytes, answer.formed ? replica::encode_membership(answer.members) : std::string());
  return bytes;
}

Result<ProbeAnswer> decode_probe_answer(std::string_view bytes) {
  Reader reader(bytes);
  ProbeAnswer answer;
  const std::uint8_t state = reader.byte();
  answer.formed = state != 0;
  answer.is_young = state == 2;
  answer.cluster = ClusterId(reader.fixed64());
  answer.formation = reader.fixed64();
  answer.leader_address = reader.bytes();
  const std::string_view members = reader.bytes();
  if (!reader.finished() || state > 2) return bad("answer to a probe");
  if (!answer.formed) return answer;
  auto decoded = replica::decode_membership(members);
  if (!decoded) return std::unexpected(std::move(decoded.error()));
  answer.members = std::move(*decoded);
  return answer;
}

std::string encode(const MeetAnswer& answer) {
  std::string bytes;
  base::append_bytes(bytes, encode(answer.probe));
  base::append_bytes(bytes, encode(answer.view));
  base::append_varint(bytes, answer.others.size());
  for (const std::string& address : answer.others) base::append_bytes(bytes, address);
  return bytes;
}

Result<MeetAnswer> decode_meet_answer(std::string_view bytes) {
  Reader reader(bytes);
  const std::string_view probe = reader.bytes();
  const std::string_view view = reader.bytes();
  std::vector<std::string> others;
  for (std::uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
    if (others.size() == most_others) reader.fail();
    others.emplace_back(reader.bytes());
  }
  if (!reader.finished()) return bad("answer of a node that was met");
  auto answer = decode_probe_answer(probe);
  if (!answer) return std::unexpected(std::move(answer.error()));
  const auto thought = decode_view(view);
  if (!thought) return std::unexpected(thought.error());
  return MeetAnswer{.probe = std::move(*answer), .view = *thought, .others = std::move(others)};
}

std::string encode(const ChangeAnswer& answer) {
  std::string bytes;
  base::append_fixed64(bytes, answer.cluster.value());
  base::append_bytes(bytes, replica::encode_member(answer.member));
  return bytes;
}

Result<ChangeAnswer> decode_change_answer(std::string_view bytes) {
  Reader reader(bytes);
  const ClusterId cluster(reader.fixed64());
  auto member = replica::decode_member(reader.bytes());
  if (!member || !reader.finished()) return bad("answer to a membership change");
  return ChangeAnswer{.cluster = cluster, .member = std::move(*member)};
}

std::string encode_forward(const ForwardHead& head, std::string_view commands) {
  std::string bytes;
  bytes.reserve(commands.size() + 5 * base::max_varint_bytes);
  base::append_varint(bytes, head.term.value());
  base::append_varint(bytes, head.incarnation);
  base::append_varint(bytes, head.settled_below);
  base::append_varint(bytes, head.first_sequence);
  base::append_varint(bytes, head.count);
  bytes.push_back(head.awaits_outcomes ? 1 : 0);
  bytes += commands;
  return bytes;
}

Result<ForwardHead> decode_forward(std::string_view bytes, std::string_view& commands) {
  Reader reader(bytes);
  ForwardHead head;
  head.term = Term(reader.varint());
  head.incarnation = reader.varint();
  head.settled_below = reader.varint();
  head.first_sequence = reader.varint();
  head.count = reader.varint();
  head.awaits_outcomes = reader.byte() != 0;
  if (!reader.ok() || head.count == 0) return bad("forwarded batch");
  commands = bytes.substr(reader.offset());
  return head;
}

std::string encode(const ForwardTraces& traces) {
  std::string bytes;
  base::append_varint(bytes, traces.incarnation);
  base::append_varint(bytes, traces.writes.size());
  for (const ForwardTraces::Write& write : traces.writes) {
    base::append_varint(bytes, write.sequence);
    base::append_fixed64(bytes, write.trace.high);
    base::append_fixed64(bytes, write.trace.low);
    base::append_fixed64(bytes, write.span);
  }
  return bytes;
}

Result<ForwardTraces> decode_forward_traces(std::string_view bytes) {
  Reader reader(bytes);
  ForwardTraces traces;
  traces.incarnation = reader.varint();
  const std::uint64_t count = reader.varint();
  if (count > most_traces) reader.fail();
  for (std::uint64_t left = count; left > 0 && reader.ok(); --left) {
    const std::uint64_t sequence = reader.varint();
    const std::uint64_t high = reader.fixed64();
    const std::uint64_t low = reader.fixed64();
    traces.writes.push_back({.sequence = sequence, .trace = {.high = high, .low = low}, .span = reader.fixed64()});
  }
  if (!reader.finished()) return bad("traces of forwarded writes");
  return traces;
}

std::string encode(const Beat& beat) {
  std::string bytes;
  base::append_varint(bytes, beat.term.value());
  bytes.push_back(static_cast<char>((beat.leads ? 1 : 0) | (beat.is_guess ? 2 : 0) | (beat.full ? 4 : 0)));
  base::append_varint(bytes, beat.cluster_time_ms);
  base::append_varint(bytes, beat.applied.value());
  base::append_varint(bytes, beat.digest_index.value());
  base::append_fixed64(bytes, beat.digest);
  base::append_varint(bytes, beat.members.size());
  for (const Beat::MemberState& member : beat.members) {
    base::append_varint(bytes, member.id.value());
    base::append_varint(bytes, member.match.value());
    base::append_varint(bytes, member.heard_ms);
  }
  return bytes;
}

Result<Beat> decode_beat(std::string_view bytes) {
  Reader reader(bytes);
  Beat beat;
  beat.term = Term(reader.varint());
  const std::uint8_t flags = reader.byte();
  beat.leads = (flags & 1U) != 0;
  beat.is_guess = (flags & 2U) != 0;
  beat.full = (flags & 4U) != 0;
  beat.cluster_time_ms = reader.varint();
  beat.applied = Index(reader.varint());
  beat.digest_index = Index(reader.varint());
  beat.digest = reader.fixed64();
  for (std::uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
    const NodeId id(reader.varint());
    const Index match(reader.varint());
    beat.members.push_back({.id = id, .match = match, .heard_ms = reader.varint()});
  }
  if (!reader.finished()) return bad("beat");
  return beat;
}

std::string encode(const SnapshotHead& head) {
  std::string bytes;
  base::append_varint(bytes, head.index.value());
  base::append_varint(bytes, head.term.value());
  base::append_varint(bytes, head.size_bytes);
  return bytes;
}

Result<SnapshotHead> decode_snapshot_head(std::string_view bytes) {
  Reader reader(bytes);
  const Index index(reader.varint());
  const Term term(reader.varint());
  const std::uint64_t size_bytes = reader.varint();
  if (!reader.finished()) return bad("head of a snapshot");
  return SnapshotHead{.index = index, .term = term, .size_bytes = size_bytes};
}

std::string encode_offset(std::uint64_t offset) {
  std::string bytes;
  base::append_varint(bytes, offset);
  return bytes;
}

Result<std::uint64_t> decode_offset(std::string_view bytes) {
  Reader reader(bytes);
  const std::uint64_t offset = reader.varint();
  if (!reader.finished()) return bad("offset");
  return offset;
}

std::string encode_chunk(const SnapshotPiece& piece) {
  std::string bytes;
  bytes.reserve(piece.bytes.size() + 2 * base::max_varint_bytes);
  base::append_varint(bytes, piece.index.value());
  base::append_varint(bytes, piece.offset);
  bytes += piece.bytes;
  return bytes;
}

Result<SnapshotPiece> decode_chunk(std::string_view bytes) {
  Reader reader(bytes);
  SnapshotPiece piece;
  piece.index = Index(reader.varint());
  piece.offset = reader.varint();
  if (!reader.ok()) return bad("piece of a snapshot");
  piece.bytes = bytes.substr(reader.offset());
  return piece;
}

std::string encode_end(const SnapshotPiece& piece) {
  std::string bytes;
  base::append_varint(bytes, piece.index.value());
  bytes += piece.bytes;
  return bytes;
}

Result<SnapshotPiece> decode_end(std::string_view bytes) {
  Reader reader(bytes);
  SnapshotPiece piece;
  piece.index = Index(reader.varint());
  if (!reader.ok()) return bad("end of a snapshot");
  piece.bytes = bytes.substr(reader.offset());
  return piece;
}

}  // namespace concord::node

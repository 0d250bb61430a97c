#include "replica/membership.hpp"

#include <algorithm>
#include <utility>

#include "base/mutant.hpp"
#include "base/wire.hpp"

namespace concord::replica {

using base::NodeId;

namespace {

constexpr std::uint8_t membership_format = 2;

void append_member(std::string& to, const Member& member) {
  base::append_varint(to, member.id.value());
  base::append_fixed64(to, member.directory);
  base::append_bytes(to, member.name);
  base::append_bytes(to, member.peer);
  base::append_bytes(to, member.api);
}

Member read_member(base::Reader& from) {
  Member member;
  member.id = NodeId(from.varint());
  member.directory = from.fixed64();
  member.name = from.bytes();
  member.peer = from.bytes();
  member.api = from.bytes();
  return member;
}

bool holds(const std::vector<NodeId>& ids, NodeId id) noexcept { return std::ranges::find(ids, id) != ids.end(); }

}  // namespace

const Member* Membership::find(NodeId id) const noexcept {
  const auto found = std::ranges::find(members, id, &Member::id);
  return found == members.end() ? nullptr : &*found;
}

const Member* Membership::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(members, name, &Member::name);
  return found == members.end() ? nullptr : &*found;
}

bool Membership::is_voter(NodeId id) const noexcept {
  return holds(conf.voters, id) || holds(conf.voters_outgoing, id);
}

bool Membership::was_removed(NodeId id) const noexcept { return holds(removed, id); }

bool Membership::is_learner(NodeId id) const noexcept {
  return holds(conf.learners, id) || holds(conf.learners_next, id);
}

void Membership::apply(const raft::ConfChange& change, raft::ConfState after) {
  conf = std::move(after);
  std::erase_if(members, [&](const Member& member) { return member.id == change.node; });
  if (change.kind == raft::ConfChangeKind::remove_node) {
    if (was_removed(change.node) || CONCORD_MUTANT("who-was-removed-is-forgotten")) return;
    if (removed.size() == remembered_removed) removed.erase(removed.begin());
    removed.push_back(change.node);
    return;
  }
  // Bytes that are no member come from no version of Concord; the node is then a member without a name, on every node alike.
  const auto decoded = decode_member(change.context);
  Member member = decoded && decoded->id == change.node ? *decoded : Member{.id = change.node};
  members.insert(std::ranges::lower_bound(members, member.id, {}, &Member::id), std::move(member));
}

std::string encode_member(const Member& member) {
  std::string bytes;
  append_member(bytes, member);
  return bytes;
}

Result<Member> decode_member(std::string_view bytes) {
  base::Reader reader(bytes);
  Member member = read_member(reader);
  if (!reader.finished()) return fail(Errc::invalid_request, "the bytes are no member");
  return member;
}

std::string encode_membership(const Membership& membership) {
  std::string bytes;
  bytes.push_back(static_cast<char>(membership_format));
  base::append_bytes(bytes, raft::encode_conf_state(membership.conf));
  base::append_varint(bytes, membership.members.size());
  for (const Member& member : membership.members) append_member(bytes, member);
  base::append_varint(bytes, membership.removed.size());
  for (const NodeId id : membership.removed) base::append_varint(bytes, id.value());
  return bytes;
}

Result<Membership> decode_membership(std::string_view bytes) {
  if (bytes.empty() || static_cast<std::uint8_t>(bytes.front()) != membership_format) {
    auto conf = raft::decode_conf_state(bytes);
    if (!conf) return std::unexpected(std::move(conf.error()));
    return Membership{.conf = std::move(*conf), .members = {}, .removed = {}};
  }
  base::Reader reader(bytes.substr(1));
  auto conf = raft::decode_conf_state(reader.bytes());
  if (!conf) return std::unexpected(std::move(conf.error()));
  Membership membership{.conf = std::move(*conf), .members = {}, .removed = {}};
  for (std::uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
    Member member = read_member(reader);
    if (member.id <= (membership.members.empty() ? NodeId() : membership.members.back().id)) reader.fail();
    membership.members.push_back(std::move(member));
  }
  for (std::uint64_t left = reader.varint(); left > 0 && reader.ok(); --left) {
    membership.removed.emplace_back(reader.varint());
  }
  if (!reader.finished()) {
    return fail(Errc::invalid_request, "members: bad bytes at offset " + std::to_string(reader.offset()));
  }
  return membership;
}

}  // namespace concord::replica

#include "raft/conf_state.hpp"

#include <algorithm>

#include "base/wire.hpp"

namespace concord::raft {
namespace {

constexpr std::uint8_t conf_state_format = 1;

void append_ids(std::string& to, const std::vector<base::NodeId>& ids) {
  std::vector<base::NodeId> ascending = ids;
  std::ranges::sort(ascending);
  base::append_varint(to, ascending.size());
  for (const base::NodeId id : ascending) base::append_varint(to, id.value());
}

/// Stops at the first bad number: a count that lies costs no memory.
std::vector<base::NodeId> read_ids(base::Reader& from) {
  std::vector<base::NodeId> ids;
  for (std::uint64_t left = from.varint(); left > 0 && from.ok(); --left) {
    const base::NodeId id(from.varint());
    if (id <= (ids.empty() ? base::NodeId() : ids.back())) from.fail();
    ids.push_back(id);
  }
  return ids;
}

}  // namespace

std::string encode_conf_state(const ConfState& state) {
  std::string bytes;
  bytes.push_back(static_cast<char>(conf_state_format));
  bytes.push_back(state.auto_leave ? 1 : 0);
  append_ids(bytes, state.voters);
  append_ids(bytes, state.learners);
  append_ids(bytes, state.voters_outgoing);
  append_ids(bytes, state.learners_next);
  return bytes;
}

Result<ConfState> decode_conf_state(std::string_view bytes) {
  base::Reader reader(bytes);
  if (const auto format = reader.byte(); format != conf_state_format) {
    return fail(Errc::invalid_request, "members: unknown format " + std::to_string(format));
  }
  ConfState state;
  const auto auto_leave = reader.byte();
  if (auto_leave > 1) reader.fail();
  state.auto_leave = auto_leave == 1;
  state.voters = read_ids(reader);
  state.learners = read_ids(reader);
  state.voters_outgoing = read_ids(reader);
  state.learners_next = read_ids(reader);
  if (!reader.finished()) {
    return fail(Errc::invalid_request, "members: bad bytes at offset " + std::to_string(reader.offset()));
  }
  return state;
}

}  // namespace concord::raft

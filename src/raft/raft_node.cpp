#include "raft/raft_node.hpp"

#include <utility>

#include "engine.h"

namespace concord::raft {
namespace {

engine_bytes lend(std::string_view bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

std::string_view view(engine_bytes bytes) {
  return bytes.size == 0 ? std::string_view() : std::string_view(reinterpret_cast<const char*>(bytes.data), bytes.size);
}

static_assert(sizeof(NodeId) == sizeof(std::uint64_t), "ids are lent to the engine as they stand");

engine_ids lend(const std::vector<NodeId>& ids) {
  return {reinterpret_cast<const std::uint64_t*>(ids.data()), ids.size()};
}

engine_conf_state lend(const ConfState& state) {
  return {lend(state.voters), lend(state.learners), lend(state.voters_outgoing), lend(state.learners_next),
          state.auto_leave ? std::uint8_t{1} : std::uint8_t{0}};
}

std::vector<NodeId> copy(engine_ids ids) {
  std::vector<NodeId> copied;
  copied.reserve(ids.size);
  for (std::size_t i = 0; i < ids.size; ++i) copied.emplace_back(ids.data[i]);
  return copied;
}

ConfState copy(const engine_conf_state& state) {
  return {copy(state.voters), copy(state.learners), copy(state.voters_outgoing), copy(state.learners_next),
          state.auto_leave != 0};
}

engine_config to_engine(const Config& config, const Start& start) {
  engine_config to{};
  to.id = config.id.value();
  to.seed = config.seed;
  to.election_ticks = config.election_ticks;
  to.heartbeat_ticks = config.heartbeat_ticks;
  to.max_size_per_message_bytes = config.max_size_per_message_bytes;
  to.max_inflight_messages = config.max_inflight_messages;
  to.max_uncommitted_bytes = config.max_uncommitted_bytes;
  to.max_committed_per_ready_bytes = config.max_committed_per_ready_bytes;
  to.max_message_bytes = config.max_message_bytes;
  to.hard_term = start.hard_state.term.value();
  to.hard_vote = start.hard_state.vote.value();
  to.hard_commit = start.hard_state.commit.value();
  to.applied = start.applied.value();
  to.compacted_index = start.compacted_index.value();
  to.compacted_term = start.compacted_term.value();
  to.conf_state = lend(start.conf_state);
  return to;
}

void fill(std::vector<EntryView>& views, engine_entries entries) {
  views.clear();
  for (std::size_t i = 0; i < entries.size; ++i) {
    const engine_entry& entry = entries.data[i];
    views.push_back({Index(entry.index), Term(entry.term), static_cast<base::EntryType>(entry.type), view(entry.data)});
  }
}

void fill(std::vector<Message>& views, engine_messages messages) {
  views.clear();
  for (std::size_t i = 0; i < messages.size; ++i) {
    const engine_message& message = messages.data[i];
    views.push_back(
        {NodeId(message.to), message.snapshot_index != 0, Index(message.snapshot_index), view(message.bytes)});
  }
}

/// Only what went wrong: a call that went well makes no Result before this is asked.
[[gnu::cold]] Error error_of(const engine_node* node, engine_status status) {
  const std::string reason(view(engine_error(node)));
  switch (status) {
    case ENGINE_REFUSED: return {Errc::invalid_request, "raft: " + reason};
    case ENGINE_NOT_LEADER: return {Errc::cluster_not_ready, "raft: this node does not lead"};
    case ENGINE_DROPPED: return {Errc::cluster_not_ready, "raft: not now"};
    case ENGINE_MISUSE: return {Errc::internal, "raft used wrongly: " + reason};
    default: return {Errc::internal, "the raft engine failed: " + reason};
  }
}

Result<void> checked(const engine_node* node, engine_status status) {
  if (status == ENGINE_OK) [[likely]]
    return {};
  return std::unexpected(error_of(node, status));
}

Result<ProposeResult> proposed(const engine_node* node, engine_status status) {
  switch (status) {
    case ENGINE_OK: return ProposeResult::accepted;
    case ENGINE_NOT_LEADER: return ProposeResult::not_leader;
    case ENGINE_DROPPED: return ProposeResult::dropped;
    default: return std::unexpected(error_of(node, status));
  }
}

}  // namespace

struct RaftNode::Views {
  engine_batch found = {};
  engine_light_batch advanced = {};
  std::vector<Message> messages;
  std::vector<EntryView> entries;
  std::vector<Message> persisted_messages;
  std::vector<EntryView> committed;
  std::vector<ReadState> read_states;
  std::vector<Message> advance_messages;
  std::vector<EntryView> advance_committed;
};

void RaftNode::Deleter::operator()(engine_node* node) const noexcept { engine_destroy(node); }

RaftNode::RaftNode(engine_node* node) : node_(node), views_(std::make_unique<Views>()) {}
RaftNode::RaftNode(RaftNode&&) noexcept = default;
RaftNode& RaftNode::operator=(RaftNode&&) noexcept = default;
RaftNode::~RaftNode() = default;

Result<RaftNode> RaftNode::create(const Config& config, const Start& start) {
  const engine_config given = to_engine(config, start);
  engine_node* handle = nullptr;
  const engine_status status = engine_create(&given, &handle);
  RaftNode node(handle);
  if (status != ENGINE_OK) return std::unexpected(error_of(handle, status));
  return node;
}

Result<void> RaftNode::append_initial(const EntryView& entry) {
  const engine_entry given{entry.index.value(), entry.term.value(), lend(entry.data),
                           static_cast<std::uint32_t>(entry.type)};
  return checked(node_.get(), engine_append_initial(node_.get(), &given));
}

Result<void> RaftNode::start() { return checked(node_.get(), engine_start(node_.get())); }

// --- inputs ----------------------------------------------------------------------------------------------------------

Result<void> RaftNode::tick() { return checked(node_.get(), engine_tick(node_.get())); }

Result<void> RaftNode::campaign() { return checked(node_.get(), engine_campaign(node_.get())); }

Result<ProposeResult> RaftNode::propose(std::string_view data) {
  return proposed(node_.get(), engine_propose(node_.get(), lend(data)));
}

Result<ProposeResult> RaftNode::propose_conf_change(const ConfChange& change) {
  return proposed(node_.get(), engine_propose_conf_change(node_.get(), static_cast<std::uint32_t>(change.kind),
                                                          change.node.value(), lend(change.context)));
}

Result<ConfState> RaftNode::apply_conf_change(const EntryView& entry) {
  engine_conf_state members{};
  const engine_status status =
      engine_apply_conf_change(node_.get(), static_cast<std::uint32_t>(entry.type), lend(entry.data), &members);
  if (status != ENGINE_OK) return std::unexpected(error_of(node_.get(), status));
  return copy(members);
}

Result<void> RaftNode::step(NodeId from, std::string_view message) {
  return checked(node_.get(), engine_step(node_.get(), from.value(), lend(message)));
}

Result<ProposeResult> RaftNode::read_index(std::uint64_t context) {
  return proposed(node_.get(), engine_read_index(node_.get(), context));
}

std::optional<Index> RaftNode::read_point() const noexcept {
  const std::uint64_t index = engine_read_point(node_.get());
  return index == 0 ? std::nullopt : std::optional(Index(index));
}

Result<void> RaftNode::transfer_leader(NodeId to) {
  return checked(node_.get(), engine_transfer_leader(node_.get(), to.value()));
}

Result<void> RaftNode::report_unreachable(NodeId node) {
  return checked(node_.get(), engine_report_unreachable(node_.get(), node.value()));
}

Result<void> RaftNode::report_snapshot(NodeId node, bool delivered) {
  return checked(node_.get(), engine_report_snapshot(node_.get(), node.value(), delivered ? 1 : 0));
}

Result<void> RaftNode::ping() { return checked(node_.get(), engine_ping(node_.get())); }

Result<void> RaftNode::peer_restarted(NodeId node) {
  return checked(node_.get(), engine_peer_restarted(node_.get(), node.value()));
}

Result<void> RaftNode::forget_leader() { return checked(node_.get(), engine_forget_leader(node_.get())); }

// --- a turn ----------------------------------------------------------------------------------------------------------

bool RaftNode::has_ready() const noexcept { return engine_has_ready(node_.get()) != 0; }

Result<ReadyBatch> RaftNode::ready() {
  ReadyBatch batch;
  if (auto done = ready(batch); !done) return std::unexpected(std::move(done.error()));
  return batch;
}

Result<void> RaftNode::ready(ReadyBatch& batch) {
  engine_batch& found = views_->found;
  const engine_status status = engine_ready(node_.get(), &found);
  if (status != ENGINE_OK) return std::unexpected(error_of(node_.get(), status));
  Views& views = *views_;
  fill(views.messages, found.messages);
  fill(views.entries, found.entries);
  fill(views.persisted_messages, found.persisted_messages);
  fill(views.committed, found.committed);
  views.read_states.clear();
  for (std::size_t i = 0; i < found.read_states_size; ++i) {
    views.read_states.push_back({found.read_states[i].context, Index(found.read_states[i].index)});
  }
  batch.messages = views.messages;
  batch.entries = views.entries;
  batch.must_sync = found.must_sync != 0;
  batch.persisted_messages = views.persisted_messages;
  batch.committed = views.committed;
  batch.read_states = views.read_states;
  batch.role_changed = found.role_changed != 0;
  batch.hard_state.reset();
  if (found.has_hard_state != 0) {
    batch.hard_state = HardState{Term(found.hard_term), NodeId(found.hard_vote), Index(found.hard_commit)};
  }
  batch.snapshot.reset();
  if (const engine_snapshot& snapshot = found.snapshot; snapshot.index != 0) {
    batch.snapshot =
        SnapshotView{Index(snapshot.index), Term(snapshot.term), copy(snapshot.conf_state), view(snapshot.data)};
  }
  return {};
}

Result<AdvanceBatch> RaftNode::advance() {
  AdvanceBatch batch;
  if (auto done = advance(batch); !done) return std::unexpected(std::move(done.error()));
  return batch;
}

Result<void> RaftNode::advance(AdvanceBatch& batch) {
  engine_light_batch& found = views_->advanced;
  const engine_status status = engine_advance(node_.get(), &found);
  if (status != ENGINE_OK) return std::unexpected(error_of(node_.get(), status));
  fill(views_->advance_messages, found.messages);
  fill(views_->advance_committed, found.committed);
  batch.commit = found.commit != 0 ? std::optional(Index(found.commit)) : std::nullopt;
  batch.messages = views_->advance_messages;
  batch.committed = views_->advance_committed;
  return {};
}

Result<void> RaftNode::advance_apply(Index index) {
  return checked(node_.get(), engine_advance_apply(node_.get(), index.value()));
}

// --- log mirror ------------------------------------------------------------------------------------------------------

Result<void> RaftNode::compact(Index up_to) { return checked(node_.get(), engine_compact(node_.get(), up_to.value())); }

Result<void> RaftNode::set_snapshot(Index index, Term term, const ConfState& conf_state, std::string_view data) {
  const engine_snapshot given{index.value(), term.value(), lend(conf_state), lend(data)};
  return checked(node_.get(), engine_set_snapshot(node_.get(), &given));
}

std::optional<Term> RaftNode::term_at(Index index) const noexcept {
  const std::uint64_t term = engine_term_at(node_.get(), index.value());
  return term == 0 ? std::nullopt : std::optional(Term(term));
}

// --- state -----------------------------------------------------------------------------------------------------------

RaftStatus RaftNode::status() const noexcept {
  engine_state state{};
  engine_query(node_.get(), &state);
  RaftStatus status;
  status.role = static_cast<Role>(state.role);
  status.leader = NodeId(state.leader);
  status.vote = NodeId(state.vote);
  status.term = Term(state.term);
  status.commit = Index(state.commit);
  status.applied = Index(state.applied);
  status.first = Index(state.first);
  status.last = Index(state.last);
  status.log_bytes = state.log_bytes;
  status.uncommitted_bytes = state.uncommitted_bytes;
  status.transferee = NodeId(state.transferee);
  status.pending_snapshot = Index(state.pending_snapshot_index);
  status.pending_snapshot_term = Term(state.pending_snapshot_term);
  status.pending_conf_change = state.pending_conf_change != 0;
  status.snapshot_wanted = state.snapshot_wanted != 0;
  return status;
}

ConfState RaftNode::conf_state() const {
  engine_conf_state members{};
  if (engine_members(node_.get(), &members) != ENGINE_OK) return {};
  return copy(members);
}

std::vector<PeerProgress> RaftNode::progress() const {
  const engine_peer* peers = nullptr;
  std::size_t size = 0;
  if (engine_progress(node_.get(), &peers, &size) != ENGINE_OK) return {};
  std::vector<PeerProgress> progress;
  progress.reserve(size);
  for (std::size_t i = 0; i < size; ++i) {
    const engine_peer& peer = peers[i];
    progress.push_back({NodeId(peer.node), Index(peer.match), Index(peer.next), static_cast<PeerState>(peer.state),
                        peer.recently_active != 0, peer.paused != 0, peer.is_learner != 0});
  }
  return progress;
}

bool RaftNode::failed() const noexcept { return engine_failed(node_.get()) != 0; }

std::string RaftNode::failure() const {
  return failed() ? std::string(view(engine_error(node_.get()))) : std::string();
}

MessageKind message_kind(std::string_view message) noexcept {
  // The type is field 1 of eraftpb.Message and stands first: the engine writes fields in order, and 0 not at all.
  constexpr char type_tag = 0x08;
  constexpr char append_type = 3;
  constexpr char append_answer_type = 4;
  constexpr char vote_type = 5;
  constexpr char snapshot_type = 7;
  constexpr char heartbeat_answer_type = 9;
  constexpr char pre_vote_type = 17;
  if (message.size() < 2 || message[0] != type_tag) return MessageKind::other;
  if (message[1] == append_type) return MessageKind::append;
  if (message[1] == append_answer_type || message[1] == heartbeat_answer_type) return MessageKind::answer;
  if (message[1] == vote_type || message[1] == pre_vote_type) return MessageKind::vote_request;
  return message[1] == snapshot_type ? MessageKind::snapshot : MessageKind::other;
}

namespace {

/// The base-128 number of protobuf at the front of `bytes`, taken off; nothing when there is none.
std::optional<std::uint64_t> take_varint(std::string_view& bytes) noexcept {
  constexpr unsigned bits_a_byte = 7;
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += bits_a_byte) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
    if (byte < 0x80U) return value;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Index> announced_commit(std::string_view message) noexcept {
  constexpr std::uint64_t append_type = 3;
  constexpr std::uint64_t heartbeat_type = 8;
  constexpr std::uint64_t type_field = 1;
  constexpr std::uint64_t commit_field = 8;
  constexpr std::uint64_t length_delimited = 2;
  std::uint64_t type = 0;
  while (!message.empty()) {
    const auto tag = take_varint(message);
    const auto number = tag ? take_varint(message) : std::nullopt;
    if (!number) return std::nullopt;
    if (*tag >> 3U == type_field) type = *number;
    if (*tag >> 3U == commit_field) {
      return type == append_type || type == heartbeat_type ? std::optional(Index(*number)) : std::nullopt;
    }
    if ((*tag & 7U) == length_delimited) {
      if (*number > message.size()) return std::nullopt;
      message.remove_prefix(static_cast<std::size_t>(*number));
    }
  }
  return std::nullopt;
}

Result<ConfChange> decode_conf_change(const EntryView& entry) {
  if (entry.type != base::EntryType::conf_change) {
    return fail(Errc::invalid_request, "entry " + std::to_string(entry.index.value()) + " is no membership change");
  }
  std::uint32_t kind = 0;
  std::uint64_t node = 0;
  engine_bytes context{};
  if (engine_decode_conf_change(lend(entry.data), &kind, &node, &context) != ENGINE_OK) {
    return fail(Errc::invalid_request, "entry " + std::to_string(entry.index.value()) + ": bad membership change");
  }
  return ConfChange{static_cast<ConfChangeKind>(kind), NodeId(node), std::string(view(context))};
}

}  // namespace concord::raft

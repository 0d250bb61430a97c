// A node in a cluster of three, in whose peers' names anything is said: a message is taken, or refused and then nothing has
// changed; neither fails the node. The peers are real, so that the node gets to lead, to follow and to commit.
// Input: decisions what happens in turn. Messages are built near what the node knows, where the dangerous ones lie, are real
// ones with a byte changed, or are arbitrary bytes.
#include <array>
#include <deque>
#include <span>

#include "base/check.hpp"
#include "base/wire.hpp"
#include "input.hpp"
#include "raft/raft_node.hpp"
#include "target.hpp"

namespace concord::fuzz {
namespace {

using base::EntryView;
using base::Index;
using base::NodeId;
using base::Term;
using raft::RaftNode;
using raft::RaftStatus;

constexpr std::size_t most_steps = 80;
constexpr std::size_t most_in_flight = 64;

/// Protocol buffers, as far as raft's messages need them. Zero is left out, as prost does.
class Fields {
 public:
  void number(unsigned field, std::uint64_t value) {
    if (value == 0) return;
    base::append_varint(bytes_, field << 3U);
    base::append_varint(bytes_, value);
  }
  void bytes(unsigned field, std::string_view value) {
    base::append_varint(bytes_, field << 3U | 2U);
    base::append_bytes(bytes_, value);
  }
  [[nodiscard]] const std::string& encoded() const noexcept { return bytes_; }

 private:
  std::string bytes_;
};

std::string context_of(std::uint64_t node, std::uint64_t number) {
  std::string bytes;
  base::append_fixed64(bytes, node);
  base::append_fixed64(bytes, number);
  return bytes;
}

/// Messages to node 1 (field numbers: raft's eraftpb.proto).
class MessageBuilder {
 public:
  MessageBuilder(Input& input, const RaftStatus& status, std::uint64_t from)
      : input_(input), status_(status), from_(from) {}

  std::string build() {
    const std::uint64_t kind = read_kind();
    const bool is_read = kind == 15 || kind == 16;
    const std::uint64_t term = kind == 15 ? 0 : near(status_.term.value());
    const std::uint64_t index = near(input_.flag() ? status_.last.value() : status_.commit.value());
    const std::uint64_t log_term = near(term);
    message_.number(1, kind);
    message_.number(2, input_.below(32) == 31 ? input_.number() : 1);
    message_.number(3, input_.below(32) == 31 ? input_.number() : from_);
    message_.number(4, term);
    if (input_.below(4) != 3) message_.number(5, log_term);
    if (input_.below(4) != 3) message_.number(6, index);
    if (kind == 3) add_entries(index, log_term);
    if (is_read) add_read(kind);
    if (input_.flag()) message_.number(8, near(status_.commit.value()));
    if (input_.flag()) message_.number(10, 1);
    if (input_.flag()) message_.number(11, near(status_.last.value()));
    if (kind == 7) message_.bytes(9, snapshot());
    add_context(kind);
    if (input_.below(4) == 3) message_.number(15, near(term));
    if (input_.below(64) == 63) message_.number(13 + input_.below(4), input_.number());
    return message_.encoded();
  }

 private:
  /// Those that carry the log most often.
  std::uint64_t read_kind() {
    const std::size_t way = input_.below(32);
    if (way < 10) return 3;
    if (way < 16) return 4;
    if (way < 18) return 7;
    return way == 31 ? input_.number() : input_.below(19);
  }

  /// A number beside `value`, seldom any other.
  std::uint64_t near(std::uint64_t value) {
    const std::size_t way = input_.below(16);
    if (way == 15) return input_.number();
    if (way < 8) return value;
    const std::uint64_t moved = value + way - 10;
    return moved > value + 8 ? 0 : moved;
  }

  void add_entries(std::uint64_t index, std::uint64_t term) {
    for (std::size_t left = input_.below(4); left > 0; --left) {
      Fields entry;
      const std::size_t type = input_.below(8);
      entry.number(1, type < 5 ? 0 : type - 4);
      entry.number(2, term = input_.below(4) == 3 ? near(term) : term);
      entry.number(3, ++index);
      entry.bytes(4, type < 5 ? input_.text(8) : conf_change());
      if (input_.below(16) == 15) entry.bytes(6, input_.text(2));
      message_.bytes(7, entry.encoded());
      if (input_.below(16) == 15) ++index;
    }
  }

  std::string conf_change() {
    if (input_.below(4) == 3) return std::string(input_.text(20));
    Fields change;
    change.number(2, input_.below(3));
    change.number(3, input_.below(5));
    return change.encoded();
  }

  void add_read(std::uint64_t kind) {
    Fields entry;
    entry.bytes(4, input_.below(8) == 7 ? input_.text(20) : context_of(kind == 15 ? from_ : 1, input_.below(3)));
    message_.bytes(7, entry.encoded());
  }

  void add_context(std::uint64_t kind) {
    const bool is_vote = kind == 5 || kind == 17;
    const bool is_heartbeat = kind == 8 || kind == 9;
    const std::size_t way = input_.below(8);
    if (way == 7) message_.bytes(12, input_.text(20));
    if (way == 6 && is_vote) message_.bytes(12, "CampaignTransfer");
    if (way >= 4 && way < 7 && is_heartbeat) message_.bytes(12, context_of(1, input_.below(3)));
  }

  std::string snapshot() {
    Fields members;
    for (std::uint64_t id = 1; id <= 4; ++id) {
      const std::size_t way = input_.below(8);
      members.number(way < 5 ? 1U : static_cast<unsigned>(way - 3), id);
    }
    if (input_.below(16) == 15) members.number(5, 1);
    Fields metadata;
    metadata.bytes(1, members.encoded());
    metadata.number(2, near(status_.last.value()));
    metadata.number(3, near(status_.term.value()));
    Fields whole;
    whole.bytes(1, input_.text(4));
    whole.bytes(2, metadata.encoded());
    return whole.encoded();
  }

  Input& input_;
  const RaftStatus& status_;
  std::uint64_t from_;
  Fields message_;
};

struct Envelope {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  std::string bytes;
};

/// One of three nodes, with a disk that takes everything.
class Peer {
 public:
  Peer(std::uint64_t id, std::deque<Envelope>& network) : id_(id), network_(network), node_(created(id)) {}

  void step(std::uint64_t from, std::string_view message) {
    const RaftStatus before = node_.status();
    const raft::ConfState members = node_.conf_state();
    const bool had_ready = node_.has_ready();
    const auto taken = node_.step(NodeId(from), message);
    check_alive();
    if (taken) return;
    CONCORD_CHECK(taken.error().code() == Errc::invalid_request, "a message is refused as its sender's mistake");
    const RaftStatus after = node_.status();
    CONCORD_CHECK(after.role == before.role && after.leader == before.leader && after.vote == before.vote &&
                      after.term == before.term && after.commit == before.commit && after.last == before.last &&
                      members == node_.conf_state() && had_ready == node_.has_ready(),
                  "what is refused changes nothing");
  }

  void turn() {
    for (int turns = 0; node_.has_ready() && turns < 8; ++turns) {
      const auto batch = node_.ready();
      check_alive();
      if (batch->snapshot) applied_ = batch->snapshot->index;
      send(batch->messages);
      send(batch->persisted_messages);
      const auto more = node_.advance();
      check_alive();
      send(more->messages);
      apply(batch->committed);
      apply(more->committed);
      const auto done = node_.advance_apply(applied_);
      check_alive();
      CONCORD_CHECK(done.has_value(), "a turn ends");
    }
  }

  /// A snapshot of what is applied, and the log before it forgotten.
  void compact() {
    const auto term = node_.term_at(applied_);
    if (!term) return;
    (void)node_.set_snapshot(applied_, *term, node_.conf_state(), "state");
    (void)node_.compact(applied_);
  }

  void check_alive() const { CONCORD_CHECK(!node_.failed(), node_.failure().c_str()); }

  RaftNode& node() { return node_; }

 private:
  static RaftNode created(std::uint64_t id) {
    raft::Start start;
    start.hard_state = {Term(1), NodeId(), Index(1)};
    start.conf_state.voters = {NodeId(1), NodeId(2), NodeId(3)};
    start.applied = Index(1);
    start.compacted_index = Index(1);
    start.compacted_term = Term(1);
    raft::Config config;
    config.id = NodeId(id);
    auto node = RaftNode::create(config, start);
    CONCORD_CHECK(node && node->start(), "a node");
    return std::move(*node);
  }

  void send(std::span<const raft::Message> messages) {
    for (const raft::Message& message : messages) {
      if (network_.size() < most_in_flight) network_.push_back({id_, message.to.value(), std::string(message.bytes)});
    }
  }

  void apply(std::span<const EntryView> entries) {
    for (const EntryView& entry : entries) {
      CONCORD_CHECK(entry.index == applied_.next(), "committed entries come in order");
      applied_ = entry.index;
      if (entry.type != base::EntryType::normal) (void)node_.apply_conf_change(entry);
      check_alive();
    }
  }

  std::uint64_t id_;
  std::deque<Envelope>& network_;
  RaftNode node_;
  Index applied_{1};
};

class Cluster {
 public:
  void take_step(Input& input) {
    Peer& peer = peers_[input.below(4) % 3];
    const NodeId other(1 + input.below(4));
    switch (input.below(24)) {
      case 0: (void)peer.node().tick(); break;
      case 1: tick_until_patience_ends(peer); break;
      case 2: (void)peer.node().campaign(); break;
      case 3: (void)peer.node().read_index(input.below(3)); break;
      case 4: (void)peer.node().report_snapshot(other, input.flag()); break;
      case 5: (void)peer.node().transfer_leader(other); break;
      case 6: propose_members(input, peer, other); break;
      case 7: peer.compact(); break;
      case 8:
      case 9: (void)peer.node().propose(input.text(8)); break;
      case 10: drop(); break;
      case 11: deliver(most_in_flight); break;
      case 12:
      case 13: deliver(1); break;
      case 14: change_a_byte(input); break;
      case 15: say(input, other.value(), input.text(80)); break;
      default: forge(input); break;
    }
    peer.check_alive();
    peer.turn();
  }

 private:
  Peer& target() { return peers_.front(); }

  static void tick_until_patience_ends(Peer& peer) {
    for (int i = 0; i < 20; ++i) (void)peer.node().tick();
  }

  static void propose_members(Input& input, Peer& peer, NodeId node) {
    (void)peer.node().propose_conf_change({static_cast<raft::ConfChangeKind>(input.below(3)), node, ""});
  }

  void drop() {
    if (!network_.empty()) network_.pop_front();
  }

  /// Real nodes may be refused too: somebody has lied to them.
  void deliver(std::size_t count) {
    for (; count > 0 && !network_.empty(); --count) {
      const Envelope envelope = std::move(network_.front());
      network_.pop_front();
      if (envelope.to == 0 || envelope.to > peers_.size()) continue;
      Peer& receiver = peers_[static_cast<std::size_t>(envelope.to - 1)];
      receiver.step(envelope.from, envelope.bytes);
      receiver.turn();
    }
  }

  void change_a_byte(Input& input) {
    if (network_.empty() || network_.front().bytes.empty()) return;
    std::string& bytes = network_.front().bytes;
    bytes[input.below(std::min<std::size_t>(bytes.size(), 256))] = static_cast<char>(input.byte());
    deliver(1);
  }

  void say(Input& input, std::uint64_t from, std::string_view message) {
    target().step(input.below(32) == 31 ? input.below(6) : from, message);
    target().turn();
  }

  void forge(Input& input) {
    const std::uint64_t leader = target().node().status().leader.value();
    const std::uint64_t from = leader > 1 && input.flag() ? leader : 2 + input.below(2);
    const RaftStatus status = target().node().status();
    const std::string message = MessageBuilder(input, status, from).build();
    say(input, from, message);
  }

  std::deque<Envelope> network_;
  std::array<Peer, 3> peers_ = {Peer(1, network_), Peer(2, network_), Peer(3, network_)};
};

}  // namespace

void run(std::string_view bytes) {
  Input input(bytes);
  Cluster cluster;
  for (std::size_t steps = 0; steps < most_steps && !input.empty(); ++steps) cluster.take_step(input);
}

std::vector<std::string> seeds() {
  // Each begins with an election that one of the nodes wins and entries that it gets committed, and that node 1 forgets or not; then
  // anything happens.
  std::vector<std::string> seeds;
  for (char node = 0; node < 3; ++node) {
    std::string elected;
    for (int round = 0; round < 2; ++round) elected += std::string{node, 0, 2} + std::string("\0\0\x0b", 3);
    for (int entry = 0; entry < 3; ++entry) {
      elected += std::string{node, 0, 8, 2, 'a', 'b'} + std::string("\0\0\x0b", 3);
    }
    const std::string compacted = elected + std::string("\0\0\x07", 3);
    for (std::string& seed : arbitrary_inputs(10, elected)) seeds.push_back(std::move(seed));
    for (std::string& seed : arbitrary_inputs(10, compacted)) seeds.push_back(std::move(seed));
  }
  return seeds;
}

}  // namespace concord::fuzz

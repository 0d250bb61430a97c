#include "sim/endpoint.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace concord::sim {

using base::NodeId;
using std::chrono::milliseconds;
using transport::Channel;
using transport::Identity;
using transport::Lost;

namespace {

constexpr TimeUs first_pause_us = 20 * ms;
constexpr TimeUs longest_pause_us = 1000 * ms;
constexpr TimeUs handshake_timeout_us = 3 * second;
/// What opens a connection is sent again when it is lost.
constexpr TimeUs syn_again_us = 1 * second;

/// Calls it once; with `internal` when nobody ever answers.
class Once {
 public:
  explicit Once(Network::Done answer) : answer_(std::move(answer)) {}
  ~Once() { give(fail(Errc::internal, "the request was dropped")); }
  Once(const Once&) = delete;
  Once& operator=(const Once&) = delete;
  void give(Result<std::string> result) {
    if (answer_) std::exchange(answer_, nullptr)(std::move(result));
  }

 private:
  Network::Done answer_;
};

/// What a handshake finds wrong before the handler is asked.
std::optional<Error> mismatch(const Identity& dialling, const Identity& answering) {
  if (dialling.cluster_name != answering.cluster_name) return Error(Errc::forbidden, "another cluster's name");
  const bool both_belong = !dialling.cluster.is_zero() && !answering.cluster.is_zero();
  if (both_belong && dialling.cluster != answering.cluster) return Error(Errc::forbidden, "another cluster");
  return std::nullopt;
}

bool is_as_expected(const transport::Peer& peer, const Identity& found) {
  return found.node == peer.node && (peer.directory == 0 || found.directory == peer.directory);
}

}  // namespace

Network::Endpoint::Endpoint(Network& network, Machine& machine, const transport::Options& options,
                            transport::Handler& handler)
    : network_(network), machine_(machine), options_(options), handler_(handler) {}

Network::Endpoint::~Endpoint() {
  *alive_ = false;
  if (const auto own = network_.endpoints_.find(self().peer_address);
      own != network_.endpoints_.end() && own->second == this) {
    network_.endpoints_.erase(own);
  }
  const bool says_goodbye = !network_.silenced_.contains(&machine_);
  for (const ConnectionPtr& connection : std::vector(network_.connections_)) {
    for (const Side side : {dialler, acceptor}) {
      if (connection->ends[side] == this) network_.close(connection, side, says_goodbye);
    }
  }
  for (auto& [request, asked] : std::exchange(asked_, {})) {
    asked.done(fail(Errc::timeout, "this node stops; whether it happens is unknown"));
  }
}

void Network::Endpoint::later(TimeUs delay_us, World::Event event) {
  network_.world_.at(machine_.local_now_us() + delay_us,
                     [&machine = machine_, alive = alive_, event = std::move(event)]() mutable {
                       if (!*alive) return;
                       machine.post([alive, event = std::move(event)]() mutable {
                         if (*alive) event();
                       });
                     });
}

// ---------------------------------------------------------------------------------------------------------------------
// Connections.

void Network::Endpoint::set_self(const Identity& self) {
  const Identity before = std::exchange(options_.self, self);
  if (before.peer_address != self.peer_address) {
    network_.endpoints_.erase(before.peer_address);
    network_.endpoints_[self.peer_address] = this;
  }
  if (before.cluster == self.cluster && before.node == self.node && before.directory == self.directory) return;
  for (auto& [node, entry] : entries_) {
    for (auto& [channel, link] : entry.links) {
      close_link(link);
      dial(node, channel, 0);
    }
  }
  for (const ConnectionPtr& connection : std::exchange(accepted_, {})) network_.close(connection, acceptor, true);
}

void Network::Endpoint::set_peers(std::vector<transport::Peer> peers) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    if (std::ranges::find(peers, entry->first, &transport::Peer::node) != peers.end()) {
      ++entry;
      continue;
    }
    for (auto& [channel, link] : entry->second.links) close_link(link);
    entry = entries_.erase(entry);
  }
  for (transport::Peer& peer : peers) {
    const NodeId node = peer.node;
    Entry& entry = entries_[node];
    const bool is_same = entry.peer.address == peer.address;
    entry.peer = std::move(peer);
    if (is_same) continue;
    entry.heard_us = machine_.local_now_us();
    for (const Channel channel : {Channel::control, Channel::bulk}) {
      close_link(entry.links[channel]);
      dial(node, channel, 0);
    }
  }
}

void Network::Endpoint::drop(NodeId peer) {
  for (const ConnectionPtr& connection : accepted_) {
    if (connection->identities[dialler].node == peer) network_.close(connection, acceptor, true);
  }
  if (const auto entry = entries_.find(peer); entry != entries_.end()) {
    for (auto& [channel, link] : entry->second.links) {
      close_link(link);
      dial(peer, channel, first_pause_us);
    }
  }
}

void Network::Endpoint::close_link(Link& link) {
  ++link.attempt;
  if (!link.connection) return;
  network_.close(link.connection, dialler, true);
  fail_asked(link.connection->number);
  link.connection.reset();
}

void Network::Endpoint::fail_asked(std::uint64_t connection) {
  for (auto asked = asked_.begin(); asked != asked_.end();) {
    if (asked->second.connection != connection) {
      ++asked;
      continue;
    }
    later(0, [done = std::move(asked->second.done)]() mutable {
      done(fail(Errc::timeout, "the connection broke; whether it happens is unknown"));
    });
    asked = asked_.erase(asked);
  }
}

void Network::Endpoint::dial(NodeId node, Channel channel, TimeUs after_us) {
  Link& link = entries_.at(node).links[channel];
  const std::uint64_t attempt = ++link.attempt;
  link.pause_us = std::clamp(2 * link.pause_us, first_pause_us, longest_pause_us);
  later(after_us, [this, node, channel, attempt] {
    const auto entry = entries_.find(node);
    if (entry != entries_.end() && entry->second.links[channel].attempt == attempt)
      try_to_connect(node, channel, false);
  });
}

/// Half of a handshake there, half of it here.
void Network::Endpoint::try_to_connect(NodeId node, Channel channel, bool is_sent_again) {
  const Entry& entry = entries_.at(node);
  const Link& link = entry.links.at(channel);
  const std::string address = entry.peer.address;
  Endpoint* const to = network_.find(address);
  const TimeUs pause_us = link.pause_us + network_.world_.between(0, link.pause_us);
  if (to == nullptr) return dial(node, channel, network_.latency() + pause_us);
  const std::size_t there = to->machine_.number();
  const bool is_reached = to->machine_.is_running() && !network_.is_blocked(machine_.number(), there) &&
                          !network_.is_blocked(there, machine_.number());
  if (!is_reached) {
    if (!is_sent_again) {
      return later(syn_again_us, [this, node, channel, attempt = link.attempt] {
        const auto still = entries_.find(node);
        if (still != entries_.end() && still->second.links[channel].attempt == attempt)
          try_to_connect(node, channel, true);
      });
    }
    return dial(node, channel, handshake_timeout_us - syn_again_us + pause_us);
  }

  // Whoever dies in the middle of a handshake does not say so.
  later(handshake_timeout_us, [this, node, channel, pause_us, attempt = link.attempt] {
    const auto still = entries_.find(node);
    if (still == entries_.end()) return;
    const Link& waiting = still->second.links[channel];
    if (waiting.attempt == attempt && !waiting.connection) dial(node, channel, pause_us);
  });
  const auto finish = [this, node, channel, pause_us, address, attempt = link.attempt](const ConnectionPtr& connection,
                                                                                       std::optional<Error> refusal) {
    const auto found = entries_.find(node);
    if (found == entries_.end() || found->second.links[channel].attempt != attempt) {
      if (connection) network_.close(connection, dialler, true);
      return;
    }
    if (connection && !is_as_expected(found->second.peer, connection->identities[acceptor])) {
      network_.close(connection, dialler, true);
      refusal = Error(Errc::forbidden, "another node was expected than " + connection->identities[acceptor].name);
    }
    if (!refusal && !connection->is_open) return dial(node, channel, pause_us);
    if (refusal) {
      if (std::exchange(refusals_[address], refusal->message()) != refusal->message()) {
        handler_.on_refused(address, *refusal, transport::Refuser::member);
      }
      if (entries_.contains(node)) dial(node, channel, pause_us);
      return;
    }
    Link& adopted = found->second.links[channel];
    if (network_.world_.is_told()) {
      network_.world_.tell(machine_.name() + " is connected to " + connection->machines[acceptor]->name());
    }
    adopted.connection = connection;
    adopted.pause_us = 0;
    found->second.heard_us = machine_.local_now_us();
    if (channel == Channel::control) handler_.on_connected(connection->identities[acceptor]);
  };
  const auto answer = [this, alive = alive_, finish](const ConnectionPtr& connection, std::optional<Error> refusal) {
    if (*alive) later(network_.latency(), [finish, connection, refusal] { finish(connection, refusal); });
  };
  network_.world_.after(2 * network_.latency(), [this, alive = alive_, address, channel, answer] {
    if (!*alive) return;
    Endpoint* const still = network_.find(address);
    if (still == nullptr) return answer(nullptr, Error(Errc::cluster_not_ready, "nobody is there"));
    still->later(0, [this, alive, still, channel, answer] {
      if (!*alive) return;
      if (auto wrong = mismatch(self(), still->self())) return answer(nullptr, std::move(wrong));
      if (auto admitted = still->handler_.admit(self()); !admitted) return answer(nullptr, admitted.error());
      answer(network_.connect(*this, *still, channel), std::nullopt);
    });
  });
}

void Network::Endpoint::lost(const ConnectionPtr& connection, Side side, Lost why) {
  connection->ends[side] = nullptr;
  if (network_.world_.is_told()) {
    constexpr std::array<std::string_view, 4> reasons{"closed", "reset", "silent", "garbled"};
    network_.world_.tell(machine_.name() + " lost the connection " + (side == dialler ? "to " : "from ") +
                         connection->machines[other(side)]->name() + ": " +
                         std::string(reasons[static_cast<std::size_t>(why)]));
  }
  const NodeId peer = connection->identities[other(side)].node;
  if (side == dialler) {
    fail_asked(connection->number);
    for (auto& [node, entry] : entries_) {
      Link& link = entry.links[connection->channel];
      if (link.connection != connection) continue;
      link.connection.reset();
      dial(node, connection->channel, first_pause_us);
    }
  } else {
    std::erase(accepted_, connection);
  }
  if (connection->channel == Channel::control && !peer.is_zero()) {
    handler_.on_lost(peer, why);
    handler_.on_read_done();
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Messages and requests.

/// Whom a follower answers may ask the leader next: it must find there what it was told.
void Network::Endpoint::check_announcement(std::string_view bytes) {
  const auto commit = raft::announced_commit(bytes);
  if (!commit || !machine_.is_up() || *commit <= machine_.runtime().state().applied_index()) return;
  machine_.note_misdeed("tells that " + std::to_string(commit->value()) + " is committed before it has applied it");
}

bool Network::Endpoint::send(NodeId to, std::string_view bytes) {
  check_announcement(bytes);
  const auto entry = entries_.find(to);
  if (entry == entries_.end()) return false;
  const ConnectionPtr& connection = entry->second.links[Channel::control].connection;
  if (!connection || !connection->is_open) return false;
  const NetworkMood& mood = network_.mood_;
  if (mood.drops_one_in != 0 && network_.world_.random().one_in(mood.drops_one_in)) return false;
  const bool is_doubled = mood.doubles_one_in != 0 && network_.world_.random().one_in(mood.doubles_one_in);
  if (is_doubled) network_.push(connection, dialler, {.bytes = std::string(bytes)});
  network_.push(connection, dialler, {.bytes = std::string(bytes)});
  return true;
}

void Network::Endpoint::request(NodeId to, Channel channel, std::uint8_t method, std::string body, milliseconds timeout,
                                Done done) {
  const auto entry = entries_.find(to);
  const ConnectionPtr connection = entry == entries_.end() ? nullptr : entry->second.links[channel].connection;
  if (!connection || !connection->is_open) return done(fail(Errc::cluster_not_ready, "not connected"));
  const std::uint64_t request = ++last_request_;
  asked_[request] = {.connection = connection->number, .done = std::move(done)};
  network_.push(connection, dialler,
                {.kind = Frame::Kind::request, .request = request, .method = method, .bytes = std::move(body)});
  // Most are answered by then: the process is not woken for those.
  const TimeUs timeout_us = static_cast<TimeUs>(timeout.count()) * ms;
  network_.world_.at(machine_.local_now_us() + timeout_us, [this, alive = alive_, request] {
    if (*alive && asked_.contains(request)) later(0, [this, request] { give_up(request); });
  });
}

void Network::Endpoint::give_up(std::uint64_t request) {
  auto asked = asked_.extract(request);
  if (asked) asked.mapped().done(fail(Errc::timeout, "no answer in time; whether it happens is unknown"));
}

void Network::Endpoint::take(const ConnectionPtr& connection, Side from, Frame& frame) {
  const Identity& peer = connection->identities[from];
  if (const auto entry = entries_.find(peer.node); entry != entries_.end()) {
    entry->second.heard_us = machine_.local_now_us();
  }
  switch (frame.kind) {
    case Frame::Kind::message: handler_.on_message(peer, frame.bytes); break;
    case Frame::Kind::request:
      ask_handler(peer, frame.method, frame.bytes,
                  [&network = network_, connection, request = frame.request](Result<std::string> result) {
                    if (!connection->is_open || connection->ends[acceptor] == nullptr) return;
                    Frame answer{.kind = Frame::Kind::answer, .request = request};
                    if (result) {
                      answer.bytes = std::move(*result);
                    } else {
                      answer.error = result.error();
                    }
                    network.push(connection, acceptor, std::move(answer));
                  });
      break;
    case Frame::Kind::answer: {
      auto asked = asked_.extract(frame.request);
      if (!asked) break;
      if (frame.error) {
        asked.mapped().done(std::unexpected(std::move(*frame.error)));
      } else {
        asked.mapped().done(std::move(frame.bytes));
      }
      break;
    }
  }
  handler_.on_read_done();
}

void Network::Endpoint::ask_handler(const Identity& from, std::uint8_t method, std::string_view body, Done answer) {
  handler_.on_request(from, method, body,
                      [once = std::make_unique<Once>(std::move(answer))](Result<std::string> result) {
                        once->give(std::move(result));
                      });
}

/// Of a node that looks for a cluster, and stands still until it is answered: what can't be answered at once counts as lost.
void Network::Endpoint::request_at(const std::string& address, std::uint8_t method, std::string body,
                                   milliseconds /*timeout*/, DoneAt done) {
  Endpoint* const to = network_.find(address);
  if (to == nullptr || to == this) return done(fail(Errc::cluster_not_ready, address + " was not reached"));
  Machine& there = to->machine_;
  const bool is_reached = there.is_running() && !network_.is_blocked(machine_.number(), there.number()) &&
                          !network_.is_blocked(there.number(), machine_.number());
  if (!is_reached) return done(fail(Errc::cluster_not_ready, address + " was not reached in time"));
  if (auto wrong = mismatch(self(), to->self())) return done(std::unexpected(std::move(*wrong)));
  const Identity answering = to->self();
  const auto reply = std::make_shared<std::optional<Result<std::string>>>();
  std::optional<Error> refusal;
  there.call([&] {
    if (auto admitted = to->handler_.admit(self()); !admitted) {
      refusal = admitted.error();
      return;
    }
    to->ask_handler(self(), method, body, [reply](Result<std::string> result) { *reply = std::move(result); });
    to->handler_.on_read_done();
  });
  if (refusal) return done(std::unexpected(std::move(*refusal)));
  if (!*reply) return done(fail(Errc::timeout, address + " did not answer in time"));
  if (!**reply) return done(std::unexpected((*reply)->error()));
  done(std::pair(answering, std::move(***reply)));
}

std::vector<transport::PeerState> Network::Endpoint::peers() const {
  std::vector<transport::PeerState> states;
  for (const auto& [node, entry] : entries_) {
    const auto link = entry.links.find(Channel::control);
    const bool is_connected = link != entry.links.end() && link->second.connection && link->second.connection->is_open;
    const bool is_heard = is_connected && !network_.is_blocked(*link->second.connection, acceptor) &&
                          link->second.connection->machines[acceptor]->is_running();
    transport::PeerState state{.node = node, .connected = is_connected};
    state.silent_ms = is_heard ? 0 : (machine_.local_now_us() - std::min(machine_.local_now_us(), entry.heard_us)) / ms;
    states.push_back(std::move(state));
  }
  return states;
}

}  // namespace concord::sim

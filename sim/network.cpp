#include "sim/network.hpp"

#include <algorithm>
#include <utility>

#include "sim/endpoint.hpp"
#include "sim/machine.hpp"

namespace concord::sim {

using transport::Lost;

namespace {

/// Silence that ends a connection: keep-alives that did not come.
constexpr TimeUs longest_silence_us = 5 * second;
constexpr TimeUs sent_again_us = 200 * ms;

}  // namespace

Result<std::unique_ptr<transport::Transport>> Network::open(Machine& machine, const transport::Options& options,
                                                            transport::Handler& handler) {
  auto endpoint = std::make_unique<Endpoint>(*this, machine, options, handler);
  endpoints_[options.self.peer_address] = endpoint.get();
  return endpoint;
}

TimeUs Network::latency() { return world_.between(mood_.least_latency_us, mood_.most_latency_us); }

Network::Endpoint* Network::find(const std::string& address) const {
  const auto found = endpoints_.find(address);
  return found == endpoints_.end() ? nullptr : found->second;
}

bool Network::is_blocked(const Connection& connection, Side from) const {
  return is_blocked(connection.machines[from]->number(), connection.machines[other(from)]->number());
}

// ---------------------------------------------------------------------------------------------------------------------
// Frames.

void Network::push(const ConnectionPtr& connection, Side from, Frame frame) {
  Pipe& pipe = connection->pipes[from];
  TimeUs delay_us = latency();
  if (mood_.loses_one_in != 0 && world_.random().one_in(mood_.loses_one_in)) delay_us += sent_again_us;
  frame.sent_us = world_.now_us();
  pipe.last_arrival_us = std::max(pipe.last_arrival_us, connection->machines[from]->local_now_us() + delay_us);
  frame.arrival_us = pipe.last_arrival_us;
  carry(connection, from, std::move(frame));
}

void Network::carry(const ConnectionPtr& connection, Side from, Frame frame) {
  if (is_blocked(*connection, from)) {
    connection->pipes[from].stalled.push_back(std::move(frame));
    return;
  }
  const TimeUs arrival_us = frame.arrival_us;
  world_.at(arrival_us, [this, connection, from, frame = std::move(frame)]() mutable {
    arrive(connection, from, std::move(frame));
  });
}

void Network::arrive(const ConnectionPtr& connection, Side from, Frame frame) {
  if (!connection->is_open) return;
  if (is_blocked(*connection, from)) {
    connection->pipes[from].stalled.push_back(std::move(frame));
    return;
  }
  Endpoint* const to = connection->ends[other(from)];
  if (to == nullptr) return;
  world_.trace(connection->number * 2 + from);
  world_.trace(frame.bytes);
  const TimeUs sent_us = frame.sent_us;
  to->machine().deliver(sent_us, [connection, from, frame = std::move(frame)]() mutable {
    Endpoint* const end = connection->ends[other(from)];
    if (connection->is_open && end != nullptr) end->take(connection, from, frame);
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// Connections.

Network::ConnectionPtr Network::connect(Endpoint& from, Endpoint& to, transport::Channel channel) {
  auto connection = std::make_shared<Connection>();
  connection->number = ++last_number_;
  connection->channel = channel;
  connection->machines = {&from.machine(), &to.machine()};
  connection->ends = {&from, &to};
  connection->identities = {from.self(), to.self()};
  forget_closed();
  connections_.push_back(connection);
  to.accepted(connection);
  return connection;
}

void Network::forget_closed() {
  std::erase_if(connections_, [](const ConnectionPtr& connection) { return !connection->is_open; });
}

void Network::close(const ConnectionPtr& connection, Side side, bool says_goodbye) {
  if (!connection->is_open || connection->ends[side] == nullptr) return;
  connection->ends[side] = nullptr;
  if (connection->ends[other(side)] == nullptr) {
    connection->is_open = false;
    return;
  }
  const bool is_heard = says_goodbye && !is_blocked(*connection, side);
  // What is on its way comes first.
  const TimeUs heard_us = std::max(connection->pipes[side].last_arrival_us, world_.now_us() + latency());
  const TimeUs when_us = is_heard ? heard_us : world_.now_us() + longest_silence_us;
  world_.at(when_us, [this, connection, side, is_heard] {
    lose(connection, other(side), is_heard ? Lost::closed : Lost::silent);
  });
}

void Network::lose(const ConnectionPtr& connection, Side side, Lost why) {
  if (!connection->is_open) return;
  connection->is_open = false;
  for (const Side one : {side, other(side)}) {
    Endpoint* const end = connection->ends[one];
    if (end == nullptr) continue;
    end->machine().post([connection, one, why] {
      Endpoint* const still = connection->ends[one];
      if (still != nullptr) still->lost(connection, one, why);
    });
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Faults.

void Network::block(std::size_t from, std::size_t to) {
  if (from == to || is_blocked(from, to)) return;
  const TimeUs since_us = world_.now_us();
  blocked_[{from, to}] = since_us;
  world_.after(longest_silence_us, [this, from, to, since_us] {
    const auto found = blocked_.find({from, to});
    if (found != blocked_.end() && found->second == since_us) break_all(from, to);
  });
}

void Network::unblock(std::size_t from, std::size_t to) {
  if (blocked_.erase({from, to}) == 0) return;
  for (const ConnectionPtr& connection : connections_) {
    for (const Side side : {dialler, acceptor}) {
      const bool is_it =
          connection->machines[side]->number() == from && connection->machines[other(side)]->number() == to;
      if (!connection->is_open || !is_it) continue;
      Pipe& pipe = connection->pipes[side];
      const TimeUs goes_on_us = world_.now_us() + world_.between(0, 2 * sent_again_us);
      for (Frame& frame : std::exchange(pipe.stalled, {})) {
        frame.arrival_us = std::max(frame.arrival_us, goes_on_us);
        pipe.last_arrival_us = std::max(pipe.last_arrival_us, frame.arrival_us);
        carry(connection, side, std::move(frame));
      }
    }
  }
}

void Network::heal() {
  const auto all = blocked_;
  for (const auto& [pair, since_us] : all) unblock(pair.first, pair.second);
  mood_ = {};
}

void Network::break_all(std::size_t from, std::size_t to) {
  for (const ConnectionPtr& connection : std::vector(connections_)) {
    for (const Side side : {dialler, acceptor}) {
      const bool is_it =
          connection->machines[side]->number() == from && connection->machines[other(side)]->number() == to;
      if (is_it) lose(connection, other(side), Lost::silent);
    }
  }
}

void Network::reset_one() {
  forget_closed();
  if (connections_.empty()) return;
  const ConnectionPtr connection = connections_[world_.random().below(connections_.size())];
  lose(connection, dialler, Lost::reset);
}

// ---------------------------------------------------------------------------------------------------------------------
// Machines.

/// A machine that is back answers what belongs to its former process with a reset.
void Network::machine_started(const Machine& machine) {
  silenced_.erase(&machine);
  for (const ConnectionPtr& connection : std::vector(connections_)) {
    for (const Side side : {dialler, acceptor}) {
      if (connection->machines[side] != &machine || connection->ends[side] != nullptr) continue;
      if (!is_blocked(*connection, side)) lose(connection, other(side), Lost::reset);
    }
  }
}

void Network::machine_paused(const Machine& machine) {
  const TimeUs since_us = machine.paused_since_us();
  world_.after(longest_silence_us, [this, &machine, since_us] {
    if (!machine.is_up() || !machine.is_paused() || machine.paused_since_us() != since_us) return;
    for (const ConnectionPtr& connection : std::vector(connections_)) {
      for (const Side side : {dialler, acceptor}) {
        if (connection->machines[side] == &machine) lose(connection, other(side), Lost::silent);
      }
    }
  });
}

}  // namespace concord::sim

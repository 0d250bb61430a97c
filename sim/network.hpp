// The network between machines: connections that are slow, stand still, break and come back, and what is sent through them.
//
// It stands in for room transport's sockets and keeps what transport.hpp promises: messages of a connection in order, each at most
// once; requests at most once; who is at the other end is proved before anything passes. A direction between two machines can be
// blocked: what is in it then waits, and arrives when the block ends soon; a connection that hears nothing for five seconds breaks.
// A process that ends says goodbye to its peers if the network lets it; one whose machine lost power says nothing.
//
// Beyond what a connection does: raft's messages may be dropped, as from a full queue, and doubled, because raft must bear it.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/world.hpp"
#include "transport/transport.hpp"

namespace concord::sim {

class Machine;

/// How the network is just now.
struct NetworkMood {
  TimeUs least_latency_us = 50;
  TimeUs most_latency_us = 500;
  std::uint64_t loses_one_in = 0;    ///< a packet, which is sent again 200 ms later; 0: none
  std::uint64_t drops_one_in = 0;    ///< a message of raft
  std::uint64_t doubles_one_in = 0;  ///< a message of raft
};

class Network {
 public:
  using Done = std::move_only_function<void(Result<std::string>)>;

  explicit Network(World& world) : world_(world) {}
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  [[nodiscard]] Result<std::unique_ptr<transport::Transport>> open(Machine& machine, const transport::Options& options,
                                                                   transport::Handler& handler);

  // --- faults ------------------------------------------------------------------------------------------------------------
  [[nodiscard]] NetworkMood& mood() noexcept { return mood_; }
  void block(std::size_t from, std::size_t to);
  void unblock(std::size_t from, std::size_t to);
  [[nodiscard]] bool is_blocked(std::size_t from, std::size_t to) const { return blocked_.contains({from, to}); }
  void heal();
  /// Some connection breaks, as if a middlebox had forgotten it.
  void reset_one();

  // --- what machines tell ------------------------------------------------------------------------------------------------
  void machine_started(const Machine& machine);
  void machine_paused(const Machine& machine);
  /// The machine's process is about to end without a word to anybody.
  void silence(const Machine& machine) { silenced_.insert(&machine); }

 private:
  class Endpoint;
  struct Frame {
    enum class Kind : std::uint8_t { message, request, answer } kind = Kind::message;
    std::uint64_t request = 0;
    std::uint8_t method = 0;
    TimeUs sent_us = 0;
    TimeUs arrival_us = 0;
    std::string bytes = {};
    std::optional<Error> error = {};  // answer
  };
  struct Pipe {
    TimeUs last_arrival_us = 0;
    std::deque<Frame> stalled;  // while its direction is blocked
  };
  enum Side : std::uint8_t { dialler = 0, acceptor = 1 };
  struct Connection {
    std::uint64_t number = 0;
    transport::Channel channel = transport::Channel::control;
    std::array<Machine*, 2> machines = {};
    std::array<Endpoint*, 2> ends = {};  // null: that process is gone, or has closed it
    std::array<transport::Identity, 2> identities = {};
    std::array<Pipe, 2> pipes = {};  // from that side
    bool is_open = true;
  };
  using ConnectionPtr = std::shared_ptr<Connection>;

  static Side other(Side side) noexcept { return side == dialler ? acceptor : dialler; }
  [[nodiscard]] bool is_blocked(const Connection& connection, Side from) const;
  [[nodiscard]] TimeUs latency();
  [[nodiscard]] Endpoint* find(const std::string& address) const;
  void push(const ConnectionPtr& connection, Side from, Frame frame);
  void carry(const ConnectionPtr& connection, Side from, Frame frame);
  void arrive(const ConnectionPtr& connection, Side from, Frame frame);
  ConnectionPtr connect(Endpoint& from, Endpoint& to, transport::Channel channel);
  /// One end is closed; the other hears of it, now or when it has waited long enough.
  void close(const ConnectionPtr& connection, Side side, bool says_goodbye);
  void lose(const ConnectionPtr& connection, Side side, transport::Lost why);
  void break_all(std::size_t from, std::size_t to);
  void forget_closed();

  World& world_;
  NetworkMood mood_;
  std::map<std::string, Endpoint*> endpoints_;  // by address
  std::map<std::pair<std::size_t, std::size_t>, TimeUs> blocked_;
  std::vector<ConnectionPtr> connections_;
  std::set<const Machine*> silenced_;
  std::uint64_t last_number_ = 0;
};

}  // namespace concord::sim

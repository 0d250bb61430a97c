// One process's end of the simulated network: what transport::Transport is to the real one.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sim/machine.hpp"
#include "sim/network.hpp"

namespace concord::sim {

class Network::Endpoint final : public transport::Transport {
 public:
  using DoneAt = std::move_only_function<void(Result<std::pair<transport::Identity, std::string>>)>;

  Endpoint(Network& network, Machine& machine, const transport::Options& options, transport::Handler& handler);
  ~Endpoint() override;

  [[nodiscard]] std::uint16_t port() const noexcept override { return options_.listen_port; }
  void set_self(const transport::Identity& self) override;
  void set_peers(std::vector<transport::Peer> peers) override;
  void drop(base::NodeId peer) override;
  bool send(base::NodeId to, std::string_view bytes) override;
  void request(base::NodeId to, transport::Channel channel, std::uint8_t method, std::string body,
               std::chrono::milliseconds timeout, Done done) override;
  void request_at(const std::string& address, std::uint8_t method, std::string body, std::chrono::milliseconds timeout,
                  DoneAt done) override;
  [[nodiscard]] std::vector<transport::PeerState> peers() const override;

  // --- of the network ------------------------------------------------------------------------------------------------------
  [[nodiscard]] Machine& machine() noexcept { return machine_; }
  [[nodiscard]] const transport::Identity& self() const noexcept { return options_.self; }
  [[nodiscard]] transport::Handler& handler() noexcept { return handler_; }
  /// Inside the process.
  void take(const ConnectionPtr& connection, Side from, Frame& frame);
  void lost(const ConnectionPtr& connection, Side side, transport::Lost why);
  void accepted(const ConnectionPtr& connection) { accepted_.push_back(connection); }
  /// Answers later, through `answer`; which may never be called.
  void ask_handler(const transport::Identity& from, std::uint8_t method, std::string_view body, Done answer);

 private:
  struct Link {
    ConnectionPtr connection = {};
    std::uint64_t attempt = 0;
    TimeUs pause_us = 0;
  };
  struct Entry {
    transport::Peer peer;
    std::map<transport::Channel, Link> links = {};
    TimeUs heard_us = 0;
  };
  struct Asked {
    std::uint64_t connection = 0;
    Done done;
  };

  void dial(base::NodeId node, transport::Channel channel, TimeUs after_us);
  void try_to_connect(base::NodeId node, transport::Channel channel, bool is_sent_again);
  void close_link(Link& link);
  void check_announcement(std::string_view bytes);
  void fail_asked(std::uint64_t connection);
  void give_up(std::uint64_t request);
  void later(TimeUs delay_us, World::Event event);

  Network& network_;
  Machine& machine_;
  transport::Options options_;
  transport::Handler& handler_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::map<base::NodeId, Entry> entries_;
  std::vector<ConnectionPtr> accepted_;
  std::map<std::uint64_t, Asked> asked_;
  std::uint64_t last_request_ = 0;
  std::map<std::string, std::string> refusals_;  // last reason by address
};

}  // namespace concord::sim

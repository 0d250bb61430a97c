// The other members, as the runtime of a replica sees them: raft's messages go out and come in here, and what members ask
// each other (peer_messages.hpp).
//
// It decides who may talk: a member, by its id and its data directory, or a node without an id that looks for a cluster and
// may only ask. What came in goes to `Hooks::post`, on the transport's thread.
//
// Thread rule: any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <concord/error.hpp>
#include <concord/options.hpp>

#include "base/mutex.hpp"
#include "env/file_system.hpp"
#include "node/bootstrap.hpp"
#include "node/host.hpp"
#include "node/input.hpp"
#include "node/peer_messages.hpp"
#include "node/snapshot_receiver.hpp"
#include "node/snapshot_sender.hpp"
#include "raft/raft_node.hpp"
#include "replica/membership.hpp"
#include "transport/transport.hpp"

namespace concord::node {

/// Of a member, by its connections.
struct PeerHealth {
  bool connected = false;
  std::uint64_t silent_ms = 0;
  std::optional<SnapshotSender::Progress> snapshot = {};  ///< that is being sent to it
};

/// Who answered at an address, and what.
struct Met {
  transport::Identity who = {};
  MeetAnswer answer = {};
};

class Peers final : private transport::Handler {
 public:
  struct Hooks {
    /// An input for the replica.
    std::function<void(Input)> post;
    /// All that was read from a socket at once has been posted.
    std::function<void()> drive;
    /// The replica's own thread looks at what was posted.
    std::function<void()> wake;
    /// What a node without a cluster says to others.
    std::function<std::uint64_t()> formation;
    /// Somebody asked, who may look for a cluster: it is where it says. Returns where others are.
    std::function<std::vector<std::string>(const transport::Identity&)> met;
    /// Nothing was ever committed that this node knows of.
    std::function<bool()> is_young;
    /// Writes that a member is about to forward here are traced.
    std::function<void(base::NodeId, const ForwardTraces&)> traced;
    /// This node was removed from its cluster: a member says so.
    std::function<void()> removed;
    std::function<std::uint64_t()> now_ms;
    std::function<void(LogLevel, const std::string&)> say;
  };

  /// `bootstrap`: what answers others that want to form a cluster; must outlive it. None: this node forms none with them.
  [[nodiscard]] static Result<std::unique_ptr<Peers>> open(const ClusterOptions& options,
                                                           const transport::Identity& self, const Host& host,
                                                           env::FileSystem& files, Bootstrap* bootstrap, Hooks hooks);
  ~Peers();

  [[nodiscard]] std::uint16_t port() const noexcept { return transport_->port(); }
  [[nodiscard]] transport::Identity self() const;
  /// The node has its place in a cluster from here on: snapshots are received into `snapshots_path`.
  void begin(base::ClusterId cluster, base::NodeId node, std::string snapshots_path);
  void announce_api(const std::string& url);
  /// Members that dialled this node, which has no place, since this was asked last: they know it, and it may know nobody else who is
  /// still there. Whoever is there calls again.
  [[nodiscard]] std::set<std::string> take_callers();
  /// The node has failed: parts from all, and lets nobody in any more.
  void fall_silent();
  /// Connects to those who are members now and parts from the others.
  void set_members(const replica::Membership& members);
  void set_leader(base::NodeId leader);
  /// Where members answer that are not reached where the membership says; those that are not named are looked for there again.
  void use_addresses(const std::map<base::NodeId, std::string>& found);

  void send(const raft::Message& message);
  /// False: it was not begun, because one is under way.
  bool send_snapshot(base::NodeId to, const std::string& path, base::Index index, base::Term term,
                     std::string_view message);
  /// Answers come as `ForwardAnswered`.
  void forward(base::NodeId leader, const ForwardHead& head, std::string_view commands);
  /// Before `forward`: which of its writes are traced.
  void tell_traces(base::NodeId leader, const ForwardTraces& traces);
  void beat(const Beat& beat);
  /// Makes a change through the leader, wherever that is, trying again until `timeout`.
  void ask_change(base::NodeId leader, const MembershipChange& change, std::chrono::milliseconds timeout,
                  std::move_only_function<void(Result<replica::Member>)> done);

  /// Those below return soon, and from here on at once.
  void stop_asking() noexcept { stops_asking_.store(true, std::memory_order_relaxed); }
  // --- of a node that looks for a cluster; these wait for the answer -----------------------------------------------------
  [[nodiscard]] Result<std::pair<transport::Identity, ProbeAnswer>> probe(const std::string& address,
                                                                          std::chrono::milliseconds timeout);
  /// All at once; the answers in the order of `addresses`. already_exists: that is this node itself.
  [[nodiscard]] std::vector<Result<Met>> meet(const std::vector<std::string>& addresses,
                                              std::chrono::milliseconds timeout);
  /// Whether all founders but this node agree.
  [[nodiscard]] bool ask_to_agree(const Proposal& proposal, std::chrono::milliseconds timeout);
  /// Whether the proposer, at `address`, says that it was given up.
  [[nodiscard]] Result<bool> ask_given_up(const std::string& address, const Proposal& proposal,
                                          std::chrono::milliseconds timeout);
  [[nodiscard]] Result<ChangeAnswer> ask_change_at(const std::string& address, const MembershipChange& change,
                                                   std::chrono::milliseconds timeout);

  [[nodiscard]] std::map<base::NodeId, PeerHealth> health() const;
  /// This node is connected to all whom it dials.
  [[nodiscard]] bool reaches_all() const;

 private:
  Peers(transport::Identity self, const Host& host, env::FileSystem& files, Bootstrap* bootstrap, Hooks hooks)
      : hooks_(std::move(hooks)),
        files_(files),
        bootstrap_(bootstrap),
        sending_(host.make_executor()),
        reading_(host.make_executor()),
        self_(std::move(self)) {}

  Result<void> admit(const transport::Identity& peer) override;
  void on_message(const transport::Identity& from, std::string_view bytes) override;
  void on_request(const transport::Identity& from, std::uint8_t method, std::string_view body,
                  transport::Respond respond) override;
  void on_read_done() override { hooks_.drive(); }
  void on_connected(const transport::Identity& peer) override;
  void on_lost(base::NodeId peer, transport::Lost why) override;
  void on_refused(const std::string& address, const Error& why, transport::Refuser by) override;

  using Answer = Result<std::pair<transport::Identity, std::string>>;
  Answer ask_at(const std::string& address, Method method, const std::string& body, std::chrono::milliseconds timeout);
  std::vector<Answer> ask_all(const std::vector<std::string>& addresses, Method method, const std::string& body,
                              std::chrono::milliseconds timeout);
  void answer_bootstrap(const transport::Identity& from, Method method, std::string_view body,
                        transport::Respond respond);
  bool listens_to_newcomer(const transport::Identity& peer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void dial_members();
  [[nodiscard]] std::vector<transport::Peer> dialled() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void answer_change(const transport::Identity& from, std::string_view body, transport::Respond respond) const;
  void answer_forward(const transport::Identity& from, std::string_view body, transport::Respond respond) const;
  [[nodiscard]] ProbeAnswer probe_answer() const;

  Hooks hooks_;
  env::FileSystem& files_;
  Bootstrap* const bootstrap_;              // may be null
  std::unique_ptr<env::Executor> sending_;  // of snapshots
  std::unique_ptr<env::Executor> reading_;
  std::atomic<bool> stops_asking_{false};
  mutable base::Mutex mutex_;
  transport::Identity self_ ABSL_GUARDED_BY(mutex_);
  bool is_silent_ ABSL_GUARDED_BY(mutex_) = false;
  replica::Membership members_;  // guarded by mutex_; empty until the cluster is known
  base::NodeId leader_ ABSL_GUARDED_BY(mutex_);
  std::map<base::NodeId, std::string> found_at_ ABSL_GUARDED_BY(mutex_);  // who is not where the membership says
  std::set<std::string> callers_ ABSL_GUARDED_BY(mutex_);
  /// Who said that it belongs here, and is no member as far as this node knows.
  std::map<base::NodeId, transport::Peer> newcomers_ ABSL_GUARDED_BY(mutex_);
  std::map<base::NodeId, std::uint64_t> incarnations_ ABSL_GUARDED_BY(mutex_);  // as of the last connections
  std::unique_ptr<SnapshotReceiver> receiver_ ABSL_GUARDED_BY(mutex_);          // made once
  std::unique_ptr<transport::Transport> transport_;
  std::unique_ptr<SnapshotSender> sender_;
};

}  // namespace concord::node

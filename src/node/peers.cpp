#include "node/peers.hpp"

#include <algorithm>
#include <future>
#include <utility>

#include "base/wire.hpp"

namespace concord::node {

using base::NodeId;
using std::chrono::milliseconds;
using transport::Channel;
using transport::Identity;
using transport::Respond;

namespace {

constexpr milliseconds forward_timeout{10'000};
constexpr milliseconds beat_timeout{1000};
constexpr milliseconds asking_slice{20};

template <class T>
std::function<void(Result<T>)> into(const std::shared_ptr<std::promise<Result<T>>>& promise) {
  return [promise](Result<T> result) { promise->set_value(std::move(result)); };
}

/// Answers a request that was taken apart: with what is wrong, or not yet.
template <class T>
bool refused(const Result<T>& decoded, Respond& respond) {
  if (decoded) return false;
  respond(std::unexpected(decoded.error()));
  return true;
}

}  // namespace

Result<std::unique_ptr<Peers>> Peers::open(const ClusterOptions& options, const Identity& self, const Host& host,
                                           env::FileSystem& files, Bootstrap* bootstrap, Hooks hooks) {
  std::unique_ptr<Peers> peers(new Peers(self, host, files, bootstrap, std::move(hooks)));
  transport::Options transport_options;
  transport_options.listen_host = options.peer_host;
  transport_options.listen_port = options.peer_port;
  transport_options.cookie = options.cookie;
  transport_options.self = self;
  transport_options.tls = {.certificate = options.tls_cert, .key = options.tls_key, .authority = options.tls_ca};
  transport_options.log = peers->hooks_.say;
  auto opened = host.open_transport(transport_options, *peers);
  if (!opened) return std::unexpected(std::move(opened.error()));
  peers->transport_ = std::move(*opened);
  peers->sender_ = std::make_unique<SnapshotSender>(SnapshotSender::Tools{
      .transport = *peers->transport_,
      .files = files,
      .executor = *peers->sending_,
      .now_ms = peers->hooks_.now_ms,
      .done =
          [to = peers.get()](NodeId node, bool delivered) {
            to->hooks_.post(SnapshotSent{.to = node, .delivered = delivered});
            to->hooks_.wake();  // not driving: the driver may wait for this very thread
          },
      .say = [to = peers.get()](const std::string& line) { to->hooks_.say(LogLevel::warn, line); }});
  const base::MutexLock lock(peers->mutex_);
  Identity& own = peers->self_;
  if (own.peer_address.empty()) {
    const bool is_v6 = options.peer_host.find(':') != std::string::npos;
    own.peer_address =
        (is_v6 ? '[' + options.peer_host + ']' : options.peer_host) + ':' + std::to_string(peers->transport_->port());
    peers->transport_->set_self(own);
  }
  return peers;
}

Peers::~Peers() {
  // The transport's end answers what the sender waits for, by tasks; no handler runs after it. Then no task does.
  if (sender_) sender_->stop();
  transport_.reset();
  sending_.reset();
  reading_.reset();
}

Identity Peers::self() const {
  const base::MutexLock lock(mutex_);
  return self_;
}

void Peers::begin(base::ClusterId cluster, NodeId node, std::string snapshots_path) {
  Identity self;
  {
    const base::MutexLock lock(mutex_);
    receiver_ = std::make_unique<SnapshotReceiver>(files_, *reading_, std::move(snapshots_path), [this](Input input) {
      hooks_.post(std::move(input));
      hooks_.wake();
    });
    self_.cluster = cluster;
    self_.node = node;
    self = self_;
  }
  transport_->set_self(self);
}

void Peers::announce_api(const std::string& url) {
  Identity self;
  {
    const base::MutexLock lock(mutex_);
    self_.api_url = url;
    self = self_;
  }
  transport_->set_self(self);
}

void Peers::set_members(const replica::Membership& members) {
  std::vector<NodeId> gone;
  {
    const base::MutexLock lock(mutex_);
    for (const replica::Member& member : members_.members) {
      if (!members.contains(member.id)) gone.push_back(member.id);
    }
    // Who says a new address of itself is there.
    std::erase_if(found_at_, [&](const auto& found) {
      const replica::Member* const before = members_.find(found.first);
      const replica::Member* const now = members.find(found.first);
      return before == nullptr || now == nullptr || before->peer != now->peer;
    });
    members_ = members;
    std::erase_if(newcomers_, [&](const auto& newcomer) {
      return members.contains(newcomer.first) || members.was_removed(newcomer.first);
    });
  }
  dial_members();
  for (const NodeId id : gone) transport_->drop(id);
}

std::set<std::string> Peers::take_callers() {
  const base::MutexLock lock(mutex_);
  return std::exchange(callers_, {});
}

void Peers::fall_silent() {
  std::vector<NodeId> all;
  {
    const base::MutexLock lock(mutex_);
    is_silent_ = true;
    for (const auto& [node, incarnation] : incarnations_) all.push_back(node);
    for (const replica::Member& member : members_.members) all.push_back(member.id);
  }
  dial_members();
  for (const NodeId id : all) transport_->drop(id);
}

void Peers::use_addresses(const std::map<NodeId, std::string>& found) {
  {
    const base::MutexLock lock(mutex_);
    for (const transport::PeerState& peer : transport_->peers()) {
      if (peer.connected) continue;  // it may be found under a second address: that is no reason to part from it
      const auto address = found.find(peer.node);
      if (address == found.end()) {
        found_at_.erase(peer.node);
      } else {
        found_at_[peer.node] = address->second;
      }
    }
  }
  dial_members();
}

void Peers::dial_members() {
  const base::MutexLock lock(mutex_);  // what was set last is dialled last
  transport_->set_peers(dialled());
}

std::vector<transport::Peer> Peers::dialled() const {
  std::vector<transport::Peer> peers;
  if (is_silent_) return peers;
  for (const replica::Member& member : members_.members) {
    if (member.id == self_.node || member.peer.empty()) continue;
    const auto found = found_at_.find(member.id);
    peers.push_back({.node = member.id,
                     .directory = member.directory,
                     .address = found == found_at_.end() ? member.peer : found->second});
  }
  for (const auto& [node, newcomer] : newcomers_) peers.push_back(newcomer);
  return peers;
}

void Peers::set_leader(NodeId leader) {
  const base::MutexLock lock(mutex_);
  leader_ = leader;
}

// ---------------------------------------------------------------------------------------------------------------------
// Out.

void Peers::send(const raft::Message& message) { transport_->send(message.to, message.bytes); }

bool Peers::send_snapshot(NodeId to, const std::string& path, base::Index index, base::Term term,
                          std::string_view message) {
  return sender_->send(to, path, {.index = index, .term = term, .size_bytes = 0}, std::string(message));
}

void Peers::forward(NodeId leader, const ForwardHead& head, std::string_view commands) {
  transport_->request(
      leader, Channel::control, static_cast<std::uint8_t>(Method::forward), encode_forward(head, commands),
      forward_timeout, [this, term = head.term, first = head.first_sequence](Result<std::string> answer) {
        hooks_.post(ForwardAnswered{.term = term, .first_sequence = first, .result = std::move(answer)});
      });
}

void Peers::tell_traces(NodeId leader, const ForwardTraces& traces) {
  transport_->request(leader, Channel::control, static_cast<std::uint8_t>(Method::traces), encode(traces),
                      forward_timeout, [](const Result<std::string>& /*answer*/) {});
}

void Peers::beat(const Beat& beat) {
  const std::string bytes = encode(beat);
  std::vector<NodeId> others;
  {
    const base::MutexLock lock(mutex_);
    for (const replica::Member& member : members_.members) {
      if (member.id != self_.node) others.push_back(member.id);
    }
  }
  for (const NodeId id : others) {
    transport_->request(id, Channel::control, static_cast<std::uint8_t>(Method::beat), bytes, beat_timeout,
                        [](const Result<std::string>& /*answer*/) {});
  }
}

void Peers::ask_change(NodeId leader, const MembershipChange& change, milliseconds timeout,
                       std::move_only_function<void(Result<replica::Member>)> done) {
  transport_->request(leader, Channel::control, static_cast<std::uint8_t>(Method::change), encode_change(change),
                      timeout, [done = std::move(done)](Result<std::string> answer) mutable {
                        if (!answer) return done(std::unexpected(std::move(answer.error())));
                        auto decoded = decode_change_answer(*answer);
                        if (!decoded) return done(std::unexpected(std::move(decoded.error())));
                        done(std::move(decoded->member));
                      });
}

/// Asks whoever is at these addresses, and waits.
std::vector<Peers::Answer> Peers::ask_all(const std::vector<std::string>& addresses, Method method,
                                          const std::string& body, milliseconds timeout) {
  std::vector<std::future<Answer>> asked;
  for (const std::string& address : addresses) {
    const auto promise = std::make_shared<std::promise<Answer>>();
    asked.push_back(promise->get_future());
    transport_->request_at(address, static_cast<std::uint8_t>(method), body, timeout,
                           into<Answer::value_type>(promise));
  }
  std::vector<Answer> answers;
  for (std::future<Answer>& one : asked) {
    while (!stops_asking_.load(std::memory_order_relaxed) && one.wait_for(asking_slice) != std::future_status::ready) {
    }
    const bool is_there = one.wait_for(milliseconds(0)) == std::future_status::ready;
    answers.push_back(is_there ? one.get() : fail(Errc::cluster_not_ready, "the node is stopping"));
  }
  return answers;
}

Peers::Answer Peers::ask_at(const std::string& address, Method method, const std::string& body, milliseconds timeout) {
  return std::move(ask_all({address}, method, body, timeout).front());
}

Result<std::pair<Identity, ProbeAnswer>> Peers::probe(const std::string& address, milliseconds timeout) {
  auto answer = ask_at(address, Method::probe, {}, timeout);
  if (!answer) return std::unexpected(std::move(answer.error()));
  auto decoded = decode_probe_answer(answer->second);
  if (!decoded) return std::unexpected(std::move(decoded.error()));
  return std::pair(std::move(answer->first), std::move(*decoded));
}

std::vector<Result<Met>> Peers::meet(const std::vector<std::string>& addresses, milliseconds timeout) {
  std::vector<Result<Met>> all;
  for (Answer& answer : ask_all(addresses, Method::meet, {}, timeout)) {
    if (!answer) {
      all.emplace_back(std::unexpected(std::move(answer.error())));
      continue;
    }
    auto decoded = decode_meet_answer(answer->second);
    if (decoded) {
      all.emplace_back(Met{.who = std::move(answer->first), .answer = std::move(*decoded)});
    } else {
      all.emplace_back(std::unexpected(std::move(decoded.error())));
    }
  }
  return all;
}

bool Peers::ask_to_agree(const Proposal& proposal, milliseconds timeout) {
  const std::span others = std::span(proposal.founders).subspan(1);
  std::vector<std::string> addresses;
  for (const Founder& founder : others) addresses.push_back(founder.peer);
  const auto answers = ask_all(addresses, Method::agree, encode(proposal), timeout);
  // Whoever is at an address by now: only the founder itself can agree.
  return std::ranges::equal(answers, others, [](const Answer& answer, const Founder& founder) {
    return answer && answer->first.directory == founder.directory;
  });
}

Result<bool> Peers::ask_given_up(const std::string& address, const Proposal& proposal, milliseconds timeout) {
  std::string body;
  base::append_fixed64(body, proposal.id);
  const Answer answer = ask_at(address, Method::outcome, body, timeout);
  if (!answer) return std::unexpected(answer.error());
  return answer->first.directory == proposal.founders.front().directory && answer->second == std::string(1, '\1');
}

Result<ChangeAnswer> Peers::ask_change_at(const std::string& address, const MembershipChange& change,
                                          milliseconds timeout) {
  const auto answer = ask_at(address, Method::change, encode_change(change), timeout);
  if (!answer) return std::unexpected(answer.error());
  return decode_change_answer(answer->second);
}

// ---------------------------------------------------------------------------------------------------------------------
// In.

/// A node that has missed changes of members, or got none of them yet, may have a leader that it does not know: only from that one it
/// can learn of it, so it listens, and answers. Found by simulation.
bool Peers::listens_to_newcomer(const Identity& peer) {
  constexpr std::size_t most = 16;
  const bool is_lost = leader_.is_zero() && newcomers_.size() < most;
  // Once it has a leader, all that one sends is wanted: the snapshot, too, comes by a connection of its own.
  if (!is_lost && leader_ != peer.node && !newcomers_.contains(peer.node)) return false;
  newcomers_[peer.node] = {.node = peer.node, .directory = peer.directory, .address = peer.peer_address};
  transport_->set_peers(dialled());
  return true;
}

Result<void> Peers::admit(const Identity& peer) {
  const base::MutexLock lock(mutex_);
  if (is_silent_) return fail(Errc::storage_failed, "this node has failed and takes no part in the cluster any more");
  if (peer.node.is_zero()) return {};  // looks for a cluster: may only ask
  if (self_.node.is_zero()) {
    constexpr std::size_t most = 16;
    if (!peer.peer_address.empty() && callers_.size() < most) callers_.insert(peer.peer_address);
    return fail(Errc::cluster_not_ready, "this node belongs to no cluster yet");
  }
  if (peer.cluster != self_.cluster) return fail(Errc::forbidden, "this node belongs to another cluster");
  if (members_.conf.voters.empty()) {  // it waits for its leader's snapshot, and knows nobody yet
    (void)listens_to_newcomer(peer);
    return {};
  }
  if (members_.was_removed(peer.node)) {
    return fail(Errc::not_found, '"' + peer.name + "\" was removed from the cluster");
  }
  const replica::Member* const member = members_.find(peer.node);
  if (!members_.contains(peer.node)) {
    if (listens_to_newcomer(peer)) return {};
    // Not known yet: it may have been added a moment ago.
    return fail(Errc::cluster_not_ready, "no member has this node's id");
  }
  if (member != nullptr && member->directory != 0 && member->directory != peer.directory) {
    return fail(
        Errc::forbidden,
        '"' + peer.name + "\" comes with another data directory than it had; remove the member and add it again");
  }
  return {};
}

void Peers::on_message(const Identity& from, std::string_view bytes) {
  // A snapshot comes with its file, by `snapshot_end`.
  if (raft::message_kind(bytes) == raft::MessageKind::snapshot) return;
  hooks_.post(RaftMessage{.from = from.node, .bytes = std::string(bytes)});
}

void Peers::on_connected(const Identity& peer) {
  PeerConnected connected{.peer = peer.node};
  {
    const base::MutexLock lock(mutex_);
    connected.was_restarted = std::exchange(incarnations_[peer.node], peer.incarnation) != peer.incarnation;
  }
  hooks_.post(connected);
  hooks_.drive();
}

void Peers::on_lost(NodeId peer, transport::Lost why) {
  if (why == transport::Lost::closed || why == transport::Lost::reset) hooks_.post(PeerLost{.peer = peer});
}

void Peers::on_refused(const std::string& address, const Error& why, transport::Refuser by) {
  // A node ends for good by this: whoever listens at the address of a member that is gone may not say it.
  const bool is_removed = why.code() == Errc::not_found && by == transport::Refuser::member;
  if (is_removed && !self().node.is_zero()) return hooks_.removed();
  hooks_.say(LogLevel::warn, "peer " + address + ": " + why.message());
}

void Peers::on_request(const Identity& from, std::uint8_t method, std::string_view body, Respond respond) {
  switch (static_cast<Method>(method)) {
    case Method::probe: return respond(encode(probe_answer()));
    case Method::change: return answer_change(from, body, std::move(respond));
    case Method::meet:
    case Method::agree:
    case Method::outcome: return answer_bootstrap(from, static_cast<Method>(method), body, std::move(respond));
    default: break;
  }
  if (from.node.is_zero()) return respond(fail(Errc::forbidden, "only members may ask for this"));
  SnapshotReceiver* receiver = nullptr;
  {
    const base::MutexLock lock(mutex_);
    receiver = receiver_.get();
  }
  if (receiver == nullptr) return respond(fail(Errc::cluster_not_ready, "this node belongs to no cluster yet"));
  switch (static_cast<Method>(method)) {
    case Method::forward: return answer_forward(from, body, std::move(respond));
    case Method::traces: {
      const auto traces = decode_forward_traces(body);
      if (refused(traces, respond)) return;
      hooks_.traced(from.node, *traces);
      return respond(std::string());
    }
    case Method::beat: {
      auto beat = decode_beat(body);
      if (refused(beat, respond)) return;
      hooks_.post(BeatHeard{.from = from.node, .beat = std::move(*beat)});
      return respond(std::string());
    }
    case Method::snapshot_begin: {
      const auto head = decode_snapshot_head(body);
      if (refused(head, respond)) return;
      const auto offset = receiver->begin(*head);
      if (refused(offset, respond)) return;
      return respond(encode_offset(*offset));
    }
    case Method::snapshot_chunk: {
      const auto piece = decode_chunk(body);
      if (refused(piece, respond)) return;
      if (refused(receiver->append(*piece), respond)) return;
      return respond(std::string());
    }
    case Method::snapshot_end: {
      const auto piece = decode_end(body);
      if (refused(piece, respond)) return;
      return receiver->end(from.node, *piece, [respond = std::move(respond)](Result<void> result) mutable {
        if (!result) return respond(std::unexpected(std::move(result.error())));
        respond(std::string());
      });
    }
    default: return respond(fail(Errc::invalid_request, "unknown method " + std::to_string(method)));
  }
}

void Peers::answer_bootstrap(const Identity& from, Method method, std::string_view body, Respond respond) {
  if (method == Method::meet) {
    std::vector<std::string> others = hooks_.met(from);
    if (others.size() > most_others) others.resize(most_others);
    // The view first: a place that is taken in between is seen, and then the view does not count.
    const View view = bootstrap_ == nullptr ? View() : bootstrap_->view();
    return respond(encode(MeetAnswer{.probe = probe_answer(), .view = view, .others = std::move(others)}));
  }
  if (bootstrap_ == nullptr) return respond(fail(Errc::condition_failed, "this node forms no cluster by discovery"));
  if (method == Method::agree) {
    const auto proposal = decode_proposal(body);
    if (refused(proposal, respond)) return;
    if (auto agreed = bootstrap_->agree(from.directory, *proposal); !agreed) {
      return respond(std::unexpected(std::move(agreed.error())));
    }
    return respond(std::string());
  }
  base::Reader reader(body);
  const std::uint64_t id = reader.fixed64();
  if (!reader.finished()) return respond(fail(Errc::invalid_request, "the bytes are no question for an outcome"));
  respond(std::string(1, bootstrap_->was_given_up(id) ? '\1' : '\0'));
}

ProbeAnswer Peers::probe_answer() const {
  const base::MutexLock lock(mutex_);
  ProbeAnswer answer;
  answer.formed = !self_.node.is_zero();
  answer.cluster = self_.cluster;
  answer.formation = hooks_.formation();
  if (answer.formed) {
    answer.is_young = hooks_.is_young();
    answer.members = members_;
    if (const replica::Member* leader = members_.find(leader_)) answer.leader_address = leader->peer;
  }
  return answer;
}

void Peers::answer_change(const Identity& from, std::string_view body, Respond respond) const {
  auto change = decode_change(body);
  if (refused(change, respond)) return;
  if (from.node.is_zero() && change->kind != ChangeKind::join) {
    return respond(fail(Errc::forbidden, "only members may ask for this"));
  }
  const base::ClusterId cluster = self().cluster;
  hooks_.post(ChangeWanted{.change = std::move(*change),
                           .deadline_ms = hooks_.now_ms() + 10'000,
                           .done =
                               [cluster, respond = std::move(respond)](Result<replica::Member> member) mutable {
                                 if (!member) return respond(std::unexpected(std::move(member.error())));
                                 respond(encode(ChangeAnswer{.cluster = cluster, .member = std::move(*member)}));
                               },
                           .is_of_member = !from.node.is_zero()});
}

void Peers::answer_forward(const Identity& from, std::string_view body, Respond respond) const {
  std::string_view commands;
  const auto head = decode_forward(body, commands);
  if (refused(head, respond)) return;
  hooks_.post(
      ForwardedBatch{.from = from.node, .head = *head, .commands = std::string(commands), .done = std::move(respond)});
}

// ---------------------------------------------------------------------------------------------------------------------
// State.

bool Peers::reaches_all() const { return std::ranges::all_of(transport_->peers(), &transport::PeerState::connected); }

std::map<NodeId, PeerHealth> Peers::health() const {
  std::map<NodeId, PeerHealth> all;
  for (const transport::PeerState& state : transport_->peers()) {
    all[state.node] = {.connected = state.connected, .silent_ms = state.silent_ms};
  }
  for (const auto& [to, progress] : sender_->progress()) all[to].snapshot = progress;
  return all;
}

}  // namespace concord::node

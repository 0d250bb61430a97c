// How the runtime comes by its place in a cluster: peers, formation, the first look at what is on disk.
#include <algorithm>
#include <utility>

#include <concord/version.hpp>

#include "node/runtime.hpp"

namespace concord::node {

using std::chrono::milliseconds;

namespace {

constexpr milliseconds formation_pause{200};
constexpr milliseconds contacts_pause{500};
constexpr milliseconds moved_pause{2000};
/// What keeps a node out is said again after so long.
constexpr std::uint64_t say_again_ms = 60'000;

}  // namespace

/// What a node needs that finds the others by itself.
Result<void> Runtime::prepare_discovery(const log::Identity& identity) {
  if (options_.cluster.discovery == Discovery::listed) return {};
  std::optional<Proposal> promise;
  if (!identity.formed) {
    auto kept = kept_promise(*files_, directory_->path());
    if (!kept) return std::unexpected(std::move(kept.error()));
    promise = std::move(*kept);
  }
  cluster_->bootstrap = std::make_unique<Bootstrap>(Bootstrap::Options{
      .cluster_name = options_.cluster.name,
      .expected_size = options_.cluster.expected_size,
      .settle_ms = static_cast<std::uint64_t>(options_.cluster.settle_time.count()),
      .directory = identity.directory,
      .has_place = identity.formed,
      .promise = std::move(promise),
      .keep = [this](const std::optional<Proposal>& kept) { return keep_promise(*files_, directory_->path(), kept); }});
  cluster_->finder = std::make_unique<Finder>(
      options_.cluster, Finder::Hooks{.now_ms = [this] { return clock_->coarse_ms(); },
                                      .say = [this](LogLevel level, const std::string& line) { say(level, line); }});
  return {};
}

Result<void> Runtime::open_peers(const log::Identity& identity) {
  cluster_ = std::make_unique<ClusterState>();
  if (auto prepared = prepare_discovery(identity); !prepared) return prepared;
  const transport::Identity self{.cluster_name = options_.cluster.name,
                                 .cluster = {},
                                 .node = {},
                                 .directory = identity.directory,
                                 .incarnation = identity.incarnation,
                                 .name = options_.name,
                                 .peer_address = told_address(options_),
                                 .api_url = {},
                                 .version = std::string(concord::version)};
  const bool formed = identity.formed;
  auto opened = Peers::open(options_.cluster, self, host_, *files_, cluster_->bootstrap.get(),
                            {.post = [this](Input input) { cluster_->inbox.put(std::move(input)); },
                             .drive = [this] { drive_or_wake(); },
                             .wake = [this] { wake(); },
                             .formation = [this, formed] { return formed ? 0 : formation_digest(options_.cluster); },
                             .met =
                                 [this](const transport::Identity& who) {
                                   return cluster_->finder ? cluster_->finder->met(who) : std::vector<std::string>();
                                 },
                             // Entry 1 is where a cluster begins.
                             .is_young = [this] { return applied_index_.load(std::memory_order_acquire) == 1; },
                             .traced =
                                 [this](base::NodeId from, const ForwardTraces& traces) {
                                   if (traced_.is_on()) traced_.begin_forwarded(from, traces);
                                 },
                             .removed =
                                 [this] {
                                   say(LogLevel::error, "this node was removed from its cluster");
                                   removed_.store(true, std::memory_order_release);
                                 },
                             .now_ms = [this] { return clock_->coarse_ms(); },
                             .say = [this](LogLevel level, const std::string& line) { say(level, line); }});
  if (!opened) return std::unexpected(std::move(opened.error()));
  cluster_->peers = std::move(*opened);
  if (!cluster_->finder) return {};
  transport::Identity found = cluster_->peers->self();
  if (identity.formed) {
    found.cluster = identity.cluster;
    found.node = identity.node;
  }
  return cluster_->finder->start(found, cluster_->peers->port());
}

void Runtime::begin_search() {
  const transport::Identity self = cluster_->peers->self();
  const replica::Member own{
      .id = {}, .directory = self.directory, .name = self.name, .peer = self.peer_address, .api = {}};
  search_ = std::make_unique<PlaceSearch>(
      PlaceSearch{.formation = Formation(options_.cluster, own, drawn_.cluster_id, drawn_.node_id, *cluster_->peers,
                                         cluster_->finder.get(), cluster_->bootstrap.get())});
  next_search_ms_ = 0;
}

std::optional<milliseconds> Runtime::look_for_place(PlaceSearch& search) {
  if (!formed_.load(std::memory_order_acquire)) {
    auto place = search.formation.attempt(clock_->coarse_ms(), host_.draw());
    if (!place) {
      say_no_place(search, place.error());
      return formation_pause;
    }
    if (auto taken = take_place(*place); !taken) {
      const Driving driving(*this);
      fail(taken.error());
      return std::nullopt;
    }
    if (cluster_->bootstrap) forget_promise();
    wake();
  }
  if (applied_index_.load(std::memory_order_acquire) != 0) {
    if (!cluster_->finder) return std::nullopt;
    look_for_moved(search);
    return moved_pause;
  }
  // The leader's snapshot will say who the members are; until then it must be known where to answer.
  if (const auto members = search.formation.contacts(directory_->identity().cluster)) {
    const Driving driving(*this);
    if (replica_->applied_index().is_zero()) cluster_->peers->set_members(*members);
  }
  return contacts_pause;
}

/// Members that got other addresses while they were away know each other's old ones only. To know a leader is not enough: most of
/// them may have met, and nobody but they can find the rest.
void Runtime::look_for_moved(PlaceSearch& search) {
  if (has_ended() || cluster_->peers->reaches_all()) return;
  cluster_->peers->use_addresses(search.formation.members_around(directory_->identity().cluster, clock_->coarse_ms()));
}

/// It has been kept. What is left of the file, if anything, is never looked at again.
void Runtime::forget_promise() const {
  if (auto forgotten = keep_promise(*files_, directory_->path(), std::nullopt); !forgotten) {
    say(LogLevel::warn, forgotten.error().message());
  }
}

void Runtime::say_no_place(PlaceSearch& search, const Error& error) {
  const std::string& problem = error.message();
  if (problem != search.said || clock_->coarse_ms() >= search.said_at_ms + say_again_ms) {
    const bool is_refusal = error.code() != Errc::cluster_not_ready && error.code() != Errc::timeout;
    say(is_refusal ? LogLevel::error : LogLevel::info, "no place in a cluster yet: " + problem);
    search.said = problem;
    search.said_at_ms = clock_->coarse_ms();
  }
  const base::MutexLock lock(place_mutex_);
  place_problem_ = problem;
}

Result<void> Runtime::take_place(const Place& place) {
  const Say say_line = [this](LogLevel level, const std::string& line) { say(level, line); };
  auto recovered = recover(*files_, options_, drawn_, *directory_, place, boot_id(*files_), segment_bytes_, say_line,
                           host_.history.get());
  if (!recovered) return std::unexpected(std::move(recovered.error()));
  const log::Identity& identity = directory_->identity();
  const Driving driving(*this);
  log_ = std::move(recovered->log);
  replica_ = std::move(recovered->replica);
  queue_.set_identity(identity.node, identity.incarnation);
  hard_state_ = log_->hard_state();
  snapshot_index_ = recovered->newest_snapshot.index.value();
  if (!recovered->newest_snapshot.index.is_zero()) note_offered(recovered->newest_snapshot);
  snapshot_wanted_at_ =
      base::Index(std::max(snapshot_index_.load(), std::uint64_t{1}) + options_.snapshot.every_entries);
  snapshot_wanted_bytes_ = options_.snapshot.every_bytes;
  note_applied();
  if (cluster_) {
    cluster_->peers->begin(identity.cluster, identity.node, directory_->snapshots_path());
    if (cluster_->finder) cluster_->finder->belongs_to(identity.cluster, identity.node);
    note_members();
  }
  // Nobody else has a vote: waiting for an election timeout would only be waiting.
  if (replica_->is_sole_voter()) {
    if (auto asked = replica_->campaign(); !asked) return asked;
  }
  formed_.store(true, std::memory_order_release);
  drive();
  start_clock();
  if (auto ticked = tick(clock_->coarse_ms()); !ticked) return ticked;
  expire_what_is_due();
  return {};
}

namespace {
/// More at once than later: nobody waits for his write behind it.
constexpr std::uint64_t expire_limit_at_start = 5000;
}  // namespace

/// What has expired while this node was away is gone before anybody can read. Who is not alone in deciding waits for the others.
void Runtime::expire_what_is_due() {
  while (is_expiring()) {
    drive();
    if (is_expiring() || failed_.load(std::memory_order_relaxed)) return;
    propose_due(expire_limit_at_start);
  }
}

Error Runtime::no_place() const {
  if (auto problem = failure()) return *problem;
  const base::MutexLock lock(place_mutex_);
  return {Errc::cluster_not_ready, place_problem_.empty()
                                       ? "this node has no place in a cluster yet"
                                       : "this node has no place in a cluster yet: " + place_problem_};
}

void Runtime::post(Input input) {
  cluster_->inbox.put(std::move(input));
  drive_or_wake();
}

void Runtime::drive_or_wake() {
  if (!formed_.load(std::memory_order_acquire) || stopped_.load(std::memory_order_relaxed)) return;
  bool must_flush = false;  // who drives now, instead of this thread, sees to it itself
  if (drive_mutex_.try_lock()) {
    drive();
    must_flush = log_->has_unwritten() && !flush_is_planned_.load(std::memory_order_relaxed);
    drive_mutex_.unlock();
  }
  // Completions may be the host's code, which may wait for this very thread's messages: they are the replica thread's.
  if (has_inputs() || queue_.has_completions() || must_flush) wake();
}

}  // namespace concord::node

// How nodes with empty directories that know no list of each other come to be one cluster, and never two.
//
// Each node looks around in rounds (formation.hpp): it asks all addresses it has found who is there, and gives what it saw to `next`.
//
//   - A cluster is there: the node joins it. While one is seen, and a little longer, it agrees to nothing else.
//   - Else it chooses: of the nodes that expect the same size N, itself among them, the N first by name. When it has chosen the same
//     for the settle time, it says so (`View::choice`), and the first of the chosen proposes once all N say the same.
//   - A proposal names its N founders and has an id that was drawn for it. Each founder agrees only to the founders that it has
//     chosen itself, and to one proposal at a time. It writes that down before it says so. When all N have agreed, and only then, the
//     proposer takes its place: from the moment that is durable there is the cluster. The others see it there, and take theirs.
//   - One founder does not agree, or doesn't answer: the proposer gives the proposal up, for good, since ids are never used again.
//     Who has agreed asks the proposer what became of it, and is free again only when told that it was given up.
//
// Why no node is in two clusters. A founder takes a place only under a proposal that its proposer completed. That proposer counted an
// agreement of each founder, given after it was durable, and never says afterwards that it was given up: not while it runs, since
// `deciding` ends only with the process; not later, since its directory is that of a member then, and such a one never says it. So
// each founder is bound until it has its place in that very cluster. And who is bound neither agrees, nor proposes, nor joins.
// It makes no difference what is lost, late, or comes twice, nor who is killed and starts again: a killed proposer has completed
// its proposal durably or will never.
//
// Why two clusters don't form side by side. Two proposals with no founder in common need two groups of N that chose differently for
// the settle time, so that some node of each did not see some node of the other, nor a cluster there, all that time. What is left:
// with at least 2 N nodes, a network that is parted while they start can make two clusters (as many as there are groups of N), and
// with N = 1 nodes that start out of each other's sight do. They have no member in common, and don't merge when the network heals: a
// member that sees another cluster of its name and cookie logs an error. An operator who gives N more than half of all nodes that will
// ever be there excludes it.
//
// What blocks: a proposer that is lost for good, with its directory, after others agreed. They can't know that it did not complete.
// They say whom they wait for. None of them holds any data; with their directories emptied they begin anew.
//
// Time comes in, and writing down goes out, so all of this is tested with time, losses and crashes made by a test.
// Thread rule: any thread; `keep` is called with the lock held.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <concord/error.hpp>

#include "base/ids.hpp"
#include "base/mutex.hpp"
#include "node/proposal.hpp"

namespace concord::node {

/// Somebody who answered in this round, and who proved to be that one.
struct Sighting {
  Founder who = {};
  std::string address = {};      ///< where it answered
  base::ClusterId cluster = {};  ///< 0: it belongs to none yet
  View view = {};
};

class Bootstrap {
 public:
  struct Options {
    std::string cluster_name = {};
    std::size_t expected_size = 1;
    std::uint64_t settle_ms = 3000;
    std::uint64_t directory = 0;  ///< this node's
    bool has_place = false;       ///< the directory is that of a member
    std::optional<Proposal> promise = {};
    /// Writes down what was agreed to; nothing: that it holds no longer. Durable when it returns.
    std::function<Result<void>(const std::optional<Proposal>&)> keep = {};
  };
  explicit Bootstrap(Options options);

  // --- asked by others -------------------------------------------------------------------------------------------------
  [[nodiscard]] View view() const;
  /// May this proposal count on this node? Yes is durable. Errors: condition_failed, with why not; those of `keep`.
  [[nodiscard]] Result<void> agree(std::uint64_t proposer_directory, const Proposal& proposal);
  /// What became of a proposal of this node's: was it given up for good?
  [[nodiscard]] bool was_given_up(std::uint64_t id) const;

  // --- rounds ----------------------------------------------------------------------------------------------------------
  struct Next {
    enum class Kind : std::uint8_t {
      wait,     ///< for `why`
      refuse,   ///< wait too, but without somebody's help it will not get better
      join,     ///< the cluster that `at` answers for; then `joined`
      propose,  ///< `proposal`, to all founders but this node; then `conclude`
      ask,      ///< `at`, the proposer, what became of the promise `proposal`; then `release` if it was given up
      take,     ///< the place in the cluster of `proposal`
    } kind = Kind::wait;
    std::string why = {};
    std::string at = {};  ///< address
    Proposal proposal = {};
  };
  /// `self`: this node as others see it. `drawn_id`: a number that was never given before.
  [[nodiscard]] Next next(const Founder& self, const std::vector<Sighting>& seen, std::uint64_t now_ms,
                          std::uint64_t drawn_id);
  /// True: take the place. False: the proposal was given up.
  [[nodiscard]] bool conclude(std::uint64_t id, bool all_agreed);
  /// The proposer said that it was given up. Errors: those of `keep`; then this node is bound still.
  [[nodiscard]] Result<void> release(std::uint64_t id);
  /// Joining has succeeded, and this node is about to have a place; or it has not.
  void joined(bool succeeded);

 private:
  enum class State : std::uint8_t {
    free,
    proposing,  ///< `current_` is this node's, and can still be given up
    promised,   ///< `current_` is another's
    joining,
    deciding,  ///< there is, or will be, a place; or the process ends
  };
  struct Known {
    Founder who;
    View view;
    std::uint64_t seen_ms = 0;
  };

  [[nodiscard]] Next next_of_promised(const std::vector<Sighting>& seen) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  [[nodiscard]] std::optional<Next> next_of_cluster(const std::vector<Sighting>& seen, std::uint64_t now_ms)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  [[nodiscard]] std::string remember(const Founder& self, const std::vector<Sighting>& seen, std::uint64_t now_ms)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  [[nodiscard]] std::string choose(const Founder& self, std::uint64_t now_ms) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  [[nodiscard]] std::string not_agreed_yet(std::uint64_t now_ms) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void choose_nobody() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  [[nodiscard]] Result<void> release_locked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  mutable base::Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::free;
  std::optional<Proposal> current_ ABSL_GUARDED_BY(mutex_);
  /// By directory: fresh nodes of the last settle time.
  std::map<std::uint64_t, Known> known_ ABSL_GUARDED_BY(mutex_);
  std::vector<Founder> chosen_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t chosen_since_ms_ ABSL_GUARDED_BY(mutex_) = 0;
  bool is_settled_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<std::uint64_t> cluster_seen_ms_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace concord::node

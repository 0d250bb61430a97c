// Leader election: of many candidates one leads, for a limited time, in a numbered term.
//
//     concord::Election election(store, "scheduler", {.ttl = 10s});
//     auto leadership = election.campaign("node-a:9000", 1min);      // waits until the office is free
//     while (leadership && leadership->renew()) do_a_piece_of_work(leadership->term());
//
//     auto leader = election.leader();                               // anybody: who leads, in which term
//
// Keys: `<prefix><name>`, by default "elections/scheduler". The value is the candidate, as a JSON string (an address is a good
// one); the key has the ttl.
//
// Guarantee: in each term there is one leader, and terms rise. Terms are revisions of the store, so there are gaps between them.
//
// Limit: that of a lock (concord/recipes/lock.hpp): a leader that sleeps longer than the ttl is succeeded without noticing.
// `Leadership::is_leader()` tells what is certain; whoever takes orders from leaders refuses a smaller term than the last it saw,
// and writes to the store itself carry `guard()`.
//
// The candidate: one name for one candidate. The present leader that campaigns again under its name leads on, in the same term:
// so a program that restarts quickly keeps its office.
//
// Thread rule: an `Election` may be used by many threads at once. The store must outlive it and its leaderships, and stay
// where it is.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <concord/error.hpp>
#include <concord/export.hpp>
#include <concord/revision.hpp>
#include <concord/store.hpp>
#include <concord/transaction.hpp>

namespace concord {

namespace recipes {
class Lease;
}

struct ElectionOptions {
  std::string prefix = "elections/";
  std::chrono::seconds ttl{15};                  ///< At least 1 s. The office is free so long after the last renewal.
  std::chrono::milliseconds timeout{5000};       ///< Of each write or read that a call makes.
  std::chrono::milliseconds longest_pause{200};  ///< Between two looks at an office that is waited for.
  std::string token = {};                        ///< Looked at when authentication is on.
};

struct Leader {
  std::string candidate = {};
  Revision term = {};
  std::optional<std::chrono::seconds> ttl = {};  ///< Remaining time, rounded up.
};

/// An office that is held. The destructor resigns; it blocks at most `ElectionOptions::timeout`, and when it fails the ttl ends
/// the term. One that was moved from may only be assigned to or destroyed. Thread rule: any thread may call any member at any
/// time; moving and destroying exclude all else.
class CONCORD_API Leadership {
 public:
  Leadership(Leadership&&) noexcept;
  Leadership& operator=(Leadership&&) noexcept;
  Leadership(const Leadership&) = delete;
  Leadership& operator=(const Leadership&) = delete;
  ~Leadership();

  /// Larger than every term before, unchanged by renewals: the fencing token.
  [[nodiscard]] Revision term() const noexcept;

  /// True: nobody else leads at this moment, as far as this computer's clock measures time rightly and nobody removed the key
  /// by hand. False: resigned, lost, or not renewed for a ttl. Asks nobody.
  [[nodiscard]] bool is_leader() const noexcept;

  /// For how long `is_leader()` stays true without a renewal; 0 when it is false.
  [[nodiscard]] std::chrono::milliseconds remaining() const noexcept;

  /// Starts the ttl anew. Do it at a third of the ttl. Errors: not_found when the office was lost and is free,
  /// condition_failed when another leads. After any other error the old time still counts; try again.
  Result<void> renew();

  /// Gives the office up, for the next. Errors: as `renew`; not_found and condition_failed change nothing.
  Result<void> resign();

  /// Holds in a transaction as long as this leadership lasts and is not renewed: take it anew for each transaction.
  [[nodiscard]] Guard guard() const;

 private:
  friend class Election;
  explicit Leadership(std::unique_ptr<recipes::Lease> lease) noexcept;

  std::unique_ptr<recipes::Lease> lease_;
};

class CONCORD_API Election {
 public:
  Election(Store& store, std::string_view name, ElectionOptions options = {});

  /// Leads, if nobody does or the candidate does already. Errors: condition_failed when another leads (the message tells who).
  /// An error with `maybe_committed()`: the candidate may lead until the ttl has passed; campaigning again finds out.
  [[nodiscard]] Result<Leadership> try_campaign(std::string_view candidate);

  /// The same, again and again for at most `wait`.
  [[nodiscard]] Result<Leadership> campaign(std::string_view candidate, std::chrono::milliseconds wait);

  /// Who leads now, for everybody to ask. Errors: not_found when nobody does.
  [[nodiscard]] Result<Leader> leader(const ReadOptions& options = {.consistency = ReadConsistency::strong}) const;

  [[nodiscard]] const std::string& key() const noexcept { return key_; }

 private:
  Store* store_;
  std::string key_;
  ElectionOptions options_;
};

}  // namespace concord

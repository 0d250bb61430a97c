// Trying again: what every recipe's loop of "read, decide, commit if nothing changed" shares.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include <concord/error.hpp>
#include <concord/options.hpp>
#include <concord/store.hpp>
#include <concord/transaction.hpp>

namespace concord::recipes {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// What each write or read of a recipe gets. `token` must outlive the call.
struct CallTerms {
  milliseconds timeout{5000};
  std::string_view token = {};
};

/// The time that is left for a call, and the options of its parts.
class Deadline {
 public:
  explicit Deadline(const CallTerms& terms) : token_(terms.token), end_(steady_clock::now() + terms.timeout) {}

  [[nodiscard]] bool has_passed() const { return steady_clock::now() >= end_; }
  [[nodiscard]] milliseconds left() const;
  [[nodiscard]] ReadOptions for_read() const {
    return {.consistency = ReadConsistency::strong, .timeout = left(), .token = token_};
  }
  [[nodiscard]] WriteOptions for_write() const { return {.timeout = left(), .token = token_}; }

 private:
  std::string_view token_;
  steady_clock::time_point end_;
};

/// Pauses that grow, of random length, so that those who collided once do not collide again.
class Pauses {
 public:
  explicit Pauses(milliseconds longest);

  /// Sleeps, but not beyond `end`.
  void pause(steady_clock::time_point end);

 private:
  milliseconds longest_;
  milliseconds next_{1};
  std::minstd_rand random_;
};

/// The entry of a key by a strong read, nothing when it is missing.
[[nodiscard]] Result<std::optional<Entry>> look(Store& store, std::string_view key, const ReadOptions& options);

/// What to commit, given what the key has (null: missing); nothing: there is nothing to do. It is called once a try.
using Decide = std::function<Result<std::optional<Operation>>(const Entry*)>;

/// Commits what `decide` says, guarded by the key being as `decide` saw it; again until nobody came between. Gives the revision
/// of the write, nothing when there was nothing to do. Errors: what `decide` returns; timeout without `maybe_committed()`
/// when others were quicker until the deadline; those of the store. A write whose outcome is unknown is not repeated.
[[nodiscard]] Result<std::optional<Revision>> compare_and_set(Store& store, std::string_view key,
                                                              const CallTerms& terms, const Decide& decide);

}  // namespace concord::recipes

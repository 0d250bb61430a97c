// A lease: a key that somebody has for a limited time. Locks, elections and registrations are leases.
//
// Who has it is known by the key's create_revision: renewals change the revision, and nobody but a new holder the create
// revision. Every change is guarded by the last revision we know of; if that is not the key's any more we look whether the
// create revision is still ours, and only then try again. So a lease that was lost is never renewed, and that of another never
// removed, however late a write arrives.
//
// Thread rule: any thread may call any member at any time.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <concord/entry.hpp>
#include <concord/error.hpp>
#include <concord/revision.hpp>
#include <concord/store.hpp>
#include <concord/transaction.hpp>

#include "recipes/attempts.hpp"

namespace concord::recipes {

struct LeaseTerms {
  std::chrono::seconds ttl{30};
  milliseconds timeout{5000};
  milliseconds longest_pause{200};
  std::string token = {};

  [[nodiscard]] CallTerms call() const { return {.timeout = timeout, .token = token}; }
};

class Lease {
 public:
  /// Creates the key with `owner` as its value, or finds that `owner` has it, in which case it is renewed; while another has it
  /// waits at most `wait`. Errors: condition_failed when another has it; `maybe_committed()`: `owner` may have got it.
  [[nodiscard]] static Result<std::unique_ptr<Lease>> acquire(Store& store, std::string key, std::string_view owner,
                                                              LeaseTerms terms, milliseconds wait);

  /// Of a key that was created, or found, at `created`, last changed at `changed`, by a write asked for at `asked_at`.
  Lease(Store& store, std::string key, LeaseTerms terms, Revision created, Revision changed,
        steady_clock::time_point asked_at);

  [[nodiscard]] Revision created() const noexcept { return created_; }
  /// It was ours before it was acquired: the lease that came first gives it back.
  [[nodiscard]] bool is_borrowed() const noexcept { return is_borrowed_; }
  [[nodiscard]] milliseconds remaining() const noexcept;
  [[nodiscard]] Guard guard() const;

  /// Errors of these: not_found when it was lost and nobody has it, condition_failed when another has it.
  Result<void> renew();
  Result<void> release();
  /// Replaces the value by what `function` makes of it and keeps the remaining time.
  Result<void> rewrite(const std::function<Result<Value>(const Value&)>& function);

 private:
  struct Written {
    Revision revision;
    steady_clock::time_point asked_at;
  };

  [[nodiscard]] Result<Written> change(const Operation& operation);
  [[nodiscard]] Result<Entry> see_again(const Deadline& deadline);
  [[nodiscard]] std::unexpected<Error> lost(Errc code, const char* message);
  void set_asked_at(steady_clock::time_point asked_at) noexcept;

  friend class Acquisition;

  Store& store_;
  const std::string key_;
  const LeaseTerms terms_;
  const Revision created_;
  bool is_borrowed_ = false;
  mutable std::mutex mutex_;                      ///< One change at a time; protects what follows.
  Revision changed_;                              ///< The key's last change that we know of.
  bool is_over_ = false;                          ///< It was given back or lost.
  bool may_have_been_removed_ = false;            ///< A release whose outcome is unknown.
  std::atomic<steady_clock::rep> certain_until_;  ///< The store keeps the key until then; 0: no longer held.
};

/// Who has the lease `key` now. Errors: not_found when nobody has.
struct LeaseHolder {
  std::string owner;
  Revision created;
  std::optional<std::chrono::seconds> ttl;
};
[[nodiscard]] Result<LeaseHolder> lease_holder(Store& store, std::string_view key, const ReadOptions& options);

}  // namespace concord::recipes

// A lock that many programs share: one owner at a time, for a limited time, with a fencing token.
//
//     concord::Lock lock(store, "jobs/nightly", {.ttl = 30s});
//     auto hold = lock.acquire("worker-17", 10s);                   // waits at most 10 s
//     if (!hold) return report(hold.error());                       // condition_failed: somebody else has it
//     write_to_disk_of_others(hold->fencing_token(), data);         // they refuse a smaller token than the last they saw
//     store.commit({.guards = {hold->guard()}, .then = {...}});     // a write that happens only while the lock is ours
//
//     lock.with_lock("worker-17", [] { run_the_job(); });           // acquires, runs, gives back
//
// Keys: `<prefix><name>`, by default "locks/jobs/nightly". The value is the owner, as a JSON string; the key has the lock's ttl.
//
// Guarantee: the lock is the key, and it is created, renewed and removed only by transactions that name the state they
// change. So at most one owner has it at a time, whoever is slow, and whatever answer was lost; nobody ever frees the lock of
// another. Fencing tokens rise with every acquisition.
//
// Limit: no lock can stop a program that sleeps. When the ttl has passed without a renewal the lock goes to the next, and the
// first does not notice before it looks. `LockHold::is_held()` tells what is certain; what must never go wrong is protected
// by the fencing token or by `guard()`. The lock is not fair: who waits looks again now and then, and the quickest gets it.
//
// The owner: one name for one holder. Two threads or programs that use the same name are one owner and do not exclude each
// other. An owner that has the lock and acquires it again has it: see `LockHold::already_owned`. `unique_owner` makes a name.
//
// Thread rule: a `Lock` may be used by many threads at once. The store must outlive it and its holds, and stay where it is.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <concord/error.hpp>
#include <concord/export.hpp>
#include <concord/revision.hpp>
#include <concord/store.hpp>
#include <concord/transaction.hpp>

namespace concord {

namespace recipes {
class Lease;
}

struct LockOptions {
  std::string prefix = "locks/";
  std::chrono::seconds ttl{30};                  ///< At least 1 s. The lock is free so long after the last renewal.
  std::chrono::milliseconds timeout{5000};       ///< Of each write or read that a call makes.
  std::chrono::milliseconds longest_pause{200};  ///< Between two looks at a lock that is waited for.
  std::string token = {};                        ///< Looked at when authentication is on. (Not the fencing token.)
};

/// Who has a lock.
struct LockHolder {
  std::string owner = {};
  Revision fencing_token = {};
  std::optional<std::chrono::seconds> ttl = {};  ///< Remaining time, rounded up.
};

/// A held lock. The destructor gives it back; it blocks at most `LockOptions::timeout`, and when it fails the ttl frees the lock.
/// One that was moved from may only be assigned to or destroyed. Thread rule: any thread may call any member at any time; moving
/// and destroying exclude all else.
class CONCORD_API LockHold {
 public:
  LockHold(LockHold&&) noexcept;
  LockHold& operator=(LockHold&&) noexcept;
  LockHold(const LockHold&) = delete;
  LockHold& operator=(const LockHold&) = delete;
  ~LockHold();

  /// The revision at which the lock was acquired: larger than that of every holder before, unchanged by renewals.
  [[nodiscard]] Revision fencing_token() const noexcept;

  /// True: nobody else has the lock at this moment, as far as this computer's clock measures time rightly (one that was
  /// suspended does not) and nobody removed the key by hand. False: it was given back, lost, or its ttl has passed since the
  /// last acquisition or renewal was *asked* for; somebody else may have it. Asks nobody.
  [[nodiscard]] bool is_held() const noexcept;

  /// For how long `is_held()` stays true without a renewal; 0 when it is false.
  [[nodiscard]] std::chrono::milliseconds remaining() const noexcept;

  /// The same owner had the lock already when this hold was acquired: it has the same fencing token, and its destructor leaves
  /// the lock to the hold that came first. (After a restart under the same name there is none: call `release` when done.)
  [[nodiscard]] bool already_owned() const noexcept;

  /// Starts the ttl anew. Do it at a third of the ttl. Errors: not_found when the lock was lost and is free,
  /// condition_failed when another has it. After any other error the old time still counts; try again.
  Result<void> renew();

  /// Gives the lock back. Errors: not_found when it was lost and is free, condition_failed when another has it: both change
  /// nothing. After any other error the lock may still be held; try again, or leave it to the ttl.
  Result<void> release();

  /// Holds in a transaction as long as this hold has the lock and is not renewed: take it anew for each transaction.
  [[nodiscard]] Guard guard() const;

 private:
  friend class Lock;
  explicit LockHold(std::unique_ptr<recipes::Lease> lease) noexcept;

  std::unique_ptr<recipes::Lease> lease_;
};

class CONCORD_API Lock {
 public:
  Lock(Store& store, std::string_view name, LockOptions options = {});

  /// The lock, if it is free or the owner's own; does not wait for others. An own lock is renewed.
  /// Errors: condition_failed when another has it (the message tells who). An error with `maybe_committed()`: the owner may
  /// have the lock until its ttl has passed; acquiring again under the same name finds it.
  [[nodiscard]] Result<LockHold> try_acquire(std::string_view owner);

  /// The same, again and again for at most `wait`; a lock whose holder vanished comes free when its ttl has passed.
  [[nodiscard]] Result<LockHold> acquire(std::string_view owner, std::chrono::milliseconds wait);

  /// Acquires, calls `function` (with the hold, if it takes one), gives back; what the function returns is the result. A
  /// `Result` stays one. The lock is given back too when the function throws; what it threw goes on to the caller.
  template <class F>
  CONCORD_LOCAL auto with_lock(std::string_view owner, std::chrono::milliseconds wait, F&& function);
  template <class F>
  CONCORD_LOCAL auto with_lock(std::string_view owner, F&& function) {
    return with_lock(owner, std::chrono::milliseconds(0), std::forward<F>(function));
  }

  /// Gives back what `owner` has, without a hold: for what a crashed program left. Errors: not_found when the lock is free,
  /// condition_failed when another has it.
  Result<void> release(std::string_view owner);

  /// Who has the lock now. Errors: not_found when it is free.
  [[nodiscard]] Result<LockHolder> holder() const;

  [[nodiscard]] const std::string& key() const noexcept { return key_; }

 private:
  Store* store_;
  std::string key_;
  LockOptions options_;
};

/// An owner's name that nobody else makes: `name`, a dash, and 32 hexadecimal digits of `random`.
///
///     std::random_device random;
///     const std::string owner = concord::unique_owner("worker", random);
template <std::uniform_random_bit_generator G>
[[nodiscard]] std::string unique_owner(std::string_view name, G& random) {
  std::uniform_int_distribution<int> digit(0, 15);
  std::string owner(name);
  owner += '-';
  for (int i = 0; i < 32; ++i) owner += "0123456789abcdef"[digit(random)];
  return owner;
}

namespace detail {

template <class T>
struct AsResult {
  using Type = Result<T>;
};
template <class T>
struct AsResult<Result<T>> {
  using Type = Result<T>;
};

}  // namespace detail

template <class F>
auto Lock::with_lock(std::string_view owner, std::chrono::milliseconds wait, F&& function) {
  const auto call = [&](LockHold& hold) -> decltype(auto) {
    if constexpr (std::invocable<F, LockHold&>) {
      return std::forward<F>(function)(hold);
    } else {
      return std::forward<F>(function)();
    }
  };
  using Returned = std::decay_t<std::invoke_result_t<decltype(call), LockHold&>>;
  using Answer = typename detail::AsResult<Returned>::Type;
  auto hold = acquire(owner, wait);
  if (!hold) return Answer(std::unexpected(std::move(hold.error())));
  if constexpr (std::is_void_v<Returned>) {
    call(*hold);
    return Answer();
  } else {
    return Answer(call(*hold));
  }
}

}  // namespace concord

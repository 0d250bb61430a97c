// Who waits for the outcome of a write.
//
// `answer` is called exactly once. It may be called with the drive lock held: it does nothing but put the answer where the
// waiter finds it.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include <concord/error.hpp>
#include <concord/store.hpp>

#include "base/mutex.hpp"
#include "base/timeout.hpp"
#include "command/transaction.hpp"

namespace concord::node {

using Answer = Result<command::Outcome>;

class Waiter {
 public:
  virtual void answer(Answer&& outcome) noexcept = 0;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

 protected:
  Waiter() = default;
  ~Waiter() = default;
};

/// On the stack of a caller that drives the replica itself: answered before its turn ends.
class InlineWaiter final : public Waiter {
 public:
  void answer(Answer&& outcome) noexcept override { outcome_.emplace(std::move(outcome)); }
  [[nodiscard]] std::optional<Answer>& outcome() noexcept { return outcome_; }

 private:
  std::optional<Answer> outcome_;
};

/// A thread that sleeps. Shared with the queue, so that the thread may give up when its deadline has passed.
class BlockedWaiter final : public Waiter, public std::enable_shared_from_this<BlockedWaiter> {
 public:
  /// The queue's reference: given back by `answer`.
  void hold() { self_ = shared_from_this(); }

  void answer(Answer&& outcome) noexcept override {
    const std::shared_ptr<BlockedWaiter> keep = std::move(self_);
    const base::MutexLock lock(mutex_);
    outcome_.emplace(std::move(outcome));
    answered_.notify_one();
  }

  /// None when the deadline came first.
  [[nodiscard]] std::optional<Answer> wait(std::chrono::milliseconds timeout) {
    base::MutexLock lock(mutex_);
    (void)answered_.wait_for(lock, base::bounded(timeout),
                             [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return outcome_.has_value(); });
    return std::move(outcome_);
  }

 private:
  base::Mutex mutex_;
  base::CondVar answered_;
  std::optional<Answer> outcome_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<BlockedWaiter> self_;
};

/// A callback and what it is to be called with.
struct CompletionCall {
  Completion<command::Outcome> done;
  Answer outcome;
};

}  // namespace concord::node

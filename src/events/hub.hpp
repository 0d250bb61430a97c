// What the subscribers of a node share: the history, who they are, and the dispatcher that tells them of what is new.
//
// The dispatcher has a thread of its own, so that nobody who writes waits for subscribers: the writer wakes it when it sleeps, at
// most once for each time, and it goes on looking for a moment before it sleeps again. Subscribers to a prefix stand in an index, so
// those of other prefixes cost an event nothing; the others are told that there is something, and look for themselves.
//
// Thread rule: any thread. No lock is held while host code or a subscriber's `ready` is called.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <concord/error.hpp>
#include <concord/events.hpp>

#include "base/mutex.hpp"
#include "env/executor.hpp"
#include "events/prefix_index.hpp"
#include "events/subscriber.hpp"
#include "store/history.hpp"

namespace concord::events {

struct HubSettings {
  std::string node;                                                    ///< its name, as events tell it
  std::size_t buffer_size = 10'000;                                    ///< the largest `max_demand`
  std::function<Result<void>(Value&)> unpack = {};                     ///< gives a value the form in which users see it
  std::function<void(std::move_only_function<void()>)> executor = {};  ///< runs callbacks; none: a thread of its own
};

class Hub : public std::enable_shared_from_this<Hub> {
 public:
  Hub(std::shared_ptr<store::History> history, HubSettings settings);
  ~Hub();

  /// Starts the dispatcher. Before the first subscriber.
  void start();
  /// Ends all subscribers and the dispatcher, and waits for the callbacks that tell of it, but for those in a host's executor. Nobody is
  /// added any more. Not from a callback.
  void stop();

  /// `most_of_tenant`: so many its tenant has at most, with this one; 0: no limit. Errors: overloaded, cluster_not_ready (it has stopped).
  [[nodiscard]] Result<void> add(const std::shared_ptr<Subscriber>& subscriber, std::uint64_t most_of_tenant = 0);
  void remove(Subscriber& subscriber) noexcept;
  /// `why` ends the subscribers that belong to `owner`.
  void finish_those_of(std::string_view owner, const Error& why);

  /// Somebody wants to be told of reads.
  [[nodiscard]] bool wants_reads() const noexcept { return readers_.load(std::memory_order_relaxed) != 0; }
  /// `values[i]` is that of `keys[i]`; none: it was not there.
  void publish_reads(const std::vector<std::string_view>& keys, const std::vector<std::optional<Value>>& values);

  [[nodiscard]] EventStats stats() const;

  // --- for subscribers -------------------------------------------------------------------------------------------------

  [[nodiscard]] const store::History& history() const noexcept { return *history_; }
  [[nodiscard]] const std::string& node() const noexcept { return settings_.node; }
  /// The dispatcher has begun with everything up to there ...
  [[nodiscard]] Revision dispatching() const noexcept { return Revision(dispatching_.load(std::memory_order_seq_cst)); }
  /// ... and is done with everything up to there.
  [[nodiscard]] Revision dispatched() const noexcept { return Revision(dispatched_.load(std::memory_order_acquire)); }
  [[nodiscard]] Result<void> unpack(Value& value) const;
  [[nodiscard]] Error compacted(Revision after) const;
  void run(std::move_only_function<void()> task);

 private:
  using Readies = std::vector<Subscriber::Ready>;

  [[nodiscard]] std::uint64_t count_of_tenant(std::string_view tenant) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void dispatch_for_ever();
  void dispatch_new();
  [[nodiscard]] bool wait_for_new();
  void dispatch_indexed(Revision from, Revision to, Readies& readies) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void offer_event(Revision revision, const store::KeptEvent& kept, Readies& readies)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::shared_ptr<store::History> history_;
  const HubSettings settings_;
  std::atomic<std::uint64_t> dispatching_{0};
  std::atomic<std::uint64_t> dispatched_{0};
  std::atomic<std::uint32_t> readers_{0};

  mutable base::Mutex mutex_;
  PrefixIndex<Subscriber> index_ ABSL_GUARDED_BY(mutex_);
  std::vector<Subscriber*> all_ ABSL_GUARDED_BY(mutex_);    // in no order
  std::vector<Subscriber*> broad_ ABSL_GUARDED_BY(mutex_);  // those without a prefix
  std::shared_ptr<const store::HistoryBlock> block_;        // the dispatcher's: where it read last

  base::Mutex wake_mutex_;
  base::CondVar wake_;
  bool is_woken_ ABSL_GUARDED_BY(wake_mutex_) = false;
  bool is_stopping_ ABSL_GUARDED_BY(wake_mutex_) = false;
  std::atomic<bool> has_stopped_{false};
  std::atomic<std::size_t> count_{0};  // of subscribers
  std::thread dispatcher_;
  base::Mutex callbacks_mutex_;
  std::unique_ptr<env::Executor> callbacks_ ABSL_GUARDED_BY(callbacks_mutex_);  // null: it has stopped
};

}  // namespace concord::events

// One subscriber of a node: a position in the history, and what waits for it.
//
// It goes on from its position by itself, on the thread that takes its events ("scanning"). One that asks for a prefix, and has seen
// all there is, lets itself be fed: the dispatcher then tells it the revisions that match, until more wait than it may have
// waiting; it goes on scanning behind the last of those. So a slow subscriber costs the others nothing, and misses nothing until
// its position is no longer kept: then it ends with `compacted`.
//
// Invariant: every revision up to `position_` was given out or does not match; one that matches and lies behind is in `queue_`, or is
// found by scanning from the last of `queue_` on, or (fed) is still to come from the dispatcher.
//
// Thread rule: `take`, `take_some` and `when_ready` by one thread at a time; the rest from any.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.hpp"
#include "calls/subscription.hpp"
#include "events/filter.hpp"
#include "store/history.hpp"

namespace concord::events {

class Hub;

class Subscriber final : public Subscription::Impl, public std::enable_shared_from_this<Subscriber> {
 public:
  struct Settings {
    Filter filter;
    std::size_t max_demand = 1000;
    Revision after;
    std::string owner = {};   ///< whom it belongs to (a token's id)
    std::string tenant = {};  ///< whose that is; empty: of none
  };

  Subscriber(std::shared_ptr<Hub> hub, Settings settings);
  ~Subscriber() override;

  [[nodiscard]] Result<void> take(std::vector<Event>& to, std::size_t most) override;
  /// The same, but looks at no more than `most_looked_at` events that don't match. True: there may be more at once.
  [[nodiscard]] Result<bool> take_some(std::vector<Event>& to, std::size_t most, std::size_t most_looked_at);
  void when_ready(std::move_only_function<void()> ready) override;
  void finish(Error why) override;
  void run(std::move_only_function<void()> task) override;
  [[nodiscard]] Revision position() const override;
  [[nodiscard]] Revision oldest_revision() const override;
  [[nodiscard]] std::optional<Error> error() const override;

  [[nodiscard]] const Filter& filter() const noexcept { return settings_.filter; }
  [[nodiscard]] const std::string& owner() const noexcept { return settings_.owner; }
  [[nodiscard]] const std::string& tenant() const noexcept { return settings_.tenant; }
  [[nodiscard]] std::size_t max_demand() const noexcept { return settings_.max_demand; }
  /// How much waits for it, up to `max_demand`.
  [[nodiscard]] std::size_t waiting() const;

  // --- the dispatcher's. Each gives what is to be called then, without any lock. ----------------------------------------

  using Ready = std::move_only_function<void()>;
  /// An event that matches.
  [[nodiscard]] Ready offer(Revision revision);
  /// There is something new in the history.
  [[nodiscard]] Ready look();
  /// Events it has not been told of are gone.
  [[nodiscard]] Ready lose();
  [[nodiscard]] Ready offer_read(const Event& event);

  Revision last_offered = {};  ///< the dispatcher's

 private:
  [[nodiscard]] Result<bool> take_queued(std::vector<Event>& to, std::size_t most);
  [[nodiscard]] Result<bool> scan(std::vector<Event>& to, std::size_t most, std::size_t most_looked_at);
  /// All there is was seen: whether nothing has come meanwhile.
  [[nodiscard]] bool settle();
  [[nodiscard]] std::optional<store::KeptEvent> event_of(Revision revision);
  [[nodiscard]] Result<void> append(std::vector<Event>& to, Revision revision, const store::KeptEvent& kept) const;
  [[nodiscard]] Result<bool> end(Error why);
  [[nodiscard]] bool has_something() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::shared_ptr<Hub> hub_;
  const Settings settings_;
  std::shared_ptr<const store::HistoryBlock> block_;  // the taker's: where it read last

  mutable base::Mutex mutex_;
  Revision position_ ABSL_GUARDED_BY(mutex_);
  bool is_fed_ ABSL_GUARDED_BY(mutex_) = false;
  Revision fed_after_ ABSL_GUARDED_BY(mutex_);
  std::deque<Revision> queue_ ABSL_GUARDED_BY(mutex_);
  std::deque<Event> reads_ ABSL_GUARDED_BY(mutex_);
  Ready ready_ ABSL_GUARDED_BY(mutex_);
  std::optional<Error> error_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace concord::events

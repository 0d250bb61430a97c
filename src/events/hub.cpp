#include "events/hub.hpp"

#include <algorithm>
#include <future>
#include <utility>

namespace concord::events {
namespace {

using std::chrono::microseconds;

/// Events that are dispatched with the lock held once.
constexpr std::uint64_t batch_events = 256;
/// Between two looks while there may be more soon: while it lasts nobody who writes has to wake anybody.
constexpr microseconds nap{200};
/// So often it looks in vain before it sleeps.
constexpr int most_naps = 5;

void call_all(std::vector<Subscriber::Ready>& readies) {
  for (auto& ready : readies) ready();
  readies.clear();
}

void note(std::vector<Subscriber::Ready>& readies, Subscriber::Ready ready) {
  if (ready) readies.push_back(std::move(ready));
}

}  // namespace

Hub::Hub(std::shared_ptr<store::History> history, HubSettings settings)
    : history_(std::move(history)),
      settings_(std::move(settings)),
      callbacks_(std::make_unique<env::ThreadExecutor>()) {
  history_->set_waker([this] {
    {
      const base::MutexLock lock(wake_mutex_);
      is_woken_ = true;
    }
    wake_.notify_one();
  });
}

Hub::~Hub() { stop(); }

void Hub::start() {
  dispatcher_ = std::thread([this] { dispatch_for_ever(); });
}

void Hub::stop() {
  if (has_stopped_.exchange(true)) return;
  {
    const base::MutexLock lock(wake_mutex_);
    is_stopping_ = true;
  }
  wake_.notify_one();
  if (dispatcher_.joinable()) dispatcher_.join();
  finish_those_of({}, Error(Errc::cluster_not_ready, "the node has stopped"));
  if (!settings_.executor) {
    std::promise<void> done;
    run([&done] { done.set_value(); });
    done.get_future().wait();
  }
  std::unique_ptr<env::Executor> ended;
  const base::MutexLock lock(callbacks_mutex_);
  ended = std::move(callbacks_);
}

// ---------------------------------------------------------------------------------------------------------------------
// Who subscribes.

std::uint64_t Hub::count_of_tenant(std::string_view tenant) const {
  const auto is_of_it = [tenant](const Subscriber* each) { return each->tenant() == tenant; };
  return static_cast<std::uint64_t>(std::ranges::count_if(all_, is_of_it));
}

Result<void> Hub::add(const std::shared_ptr<Subscriber>& subscriber, std::uint64_t most_of_tenant) {
  {
    const base::MutexLock lock(mutex_);
    if (has_stopped_.load()) return fail(Errc::cluster_not_ready, "the node is stopping");
    if (most_of_tenant != 0 && count_of_tenant(subscriber->tenant()) >= most_of_tenant) {
      return fail(Errc::overloaded, "the tenant " + subscriber->tenant() + " has " + std::to_string(most_of_tenant) +
                                        " subscriptions on this node, which is its quota");
    }
    if (all_.empty()) {  // nobody has been told of what came meanwhile
      const std::uint64_t newest = history_->newest().value();
      dispatching_.store(newest, std::memory_order_seq_cst);
      dispatched_.store(newest, std::memory_order_release);
    }
    all_.push_back(subscriber.get());
    const std::string& prefix = subscriber->filter().prefix();
    if (prefix.empty()) {
      broad_.push_back(subscriber.get());
    } else {
      index_.add(prefix, subscriber.get());
    }
    count_.store(all_.size(), std::memory_order_relaxed);
  }
  if (subscriber->filter().wants_reads()) readers_.fetch_add(1);
  {
    const base::MutexLock lock(wake_mutex_);
    is_woken_ = true;
  }
  wake_.notify_one();
  return {};
}

void Hub::remove(Subscriber& subscriber) noexcept {
  const base::MutexLock lock(mutex_);
  if (std::erase(all_, &subscriber) == 0) return;
  if (subscriber.filter().prefix().empty()) {
    std::erase(broad_, &subscriber);
  } else {
    index_.remove(subscriber.filter().prefix(), &subscriber);
  }
  count_.store(all_.size(), std::memory_order_relaxed);
  if (subscriber.filter().wants_reads()) readers_.fetch_sub(1);
}

/// Empty: all.
void Hub::finish_those_of(std::string_view owner, const Error& why) {
  std::vector<std::shared_ptr<Subscriber>> found;
  {
    const base::MutexLock lock(mutex_);
    for (Subscriber* subscriber : all_) {
      if (!owner.empty() && subscriber->owner() != owner) continue;
      // One that goes away just now needs no end.
      if (auto held = subscriber->weak_from_this().lock()) found.push_back(std::move(held));
    }
  }
  for (const auto& subscriber : found) subscriber->finish(why);
}

EventStats Hub::stats() const {
  EventStats stats{.enabled = true,
                   .queue_size = 0,
                   .pending_demand = 0,
                   .events_published = history_->published(),
                   .subscribers = 0,
                   .oldest_revision = history_->oldest()};
  const base::MutexLock lock(mutex_);
  stats.subscribers = all_.size();
  for (const Subscriber* subscriber : all_) {
    const std::size_t waiting = subscriber->waiting();
    stats.queue_size += waiting;
    stats.pending_demand += subscriber->max_demand() - waiting;
  }
  return stats;
}

Result<void> Hub::unpack(Value& value) const { return settings_.unpack ? settings_.unpack(value) : Result<void>(); }

Error Hub::compacted(Revision after) const {
  return {Errc::compacted, "what came after revision " + std::to_string(after.value()) +
                               " is no longer kept; the oldest event that is has revision " +
                               std::to_string(history_->oldest().value())};
}

void Hub::run(std::move_only_function<void()> task) {
  if (settings_.executor) return settings_.executor(std::move(task));
  {
    const base::MutexLock lock(callbacks_mutex_);
    if (callbacks_) return callbacks_->soon(std::move(task));
  }
  task();
}

// ---------------------------------------------------------------------------------------------------------------------
// The dispatcher.

void Hub::dispatch_for_ever() {
  while (wait_for_new()) dispatch_new();
}

/// False: it is to stop.
bool Hub::wait_for_new() {
  for (int naps = 0;; ++naps) {
    base::MutexLock lock(wake_mutex_);
    if (is_stopping_) return false;
    const bool has_subscribers = count_.load(std::memory_order_relaxed) != 0;
    if (has_subscribers && history_->newest() > dispatched()) return true;
    is_woken_ = false;
    const auto is_woken = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(wake_mutex_) { return is_woken_ || is_stopping_; };
    if (has_subscribers && naps < most_naps) {
      (void)wake_.wait_for(lock, nap, is_woken);
    } else if (!has_subscribers) {
      wake_.wait(lock, is_woken);
    } else if (history_->want_wake(dispatched())) {
      wake_.wait(lock, is_woken);
      naps = 0;
    }
  }
}

void Hub::dispatch_new() {
  const Revision newest = history_->newest();
  Readies readies;
  for (Revision from = dispatched().next(); from <= newest;) {
    const Revision to(std::min(newest.value(), from.value() + batch_events - 1));
    {
      const base::MutexLock lock(mutex_);
      dispatching_.store(to.value(), std::memory_order_seq_cst);
      if (!index_.is_empty()) dispatch_indexed(from, to, readies);
      dispatched_.store(to.value(), std::memory_order_release);
      for (Subscriber* subscriber : broad_) note(readies, subscriber->look());
    }
    call_all(readies);
    from = to.next();
  }
  block_.reset();
}

void Hub::dispatch_indexed(Revision from, Revision to, Readies& readies) {
  for (Revision at = from; at <= to; at = at.next()) {
    const auto is_in = [&] {
      return block_ && at >= block_->first() && at.value() - block_->first().value() < block_->size();
    };
    if (!is_in()) block_ = history_->find(at);
    if (!is_in()) {
      block_.reset();
      for (Subscriber* subscriber : all_) note(readies, subscriber->lose());
      at = std::max(at, std::min(to, history_->oldest().previous()));
      continue;
    }
    offer_event(at, block_->event(at.value() - block_->first().value()), readies);
  }
}

void Hub::offer_event(Revision revision, const store::KeptEvent& kept, Readies& readies) {
  store::HistoryEvent event(kept);
  const auto offer = [&](Subscriber& subscriber) {
    if (subscriber.last_offered == revision) return;
    subscriber.last_offered = revision;
    note(readies, subscriber.offer(revision));
  };
  if (event.type() == EventType::restored) return index_.visit_all(offer);
  store::HistoryEvent::Change change;
  while (event.next(change)) {
    index_.visit(change.key, [&](Subscriber& subscriber) {
      const Filter& filter = subscriber.filter();
      if (filter.wants(event.type(), type_of(change.op)) && filter.matches_key(change.key)) offer(subscriber);
    });
  }
}

/// Best effort: nobody waits for it, and nobody whose buffer is full is told.
void Hub::publish_reads(const std::vector<std::string_view>& keys, const std::vector<std::optional<Value>>& values) {
  const EventType type = keys.size() == 1 ? EventType::get : EventType::get_many;
  const auto now = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  Readies readies;
  {
    const base::MutexLock lock(mutex_);
    for (Subscriber* subscriber : all_) {
      const Filter& filter = subscriber->filter();
      if (!filter.wants_reads() || !filter.wants(type, EventType::get)) continue;
      Event event{
          .type = type, .revision = {}, .timestamp = now, .node = node(), .change_count = keys.size(), .changes = {}};
      for (std::size_t at = 0; at < keys.size(); ++at) {
        if (!filter.matches_key(keys[at])) continue;
        EventChange& shown = event.changes.emplace_back();
        shown.op = EventType::get;
        shown.key = keys[at];
        if (!filter.keys_only()) shown.value = values[at];
      }
      if (!event.changes.empty()) note(readies, subscriber->offer_read(event));
    }
  }
  call_all(readies);
}

}  // namespace concord::events

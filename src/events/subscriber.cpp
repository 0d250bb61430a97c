#include "events/subscriber.hpp"

#include <algorithm>
#include <utility>

#include "events/hub.hpp"

namespace concord::events {
namespace {

constexpr std::size_t no_limit = ~std::size_t{0};

}  // namespace

Subscriber::Subscriber(std::shared_ptr<Hub> hub, Settings settings)
    : hub_(std::move(hub)), settings_(std::move(settings)), position_(settings_.after) {}

Subscriber::~Subscriber() { hub_->remove(*this); }

// ---------------------------------------------------------------------------------------------------------------------
// Taking.

Result<void> Subscriber::take(std::vector<Event>& to, std::size_t most) {
  auto took = take_some(to, most, no_limit);
  if (!took) return std::unexpected(std::move(took.error()));
  return {};
}

Result<bool> Subscriber::take_some(std::vector<Event>& to, std::size_t most, std::size_t most_looked_at) {
  bool has_queue = false;
  {
    const base::MutexLock lock(mutex_);
    if (error_) return std::unexpected(*error_);
    while (!reads_.empty() && to.size() < most) {
      to.push_back(std::move(reads_.front()));
      reads_.pop_front();
    }
    if (to.size() == most) return has_something();
    has_queue = !queue_.empty();
    if (!has_queue && is_fed_) return false;
  }
  return has_queue ? take_queued(to, most) : scan(to, most, most_looked_at);
}

Result<bool> Subscriber::take_queued(std::vector<Event>& to, std::size_t most) {
  std::vector<Revision> revisions;
  {
    const base::MutexLock lock(mutex_);
    const std::size_t count = std::min(queue_.size(), most - to.size());
    revisions.assign(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count));
  }
  for (const Revision revision : revisions) {
    const auto event = event_of(revision);
    if (!event) {
      if (!to.empty()) return true;  // what came before goes first
      return end(hub_->compacted(revision.previous()));
    }
    if (auto added = append(to, revision, *event); !added) return end(std::move(added.error()));
    const base::MutexLock lock(mutex_);
    position_ = revision;
    queue_.pop_front();
  }
  const base::MutexLock lock(mutex_);
  if (queue_.empty()) block_.reset();
  return has_something();
}

Result<bool> Subscriber::scan(std::vector<Event>& to, std::size_t most, std::size_t most_looked_at) {
  Revision at;
  {
    const base::MutexLock lock(mutex_);
    at = position_;
  }
  const store::History& history = hub_->history();
  for (std::size_t looked_at = 0; to.size() < most; ++looked_at) {
    const Revision newest = history.newest();
    if (at >= newest) {
      {
        const base::MutexLock lock(mutex_);
        position_ = at;
      }
      if (settle()) {
        block_.reset();  // it may be long until there is more, and a block holds values that nothing else needs
        return false;
      }
      if (looked_at >= most_looked_at) return true;
      continue;
    }
    if (looked_at >= most_looked_at) break;
    const auto event = event_of(at.next());
    if (!event) {
      if (!to.empty()) break;
      return end(hub_->compacted(at));
    }
    if (settings_.filter.matches(*event)) {
      if (auto added = append(to, at.next(), *event); !added) return end(std::move(added.error()));
    }
    at = at.next();
  }
  const base::MutexLock lock(mutex_);
  position_ = at;
  return true;
}

/// From here on the dispatcher feeds it, if it asks for a prefix. What the dispatcher has begun with meanwhile it did not get.
bool Subscriber::settle() {
  const base::MutexLock lock(mutex_);
  if (settings_.filter.prefix().empty()) return hub_->history().newest() <= position_;
  is_fed_ = true;
  fed_after_ = position_;
  if (hub_->dispatching() <= position_) return true;
  is_fed_ = false;
  return false;
}

/// Nothing: it is not kept.
std::optional<store::KeptEvent> Subscriber::event_of(Revision revision) {
  const auto is_in = [&] {
    return block_ && revision >= block_->first() && revision.value() - block_->first().value() < block_->size();
  };
  if (!is_in()) block_ = hub_->history().find(revision);
  if (!is_in()) {
    block_.reset();
    return std::nullopt;
  }
  return block_->event(revision.value() - block_->first().value());
}

Result<void> Subscriber::append(std::vector<Event>& to, Revision revision, const store::KeptEvent& kept) const {
  store::HistoryEvent event(kept);
  Event& made = to.emplace_back();
  made.type = event.type();
  made.revision = revision;
  made.timestamp = std::chrono::system_clock::time_point(std::chrono::milliseconds(event.time_ms()));
  made.node = hub_->node();
  made.change_count = event.count();
  const Filter& filter = settings_.filter;
  store::HistoryEvent::Change change;
  while (event.next(change)) {
    if (!filter.takes_all() && !filter.matches_key(change.key)) continue;
    EventChange& shown = made.changes.emplace_back();
    shown.op = type_of(change.op);
    shown.key = change.key;
    if (change.ttl_s > 0) shown.ttl = std::chrono::seconds(change.ttl_s);
    if (!change.value.empty() && !filter.keys_only()) {
      if (auto done = hub_->unpack(shown.value.emplace(Value::from_stored(change.value))); !done) return done;
    }
    if (!change.previous.empty() && filter.with_previous()) {
      if (auto done = hub_->unpack(shown.previous.emplace(Value::from_stored(change.previous))); !done) return done;
    }
  }
  return {};
}

Result<bool> Subscriber::end(Error why) {
  finish(why);
  return std::unexpected(std::move(why));
}

// ---------------------------------------------------------------------------------------------------------------------
// Waiting.

bool Subscriber::has_something() const {
  if (error_ || !queue_.empty() || !reads_.empty()) return true;
  return !is_fed_ && hub_->history().newest() > position_;
}

void Subscriber::when_ready(Ready ready) {
  {
    const base::MutexLock lock(mutex_);
    if (!ready || !has_something()) {
      ready_ = std::move(ready);
      return;
    }
  }
  ready();
}

void Subscriber::finish(Error why) {
  Ready ready;
  {
    const base::MutexLock lock(mutex_);
    if (!error_) error_ = std::move(why);
    ready = std::exchange(ready_, nullptr);
    queue_.clear();
    reads_.clear();
  }
  if (ready) ready();
}

void Subscriber::run(std::move_only_function<void()> task) { hub_->run(std::move(task)); }

Revision Subscriber::position() const {
  const base::MutexLock lock(mutex_);
  // What the dispatcher was done with before the subscriber was asked, and did not tell it, does not match.
  if (is_fed_ && queue_.empty()) return std::max(position_, hub_->dispatched());
  return position_;
}

Revision Subscriber::oldest_revision() const { return hub_->history().oldest(); }

std::optional<Error> Subscriber::error() const {
  const base::MutexLock lock(mutex_);
  return error_;
}

std::size_t Subscriber::waiting() const {
  const base::MutexLock lock(mutex_);
  if (error_) return 0;
  std::size_t count = queue_.size() + reads_.size();
  const std::uint64_t newest = hub_->history().newest().value();
  if (!is_fed_ && queue_.empty() && newest > position_.value()) count += newest - position_.value();
  return std::min(count, settings_.max_demand);
}

// ---------------------------------------------------------------------------------------------------------------------
// The dispatcher's.

Subscriber::Ready Subscriber::offer(Revision revision) {
  const base::MutexLock lock(mutex_);
  if (error_) return nullptr;
  if (is_fed_) {
    if (revision <= fed_after_) return nullptr;
    if (queue_.size() < settings_.max_demand) {
      queue_.push_back(revision);
    } else {
      is_fed_ = false;
    }
  }
  return std::exchange(ready_, nullptr);
}

Subscriber::Ready Subscriber::look() {
  const base::MutexLock lock(mutex_);
  return std::exchange(ready_, nullptr);
}

Subscriber::Ready Subscriber::lose() {
  const base::MutexLock lock(mutex_);
  is_fed_ = false;
  return std::exchange(ready_, nullptr);
}

Subscriber::Ready Subscriber::offer_read(const Event& event) {
  const base::MutexLock lock(mutex_);
  if (error_ || reads_.size() >= settings_.max_demand) return nullptr;  // best effort
  reads_.push_back(event);
  return std::exchange(ready_, nullptr);
}

}  // namespace concord::events

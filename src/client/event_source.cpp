#include "client/event_source.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

namespace concord::client {
namespace {

constexpr std::string_view progress = "revision ";

std::optional<Revision> revision_in(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return Revision(number);
}

}  // namespace

Result<void> EventSource::take(std::vector<Event>& to, std::size_t most) {
  std::deque<Came> passed;
  bool had_no_room = false;
  {
    const base::MutexLock lock(mutex_);
    if (error_ && came_.empty()) return std::unexpected(*error_);
    had_no_room = came_.size() >= settings_.max_demand;
    const std::size_t count = std::min(most, came_.size());
    std::move(came_.begin(), came_.begin() + static_cast<std::ptrdiff_t>(count), std::back_inserter(passed));
    came_.erase(came_.begin(), came_.begin() + static_cast<std::ptrdiff_t>(count));
    for (const Came& each : passed) taken_ = std::max(taken_, each.revision);
  }
  if (had_no_room && wake_) wake_();
  for (const Came& each : passed) {
    auto event = event_of(each.data);
    if (!event) {
      finish(event.error());
      return std::unexpected(std::move(event.error()));
    }
    to.push_back(std::move(*event));
  }
  return {};
}

void EventSource::when_ready(std::move_only_function<void()> ready) {
  {
    const base::MutexLock lock(mutex_);
    if (!ready || (came_.empty() && !error_)) {
      ready_ = std::move(ready);
      return;
    }
  }
  ready();
}

void EventSource::finish(Error why) {
  std::move_only_function<void()> ready;
  {
    const base::MutexLock lock(mutex_);
    if (!error_) error_ = std::move(why);
    came_.clear();
    ready = take_ready();
  }
  if (ready) ready();
  if (wake_) wake_();
}

/// What came before it is still given out.
void EventSource::fail_for_good(StreamEnd end) {
  std::move_only_function<void()> ready;
  {
    const base::MutexLock lock(mutex_);
    if (!error_) error_ = std::move(end.why);
    oldest_ = end.oldest;
    ready = take_ready();
  }
  if (ready) ready();
}

Revision EventSource::position() const {
  const base::MutexLock lock(mutex_);
  if (came_.empty()) return received_.value_or(settings_.after.value_or(Revision(0)));
  return taken_;
}

Revision EventSource::oldest_revision() const {
  const base::MutexLock lock(mutex_);
  return oldest_;
}

std::optional<Error> EventSource::error() const {
  const base::MutexLock lock(mutex_);
  return error_;
}

std::optional<Revision> EventSource::resume_after() const {
  const base::MutexLock lock(mutex_);
  return received_ ? received_ : settings_.after;
}

bool EventSource::has_room() const {
  const base::MutexLock lock(mutex_);
  return came_.size() < settings_.max_demand;
}

bool EventSource::add(std::string_view bytes) {
  is_useless_ = false;
  const bool is_well_formed = parser_.add(bytes, [this](const ServerSentEvent& event) { add_one(event); });
  return is_well_formed && !is_useless_ && !has_ended();
}

void EventSource::add_one(const ServerSentEvent& event) {
  if (event.comment.starts_with(progress)) {
    const auto told = revision_in(event.comment.substr(progress.size()));
    const base::MutexLock lock(mutex_);
    if (told) received_ = std::max(received_.value_or(*told), *told);
    return;
  }
  if (event.data.empty()) return;
  if (event.event == "end") {
    StreamEnd end = stream_end_of(event.data);
    is_useless_ = true;
    // A node that stops, or a disk that fails, is no reason: others go on.
    const Errc code = end.why.code();
    if (code == Errc::compacted || code == Errc::unauthorized || code == Errc::forbidden) fail_for_good(std::move(end));
    return;
  }
  std::move_only_function<void()> ready;
  {
    const base::MutexLock lock(mutex_);
    Came came{.revision = Revision(0), .data = std::string(event.data)};
    if (const auto revision = revision_in(event.id)) {
      if (received_ && *revision <= *received_) return;  // it came already
      received_ = came.revision = *revision;
    }
    if (error_) return;
    came_.push_back(std::move(came));
    ready = take_ready();
  }
  if (ready) ready();
}

}  // namespace concord::client

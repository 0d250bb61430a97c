#include "sim/expiry_watch.hpp"

#include <algorithm>
#include <iterator>

#include "store/history.hpp"

namespace concord::sim {

using store::ChangeKind;

std::optional<std::string> ExpiryWatch::look(std::uint64_t index, std::uint64_t time_ms) {
  const auto [here, is_new] = times_ms_.emplace(index, time_ms);
  const auto next = std::next(here);
  const bool is_right = here->second == time_ms && (next == times_ms_.end() || next->second >= time_ms) &&
                        (here == times_ms_.begin() || std::prev(here)->second <= time_ms);
  if (is_right) return std::nullopt;
  return "is at cluster time " + std::to_string(time_ms) + " at index " + std::to_string(index) +
         ", which is not where others are";
}

void ExpiryWatch::take(std::uint64_t revision, std::string_view event) {
  Event& taken = events_[revision];
  store::HistoryEvent read(event);
  taken.names_keys = read.type() != EventType::restored;
  store::HistoryEvent::Change change;
  while (read.next(change)) taken.changes.push_back({change.op, std::string(change.key), change.ttl_s});
}

void ExpiryWatch::narrow(std::uint64_t revision, std::uint64_t least_ms, std::uint64_t most_ms) {
  Event& event = events_[revision];
  event.least_ms = std::max(event.least_ms, least_ms);
  event.most_ms = std::min(event.most_ms, most_ms);
}

std::optional<std::string> ExpiryWatch::problem() const {
  Alive alive;  // keys whose last change is known
  std::uint64_t expected = 0;
  for (const auto& [revision, event] : events_) {
    if (revision != expected || !event.names_keys) alive.clear();
    expected = revision + 1;
    if (auto why = problem_with(revision, event, alive)) return why;
  }
  return std::nullopt;
}

std::optional<std::string> ExpiryWatch::problem_with(std::uint64_t revision, const Event& event, Alive& alive) const {
  for (const Change& change : event.changes) {
    if (change.kind == ChangeKind::put || change.kind == ChangeKind::touch) {
      alive[change.key] = {.revision = revision, .ttl_s = change.ttl_s};
      continue;
    }
    const auto given = alive.extract(change.key);
    if (change.kind != ChangeKind::expire || !given) continue;
    const auto [since, ttl_s] = given.mapped();
    constexpr std::uint64_t second_ms = 1000;
    if (ttl_s != 0 && event.most_ms >= events_.at(since).least_ms + ttl_s * second_ms) continue;
    return change.key + " expires at revision " + std::to_string(revision) + ", by " + std::to_string(event.most_ms) +
           " ms of cluster time; it was written at revision " + std::to_string(since) + " for " +
           std::to_string(ttl_s) + " s, not before " + std::to_string(events_.at(since).least_ms) + " ms";
  }
  return std::nullopt;
}

}  // namespace concord::sim

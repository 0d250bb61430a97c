#include "recipes/attempts.hpp"

#include <algorithm>
#include <thread>
#include <utility>

namespace concord::recipes {
namespace {

constexpr milliseconds longest_pause_of_writers{8};

}  // namespace

milliseconds Deadline::left() const {
  return std::max(milliseconds(1), std::chrono::ceil<milliseconds>(end_ - steady_clock::now()));
}

Pauses::Pauses(milliseconds longest)
    : longest_(std::max(longest, milliseconds(1))),
      random_(static_cast<std::minstd_rand::result_type>(
          steady_clock::now().time_since_epoch().count() ^
          static_cast<std::int64_t>(std::hash<std::thread::id>()(std::this_thread::get_id())))) {}

void Pauses::pause(steady_clock::time_point end) {
  const auto longest_us = std::chrono::microseconds(next_).count();
  const auto length =
      std::chrono::microseconds(std::uniform_int_distribution<std::int64_t>(longest_us / 2, longest_us)(random_));
  std::this_thread::sleep_until(std::min(end, steady_clock::now() + length));
  next_ = std::min(longest_, 2 * next_);
}

Result<std::optional<Entry>> look(Store& store, std::string_view key, const ReadOptions& options) {
  auto entry = store.get_entry(key, options);
  if (entry) return std::optional(std::move(*entry));
  if (entry.error().code() == Errc::not_found) return std::optional<Entry>();
  return std::unexpected(std::move(entry.error()));
}

Result<std::optional<Revision>> compare_and_set(Store& store, std::string_view key, const CallTerms& terms,
                                                const Decide& decide) {
  const Deadline deadline(terms);
  Pauses pauses(longest_pause_of_writers);
  while (true) {
    const auto entry = look(store, key, deadline.for_read());
    if (!entry) return std::unexpected(entry.error());
    auto operation = decide(*entry ? &**entry : nullptr);
    if (!operation) return std::unexpected(std::move(operation.error()));
    if (!*operation) return std::optional<Revision>();
    Guard unchanged{.key = std::string(key)};
    if (*entry) {
      unchanged.revision = (*entry)->revision;
    } else {
      unchanged.exists = false;
    }
    const auto done =
        store.commit({.guards = {std::move(unchanged)}, .then = {std::move(**operation)}}, deadline.for_write());
    if (!done) return std::unexpected(done.error());
    if (done->succeeded) return std::optional(done->revision);
    if (deadline.has_passed()) {
      return fail(Errc::timeout, "others changed the key again and again until the deadline; nothing was changed");
    }
    pauses.pause(steady_clock::time_point::max());
  }
}

}  // namespace concord::recipes

#include "database/matches.hpp"

#include <algorithm>
#include <utility>

#include "database/conversions.hpp"

namespace concord::database {
namespace {

/// Bounds of a slice: well below 1 ms (DESIGN 6).
constexpr std::uint64_t slice_work = 2000;
constexpr std::size_t slice_items = 256;
/// And of what its values take unpacked.
constexpr std::uint64_t slice_bytes = 4U << 20U;

}  // namespace

Result<void> QueryEnd::check() const {
  if (is_stopped->load(std::memory_order_relaxed)) return fail(Errc::cluster_not_ready, "the node is stopping");
  if (std::chrono::steady_clock::now() < deadline) return {};
  return fail(Errc::timeout,
              "the query was not done at its deadline; narrow it by prefix or range, or give it a longer timeout");
}

Result<void> Matches::step(std::vector<Item>& items) {
  items.clear();
  if (auto in_time = options_.end.check(); !in_time) return in_time;
  if (auto done = read(items); !done) return done;
  return finish(items);
}

Result<bool> Matches::next(std::vector<Item>& items) {
  items.clear();
  while (items.empty()) {
    if (is_done()) return false;
    if (auto done = step(items); !done) return std::unexpected(std::move(done.error()));
  }
  return true;
}

/// In a section.
Result<void> Matches::read(std::vector<Item>& items) {
  const bool needs_entry = options_.with_entries || predicate_.is_function();
  const bool all_count = !predicate_.is_function() && options_.most;  // none of what is read is left out later
  const auto most = static_cast<std::size_t>(all_count ? std::min<std::uint64_t>(*options_.most, next_slice_items_)
                                                       : next_slice_items_);
  next_slice_items_ = std::min(next_slice_items_ * 2, slice_items);
  items.reserve(most);
  std::uint64_t bytes = 0;
  return cursor_.slice(view_, slice_work, [&](store::Record& record) {
    if (options_.offset > 0 && !predicate_.is_function()) {
      --options_.offset;
      return true;
    }
    Item& item = items.emplace_back();
    item.key = record.key();
    if (needs_entry) item.entry = to_entry(store::entry_of(record), now_ms_);
    const std::string_view stored = record.value();
    bytes += compress::is_packed(stored) ? compress::unpacked_size_bytes(stored) : stored.size();
    return items.size() < most && (!needs_entry || bytes < slice_bytes);
  });
}

Result<void> Matches::finish(std::vector<Item>& items) {
  std::size_t kept = 0;
  for (Item& item : items) {
    const auto passed = passes(item);
    if (!passed) return std::unexpected(passed.error());
    if (!*passed) continue;
    if (&items[kept] != &item) items[kept] = std::move(item);
    ++kept;
    if (options_.most && --*options_.most == 0) break;
  }
  items.resize(kept);
  return {};
}

Result<bool> Matches::passes(Item& item) {
  if (compress::is_packed(item.entry.value.stored())) {
    auto value = unpacker_.unpack_value(item.entry.value.stored(), ~std::uint32_t{0});
    if (!value) return fail(Errc::storage_failed, "a stored value can't be unpacked: " + value.error().message());
    item.entry.value = std::move(*value);
  }
  if (!predicate_.is_function()) return true;
  // It may take its time: a node that closes waits for one of them at most.
  if (auto goes_on = options_.end.check(); !goes_on) return std::unexpected(std::move(goes_on.error()));
  auto matches = predicate_(item.key, item.entry.value);
  if (!matches || !*matches) return matches;
  if (options_.offset == 0) return true;
  --options_.offset;
  return false;
}

Result<void> MatchCount::step() {
  if (auto in_time = end_.check(); !in_time) return in_time;
  return cursor_.slice(view_, slice_work, [this](const store::Record&) {
    ++count_;
    return true;
  });
}

}  // namespace concord::database

#include "recipes/lease.hpp"

#include <algorithm>
#include <utility>

namespace concord::recipes {
namespace {

constexpr milliseconds longest_wait = std::chrono::hours(24 * 365);  ///< No sum with it overflows.
/// The cluster's clock counts whole milliseconds: a key may expire so much earlier than its time after it was asked for.
constexpr milliseconds clock_step{1};

}  // namespace

/// The tries to get a lease.
class Acquisition {
 public:
  Acquisition(Store& store, std::string key, std::string_view owner, LeaseTerms terms)
      : store_(store), key_(std::move(key)), owner_(owner), terms_(std::move(terms)) {}

  Result<std::unique_ptr<Lease>> run(milliseconds wait) {
    const auto end = steady_clock::now() + std::min(wait, longest_wait);
    Pauses pauses(terms_.longest_pause);
    while (true) {
      auto lease = attempt();
      if (lease) return lease;
      const Error& error = lease.error();
      if ((error.code() != Errc::condition_failed && !error.retryable()) || steady_clock::now() >= end) {
        return fail(error.code(), error.message(), is_unknown_ || error.maybe_committed());
      }
      do {
        pauses.pause(end);
      } while (steady_clock::now() < end && is_with_another());
    }
  }

 private:
  /// One create, and what its answer calls for.
  Result<std::unique_ptr<Lease>> attempt() {
    const Deadline deadline(terms_.call());
    while (true) {
      const auto asked_at = steady_clock::now();
      const auto created =
          store_.create(key_, owner_, {.ttl = terms_.ttl, .timeout = deadline.left(), .token = terms_.token});
      if (created) return make(*created, *created, asked_at);
      if (created.error().maybe_committed()) {
        is_unknown_ = true;
      } else if (created.error().code() != Errc::condition_failed) {
        return std::unexpected(created.error());
      }
      // A time of its own, because a create that timed out leaves none.
      const auto entry = look(store_, key_, Deadline(terms_.call()).for_read());
      if (!entry) return std::unexpected(entry.error());
      if (*entry) {
        if ((*entry)->value != Value(owner_)) return held_by_another(**entry);
        auto found = take(**entry);
        if (found || found.error().code() != Errc::not_found) return found;
      }
      if (deadline.has_passed()) return created_too_late(created.error());
    }
  }

  /// It is ours: of a create whose answer was lost, or since before. The renewal is the proof, and gives it its whole time.
  Result<std::unique_ptr<Lease>> take(const Entry& entry) {
    auto lease = make(entry.create_revision, entry.revision, steady_clock::now() - terms_.ttl);
    lease->is_borrowed_ = !is_unknown_;
    if (auto renewed = lease->renew(); !renewed) return std::unexpected(std::move(renewed.error()));
    return lease;
  }

  [[nodiscard]] bool is_with_another() {
    const auto entry =
        look(store_, key_, {.consistency = ReadConsistency::leader, .timeout = terms_.timeout, .token = terms_.token});
    return entry && *entry && (*entry)->value != Value(owner_);
  }

  [[nodiscard]] std::unique_ptr<Lease> make(Revision created, Revision changed, steady_clock::time_point asked_at) {
    return std::make_unique<Lease>(store_, key_, terms_, created, changed, asked_at);
  }

  static std::unexpected<Error> held_by_another(const Entry& entry) {
    return fail(Errc::condition_failed, "it is held by " + std::string(entry.value.json_text()));
  }
  static std::unexpected<Error> created_too_late(const Error& error) {
    if (error.code() != Errc::condition_failed) return std::unexpected(error);
    return fail(Errc::timeout, "it came and went again and again until the deadline; it was not acquired");
  }

  Store& store_;
  const std::string key_;
  const std::string owner_;
  const LeaseTerms terms_;
  bool is_unknown_ = false;  ///< A create of ours may have happened, or happen yet.
};

Result<std::unique_ptr<Lease>> Lease::acquire(Store& store, std::string key, std::string_view owner, LeaseTerms terms,
                                              milliseconds wait) {
  if (owner.empty()) return fail(Errc::invalid_request, "an owner needs a name");
  return Acquisition(store, std::move(key), owner, std::move(terms)).run(wait);
}

Lease::Lease(Store& store, std::string key, LeaseTerms terms, Revision created, Revision changed,
             steady_clock::time_point asked_at)
    : store_(store), key_(std::move(key)), terms_(std::move(terms)), created_(created), changed_(changed) {
  set_asked_at(asked_at);
}

void Lease::set_asked_at(steady_clock::time_point asked_at) noexcept {
  certain_until_ = (asked_at + terms_.ttl - clock_step).time_since_epoch().count();
}

milliseconds Lease::remaining() const noexcept {
  const steady_clock::duration until(certain_until_.load());
  const auto left = until - steady_clock::now().time_since_epoch();
  return std::max(milliseconds(0), std::chrono::floor<milliseconds>(left));
}

Guard Lease::guard() const {
  const std::lock_guard lock(mutex_);
  return {.key = key_, .revision = changed_};
}

std::unexpected<Error> Lease::lost(Errc code, const char* message) {
  is_over_ = true;
  certain_until_ = 0;
  return fail(code, message);
}

/// The entry, if it is still ours.
Result<Entry> Lease::see_again(const Deadline& deadline) {
  auto entry = look(store_, key_, deadline.for_read());
  if (!entry) return std::unexpected(std::move(entry.error()));
  if (!*entry) return lost(Errc::not_found, "its time has passed; nobody holds it");
  if ((*entry)->create_revision != created_)
    return lost(Errc::condition_failed, "its time has passed; another holds it");
  changed_ = (*entry)->revision;
  return std::move(**entry);
}

Result<Lease::Written> Lease::change(const Operation& operation) {
  const Deadline deadline(terms_.call());
  while (true) {
    const auto asked_at = steady_clock::now();
    const auto done =
        store_.commit({.guards = {{.key = key_, .revision = changed_}}, .then = {operation}}, deadline.for_write());
    if (!done) return std::unexpected(done.error());
    if (done->succeeded) {
      changed_ = done->revision;
      return Written{.revision = done->revision, .asked_at = asked_at};
    }
    if (auto entry = see_again(deadline); !entry) return std::unexpected(std::move(entry.error()));
    if (deadline.has_passed()) return fail(Errc::timeout, "it was changed again and again; nothing was done");
  }
}

Result<void> Lease::renew() {
  const std::lock_guard lock(mutex_);
  if (is_over_) return fail(Errc::not_found, "it was given back or lost before");
  const auto written = change(Operation::touch(key_, terms_.ttl));
  if (!written) return std::unexpected(written.error());
  set_asked_at(written->asked_at);
  return {};
}

Result<void> Lease::release() {
  const std::lock_guard lock(mutex_);
  if (is_over_) return fail(Errc::not_found, "it was given back or lost before");
  certain_until_ = 0;
  const auto written = change(Operation::del(key_));
  if (written) {
    is_over_ = true;
    return {};
  }
  if (written.error().maybe_committed()) may_have_been_removed_ = true;
  if (is_over_ && may_have_been_removed_) return {};  // the release before this one did it
  return std::unexpected(written.error());
}

Result<void> Lease::rewrite(const std::function<Result<Value>(const Value&)>& function) {
  const std::lock_guard lock(mutex_);
  if (is_over_) return fail(Errc::not_found, "it was given back or lost before");
  const Deadline deadline(terms_.call());
  while (true) {
    const auto entry = see_again(deadline);
    if (!entry) return std::unexpected(entry.error());
    auto value = function(entry->value);
    if (!value) return std::unexpected(std::move(value.error()));
    Operation put = Operation::put(key_, std::move(*value));
    put.keep_ttl = true;
    const auto done = store_.commit({.guards = {{.key = key_, .revision = changed_}}, .then = {std::move(put)}},
                                    deadline.for_write());
    if (!done) return std::unexpected(done.error());
    if (done->succeeded) {
      changed_ = done->revision;
      return {};
    }
    if (deadline.has_passed()) return fail(Errc::timeout, "it was changed again and again; nothing was done");
  }
}

Result<LeaseHolder> lease_holder(Store& store, std::string_view key, const ReadOptions& options) {
  const auto entry = store.get_entry(key, options);
  if (!entry) return std::unexpected(entry.error());
  auto owner = entry->value.as<std::string>();
  if (!owner) return std::unexpected(std::move(owner.error()));
  return LeaseHolder{.owner = std::move(*owner), .created = entry->create_revision, .ttl = entry->ttl};
}

}  // namespace concord::recipes

#include <concord/recipes/rate_limiter.hpp>

#include <optional>
#include <utility>

#include "recipes/attempts.hpp"
#include "recipes/sliding_count.hpp"

namespace concord {

using recipes::milliseconds;
using recipes::SlidingCount;
using std::chrono::seconds;

namespace {

constexpr std::uint32_t most_slices = 1000;

Result<void> check(const RateLimiterOptions& options, std::uint64_t cost) {
  if (options.limit == 0) return fail(Errc::invalid_request, "limit is to be at least 1");
  if (options.kind == RateWindow::fixed) {
    if (options.window < seconds(1) || options.window % seconds(1) != milliseconds(0)) {
      return fail(Errc::invalid_request, "the window is to be a number of whole seconds, at least 1");
    }
  } else if (options.slices == 0 || options.slices > most_slices) {
    return fail(Errc::invalid_request, "slices is to be 1 to 1000");
  } else if (options.window < milliseconds(options.slices)) {
    return fail(Errc::invalid_request, "the window is to be at least 1 ms a slice");
  }
  if (cost == 0 || cost > options.limit) {
    return fail(Errc::invalid_request, "cost is to be 1 to the limit, " + std::to_string(options.limit));
  }
  return {};
}

/// One decision: what to write, given what the key has.
class Decision {
 public:
  Decision(const RateLimiterOptions& options, const std::string& key, std::uint64_t cost)
      : options_(options), key_(key), cost_(cost) {}

  Result<std::optional<Operation>> decide(const Entry* entry) {
    return options_.kind == RateWindow::fixed ? decide_fixed(entry) : decide_sliding(entry);
  }
  [[nodiscard]] const RateDecision& made() const noexcept { return made_; }

 private:
  Result<std::optional<Operation>> decide_fixed(const Entry* entry) {
    std::uint64_t count = 0;
    if (entry != nullptr) {
      const auto counted = entry->value.as<std::uint64_t>();
      if (!counted || !entry->ttl) return fail(Errc::invalid_request, "key " + key_ + " holds no count with a ttl");
      count = *counted;
    }
    if (!settle(count)) {
      made_.retry_after = *entry->ttl;
      return std::optional<Operation>();
    }
    Operation put = Operation::put(key_, count + cost_);
    if (entry == nullptr) {
      put.ttl = std::chrono::duration_cast<seconds>(options_.window);
    } else {
      put.keep_ttl = true;
    }
    return put;
  }

  Result<std::optional<Operation>> decide_sliding(const Entry* entry) {
    const milliseconds now = this->now();
    SlidingCount count;
    if (entry != nullptr) {
      auto counted = SlidingCount::read(entry->value);
      if (!counted) return fail(Errc::invalid_request, "key " + key_ + ": " + counted.error().message());
      count = std::move(*counted);
      count.forget_before(now, options_.window);
    }
    if (!settle(count.sum())) {
      made_.retry_after = count.until_at_most(options_.limit - cost_, now, options_.window);
      return std::optional<Operation>();
    }
    const milliseconds slice = (options_.window + milliseconds(options_.slices - 1)) / options_.slices;
    count.add(now, slice, cost_);
    // Counted until the end of its slice is a window ago.
    return Operation::put(key_, count.value(), std::chrono::ceil<seconds>(options_.window + slice));
  }

  /// Whether it is allowed, on top of `count`.
  bool settle(std::uint64_t count) noexcept {
    const std::uint64_t left = count >= options_.limit ? 0 : options_.limit - count;
    made_ = {.allowed = cost_ <= left, .remaining = cost_ <= left ? left - cost_ : left};
    return made_.allowed;
  }

  [[nodiscard]] milliseconds now() const {
    const auto time = options_.clock ? options_.clock() : std::chrono::system_clock::now();
    return std::chrono::floor<milliseconds>(time.time_since_epoch());
  }

  const RateLimiterOptions& options_;
  const std::string& key_;
  const std::uint64_t cost_;
  RateDecision made_;
};

}  // namespace

RateLimiter::RateLimiter(Store& store, RateLimiterOptions options) : store_(&store), options_(std::move(options)) {}

Result<RateDecision> RateLimiter::allow(std::string_view subject, std::uint64_t cost) {
  if (auto valid = check(options_, cost); !valid) return std::unexpected(std::move(valid.error()));
  const std::string key = options_.prefix + std::string(subject);
  Decision decision(options_, key, cost);
  const auto done = recipes::compare_and_set(*store_, key, {.timeout = options_.timeout, .token = options_.token},
                                             [&](const Entry* entry) { return decision.decide(entry); });
  if (!done) return std::unexpected(done.error());
  return decision.made();
}

Result<void> RateLimiter::reset(std::string_view subject) {
  const auto done =
      store_->del(options_.prefix + std::string(subject), {.timeout = options_.timeout, .token = options_.token});
  if (!done && done.error().code() != Errc::not_found) return std::unexpected(done.error());
  return {};
}

}  // namespace concord

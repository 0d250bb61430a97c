#include "security/rate_limits.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

namespace concord::security {
namespace {

constexpr double seconds_a_minute = 60;

double seconds_between(RateLimits::Time from, RateLimits::Time to) {
  return std::max(0.0, std::chrono::duration<double>(to - from).count());
}

bool is_ipv4(const Address& address) noexcept {
  static constexpr std::array<unsigned char, 12> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::memcmp(address.data(), mapped.data(), mapped.size()) == 0;
}

}  // namespace

RateLimits::Key RateLimits::key_of(Kind kind, const Address& address) noexcept {
  Key key{.kind = kind, .high = 0, .low = 0};
  std::memcpy(&key.high, address.data(), sizeof key.high);
  if (is_ipv4(address)) std::memcpy(&key.low, address.data() + sizeof key.high, sizeof key.low);
  return key;
}

RateLimits::Rate RateLimits::failures_rate() const noexcept {
  const auto burst = static_cast<double>(options_.auth_failures_per_minute);
  return {.burst = burst, .per_s = burst / seconds_a_minute};
}

RateLimits::Wait RateLimits::take_request(const Address& address, Time now) {
  if (options_.requests_per_address_per_s == 0) return std::nullopt;
  const auto rate = static_cast<double>(options_.requests_per_address_per_s);
  return take(key_of(Kind::requests_of_address, address), {.burst = rate, .per_s = rate}, 1, now);
}

RateLimits::Wait RateLimits::take_request(command::TokenId token, Time now) {
  if (options_.requests_per_token_per_s == 0) return std::nullopt;
  const auto rate = static_cast<double>(options_.requests_per_token_per_s);
  return take({.kind = Kind::requests_of_token, .high = 0, .low = token.value()}, {.burst = rate, .per_s = rate}, 1,
              now);
}

/// Two hashes stand for the name: tenants that would share a bucket are not to be found.
RateLimits::Wait RateLimits::take_request_of_tenant(std::string_view tenant, std::uint64_t per_s, Time now) {
  const Key key{.kind = Kind::requests_of_tenant,
                .high = absl::Hash<std::string_view>()(tenant),
                .low = std::hash<std::string_view>()(tenant)};
  const auto rate = static_cast<double>(per_s);
  return take(key, {.burst = rate, .per_s = rate}, 1, now);
}

RateLimits::Wait RateLimits::take_failure(const Address& address, Time now) {
  if (options_.auth_failures_per_minute == 0) return std::nullopt;
  has_failed_.store(true, std::memory_order_relaxed);
  return take(key_of(Kind::failures, address), failures_rate(), 1, now);
}

RateLimits::Wait RateLimits::is_blocked(const Address& address, Time now) {
  if (!has_failed_.load(std::memory_order_relaxed)) return std::nullopt;
  return take(key_of(Kind::failures, address), failures_rate(), 0, now);
}

RateLimits::Wait RateLimits::take(const Key& key, const Rate& rate, double amount, Time now) {
  Shard& shard = shards_[(absl::Hash<Key>()(key) >> 32U) % shard_count];
  const base::MutexLock lock(shard.mutex);
  auto found = shard.buckets.find(key);
  if (found == shard.buckets.end()) {
    if (amount == 0) return std::nullopt;
    make_room(shard, now);
    found = shard.buckets.emplace(key, Bucket{.left = rate.burst, .at = now, .full_at = now}).first;
  }
  Bucket& bucket = found->second;
  bucket.left = std::min(rate.burst, bucket.left + seconds_between(bucket.at, now) * rate.per_s);
  bucket.at = std::max(bucket.at, now);
  if (bucket.left >= 1) {
    bucket.left -= amount;
    const std::chrono::duration<double> until_full((rate.burst - bucket.left) / rate.per_s);
    bucket.full_at = bucket.at + std::chrono::duration_cast<Time::duration>(until_full);
    return std::nullopt;
  }
  return std::chrono::seconds(std::max<std::int64_t>(1, std::llround(std::ceil((1 - bucket.left) / rate.per_s))));
}

void RateLimits::make_room(Shard& shard, Time now) {
  if (shard.buckets.size() < most_buckets) return;
  absl::erase_if(shard.buckets, [&](const auto& each) { return each.second.full_at <= now; });
  if (shard.buckets.size() >= most_buckets) shard.buckets.erase(shard.buckets.begin());
}

}  // namespace concord::security

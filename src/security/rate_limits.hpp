// How often somebody may ask, and how often be wrong: token buckets by address, by token and by tenant.
//
//   failures   of authentication, by address: when they are used up, its connections that have not proved who they are get 429
//              whatever they bring, so that guessing goes no further than this
//   requests   by address, by token: off unless a limit is set; by tenant: as its quota says
//
// An IPv6 address stands for its /64, which is what one host has. Memory is bounded: a shard holds so many buckets, and forgets
// those that are full again, and else the one it comes to.
//
// Thread rule: any thread. Time comes in, so that tests own it.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <absl/container/flat_hash_map.h>

#include "base/mutex.hpp"
#include "command/token.hpp"

namespace concord::security {

/// An address as the limits count it; IPv4 mapped into IPv6.
using Address = std::array<unsigned char, 16>;

struct RateLimitOptions {
  std::uint64_t auth_failures_per_minute = 1000;  ///< 0: no limit
  std::uint64_t requests_per_address_per_s = 0;   ///< 0: no limit
  std::uint64_t requests_per_token_per_s = 0;     ///< 0: no limit
};

class RateLimits {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// How long until the next one is taken; none: it was taken.
  using Wait = std::optional<std::chrono::seconds>;

  explicit RateLimits(const RateLimitOptions& options) : options_(options) {}

  [[nodiscard]] Wait take_request(const Address& address, Time now);
  [[nodiscard]] Wait take_request(command::TokenId token, Time now);
  /// Of all tokens of a tenant together, `per_s` of them.
  [[nodiscard]] Wait take_request_of_tenant(std::string_view tenant, std::uint64_t per_s, Time now);
  /// The address was wrong about who it is.
  [[nodiscard]] Wait take_failure(const Address& address, Time now);
  /// Its failures are used up.
  [[nodiscard]] Wait is_blocked(const Address& address, Time now);

 private:
  enum class Kind : std::uint8_t { failures, requests_of_address, requests_of_token, requests_of_tenant };
  struct Key {
    Kind kind;
    std::uint64_t high;
    std::uint64_t low;
    friend bool operator==(const Key&, const Key&) = default;
    template <class H>
    friend H AbslHashValue(H state, const Key& key) {
      return H::combine(std::move(state), static_cast<int>(key.kind), key.high, key.low);
    }
  };
  struct Bucket {
    double left = 0;
    Time at;
    Time full_at;  ///< from then on it says nothing
  };
  struct alignas(64) Shard {
    base::Mutex mutex;
    absl::flat_hash_map<Key, Bucket> buckets ABSL_GUARDED_BY(mutex);
  };
  struct Rate {
    double burst;
    double per_s;
  };

  static constexpr std::size_t shard_count = 16;
  static constexpr std::size_t most_buckets = 8192;  ///< of a shard

  [[nodiscard]] static Key key_of(Kind kind, const Address& address) noexcept;
  [[nodiscard]] Rate failures_rate() const noexcept;
  /// `amount` 0 only looks.
  [[nodiscard]] Wait take(const Key& key, const Rate& rate, double amount, Time now);
  static void make_room(Shard& shard, Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(shard.mutex);

  const RateLimitOptions options_;
  std::atomic<bool> has_failed_{false};  ///< anybody, ever: else nobody is blocked
  std::array<Shard, shard_count> shards_;
};

}  // namespace concord::security

// A number that many programs count in, without losing a count.
//
//     concord::Counter visits(store, "visits");
//     concord::Result<std::int64_t> now = visits.add(1);        // the number after it
//     concord::Result<std::int64_t> seen = visits.reset();      // the number before it; no count is lost in between
//
// Keys: `<prefix><name>`, by default "counters/visits". The value is the number, as JSON; it does not expire.
//
// Guarantee: an `add` that succeeds is counted exactly once; one that fails is not counted, unless its error says
// `maybe_committed()`: then it is counted once or not at all, never twice. A sum beyond 64 bits is an error and changes nothing.
//
// Limit: each count is a write of one key, so all counts of one counter queue up. For very many, use several counters and
// add them up.
//
// Thread rule: a `Counter` may be used by many threads at once. The store must outlive it and stay where it is.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <concord/error.hpp>
#include <concord/export.hpp>
#include <concord/store.hpp>

namespace concord {

struct CounterOptions {
  std::string prefix = "counters/";
  std::int64_t initial = 0;                 ///< The number of a counter that nobody has counted in yet.
  std::chrono::milliseconds timeout{5000};  ///< Of each call.
  std::string token = {};                   ///< Looked at when authentication is on.
};

class CONCORD_API Counter {
 public:
  Counter(Store& store, std::string_view name, CounterOptions options = {});

  /// Adds `delta`, which may be negative, and gives the sum. Errors: invalid_request when the sum does not fit 64 bits, or the
  /// key holds something else than an integer.
  Result<std::int64_t> add(std::int64_t delta = 1);

  /// The number now. Errors: invalid_request when the key holds something else than an integer.
  [[nodiscard]] Result<std::int64_t> get() const;

  /// Makes it `value`, whatever it was.
  Result<void> set(std::int64_t value);

  /// Makes it the initial number and gives the one it was; every count is in one or the other. Errors: as `get`.
  Result<std::int64_t> reset();

  [[nodiscard]] const std::string& key() const noexcept { return key_; }

 private:
  Store* store_;
  std::string key_;
  CounterOptions options_;
};

}  // namespace concord

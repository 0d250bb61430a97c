// The matches of a query as of one revision, a slice at a time.
//
// A slice is read inside a section of the store (below 1 ms), and everything that may take long is done after it: unpacking
// values, running a C++ predicate, whatever the caller does. Memory: a slice, never more.
// Thread rule: one thread at a time.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concord/error.hpp>
#include <concord/query.hpp>

#include "command/selector.hpp"
#include "compress/packed.hpp"
#include "store/matching.hpp"
#include "store/view.hpp"

namespace concord::database {

/// When a query ends without having been done.
struct QueryEnd {
  std::chrono::steady_clock::time_point deadline;
  const std::atomic<bool>* is_stopped;  ///< the node closes

  /// Errors: timeout, cluster_not_ready.
  [[nodiscard]] Result<void> check() const;
};

struct MatchOptions {
  bool with_entries = false;
  std::string from = {};              ///< the first key that counts
  std::uint64_t offset = 0;           ///< matches to skip
  std::optional<std::uint64_t> most;  ///< matches to give
  QueryEnd end;
};

class Matches {
 public:
  /// What is referred to outlives this.
  Matches(store::View view, const command::CompiledSelector& selector, const Predicate& predicate,
          const compress::Unpacker& unpacker, base::ClusterTimeMs now_ms, MatchOptions options)
      : view_(std::move(view)),
        predicate_(predicate),
        unpacker_(unpacker),
        now_ms_(now_ms),
        options_(std::move(options)),
        cursor_(selector, now_ms, options_.from) {}

  /// Fills `items` with the next matches, none when there are no more of them; false at the end.
  /// Errors: timeout, cluster_not_ready, storage_failed, what the predicate throws.
  [[nodiscard]] Result<bool> next(std::vector<Item>& items);

 private:
  [[nodiscard]] bool is_done() const { return cursor_.is_finished() || options_.most == std::uint64_t{0}; }
  Result<void> read(std::vector<Item>& items);
  Result<void> finish(std::vector<Item>& items);
  Result<bool> passes(Item& item);

  store::View view_;
  const Predicate& predicate_;
  const compress::Unpacker& unpacker_;
  base::ClusterTimeMs now_ms_;
  MatchOptions options_;
  store::MatchCursor cursor_;
};

/// How many there are. No value is copied. Errors: timeout, cluster_not_ready, storage_failed.
[[nodiscard]] Result<std::uint64_t> count_matches(const store::View& view, const command::CompiledSelector& selector,
                                                  base::ClusterTimeMs now_ms, const QueryEnd& end);

}  // namespace concord::database

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

#include "acl/scope.hpp"
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
  std::string from = {};                   ///< the first key that counts
  std::uint64_t offset = 0;                ///< matches to skip
  std::optional<std::uint64_t> most = {};  ///< matches to give
  QueryEnd end;
  const acl::Scope* scope = nullptr;  ///< keys outside are not there; null: all are
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
        cursor_(selector, now_ms, options_.from, options_.scope) {}

  /// There are no more.
  [[nodiscard]] bool is_done() const { return cursor_.is_finished() || options_.most == std::uint64_t{0}; }
  /// Fills `items` with the matches of the next slice, perhaps none. Errors: timeout, cluster_not_ready,
  /// storage_failed, what the predicate throws.
  Result<void> step(std::vector<Item>& items);
  /// Steps until there are some; false at the end.
  [[nodiscard]] Result<bool> next(std::vector<Item>& items);

 private:
  Result<void> read(std::vector<Item>& items);
  Result<void> finish(std::vector<Item>& items);
  Result<bool> passes(Item& item);

  store::View view_;
  const Predicate& predicate_;
  const compress::Unpacker& unpacker_;
  base::ClusterTimeMs now_ms_;
  MatchOptions options_;
  store::MatchCursor cursor_;
  std::size_t next_slice_items_ = 32;  // grows: small answers take little memory, large ones few slices
};

/// Counts matches, without copying a value. There is no C++ predicate.
class MatchCount {
 public:
  /// `selector` and `scope` outlive this.
  MatchCount(store::View view, const command::CompiledSelector& selector, const acl::Scope* scope,
             base::ClusterTimeMs now_ms, const QueryEnd& end)
      : view_(std::move(view)), end_(end), cursor_(selector, now_ms, {}, scope) {}

  [[nodiscard]] bool is_done() const { return cursor_.is_finished(); }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// Counts on, a slice. Errors: timeout, cluster_not_ready, storage_failed.
  Result<void> step();

 private:
  store::View view_;
  QueryEnd end_;
  store::MatchCursor cursor_;
  std::uint64_t count_ = 0;
};

}  // namespace concord::database

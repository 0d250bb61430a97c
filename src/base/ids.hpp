// Numbers that must not be mixed: each has its own type.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

#include <concord/revision.hpp>

namespace concord::base {

/// A 64-bit number of one kind. `Tag` only makes the types differ.
template <class Tag>
class StrongId {
 public:
  constexpr StrongId() noexcept = default;
  constexpr explicit StrongId(std::uint64_t value) noexcept : value_(value) {}

  [[nodiscard]] constexpr std::uint64_t value() const noexcept { return value_; }
  [[nodiscard]] constexpr bool is_zero() const noexcept { return value_ == 0; }
  [[nodiscard]] constexpr StrongId next() const noexcept { return StrongId(value_ + 1); }
  [[nodiscard]] constexpr StrongId previous() const noexcept { return StrongId(value_ - 1); }

  friend constexpr auto operator<=>(StrongId, StrongId) noexcept = default;

 private:
  std::uint64_t value_ = 0;
};

/// Raft term. Advanced by elections only; never goes back on a node.
using Term = StrongId<struct TermTag>;
/// Position in the raft log, from 1. 0 means "before the first entry".
using Index = StrongId<struct IndexTag>;
/// Raft id of a node: drawn once, never reused, never 0.
using NodeId = StrongId<struct NodeIdTag>;
/// Drawn when a cluster is formed; tells clusters apart.
using ClusterId = StrongId<struct ClusterIdTag>;

/// Names one proposal for the life of the cluster: answers are matched by it, never by position in a queue.
/// Invariant: (node, incarnation) pairs never repeat, so ids never do; `incarnation` counts the starts of the node.
struct RequestId {
  NodeId node;
  std::uint64_t incarnation = 0;
  std::uint64_t sequence = 0;

  friend constexpr auto operator<=>(const RequestId&, const RequestId&) noexcept = default;
};

/// Milliseconds of cluster time: stamped by the leader into entries, never going back (DESIGN: expiry is decided in the log).
using ClusterTimeMs = std::uint64_t;

}  // namespace concord::base

template <class Tag>
struct std::hash<concord::base::StrongId<Tag>> {
  std::size_t operator()(concord::base::StrongId<Tag> id) const noexcept {
    return std::hash<std::uint64_t>()(id.value());
  }
};

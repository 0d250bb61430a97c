// One entry of the raft log and the state that is kept beside it: the words raft, log and replica share.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/ids.hpp"

namespace concord::base {

/// Numbers of the raft protocol and bytes of the log: never renumber.
enum class EntryType : std::uint8_t {
  normal = 0,  ///< commands, or empty (what a new leader proposes)
  conf_change = 1,
  conf_change_v2 = 2,  ///< may be empty: leaves a joint configuration
};

/// Views bytes that someone else keeps alive.
struct EntryView {
  Index index;
  Term term;
  EntryType type = EntryType::normal;
  std::string_view data;
};

/// What raft must find again after a restart (raft paper, figure 2, "persistent state"); commit is an optimisation there,
/// but Concord uses it to know how far the log may be replayed.
struct HardState {
  Term term;
  NodeId vote;
  Index commit;

  friend constexpr bool operator==(const HardState&, const HardState&) noexcept = default;
};

}  // namespace concord::base

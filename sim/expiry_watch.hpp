// Whether keys expire by cluster time, whatever clocks say: looked at in what nodes apply, so also where wall clocks step and processes end.
//
// Cluster time is the same on all nodes at one index of the log, and never goes back from one index to a later one. Between two looks at
// a node its events were stamped between the two times it was at; so it is known within how much each revision was. A key expires no
// earlier than its time to live behind the revision that gave it, and only if that gave it one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/change.hpp"

namespace concord::sim {

class ExpiryWatch {
 public:
  /// What is wrong with a node that has applied `index` and is at that time; nothing: it is right.
  [[nodiscard]] std::optional<std::string> look(std::uint64_t index, std::uint64_t time_ms);
  /// The event of a revision, seen for the first time.
  void take(std::uint64_t revision, std::string_view event);
  /// A node has come by that revision when its time was between these.
  void narrow(std::uint64_t revision, std::uint64_t least_ms, std::uint64_t most_ms);
  /// What is wrong with all of them together.
  [[nodiscard]] std::optional<std::string> problem() const;

 private:
  struct Change {
    store::ChangeKind kind = store::ChangeKind::put;
    std::string key = {};
    std::uint64_t ttl_s = 0;
  };
  struct Event {
    std::uint64_t least_ms = 0;
    std::uint64_t most_ms = ~std::uint64_t{0};
    bool names_keys = true;
    std::vector<Change> changes = {};
  };
  struct Given {
    std::uint64_t revision = 0;
    std::uint64_t ttl_s = 0;
  };
  using Alive = std::map<std::string, Given>;

  [[nodiscard]] std::optional<std::string> problem_with(std::uint64_t revision, const Event& event, Alive& alive) const;

  std::map<std::uint64_t, std::uint64_t> times_ms_;  // by index
  std::map<std::uint64_t, Event> events_;            // by revision
};

}  // namespace concord::sim

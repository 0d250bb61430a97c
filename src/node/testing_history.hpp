// For tests: all that a store was since a moment, to be compared with what is left of it after an end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "node/runtime.hpp"
#include "node/testing_machine.hpp"

namespace concord::node {

/// All states of the store since the node was opened.
struct History {
  struct Moment {
    Contents contents;
    std::uint64_t revision = 0;
  };
  std::vector<Moment> moments;
  std::size_t acknowledged = 0;                // what is recovered is not before this moment ...
  std::size_t refused_from = ~std::size_t{0};  // ... and before this one

  /// Of a node that was never opened.
  History() { moments.emplace_back(); }
  explicit History(const Runtime& node) { moments.push_back({contents_of(node), node.state().revision().value()}); }

  void put(const std::string& key, const std::string& value) {
    Moment next = moments.back();
    next.contents[key] = value;
    ++next.revision;
    moments.push_back(std::move(next));
  }
  void remove(const std::string& key) {
    Moment next = moments.back();
    next.revision += next.contents.erase(key);
    moments.push_back(std::move(next));
  }

  void take(std::size_t moment, const Answer& answer) {
    if (answer) {
      acknowledged = std::max(acknowledged, moment);
      EXPECT_EQ(answer->revision.value(), moments[moment].revision) << "an answer of another write";
    } else {
      EXPECT_EQ(answer.error().code(), Errc::storage_failed) << answer.error().message();
      if (!answer.error().maybe_committed()) refused_from = std::min(refused_from, moment);
    }
  }

  [[nodiscard]] bool may_become(const Runtime& node) const {
    return may_become(contents_of(node), node.state().revision().value());
  }
  [[nodiscard]] bool may_become(const Contents& found, std::uint64_t revision) const {
    for (std::size_t at = acknowledged; at < std::min(refused_from, moments.size()); ++at) {
      if (moments[at].contents == found && moments[at].revision == revision) return true;
    }
    return false;
  }
};

}  // namespace concord::node

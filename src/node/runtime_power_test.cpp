// The end of the process or of the power, at any change of the disk, under a node that writes, rotates its log, takes snapshots
// and purges. Afterwards the node starts, and its state is one that it had: not before the last acknowledged write where the
// mode promises that, and without any write of which it was said that it did not happen.
//
// A seed fixes what is written, where all ends, and what the disk keeps; not how threads take turns.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "node/runtime.hpp"
#include "node/testing_history.hpp"
#include "node/testing_machine.hpp"

namespace concord::node {
namespace {

enum class End { kill, loss_of_power };

class Life {
 public:
  Life(Durability durability, End end, std::uint64_t seed) : end_(end), random_(seed) {
    machine_.options.durability = durability;
    machine_.options.snapshot.every_entries = 5 + random_.below(40);
    machine_.segment_bytes = 4096U << random_.below(3);
    keeps_acknowledged_ = durability == Durability::disk || (durability == Durability::os && end == End::kill);
  }

  /// Opens, writes, ends, and looks at what is left; again and again in the same directory.
  void live() {
    std::unique_ptr<Runtime> node = machine_.open();
    for (int round = 0; round < 6 && !testing::Test::HasFailure(); ++round) {
      SCOPED_TRACE("round " + std::to_string(round));
      History history(*node);
      const bool ends_well = random_.one_in(5);
      if (!ends_well) plan_end(400);
      write(*node, history, 20 + random_.below(150));
      node->close(std::chrono::hours(1));
      finish_answers(history);
      if (ends_well) history.acknowledged = history.moments.size() - 1;
      if (!ends_well && !keeps_acknowledged_) history.acknowledged = 0;
      node.reset();
      come_back();
      node = reopen();
      if (!node) return;
      EXPECT_TRUE(history.may_become(*node))
          << "revision " << node->state().revision().value() << " after " << history.moments.front().revision << ", "
          << history.moments[history.acknowledged].revision << " was acknowledged, " << history.moments.back().revision
          << " was the last";
    }
    snapshots_ += node->status().storage.snapshot_index > 0 ? 1 : 0;
  }

  [[nodiscard]] int snapshots() const { return snapshots_; }

 private:
  void plan_end(std::uint64_t changes) {
    machine_.files->set_faults({.stop_after = machine_.files->changes() + random_.below(changes)});
  }

  void come_back() {
    if (end_ == End::loss_of_power) machine_.lose_power(random_.next());
    machine_.files->set_faults({});
  }

  /// A start may end early too.
  [[nodiscard]] std::unique_ptr<Runtime> reopen() {
    while (random_.one_in(3)) {
      plan_end(40);
      if (auto opened = machine_.try_open()) opened->reset();
      come_back();
    }
    auto opened = machine_.try_open();
    EXPECT_TRUE(opened) << opened.error().message();
    return opened ? std::move(*opened) : nullptr;
  }

  /// Some wait, some do not: those form batches.
  void write(Runtime& node, History& history, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count && !node.failure(); ++i) {
      const std::string key = "k" + std::to_string(random_.below(20));
      const std::string value = stored(std::to_string(random_.next()) + std::string(random_.below(200), '0'));
      const bool is_put = !random_.one_in(5);
      is_put ? history.put(key, value) : history.remove(key);
      const Write asked = is_put ? put_of(key, value) : Write{.kind = command::CommandKind::remove, .key = key};
      const std::size_t moment = history.moments.size() - 1;
      if (random_.one_in(2)) {
        history.take(moment, node.write(asked, std::chrono::hours(1)));
      } else {
        node.write_async(asked, std::chrono::hours(1000), answers_.slot());
        asked_.push_back(moment);
      }
      if (random_.one_in(20)) node.request_snapshot();
      if (random_.one_in(4)) machine_.pass_ms(1);
    }
  }

  void finish_answers(History& history) {
    const std::vector<Answer> all = answers_.each_once();
    for (std::size_t at = asked_done_; at < all.size(); ++at) history.take(asked_[at], all[at]);
    asked_done_ = all.size();
  }

  Machine machine_;
  End end_;
  base::Random random_;
  bool keeps_acknowledged_ = false;
  Answers answers_;
  std::vector<std::size_t> asked_;
  std::size_t asked_done_ = 0;
  int snapshots_ = 0;
};

/// CONCORD_SEEDS=5000 tries more.
std::uint64_t seed_count() {
  const char* asked = std::getenv("CONCORD_SEEDS");
  return asked == nullptr ? 40 : std::strtoull(asked, nullptr, 10);
}

struct Case {
  Durability durability;
  End end;
  const char* name;
};

class RuntimeEnds : public testing::TestWithParam<Case> {};

TEST_P(RuntimeEnds, AnywhereAndWhatWasPromisedIsThereAfterwards) {
  int snapshots = 0;
  for (std::uint64_t seed = 1; seed <= seed_count(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Life life(GetParam().durability, GetParam().end, seed);
    life.live();
    if (HasFailure()) return;
    snapshots += life.snapshots();
  }
  EXPECT_GT(snapshots, 0) << "snapshots and purges take part";
}

INSTANTIATE_TEST_SUITE_P(Modes, RuntimeEnds,
                         testing::Values(Case{Durability::disk, End::loss_of_power, "DiskLossOfPower"},
                                         Case{Durability::disk, End::kill, "DiskKill"},
                                         Case{Durability::os, End::loss_of_power, "OsLossOfPower"},
                                         Case{Durability::os, End::kill, "OsKill"},
                                         Case{Durability::memory, End::loss_of_power, "MemoryLossOfPower"},
                                         Case{Durability::memory, End::kill, "MemoryKill"}),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace concord::node

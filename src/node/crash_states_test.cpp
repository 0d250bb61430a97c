// Every place where a node's life can end, one by one. A node is opened, written to, takes snapshots, goes on in new segments, removes
// old ones, is closed and opened again; all that it does to the disk is written down. Then, for every change of the disk:
//
//   - all ends just there, by a kill or a loss of power, with the change undone, torn or done, and the disk keeping one or another part
//     of what was not synced: what is left must start, hold all that was acknowledged, and nothing that never was;
//   - the change fails, with an error or for want of space, and the node goes on as it sees fit: nothing is acknowledged that is lost;
//   - the change takes its time while the other threads go on.
//
// CONCORD_LOSSES=50 tries more of what a disk may keep.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "env/testing_watched_files.hpp"
#include "node/runtime.hpp"
#include "node/testing_history.hpp"
#include "node/testing_machine.hpp"

namespace concord::node {
namespace {

using env::FileChange;

constexpr std::chrono::hours long_enough{1};

/// What a life has asked for, and what it was told.
struct Story {
  enum class Told : std::uint8_t { nothing, done, maybe_done, not_done, no_space };
  struct Step {
    bool is_put = true;
    std::string key;
    std::string value;
    Told told = Told::nothing;
    std::uint64_t revision = 0;
    std::size_t told_at = 0;  ///< changes of the disk by then
  };
  std::vector<Step> steps;

  /// As far as it was told before so many changes of the disk.
  [[nodiscard]] History by(std::size_t changes) const {
    History history;
    for (const Step& step : steps) {
      const bool is_told = step.told != Told::nothing && step.told_at <= changes;
      if (is_told && step.told == Told::no_space) continue;  // it was not done, and others that came later were
      step.is_put ? history.put(step.key, step.value) : history.remove(step.key);
      const std::size_t moment = history.moments.size() - 1;
      if (!is_told) continue;
      if (step.told == Told::done) {
        history.acknowledged = moment;
        EXPECT_EQ(step.revision, history.moments.back().revision) << "an answer of another write";
      }
      if (step.told == Told::not_done) history.refused_from = std::min(history.refused_from, moment);
    }
    return history;
  }
};

/// The scripted life. Where the disk fails it ends early, and says so.
class Life {
 public:
  explicit Life(Machine& machine) : machine_(machine) { machine_.segment_bytes = 4096; }

  [[nodiscard]] bool live() {
    for (int opened = 0; opened < 2; ++opened) {
      auto node = machine_.try_open();
      if (!node) return false;
      for (int part = 0; part < 3; ++part) {
        write_alone(**node, 5);
        write_together(**node, 6);
        if (!take_snapshot(**node)) return false;
      }
      write_alone(**node, 4);
      (*node)->close(long_enough);
      // In mode `memory` what a failed disk did not take any more is lost, acknowledged or not.
      if ((*node)->failure() || machine_.all_said().find("closing the log") != std::string::npos) return false;
    }
    return true;
  }

  Story story;

 private:
  [[nodiscard]] Write next() {
    Story::Step& step = story.steps.emplace_back();
    step.is_put = !random_.one_in(5);
    step.key = "k" + std::to_string(random_.below(12));
    step.value = stored(std::to_string(random_.next()) + std::string(random_.below(250), '0'));
    return write_of(step);
  }
  [[nodiscard]] static Write write_of(const Story::Step& step) {
    return step.is_put ? put_of(step.key, step.value) : Write{.kind = command::CommandKind::remove, .key = step.key};
  }

  void note(Story::Step& step, const Answer& answer) const {
    step.told_at = machine_.watch.size();
    if (answer) {
      step.told = Story::Told::done;
      step.revision = answer->revision.value();
    } else if (answer.error().maybe_committed()) {
      step.told = Story::Told::maybe_done;
    } else {
      step.told = answer.error().code() == Errc::storage_full ? Story::Told::no_space : Story::Told::not_done;
    }
  }

  void write_alone(Runtime& node, int count) {
    for (int i = 0; i < count && !node.failure(); ++i) {
      const Write asked = next();
      note(story.steps.back(), node.write(asked, long_enough));
    }
  }

  /// A batch, or two.
  void write_together(Runtime& node, int count) {
    if (node.failure()) return;
    Answers answers;
    const std::size_t first = story.steps.size();
    for (int i = 0; i < count; ++i) node.write_async(next(), std::chrono::hours(1000), answers.slot());
    ASSERT_TRUE(machine_.comes_true([&] { return answers.all_answered(); }));
    std::size_t at = first;
    for (const Answer& answer : answers.each_once()) note(story.steps[at++], answer);
  }

  /// False once the node has failed. One that can't be taken is no failure: the log is kept.
  [[nodiscard]] bool take_snapshot(Runtime& node) {
    const std::uint64_t before = node.status().storage.snapshot_index;
    const auto lines = machine_.all_said().size();
    node.request_snapshot();
    const bool over = machine_.comes_true([&] {
      return node.failure() || node.status().storage.snapshot_index > before ||
             machine_.all_said().find("no snapshot could be taken", lines) != std::string::npos;
    });
    EXPECT_TRUE(over) << "neither a snapshot nor a failure: " << machine_.all_said();
    return !node.failure();
  }

  Machine& machine_;
  base::Random random_{42};
};

/// What a disk keeps of what was not synced: so many ways of each place.
std::uint64_t losses_each() {
  const char* asked = std::getenv("CONCORD_LOSSES");
  return asked == nullptr ? 10 : std::strtoull(asked, nullptr, 10);
}

bool starts_as(Machine& machine, const History& history, bool keeps_acknowledged) {
  auto node = machine.try_open();
  EXPECT_TRUE(node) << node.error().message();
  if (!node) return false;
  History allowed = history;
  if (!keeps_acknowledged) allowed.acknowledged = 0;
  const bool fits = allowed.may_become(**node);
  EXPECT_TRUE(fits) << "revision " << (*node)->state().revision().value() << "; "
                    << allowed.moments[allowed.acknowledged].revision << " was acknowledged";
  return fits;
}

enum class Loss { kill, torn_kill, power, torn_power };

/// The disk as the first changes have made it, and what becomes of it.
bool ends_well(const std::vector<FileChange>& changes, std::size_t made, Loss loss, std::uint64_t seed,
               const Options& options, const History& history) {
  Machine machine;
  machine.options.durability = options.durability;
  machine.segment_bytes = 4096;
  {
    env::FileReplay replay(*machine.files);
    for (std::size_t at = 0; at < made; ++at) EXPECT_TRUE(replay.make(changes[at]));
    if (loss == Loss::torn_kill || loss == Loss::torn_power) {
      EXPECT_TRUE(replay.make(changes[made], true));
    }
  }
  const bool is_power = loss == Loss::power || loss == Loss::torn_power;
  if (is_power) machine.lose_power(seed);
  const Durability mode = options.durability;
  const bool keeps = mode == Durability::disk || (mode == Durability::os && !is_power);
  return starts_as(machine, history, keeps);
}

class CrashStates : public testing::TestWithParam<Durability> {};

TEST_P(CrashStates, EveryEndOfALifeLeavesWhatWasAcknowledged) {
  Machine machine;
  machine.options.durability = GetParam();
  Life life(machine);
  ASSERT_TRUE(life.live());
  const std::vector<FileChange> changes = machine.watch.changes();
  std::size_t states = 0;
  for (std::size_t made = 0; made <= changes.size(); ++made) {
    SCOPED_TRACE("after " + std::to_string(made) + " of " + std::to_string(changes.size()) + " changes");
    const History history = life.story.by(made);
    std::vector<std::pair<Loss, std::uint64_t>> ends = {{Loss::kill, 0}};
    const bool may_be_torn = made < changes.size() && changes[made].kind == FileChange::Kind::write;
    if (may_be_torn) ends.emplace_back(Loss::torn_kill, 0);
    for (std::uint64_t seed = 1; seed <= losses_each(); ++seed) {
      ends.emplace_back(Loss::power, made * 1000 + seed);
      if (may_be_torn) ends.emplace_back(Loss::torn_power, made * 1000 + seed);
    }
    for (const auto& [loss, seed] : ends) {
      SCOPED_TRACE("loss " + std::to_string(static_cast<int>(loss)) + ", seed " + std::to_string(seed));
      if (!ends_well(changes, made, loss, seed, machine.options, history)) return;
      ++states;
    }
  }
  std::printf("%zu states after %zu changes\n", states, changes.size());
  EXPECT_GT(states, 500U);
}

/// Lives once for every change, which meets `fault`; afterwards the machine is killed or loses power.
void fail_each_change(Durability mode, const std::function<Result<void>(const FileChange&)>& fault) {
  Machine whole;
  whole.options.durability = mode;
  ASSERT_TRUE(Life(whole).live());
  const std::uint64_t count = whole.watch.count();
  std::uint64_t survived = 0;
  for (std::uint64_t at = 0; at < count; ++at) {
    Machine machine;
    machine.options.durability = mode;
    std::string what = "nothing";
    machine.watch.before = [&](const FileChange& change, std::uint64_t number) -> Result<void> {
      if (number != at) return {};
      what = change.path + ", kind " + std::to_string(static_cast<int>(change.kind));
      return fault(change);
    };
    Life life(machine);
    survived += life.live() ? 1 : 0;
    SCOPED_TRACE("change " + std::to_string(at) + ": " + what);
    machine.watch.before = nullptr;
    const bool is_power = at % 2 == 1;
    if (is_power) machine.lose_power(at);
    const bool keeps = mode == Durability::disk || (mode == Durability::os && !is_power);
    if (!starts_as(machine, life.story.by(~std::size_t{0}), keeps) || testing::Test::HasFailure()) return;
  }
  std::printf("%llu changes, %llu of them harmless\n", static_cast<unsigned long long>(count),
              static_cast<unsigned long long>(survived));
}

TEST_P(CrashStates, AnErrorOfAnyChangeLosesNothing) {
  fail_each_change(GetParam(), [](const FileChange& change) -> Result<void> {
    return fail(Errc::storage_failed, change.path + ": injected");
  });
}

TEST_P(CrashStates, NoSpaceForAnyChangeLosesNothing) {
  fail_each_change(GetParam(), [](const FileChange& change) -> Result<void> {
    const bool takes_space = change.kind != FileChange::Kind::sync && change.kind != FileChange::Kind::remove;
    return takes_space ? Result<void>(fail(Errc::storage_full, change.path + ": injected")) : Result<void>();
  });
}

TEST_P(CrashStates, ADelayOfAnyChangeChangesNothing) {
  fail_each_change(GetParam(), [](const FileChange&) -> Result<void> {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return {};
  });
}

INSTANTIATE_TEST_SUITE_P(Modes, CrashStates, testing::Values(Durability::disk, Durability::os, Durability::memory),
                         [](const auto& mode) {
                           return mode.param == Durability::disk ? "Disk"
                                  : mode.param == Durability::os ? "Os"
                                                                 : "Memory";
                         });

}  // namespace
}  // namespace concord::node

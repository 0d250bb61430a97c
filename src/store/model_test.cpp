// The state machine against a model of the contract: every operation and command, expiry, values packed or not, views and
// snapshots at random moments, a second machine that is now and then made anew from a snapshot, and a listener to changes.
#include "store/state_machine.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "compress/packer.hpp"
#include "store/snapshot.hpp"
#include "store/testing_model.hpp"
#include "store/view.hpp"

namespace concord::store {
namespace {

using base::Index;
using base::RequestId;
using base::Term;

/// Keeps the strings that a transaction views. Its values are plain; `packed()` is the same with some of them packed.
class RandomTransaction {
 public:
  RandomTransaction(base::Random& random, const Model& model) : random_(random), model_(model) {
    texts_.reserve(128);  // views into them must stay
  }

  void add_operation(std::vector<Operation>& to) {
    Operation operation{.key = key()};
    switch (random_.below(10)) {
      case 0:
      case 1: operation.kind = OperationKind::remove; break;
      case 2:
        operation.kind = OperationKind::touch;
        operation.ttl_s = ttl();
        break;
      case 3: operation.kind = OperationKind::get; break;
      case 4:
        if (random_.one_in(3)) {
          operation = {.kind = OperationKind::delete_where, .selector = selector()};
          break;
        }
        [[fallthrough]];
      default:
        operation.kind = OperationKind::put;
        operation.value = value();
        if (random_.one_in(3)) operation.ttl_s = random_.one_in(2) ? command::keep_ttl : ttl();
    }
    to.push_back(operation);
  }

  void add_guard() {
    Guard guard{.kind = static_cast<GuardKind>(1 + random_.below(5)), .key = key()};
    const auto found = model_.map.find(std::string(guard.key));
    const bool right = found != model_.map.end() && !random_.one_in(3);
    guard.value = right ? keep(found->second.value) : value();
    guard.revision = Revision(right ? found->second.revision : 1);
    guard.filter = filter();
    transaction.guards.push_back(guard);
  }

  /// Views this too.
  Transaction packed(const compress::Packer& packer) {
    Transaction made = transaction;
    for (auto* list : {&made.then, &made.otherwise}) {
      for (Operation& operation : *list) {
        if (operation.kind == OperationKind::put) operation.value = pack_sometimes(packer, operation.value);
      }
    }
    return made;
  }
  std::string_view pack_sometimes(const compress::Packer& packer, std::string_view value) {
    std::string packed;
    return random_.one_in(2) && packer.pack(value, packed) ? keep(std::move(packed)) : value;
  }

  Transaction transaction;

 private:
  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }
  std::string_view key() {
    return keep(std::string(1, static_cast<char>('a' + random_.below(3))) + std::to_string(random_.below(12)));
  }
  std::uint32_t ttl() { return static_cast<std::uint32_t>(1 + random_.below(4)); }
  std::string_view value() {
    const std::string number = std::to_string(random_.below(3));
    if (random_.one_in(3)) return keep(stored(number));
    return keep(stored(R"({"n":)" + number + R"(,"text":")" + std::string(random_.below(200), 'v') + "\"}"));
  }
  std::string_view filter() {
    return random_.one_in(2) ? std::string_view(R"({"n":{"$gte":1}})") : std::string_view(R"({"$value":1})");
  }
  command::Selector selector() {
    command::Selector selector;
    if (random_.one_in(2)) selector.prefix = key().substr(0, 1 + random_.below(2));
    if (random_.one_in(4)) selector.suffix = key().substr(1);
    if (random_.one_in(4)) selector.contains = "1";
    if (random_.one_in(4)) selector.pattern = "[ab][0-5]";
    if (random_.one_in(4)) selector.start = key();
    if (random_.one_in(4)) selector.end = selector.start ? keep(std::string(*selector.start) + "~") : key();
    if (random_.one_in(4)) selector.filter = filter();
    if (random_.one_in(3)) selector.limit = 1 + random_.below(5);
    if (random_.one_in(3)) selector.max_removed = 1 + random_.below(5);
    return selector;
  }

  base::Random& random_;
  const Model& model_;
  std::vector<std::string> texts_;
};

/// Keeps what it was told; knows the state only from that.
class Shadow final : public ChangeListener {
 public:
  void on_change(const Change& change) override {
    const std::string key(change.key);
    const auto found = map.find(key);
    ASSERT_EQ(change.previous.value(), found == map.end() ? 0 : found->second.second) << key;
    if (change.kind == ChangeKind::put || change.kind == ChangeKind::touch) {
      ASSERT_TRUE(change.kind == ChangeKind::put || found != map.end());
      map[key] = {plain(change.value), last_revision_ + 1};
    } else {
      ASSERT_NE(found, map.end()) << key;
      map.erase(found);
    }
  }
  void on_command(command::CommandKind, bool changed, Revision revision) override {
    if (changed) {
      ASSERT_EQ(revision.value(), last_revision_ + 1);
    }
    last_revision_ = revision.value();
  }

  std::map<std::string, std::pair<std::string, std::uint64_t>> map;  // value and revision

 private:
  std::uint64_t last_revision_ = 0;
};

class Machines {
 public:
  explicit Machines(std::uint64_t seed)
      : random_(seed), first_(Options{seed}), second_(std::make_unique<StateMachine>(Options{~seed})) {
    first_.set_listener(&shadow_);
  }

  void run(int entries) {
    for (int i = 0; i < entries && !testing::Test::HasFailure(); ++i) {
      if (random_.one_in(4) && views_.size() < 4) views_.emplace_back(first_.view(), model_.map);
      if (random_.one_in(4) && !views_.empty()) check_and_close_view();
      if (random_.one_in(20)) restore_second();
      apply_entry();
      compare();
    }
    while (!views_.empty()) check_and_close_view();
  }

 private:
  void apply_entry() {
    now_ms_ += random_.one_in(25) ? 300'000 + random_.below(400'000) : random_.below(800);
    std::string entry;
    command::begin_entry(entry, {.cluster_time_ms = now_ms_, .wall_offset_ms = 5});
    std::vector<Outcome> expected;
    for (std::uint64_t count = random_.below(4); count > 0; --count) expected.push_back(add_command(entry));
    index_ = index_.next();
    std::vector<Applied> applied;
    std::vector<Applied> applied_too;
    ASSERT_TRUE(first_.apply(index_, Term(1), entry, applied));
    ASSERT_TRUE(second_->apply(index_, Term(1), entry, applied_too));
    ASSERT_EQ(applied.size(), expected.size());
    ASSERT_EQ(applied_too.size(), expected.size());
    for (std::size_t at = 0; at < expected.size(); ++at) {
      same(applied[at], expected[at]);
      same(applied_too[at], expected[at]);
    }
  }

  Outcome add_command(std::string& entry) {
    const RequestId request{base::NodeId(1), 1, ++sequence_};
    if (random_.one_in(6)) {
      const std::uint64_t limit = 1 + random_.below(5);
      command::append_expire(entry, request, now_ms_, limit);
      return model_.expire(now_ms_, limit);
    }
    RandomTransaction made(random_, model_);
    if (random_.one_in(3)) {
      made.add_operation(made.transaction.then);
      if (append_plain(entry, request, made)) {
        Outcome outcome = model_.apply(made.transaction, now_ms_);
        if (outcome.changed) outcome.results.clear();
        return outcome;
      }
    }
    for (std::uint64_t count = random_.below(3); count > 0; --count) made.add_guard();
    for (std::uint64_t count = random_.below(6); count > 0; --count) made.add_operation(made.transaction.then);
    for (std::uint64_t count = random_.below(3); count > 0; --count) made.add_operation(made.transaction.otherwise);
    if (random_.one_in(3)) {
      // Few names and requests, so that there are repeats and conflicts.
      const command::Once once{.scope = random_.one_in(2) ? "t" : "",
                               .key = random_.one_in(2) ? "first" : "second",
                               .fingerprint = random_.below(2)};
      command::append_once(entry, request, once, made.packed(packer_));
      return model_.apply_once(once, made.transaction, now_ms_);
    }
    command::append_transaction(entry, request, made.packed(packer_));
    return model_.apply(made.transaction, now_ms_);
  }

  /// As a command of its own, where there is one.
  bool append_plain(std::string& entry, const RequestId& request, RandomTransaction& made) {
    const Operation& operation = made.transaction.then.front();
    switch (operation.kind) {
      case OperationKind::put:
        command::append_put(entry, request, operation.key, made.pack_sometimes(packer_, operation.value),
                            operation.ttl_s);
        return true;
      case OperationKind::remove: command::append_remove(entry, request, operation.key); return true;
      case OperationKind::touch: command::append_touch(entry, request, operation.key, operation.ttl_s); return true;
      case OperationKind::get:
      case OperationKind::delete_where: return false;
    }
    return false;
  }

  static void same(const Applied& applied, const Outcome& expected) {
    const Outcome& found = applied.outcome;
    EXPECT_EQ(found.changed, expected.changed);
    EXPECT_EQ(found.repeat, expected.repeat);
    EXPECT_EQ(found.revision, expected.revision);
    EXPECT_EQ(found.guard_failure, expected.guard_failure);
    EXPECT_EQ(found.failed_guard, expected.failed_guard);
    ASSERT_EQ(found.results.size(), expected.results.size());
    for (std::size_t at = 0; at < expected.results.size(); ++at) {
      EXPECT_EQ(found.results[at].status, expected.results[at].status);
      EXPECT_EQ(found.results[at].count, expected.results[at].count);
      ASSERT_EQ(found.results[at].value.has_value(), expected.results[at].value.has_value());
      if (found.results[at].value) {
        EXPECT_EQ(plain(found.results[at].value->stored()), expected.results[at].value->stored());
      }
    }
  }

  void compare() {
    ASSERT_EQ(first_.revision().value(), model_.revision);
    ASSERT_EQ(first_.size(), model_.map.size());
    ASSERT_EQ(first_.digest(), second_->digest());
    std::optional<ClusterTimeMs> due;
    for (const auto& [key, entry] : model_.map) {
      if (entry.deadline_ms && (!due || *entry.deadline_ms < *due)) due = entry.deadline_ms;
    }
    ASSERT_EQ(first_.next_due(), due);
    ASSERT_EQ(contents(first_.view()), model_.map);
    ASSERT_EQ(shadow_.map.size(), model_.map.size());
    for (const auto& [key, entry] : model_.map) {
      ASSERT_EQ(shadow_.map.at(key), std::pair(entry.value, entry.revision)) << key;
      Value value;
      ASSERT_TRUE(first_.get(key, value));
      ASSERT_EQ(plain(value.stored()), entry.value);
    }
  }

  /// The second machine is forgotten, and made anew from a snapshot of the first.
  void restore_second() {
    const auto snapshot = first_.begin_snapshot("members");
    SnapshotLoader loader(snapshot->meta());
    std::string block;
    while (snapshot->next_block(block, 1 + random_.below(500))) ASSERT_TRUE(loader.add_block(block));
    auto loaded = loader.finish();
    ASSERT_TRUE(loaded) << loaded.error().message();
    second_ = std::make_unique<StateMachine>(Options{random_.next()});
    second_->install(std::move(*loaded));
  }

  void check_and_close_view() {
    const auto at = views_.begin() + static_cast<std::ptrdiff_t>(random_.below(views_.size()));
    ASSERT_EQ(contents(at->first), at->second) << "a view changed while it was open";
    std::vector<std::pair<View, ModelMap>> rest;
    for (auto view = views_.begin(); view != views_.end(); ++view) {
      if (view != at) rest.emplace_back(std::move(view->first), std::move(view->second));
    }
    views_.swap(rest);
  }

  base::Random random_;
  const compress::Packer packer_{CompressionOptions{.algorithm = CompressionAlgorithm::lz4, .level = 1}};
  Shadow shadow_;
  StateMachine first_;
  std::unique_ptr<StateMachine> second_;
  Model model_;
  std::vector<std::pair<View, ModelMap>> views_;
  Index index_;
  ClusterTimeMs now_ms_ = 1000;
  std::uint64_t sequence_ = 0;
};

/// CONCORD_SEEDS=20000 takes some ten million steps.
TEST(StateMachine, DoesWhatTheContractSaysOnEveryMachineAlike) {
  const char* asked = std::getenv("CONCORD_SEEDS");
  const std::uint64_t seeds = asked == nullptr ? 60 : std::strtoull(asked, nullptr, 10);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Machines machines(seed);
    machines.run(200);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace concord::store

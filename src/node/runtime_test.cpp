// A node on a machine that fails: disks, limits, clocks, ends. Losses of power and kills: runtime_power_test.cpp.
#include "node/runtime.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "node/testing_machine.hpp"

namespace concord::node {
namespace {

constexpr std::chrono::hours long_enough{1};

/// A writer that waits in a sync of the log, until the gate lets it go on.
class HeldWriter {
 public:
  HeldWriter(Machine& machine, Runtime& node, std::string key) : machine_(machine) {
    machine_.gate.close();
    const std::uint64_t before = machine_.gate.arrived();
    thread_ = std::thread([this, &node, own_key = std::move(key)] { answer_ = put(node, own_key, "1"); });
    machine_.gate.wait_for_arrivals(before + 1);
  }
  HeldWriter(const HeldWriter&) = delete;
  HeldWriter& operator=(const HeldWriter&) = delete;
  ~HeldWriter() {
    if (thread_.joinable()) (void)answer();
  }

  /// Lets everybody go on.
  [[nodiscard]] Answer answer() {
    machine_.gate.open();
    thread_.join();
    return std::move(*answer_);
  }

 private:
  Machine& machine_;
  std::optional<Answer> answer_;
  std::thread thread_;
};

void write_many(Runtime& node, Answers& answers, const std::string& prefix, int count) {
  for (int i = 0; i < count; ++i)
    node.write_async(put_of(prefix + std::to_string(i), stored("1")), long_enough, answers.slot());
}

/// A failed node: writes are refused for good and did not happen, reads go on, and the status says so.
void expect_failed(Runtime& node, std::string_view readable_key) {
  const Answer refused = put(node, "refused", "1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::storage_failed);
  EXPECT_FALSE(refused.error().maybe_committed());
  EXPECT_FALSE(has(node, "refused"));
  EXPECT_TRUE(has(node, readable_key));
  EXPECT_TRUE(node.may_read_now(ReadConsistency::eventual));
  const Status status = node.status();
  EXPECT_EQ(status.cluster.state, NodeState::failed);
  EXPECT_FALSE(status.storage.writable);
  EXPECT_NE(status.storage.reason, "");
}

TEST(Runtime, AFailedSyncFailsTheNodeForGood) {
  Machine machine;
  auto node = machine.open();
  ASSERT_TRUE(put(*node, "before", "1"));
  Answers queued;
  HeldWriter writer(machine, *node, "in flight");
  write_many(*node, queued, "queued", 5);
  machine.files->set_faults({.fail_sync_after = machine.files->syncs()});
  const Answer in_flight = writer.answer();
  ASSERT_FALSE(in_flight);
  EXPECT_EQ(in_flight.error().code(), Errc::storage_failed);
  EXPECT_TRUE(in_flight.error().maybe_committed());
  ASSERT_TRUE(machine.comes_true([&] { return queued.all_answered(); }));
  for (const Answer& answer : queued.each_once()) {
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), Errc::storage_failed);
    EXPECT_FALSE(answer.error().maybe_committed()) << "it was never proposed";
  }
  expect_failed(*node, "before");
  EXPECT_FALSE(has(*node, "in flight"));
}

TEST(Runtime, AllWritesOfABatchWhoseSyncFailedMayHaveHappened) {
  Machine machine;
  auto node = machine.open();
  Answers batch;
  HeldWriter writer(machine, *node, "before");
  write_many(*node, batch, "batch", 5);
  const std::uint64_t arrived = machine.gate.arrived();
  machine.gate.let_one_pass();
  machine.gate.wait_for_arrivals(arrived + 1);
  machine.files->set_faults({.fail_sync_after = machine.files->syncs()});
  EXPECT_TRUE(writer.answer());
  ASSERT_TRUE(machine.comes_true([&] { return batch.all_answered(); }));
  for (const Answer& answer : batch.each_once()) {
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), Errc::storage_failed);
    EXPECT_TRUE(answer.error().maybe_committed());
  }
  expect_failed(*node, "before");
}

TEST(Runtime, AFailedSyncIsNeverTriedAgain) {
  Machine machine;
  auto node = machine.open();
  ASSERT_TRUE(put(*node, "before", "1"));
  machine.files->set_faults({.fail_sync_after = machine.files->syncs()});
  ASSERT_FALSE(put(*node, "lost", "1"));
  const std::uint64_t syncs = machine.gate.arrived();
  node->request_snapshot();
  machine.pass_ms(60'000);
  ASSERT_FALSE(put(*node, "refused", "1"));
  node->close(long_enough);
  EXPECT_EQ(machine.gate.arrived(), syncs);
  node.reset();
  machine.lose_power(1);
  node = machine.open();
  EXPECT_EQ(contents_of(*node), (Contents{{"before", stored("1")}}));
}

TEST(Runtime, AFailedWriteFailsTheNodeForGood) {
  for (const Durability durability : {Durability::disk, Durability::os}) {
    Machine machine;
    machine.options.durability = durability;
    auto node = machine.open();
    ASSERT_TRUE(put(*node, "before", "1"));
    machine.files->set_faults({.fail_write_after = machine.files->writes()});
    const Answer in_flight = put(*node, "in flight", "1");
    ASSERT_FALSE(in_flight);
    EXPECT_EQ(in_flight.error().code(), Errc::storage_failed);
    EXPECT_TRUE(in_flight.error().maybe_committed());
    expect_failed(*node, "before");
    node.reset();
    node = machine.open();
    EXPECT_TRUE(has(*node, "before"));
    EXPECT_TRUE(put(*node, "after", "1")) << "half a record at the end of the log is cut";
  }
}

TEST(Runtime, AFailureThatNoWriteWaitsForFailsTheNodeWithoutOne) {
  for (const Durability durability : {Durability::os, Durability::memory}) {
    Machine machine;
    machine.options.durability = durability;
    auto node = machine.open();
    if (durability == Durability::os) {
      machine.files->set_faults({.fail_sync_after = machine.files->syncs()});
    } else {
      machine.files->set_faults({.fail_write_after = machine.files->writes()});
    }
    ASSERT_TRUE(put(*node, "acknowledged", "1"));
    ASSERT_TRUE(machine.comes_true([&] { return node->failure().has_value(); }));
    EXPECT_EQ(node->failure()->code(), Errc::storage_failed);
    expect_failed(*node, "acknowledged");
  }
}

/// It lives only while it is stepped.
std::unique_ptr<Runtime> open_without_threads(Machine& machine) {
  auto opened = Runtime::open({.files = std::make_unique<env::WatchedFileSystem>(*machine.files, machine.watch),
                               .clock = std::make_unique<HandClock>(machine.hands),
                               .has_threads = false},
                              machine.options, machine.segment_bytes);
  if (!opened) throw std::runtime_error("the node does not open: " + opened.error().message());
  return std::move(*opened);
}

/// Else the write that fills a segment would wait for all of it.
TEST(Runtime, WhatNobodyWaitsForIsSyncedByItsAmountToo) {
  for (const Durability durability : {Durability::os, Durability::memory}) {
    Machine machine;
    machine.options.durability = durability;
    machine.segment_bytes = 64U << 20U;
    const auto opened = open_without_threads(machine);
    Runtime& node = *opened;
    const auto step = [&](std::uint64_t passes_ms) {
      machine.hands->monotonic_ms += passes_ms;
      node.step();
    };
    for (int i = 0; i < 100 && !node.is_serving(); ++i) step(1);
    ASSERT_TRUE(node.is_serving());
    const std::string large = stored('"' + std::string(1U << 20U, 'x') + '"');
    std::uint64_t syncs = 0;
    for (int round = 0; round < 3; ++round) {  // of five looks of the background one syncs whatever there is
      step(100);
      for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(node.write(put_of("large" + std::to_string(i), large), std::chrono::hours(1)));
      }
      for (int i = 0; i < 20; ++i) step(1);  // in mode `memory` it is written meanwhile
      syncs = machine.files->syncs();
      step(100);
      EXPECT_EQ(machine.files->syncs(), syncs + 1);
    }
    step(100);
    EXPECT_EQ(machine.files->syncs(), syncs + 1) << "nothing was appended meanwhile";
  }
}

TEST(Runtime, ANodeThatHasFailedHasNothingToDo) {
  Machine machine;
  const auto opened = open_without_threads(machine);
  Runtime& node = *opened;
  const auto step = [&] {
    machine.hands->monotonic_ms += 1;
    node.step();
  };
  for (int i = 0; i < 100 && !node.is_serving(); ++i) step();
  ASSERT_TRUE(node.is_serving());
  EXPECT_LE(node.next_step_ms(), machine.hands->monotonic_ms + 1) << "a heartbeat";
  machine.files->set_faults({.fail_sync_after = machine.files->syncs()});
  Answers answers;
  write_many(node, answers, "lost", 1);
  for (int i = 0; i < 3; ++i) step();
  ASSERT_TRUE(node.failure());
  step();
  EXPECT_GT(node.next_step_ms(), machine.hands->monotonic_ms + 10) << "the next look of the background";
}

TEST(Runtime, AFullDiskRefusesWritesChangesNothingAndEndsWhenSpaceReturns) {
  Machine machine;
  auto node = machine.open();
  ASSERT_TRUE(put(*node, "before", "1"));
  const std::string large = '"' + std::string(1000, 'x') + '"';
  machine.files->set_faults({.capacity_bytes = 3 * machine.segment_bytes});
  Answer last = put(*node, "filler", large);
  for (int i = 0; i < 1000 && last; ++i) last = put(*node, "filler", large);
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code(), Errc::storage_full);
  EXPECT_FALSE(last.error().maybe_committed());
  const Revision revision = node->state().revision();
  const std::uint64_t digest = node->state().digest();
  EXPECT_EQ(put(*node, "refused", large).error().code(), Errc::storage_full);
  EXPECT_EQ(node->state().digest(), digest);
  EXPECT_FALSE(node->failure());
  EXPECT_EQ(node->refuses_writes()->code(), Errc::storage_full);
  EXPECT_FALSE(node->status().storage.writable);
  EXPECT_TRUE(has(*node, "before"));
  EXPECT_TRUE(node->may_read_now(ReadConsistency::strong));
  machine.files->set_faults({});
  ASSERT_TRUE(machine.comes_true([&] { return !node->refuses_writes(); })) << "without any write";
  const Answer after = put(*node, "after", large);
  ASSERT_TRUE(after) << after.error().message();
  EXPECT_EQ(after->revision.value(), revision.value() + 1);
  const std::uint64_t final_digest = node->state().digest();
  node.reset();
  node = machine.open();
  EXPECT_EQ(node->state().digest(), final_digest);
}

TEST(Runtime, TheHostsLogMayAskForTheStatusWhenTheDiskIsFull) {
  Machine machine;
  Runtime* asked = nullptr;
  std::vector<bool> writable;
  machine.options.log = [&](LogLevel, std::string_view line) {
    if (asked != nullptr && line.find("space") != std::string_view::npos)
      writable.push_back(asked->status().storage.writable);
  };
  const auto node = machine.open();
  ASSERT_TRUE(put(*node, "before", "1"));
  asked = node.get();
  const std::string large = '"' + std::string(1000, 'x') + '"';
  machine.files->set_faults({.capacity_bytes = 3 * machine.segment_bytes});
  Answer last = put(*node, "filler", large);
  for (int i = 0; i < 1000 && last; ++i) last = put(*node, "filler", large);
  EXPECT_FALSE(last);
  machine.files->set_faults({});
  ASSERT_TRUE(machine.comes_true([&] { return !node->refuses_writes(); }));
  node->close(std::chrono::seconds(1));  // the replica thread has ended: what it said is there
  EXPECT_EQ(writable, (std::vector{false, true}));
}

TEST(Runtime, SaysHowItIsWhileItFindsItsPlaceAndWhileItCloses) {
  Machine machine;
  machine.options.cluster.cookie = "a secret";
  const auto node = machine.open();
  std::atomic<bool> is_over = false;
  std::size_t unnamed = 0;
  std::thread asks([&] {
    while (!is_over) {
      if (node->status().node != machine.options.name) ++unnamed;
      (void)node->not_ready();
      (void)node->peer_address();
    }
  });
  EXPECT_TRUE(machine.comes_true([&] { return !node->not_ready(); }));
  EXPECT_EQ(node->status().cluster.members.size(), 1U);
  EXPECT_NE(node->peer_address(), "");
  node->close(std::chrono::seconds(1));
  is_over = true;
  asks.join();
  EXPECT_EQ(unnamed, 0U);
  EXPECT_EQ(node->peer_address(), "");
}

TEST(Runtime, ManyBatchesInOneTurnOnAFullDiskAreRefusedAndDoNotFailTheNode) {
  Machine machine;
  machine.segment_bytes = 8U << 20U;
  // From the start: the background must not have made the next file by then.
  machine.files->set_faults({.capacity_bytes = machine.segment_bytes + (1U << 20U)});
  auto node = machine.open();
  const std::string large = stored('"' + std::string(600U << 10U, 'x') + '"');
  int first = 0;
  for (const int count : {9, 12}) {  // two a batch: after the first round there is room for one more batch, not for all
    Answers answers;
    HeldWriter writer(machine, *node, "held");
    for (int i = first; i < first + count; ++i)
      node->write_async(put_of("k" + std::to_string(i), large), long_enough, answers.slot());
    ASSERT_TRUE(writer.answer());
    ASSERT_TRUE(machine.comes_true([&] { return answers.all_answered(); }));
    for (const Answer& answer : answers.each_once()) {
      EXPECT_EQ(has(*node, "k" + std::to_string(first++)), answer.has_value());
      if (!answer) {
        EXPECT_EQ(answer.error().code(), Errc::storage_full) << answer.error().message();
      }
    }
    ASSERT_FALSE(node->failure()) << node->failure()->message();
  }
  EXPECT_TRUE(has(*node, "k9"));
  EXPECT_TRUE(node->refuses_writes());
  machine.files->set_faults({});
  EXPECT_TRUE(put(*node, "after", "1"));
}

TEST(Runtime, MoreWritesThanTheLimitAreRefusedAndChangeNothing) {
  Machine machine;
  machine.options.limits.max_in_flight = 4;
  auto node = machine.open();
  Answers answers;
  HeldWriter writer(machine, *node, "held");
  write_many(*node, answers, "k", 6);
  EXPECT_EQ(answers.answered(), 3U) << "who is refused is told at once";
  ASSERT_TRUE(writer.answer());
  ASSERT_TRUE(machine.comes_true([&] { return answers.all_answered(); }));
  const std::vector<Answer> all = answers.each_once();
  for (std::size_t at = 0; at < all.size(); ++at) {
    EXPECT_EQ(all[at].has_value(), at < 3);
    EXPECT_EQ(has(*node, "k" + std::to_string(at)), at < 3);
    if (!all[at]) {
      EXPECT_EQ(all[at].error().code(), Errc::overloaded);
      EXPECT_FALSE(all[at].error().maybe_committed());
    }
  }
  EXPECT_EQ(node->state().revision(), Revision(4));
  EXPECT_TRUE(put(*node, "later", "1"));
}

TEST(Runtime, AWriteThatNoFollowerCouldBeSentIsRefused) {
  Machine machine;
  machine.options.limits.max_value_bytes = most_value_bytes;
  auto node = machine.open();
  const std::string value = stored(std::string(most_value_bytes, '1'));
  command::Transaction transaction;
  transaction.then.assign(2, command::Operation{.key = "k", .value = value});
  const Answer refused =
      node->write({.kind = command::CommandKind::transaction, .transaction = &transaction}, long_enough);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::batch_too_large);
  EXPECT_FALSE(refused.error().maybe_committed());
  EXPECT_TRUE(put(*node, "k", "1"));
  EXPECT_FALSE(node->failure());
}

TEST(Runtime, WhatIsThrownInTheBackgroundFailsTheNodeAndNotItsHost) {
  Machine machine;
  auto node = machine.open();
  ASSERT_TRUE(put(*node, "before", "1"));
  machine.files->before_sync([](const std::string& path) {
    if (path.contains("/snapshots/")) throw std::runtime_error("a defect");
  });
  node->request_snapshot();
  ASSERT_TRUE(machine.comes_true([&] { return node->failure().has_value(); }));
  EXPECT_EQ(node->failure()->message(), "a defect");
  EXPECT_TRUE(has(*node, "before"));
  EXPECT_FALSE(put(*node, "after", "1"));
}

TEST(Runtime, MoreBytesThanTheLimitAreRefusedAndChangeNothing) {
  Machine machine;
  machine.options.limits.max_in_flight_bytes = 2000;
  auto node = machine.open();
  const std::string large = stored('"' + std::string(1500, 'x') + '"');
  Answers answers;
  HeldWriter writer(machine, *node, "held");
  for (const std::string key : {"a", "b", "c"}) node->write_async(put_of(key, large), long_enough, answers.slot());
  EXPECT_EQ(answers.answered(), 2U);
  ASSERT_TRUE(writer.answer());
  ASSERT_TRUE(machine.comes_true([&] { return answers.all_answered(); }));
  const std::vector<Answer> all = answers.each_once();
  EXPECT_TRUE(all[0]);
  for (const std::size_t at : {1U, 2U}) {
    ASSERT_FALSE(all[at]);
    EXPECT_EQ(all[at].error().code(), Errc::overloaded);
  }
  EXPECT_FALSE(has(*node, "b"));
  EXPECT_FALSE(has(*node, "c"));
  EXPECT_TRUE(put(*node, "later", "1")) << "what is answered no longer counts";
}

TEST(Runtime, CloseFinishesWhatIsInFlightAndRefusesWhatComesLater) {
  Machine machine;
  auto node = machine.open();
  Answers accepted;
  HeldWriter writer(machine, *node, "held");
  write_many(*node, accepted, "k", 20);
  std::thread closing([&] { node->close(long_enough); });
  // Only who is refused is answered inside the call, hence on this thread; the others much later, on the replica thread.
  const std::thread::id caller = std::this_thread::get_id();
  std::optional<Errc> refusal;
  int accepted_late = 0;
  while (!refusal) {  // until `close` has begun
    node->write_async(put_of("late", stored("1")), long_enough, [&refusal, caller](const Answer& answer) {
      if (std::this_thread::get_id() == caller && !answer) refusal = answer.error().code();
    });
    if (!refusal) ++accepted_late;
    std::this_thread::yield();
  }
  EXPECT_EQ(*refusal, Errc::cluster_not_ready);
  EXPECT_TRUE(writer.answer());
  closing.join();
  for (const Answer& answer : accepted.each_once()) EXPECT_TRUE(answer);
  const std::uint64_t digest = node->state().digest();
  EXPECT_EQ(node->state().size(), 21U + (accepted_late > 0 ? 1 : 0));
  EXPECT_EQ(put(*node, "after", "1").error().code(), Errc::cluster_not_ready);
  node.reset();
  node = machine.open();
  EXPECT_EQ(node->state().digest(), digest);
}

TEST(Runtime, AnAsynchronousWriteWhoseDeadlinePassesIsAnsweredOnceAndMayHappen) {
  Machine machine;
  auto node = machine.open();
  Answers answers;
  HeldWriter writer(machine, *node, "held");
  node->write_async(put_of("late", stored("1")), std::chrono::milliseconds(100), answers.slot());
  machine.pass_ms(101);
  // The completion is called by the replica thread, which the writer holds up; that the deadline is over stays true.
  ASSERT_TRUE(writer.answer());
  ASSERT_TRUE(machine.comes_true([&] { return answers.all_answered(); }));
  ASSERT_TRUE(machine.comes_true([&] { return has(*node, "late"); }));
  node->close(long_enough);
  const std::vector<Answer> all = answers.each_once();
  if (!all[0]) {
    EXPECT_EQ(all[0].error().code(), Errc::timeout);
    EXPECT_TRUE(all[0].error().maybe_committed());
  }
}

TEST(Runtime, AKeyExpiresByTimeThatPassesAndNotByAStepOfTheWallClock) {
  Machine machine;
  auto node = machine.open();
  ASSERT_TRUE(put(*node, "short", "1", 10));
  ASSERT_TRUE(put(*node, "long", "1", 3600));
  for (const std::int64_t step_ms : {7'200'000LL, -14'400'000LL}) {
    const std::uint64_t applied = node->status().cluster.applied_index;
    machine.hands->wall_ms += step_ms;
    // The node writes the step down; this shows that it has looked.
    ASSERT_TRUE(machine.comes_true([&] { return node->status().cluster.applied_index > applied; }));
    EXPECT_TRUE(has(*node, "short"));
    EXPECT_TRUE(has(*node, "long"));
  }
  machine.pass_ms(10'000);
  ASSERT_TRUE(machine.comes_true([&] { return !has(*node, "short"); }));
  EXPECT_TRUE(has(*node, "long"));
  EXPECT_EQ(node->state().revision(), Revision(3));
  machine.pass_ms(3'600'000);
  ASSERT_TRUE(machine.comes_true([&] { return !has(*node, "long"); }));
}

TEST(Runtime, OverAStopTheWallClockTellsHowLongItWasAndNeverLessThanNothing) {
  for (const std::int64_t stopped_ms : {5'000LL, 20'000LL, -500'000LL}) {
    SCOPED_TRACE(stopped_ms);
    Machine machine;
    auto node = machine.open();
    ASSERT_TRUE(put(*node, "k", "1", 10));
    node.reset();
    machine.hands->monotonic_ms = 77;  // another process counts from elsewhere
    machine.hands->wall_ms += stopped_ms;
    node = machine.open();
    if (stopped_ms >= 10'000) {
      EXPECT_TRUE(machine.comes_true([&] { return !has(*node, "k"); }));
      continue;
    }
    const std::uint64_t left_ms = 10'000 - static_cast<std::uint64_t>(std::max<std::int64_t>(stopped_ms, 0));
    const std::uint64_t applied = node->status().cluster.applied_index;
    machine.pass_ms(left_ms - 5'000);
    machine.hands->wall_ms += 1'000;  // makes the node write something down
    ASSERT_TRUE(machine.comes_true([&] { return node->status().cluster.applied_index > applied; }));
    EXPECT_TRUE(has(*node, "k"));
    machine.pass_ms(5'000);
    EXPECT_TRUE(machine.comes_true([&] { return !has(*node, "k"); }));
  }
}

TEST(Runtime, InModeMemoryAWriteIsWrittenWhenTheFlushIntervalIsOver) {
  Machine machine;
  machine.options.durability = Durability::memory;
  auto node = machine.open();
  const std::uint64_t writes = machine.files->writes();
  ASSERT_TRUE(put(*node, "k", "1"));
  EXPECT_EQ(machine.files->writes(), writes) << "time stands still";
  ASSERT_TRUE(machine.comes_true([&] { return machine.files->writes() > writes; }));
  const auto left = machine.as_left_by_a_kill();
  const auto again = left->open();
  EXPECT_TRUE(has(*again, "k"));
}

TEST(Runtime, ASnapshotTakenWhileWritesGoOnGivesTheSameStateAfterARestart) {
  Machine machine;
  auto node = machine.open();
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(put(*node, "k" + std::to_string(i), std::to_string(i), 3600));
  const auto snapshot_index = [&] { return node->status().storage.snapshot_index; };
  for (int taken = 0, i = 0; taken < 3; ++taken) {
    ASSERT_TRUE(put(*node, "round", std::to_string(taken + '0')));  // else the next may be of the same index
    const std::uint64_t before = snapshot_index();
    node->request_snapshot();
    for (; snapshot_index() == before; ++i)
      ASSERT_TRUE(put(*node, "k" + std::to_string(i % 400), std::to_string(i) + '0'));
  }
  ASSERT_TRUE(put(*node, "after", "1"));
  const std::uint64_t digest = node->state().digest();
  const Revision revision = node->state().revision();
  node.reset();
  node = machine.open();
  EXPECT_GT(snapshot_index(), 0U);
  EXPECT_EQ(node->state().digest(), digest);
  EXPECT_EQ(node->state().revision(), revision);
}

TEST(Runtime, ADamagedNewestSnapshotLosesNothing) {
  Machine machine;
  machine.segment_bytes = 4U << 10U;  // several between two snapshots: what is cut off is whole segments
  auto node = machine.open();
  for (int taken = 0, i = 0; taken < 3; ++taken) {
    const std::uint64_t before = node->status().storage.snapshot_index;
    for (const int end = i + 100; i < end; ++i)
      ASSERT_TRUE(put(*node, "k" + std::to_string(i % 70), std::to_string(i)));
    node->request_snapshot();
    ASSERT_TRUE(machine.comes_true([&] { return node->status().storage.snapshot_index > before; }));
  }
  const std::uint64_t digest = node->state().digest();
  node.reset();
  std::string newest;
  std::string oldest_segment;
  for (const std::string& path : machine.files->paths()) {
    newest = path.ends_with(".snap") ? path : newest;
    if (path.ends_with(".log") && oldest_segment.empty()) oldest_segment = path;
  }
  EXPECT_NE(oldest_segment, "/data/log/00000000000000000001.log") << "the log was not cut back at all";
  std::string bytes = machine.files->contents(newest);
  bytes[bytes.size() / 2] ^= 1;
  machine.files->set_contents(newest, bytes);
  node = machine.open();
  EXPECT_EQ(node->state().digest(), digest);
  EXPECT_NE(machine.all_said().find("trying the snapshot before it"), std::string::npos);
}

}  // namespace
}  // namespace concord::node

// The log against a model: what was synced is there after any loss of power, what was written after any end of the process.
#include "log/log.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "env/memory_file_system.hpp"
#include "log/record.hpp"
#include "log/testing_log.hpp"

namespace concord::log {
namespace {

using base::EntryView;
using base::HardState;
using base::Index;
using base::NodeId;
using base::Term;

TEST(Log, WhatWasAppendedIsReplayedInOrder) {
  LogFixture fixture;
  auto log = fixture.create();
  log.append({{1, "a"}, {1, "b"}}, HardState{Term(1), NodeId(7), Index(0)});
  log.append({{2, "c"}}, std::nullopt);
  log.append({}, HardState{Term(2), NodeId(7), Index(3)});
  ASSERT_TRUE(log->sync());
  auto again = fixture.reopen(std::move(log));
  EXPECT_EQ(again.replayed(), (Model{{1, "a"}, {1, "b"}, {2, "c"}}));
  EXPECT_EQ(again->hard_state(), (HardState{Term(2), NodeId(7), Index(3)}));
  EXPECT_EQ(again->last_index(), Index(3));
}

TEST(Log, ALaterEntryReplacesAllFromItsIndexOnAcrossSegments) {
  LogFixture fixture;
  auto log = fixture.create();
  for (int i = 0; i < 100; ++i) log.append({{1, std::string(200, 'x')}}, std::nullopt);
  ASSERT_GT(fixture.segment_count(), 2U);
  log.append_at(Index(5), {{2, "new"}}, std::nullopt);
  ASSERT_TRUE(log->sync());
  auto again = fixture.reopen(std::move(log));
  const Model model = again.replayed();
  ASSERT_EQ(model.size(), 5U);
  EXPECT_EQ(model[4], (ModelEntry{2, "new"}));
}

TEST(Log, APurgeRemovesWholeSegmentsAndKeepsWhatFollows) {
  LogFixture fixture;
  auto log = fixture.create();
  for (int i = 0; i < 200; ++i) log.append({{1, std::string(200, 'x')}}, HardState{Term(1), NodeId(7), Index(1)});
  const std::size_t before = fixture.segment_count();
  log.purge(Index(120));
  EXPECT_LT(fixture.segment_count(), before);
  EXPECT_LE(log->first_index(), Index(121));
  const Index first = log->first_index();
  auto again = fixture.reopen(std::move(log));
  EXPECT_EQ(again->first_index(), first);
  EXPECT_EQ(again.replayed().size(), 200U - first.value() + 1);
  EXPECT_EQ(again->hard_state(), (HardState{Term(1), NodeId(7), Index(1)}));
}

TEST(Log, WhatWasRetiredAndNotYetRemovedComesBackWhole) {
  LogFixture fixture;
  auto log = fixture.create();
  for (int i = 0; i < 200; ++i) log.append({{1, std::string(200, 'x')}}, std::nullopt);
  const auto retired = log->retire(Index(120));
  ASSERT_GE(retired.size(), 2U);
  EXPECT_GT(log->first_index(), Index(1));
  ASSERT_TRUE(log->remove_files({retired.front()}));
  auto again = fixture.reopen(std::move(log));
  EXPECT_GT(again->first_index(), Index(1));
  EXPECT_LE(again->first_index(), Index(121));
  EXPECT_EQ(again.replayed().size(), 200U - again->first_index().value() + 1);
}

TEST(Log, AFileThatIsUsedAgainNeverShowsItsEarlierLife) {
  LogFixture fixture;
  auto log = fixture.create();
  std::uint64_t index = 0;
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 40; ++i, ++index)
      log.append({{1, std::string(100, static_cast<char>('a' + round % 26))}}, std::nullopt);
    ASSERT_TRUE(log->sync());
    log.purge(Index(index - 10));
    log = fixture.reopen(std::move(log));
    ASSERT_EQ(log->last_index(), Index(index)) << "round " << round;
    ASSERT_TRUE(log->cut_report().empty()) << log->cut_report();
    (void)log.replayed();
  }
}

/// The disk has written it somewhere else (reliability 56): nothing of it is damaged, only its place is wrong.
TEST(Record, IsTakenOnlyAtItsPlaceInItsSegment) {
  const SegmentHeader header{
      .segment_id = 7, .size_bytes = 4096, .salt = 99, .first_index = base::Index(1), .hard_state = {}};
  const base::EntryView entry{.index = base::Index(1), .term = base::Term(1), .data = "data"};
  std::string record;
  append_batch(record, {.segment_id = 7, .salt = 99, .offset = first_record_offset}, {{entry}}, std::nullopt);
  const auto is_found = [&](std::uint64_t offset, const SegmentHeader& in) {
    std::string segment(4096, '\0');
    segment.replace(offset, record.size(), record);
    return read_record(segment, offset, in).has_value();
  };
  EXPECT_TRUE(is_found(first_record_offset, header));
  EXPECT_FALSE(is_found(first_record_offset + 8, header));
  EXPECT_FALSE(is_found(first_record_offset + 512, header));
  SegmentHeader another = header;
  another.segment_id = 8;
  EXPECT_FALSE(is_found(first_record_offset, another));
}

TEST(Log, BufferedEntriesAreWrittenByFlush) {
  LogFixture fixture;
  fixture.options.buffered = true;
  auto log = fixture.create();
  log.append({{1, "kept"}}, std::nullopt);
  ASSERT_TRUE(log->flush());
  log.append({{1, "lost"}}, std::nullopt);
  EXPECT_TRUE(log->has_unwritten());
  auto again = fixture.reopen(std::move(log));
  EXPECT_EQ(again.replayed(), (Model{{1, "kept"}}));
}

TEST(Log, FullDiskIsSaidBeforeAnythingIsWrittenAndEndsWhenSpaceReturns) {
  LogFixture fixture;
  auto log = fixture.create();
  fixture.files->set_faults({.capacity_bytes = 3 * fixture.options.segment_bytes});
  Result<void> reserved;
  int count = 0;
  for (; count < 1000 && (reserved = log->reserve(200, 1)); ++count)
    log.append({{1, std::string(200, 'x')}}, std::nullopt);
  ASSERT_LT(count, 1000);
  EXPECT_EQ(reserved.error().code(), Errc::storage_full);
  EXPECT_TRUE(log->append({}, HardState{Term(3), NodeId(1), Index(2)})) << "a hard state always has room";
  fixture.files->set_faults({});
  ASSERT_TRUE(log->reserve(200, 1));
  log.append({{1, "after"}}, std::nullopt);
  auto again = fixture.reopen(std::move(log));
  EXPECT_EQ(again.replayed().size(), static_cast<std::size_t>(count) + 1);
}

TEST(Log, OnAFullDiskANewLeaderStillHasRoomForItsFirstEntry) {
  LogFixture fixture;
  auto log = fixture.create();
  fixture.files->set_faults({.capacity_bytes = fixture.options.segment_bytes});
  std::size_t count = 0;
  for (; count < 1000 && log->reserve(1, 1); ++count) log.append({{1, "x"}}, std::nullopt);
  ASSERT_LT(count, 1000U);
  log.append({{2, ""}}, HardState{Term(2), NodeId(1), Index(1)});
  auto again = fixture.reopen(std::move(log));
  EXPECT_EQ(again.replayed().size(), count + 1);
}

TEST(Log, AnEntryLargerThanASegmentGetsOneOfItsOwn) {
  LogFixture fixture;
  auto log = fixture.create();
  const std::string large(3 * fixture.options.segment_bytes, 'L');
  ASSERT_TRUE(log->reserve(large.size(), 1));
  log.append({{1, large}}, std::nullopt);
  log.append({{1, "small"}}, std::nullopt);
  auto again = fixture.reopen(std::move(log));
  EXPECT_EQ(again.replayed(), (Model{{1, large}, {1, "small"}}));
}

TEST(Log, AfterAFailedWriteOrSyncItSaysSoForEver) {
  for (const bool is_sync : {false, true}) {
    LogFixture fixture;
    auto log = fixture.create();
    if (is_sync) {
      fixture.files->set_faults({.fail_sync_after = fixture.files->syncs()});
    } else {
      fixture.files->set_faults({.fail_write_after = fixture.files->writes()});
    }
    const EntryView entry{.index = Index(1), .term = Term(1), .data = "x"};
    auto appended = log->append({&entry, 1}, std::nullopt);
    if (is_sync) appended = log->sync();
    ASSERT_FALSE(appended);
    fixture.files->set_faults({});
    EXPECT_EQ(log->sync().error().code(), Errc::storage_failed);
    EXPECT_EQ(log->append({&entry, 1}, std::nullopt).error().code(), Errc::storage_failed);
    EXPECT_EQ(log->close().error().code(), Errc::storage_failed);
  }
}

TEST(Log, ASyncFromTheBackgroundThatFailsFailsTheLog) {
  LogFixture fixture;
  auto log = fixture.create();
  log.append({{1, "x"}}, std::nullopt);
  fixture.files->set_faults({.fail_sync_after = fixture.files->syncs()});
  log->sync_in_background();
  fixture.files->set_faults({});
  EXPECT_EQ(log->sync().error().code(), Errc::storage_failed);
}

// Linux tells a failed write once for each open file: the second of two syncs at once would hear that all is well.
TEST(Log, OfTwoSyncsAtOnceNoneTakesTheOthersFailureAway) {
  LogFixture fixture;
  auto log = fixture.create();
  log.append({{1, "x"}}, std::nullopt);
  std::future<void> background;
  std::atomic<bool> is_asked{false};
  fixture.files->before_sync([&](const std::string&) {
    if (is_asked.exchange(true)) return;
    background = std::async(std::launch::async, [&] { log->sync_in_background(); });
    background.wait_for(std::chrono::milliseconds(200));
  });
  fixture.files->set_faults({.fail_sync_after = fixture.files->syncs()});
  EXPECT_EQ(log->sync().error().code(), Errc::storage_failed);
  background.get();
}

TEST(Log, ASpareMadeWhileTheLastOneIsTakenIntoUseDoesNotReplaceIt) {
  LogFixture fixture;
  Log* preparing = nullptr;
  fixture.files->before_sync([&](const std::string& path) {
    // The background looks just when the header of the next segment is made durable.
    if (preparing != nullptr && path.find("spare") != std::string::npos) preparing->prepare_spare();
  });
  auto log = fixture.create();
  preparing = log.operator->();
  log->prepare_spare();
  std::uint64_t count = 0;
  for (; fixture.segment_count() < 4; ++count) log.append({{1, std::string(200, 'x')}}, std::nullopt);
  ASSERT_TRUE(log->sync());
  preparing = nullptr;
  auto again = fixture.reopen(std::move(log));
  EXPECT_EQ(again->last_index(), Index(count));
}

TEST(Log, ALossOfPowerWhileATornTailIsCutLosesNothing) {
  for (std::uint64_t stop = 0, cuts_seen = 0;; ++stop) {
    SCOPED_TRACE("stopped after " + std::to_string(stop) + " changes");
    LogFixture fixture;
    auto log = fixture.create();
    log.append({{1, "synced"}}, std::nullopt);
    ASSERT_TRUE(log->sync());
    const EntryView torn{.index = Index(2), .term = Term(1), .data = "torn"};
    fixture.files->set_faults({.fail_write_after = fixture.files->writes()});
    ASSERT_FALSE(log->append({&torn, 1}, std::nullopt));
    log.drop();
    fixture.files->set_faults({.stop_after = fixture.files->changes() + stop});
    const bool is_through = Log::open(*fixture.files, fixture.directory, fixture.options).has_value();
    fixture.files->power_cut(stop);
    fixture.options.boot_id += 1;
    auto again = fixture.reopen(std::move(log));
    EXPECT_EQ(again.replayed(), (Model{{1, "synced"}}));
    cuts_seen += again->cut_report().empty() ? 0 : 1;
    if (!is_through) continue;
    EXPECT_GT(cuts_seen, 2U);
    return;
  }
}

/// The process ends after `stop` changes of a rotation, the next one writes, and then the power goes. False: it rotated before.
bool end_process_then_lose_power(std::uint64_t stop, std::uint64_t seed) {
  SCOPED_TRACE("stopped after " + std::to_string(stop) + " changes, seed " + std::to_string(seed));
  LogFixture fixture;
  auto log = fixture.create();
  const ModelEntry entry{1, std::string(200, 'x')};
  for (int i = 0; i < 28; ++i) log.append({entry}, std::nullopt);
  EXPECT_TRUE(log->sync());
  EXPECT_EQ(fixture.segment_count(), 1U);
  fixture.files->set_faults({.stop_after = fixture.files->changes() + stop});
  bool is_stopped = false;
  while (!is_stopped && fixture.segment_count() < 2) {
    const EntryView view{.index = log->last_index().next(), .term = Term(1), .data = entry.data};
    is_stopped = !log->append({&view, 1}, std::nullopt) || !log->sync();
  }
  fixture.files->set_faults({});
  log = fixture.reopen(std::move(log));
  Model model = log.replayed();
  EXPECT_GE(model.size(), 28U);
  model.push_back({2, "acknowledged"});
  log.append({model.back()}, std::nullopt);
  EXPECT_TRUE(log->sync());
  log.drop();
  fixture.files->power_cut(seed);
  fixture.options.boot_id += 1;
  log = fixture.reopen(std::move(log));
  EXPECT_EQ(log.replayed(), model);
  return is_stopped;
}

TEST(Log, WhatIsWrittenToASegmentWhoseNameWasNotYetDurableIsKept) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    std::uint64_t stop = 0;
    while (end_process_then_lose_power(stop, seed) && !HasFailure()) ++stop;
    EXPECT_GT(stop, 4U);
  }
}

TEST(Log, AMissingSegmentIsRefusedByName) {
  LogFixture fixture;
  auto log = fixture.create();
  for (int i = 0; i < 100; ++i) log.append({{1, std::string(200, 'x')}}, std::nullopt);
  log.drop();
  ASSERT_TRUE(fixture.files->remove(fixture.directory + "/00000000000000000002.log"));
  const auto opened = Log::open(*fixture.files, fixture.directory, fixture.options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Errc::storage_failed);
  EXPECT_NE(opened.error().message().find("00000000000000000002.log: missing"), std::string::npos)
      << opened.error().message();
}

/// Random appends, replacements, purges and syncs; then the power goes. Entries up to the last sync must be there, and what
/// else is there must be what was appended, batch by batch.
void lose_power_once(std::uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  base::Random random(seed);
  LogFixture fixture;
  fixture.options.buffered = random.one_in(3);
  auto log = fixture.create();
  std::vector<Model> history{{}};  // the entries after each batch since the last sync
  Model now;
  std::uint64_t purged = 0;
  const auto steps = random.below(120);
  for (std::uint64_t step = 0; step < steps; ++step) {
    const std::uint64_t what = random.below(20);
    if (what == 0 && now.size() > 3) {
      ASSERT_TRUE(log->sync());
      history = {now};
      purged = std::max(purged, random.below(now.size() - 1));
      log.purge(Index(purged));
      continue;
    }
    if (what < 5) {
      ASSERT_TRUE(log->sync());
      history = {now};
      continue;
    }
    const bool replaces = what == 5 && now.size() > purged + 2;
    const std::uint64_t first = replaces ? purged + 2 + random.below(now.size() - purged - 1) : now.size() + 1;
    now.resize(static_cast<std::size_t>(first - 1));
    std::vector<ModelEntry> batch(random.below(4));
    for (ModelEntry& entry : batch)
      entry = {step + 1, std::string(random.below(400), static_cast<char>('a' + step % 26))};
    if (batch.empty() && replaces) batch.push_back({step + 1, "r"});
    log.append_at(Index(first), batch, HardState{Term(step + 1), NodeId(1), Index(0)});
    now.insert(now.end(), batch.begin(), batch.end());
    history.push_back(now);
  }
  log.drop();
  fixture.files->power_cut(seed);
  fixture.options.boot_id += 1;
  auto opened = Log::open(*fixture.files, fixture.directory, fixture.options);
  ASSERT_TRUE(opened) << opened.error().message();
  LogHandle again(std::move(*opened));
  Model found = again.replayed();
  const std::uint64_t first = again->first_index().value();
  const bool is_one_of_them = std::ranges::any_of(history, [&](const Model& model) {
    return model.size() == again->last_index().value() && first >= 1 &&
           std::equal(found.begin(), found.end(),
                      model.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(first - 1, model.size())),
                      model.end());
  });
  EXPECT_TRUE(is_one_of_them) << "recovered to a state that never was, last " << again->last_index().value();
  // And it goes on from there.
  again.append({{1000, "next"}}, std::nullopt);
  ASSERT_TRUE(again->sync());
  auto more = fixture.reopen(std::move(again));
  EXPECT_EQ(more.replayed().back(), (ModelEntry{1000, "next"}));
}

TEST(Log, WhatWasSyncedSurvivesALossOfPower) {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    lose_power_once(seed);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace concord::log

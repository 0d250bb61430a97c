// A log that a snapshot replaces: at every point of a crash the old log whole or the new one, and never the old one again.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "log/testing_log.hpp"

namespace concord::log {
namespace {

using base::HardState;
using base::Index;
using base::NodeId;
using base::Term;

/// What a log may be found to hold: entries from `base` + 1 on, of which a purge may have removed some up to `purged`.
struct Content {
  std::uint64_t base = 0;
  std::uint64_t purged = 0;
  Model entries;
  HardState hard_state;

  [[nodiscard]] std::uint64_t last() const { return base + entries.size(); }
  static Content restarted(std::uint64_t index, const HardState& hard_state) {
    return {.base = index, .purged = index, .entries = {}, .hard_state = hard_state};
  }
};

struct Found {
  std::uint64_t first = 0;
  Model entries;
  HardState hard_state;

  [[nodiscard]] bool is(const Content& content) const {
    if (first <= content.base || first > content.purged + 1 || hard_state != content.hard_state) return false;
    const auto skipped = static_cast<std::ptrdiff_t>(first - content.base - 1);
    return first + entries.size() == content.last() + 1 &&
           std::equal(entries.begin(), entries.end(), content.entries.begin() + skipped, content.entries.end());
  }
};

Found look(LogHandle& log) {
  return {.first = log->first_index().value(), .entries = log.replayed(), .hard_state = log->hard_state()};
}

/// Opens it, which must succeed, and looks at it.
Found look_again(LogFixture& fixture) {
  auto opened = Log::open(*fixture.files, fixture.directory, fixture.options);
  EXPECT_TRUE(opened) << opened.error().message();
  if (!opened) return {};
  LogHandle log(std::move(*opened));
  return look(log);
}

/// A log of several segments, and a used file ready to be used again.
Content fill(LogHandle& log) {
  Content content{.base = 0, .purged = 0, .entries = {}, .hard_state = HardState{Term(1), NodeId(7), Index(3)}};
  for (std::uint64_t i = 0; i < 100; ++i) {
    content.entries.push_back({1, std::string(200, static_cast<char>('a' + i % 26))});
    log.append({content.entries.back()}, content.hard_state);
  }
  EXPECT_TRUE(log->sync());
  log.purge(Index(60));
  content.purged = 60;
  return content;
}

TEST(LogRestart, ReplacesWhateverTheLogHolds) {
  for (const std::uint64_t index : {std::uint64_t{5}, std::uint64_t{70}, std::uint64_t{100}, std::uint64_t{5000}}) {
    for (const bool is_buffered : {false, true}) {
      SCOPED_TRACE("restarted after " + std::to_string(index) + (is_buffered ? ", buffered" : ""));
      LogFixture fixture;
      fixture.options.buffered = is_buffered;
      auto log = fixture.create();
      (void)fill(log);
      log.append({{9, "never written when buffered"}}, std::nullopt);
      Content content = Content::restarted(index, {Term(8), NodeId(), Index(index)});
      ASSERT_TRUE(log->restart_after(Index(index), content.hard_state));
      EXPECT_EQ(fixture.segment_count(), 1U);
      EXPECT_FALSE(log->has_unwritten());
      EXPECT_EQ(log->first_index(), Index(index + 1));
      EXPECT_EQ(log->last_index(), Index(index));
      EXPECT_EQ(log->hard_state(), content.hard_state);
      fixture.files->power_cut(index);
      fixture.options.boot_id += 1;
      log = fixture.reopen(std::move(log));
      EXPECT_TRUE(look(log).is(content)) << "it was durable when the call returned";
      for (int i = 0; i < 100; ++i) {
        content.entries.push_back({9, std::string(200, 'n')});
        log.append({content.entries.back()}, std::nullopt);
      }
      ASSERT_TRUE(log->sync());
      EXPECT_GT(fixture.segment_count(), 2U);
      log = fixture.reopen(std::move(log));
      EXPECT_TRUE(look(log).is(content));
    }
  }
}

TEST(LogRestart, OnlyTheSegmentThatRestartsHasTheNewFormat) {
  LogFixture fixture;
  auto log = fixture.create();
  const auto format_of = [&](const std::string& name) {
    return static_cast<int>(fixture.files->contents(fixture.directory + "/" + name).at(8));
  };
  EXPECT_EQ(format_of("00000000000000000001.log"), 1);
  ASSERT_TRUE(log->restart_after(Index(10), {Term(1), NodeId(), Index(10)}));
  EXPECT_EQ(format_of("00000000000000000002.log"), 2);
  while (fixture.segment_count() < 2) log.append({{1, std::string(200, 'x')}}, std::nullopt);
  EXPECT_EQ(format_of("00000000000000000003.log"), 1);
  log.purge(log->last_index());
  EXPECT_EQ(fixture.segment_count(), 1U) << "a segment that restarted the log is purged like any other";
  (void)fixture.reopen(std::move(log));
}

TEST(LogRestart, AFullDiskLeavesTheLogAsItWas) {
  LogFixture fixture;
  auto log = fixture.create();
  log.append({{1, "kept"}}, HardState{Term(1), NodeId(7), Index(1)});
  fixture.files->set_faults({.capacity_bytes = fixture.options.segment_bytes + 100});
  const HardState hard_state{Term(2), NodeId(), Index(10)};
  EXPECT_EQ(log->restart_after(Index(10), hard_state).error().code(), Errc::storage_full);
  log.append({{1, "and more"}}, std::nullopt);
  fixture.files->set_faults({});
  log = fixture.reopen(std::move(log));
  EXPECT_EQ(log.replayed(), (Model{{1, "kept"}, {1, "and more"}}));
  EXPECT_TRUE(log->restart_after(Index(10), hard_state));
  EXPECT_EQ(log->last_index(), Index(10));
}

TEST(LogRestart, ThatFailedFailsTheLog) {
  LogFixture fixture;
  auto log = fixture.create();
  fixture.files->set_faults({.fail_sync_after = fixture.files->syncs()});
  const HardState hard_state{Term(2), NodeId(), Index(10)};
  EXPECT_EQ(log->restart_after(Index(10), hard_state).error().code(), Errc::storage_failed);
  fixture.files->set_faults({});
  EXPECT_EQ(log->restart_after(Index(10), hard_state).error().code(), Errc::storage_failed);
  EXPECT_EQ(log->sync().error().code(), Errc::storage_failed);
}

TEST(LogRestart, WhatANameWithoutASyncedDirectoryGotIsKept) {
  // The process ends after each change in turn, the next one writes, and then the power goes.
  for (std::uint64_t stop = 0, restarts_seen = 0;; ++stop) {
    SCOPED_TRACE("stopped after " + std::to_string(stop) + " changes");
    LogFixture fixture;
    auto log = fixture.create();
    Content content = fill(log);
    fixture.files->set_faults({.stop_after = fixture.files->changes() + stop});
    const HardState hard_state{Term(8), NodeId(), Index(500)};
    const bool is_through = log->restart_after(Index(500), hard_state).has_value();
    fixture.files->set_faults({});
    log = fixture.reopen(std::move(log));
    const Found found = look(log);
    if (!found.is(content)) {
      content = Content::restarted(500, hard_state);
      ++restarts_seen;
      EXPECT_TRUE(found.is(content));
    }
    content.entries.push_back({9, "acknowledged"});
    log.append({content.entries.back()}, std::nullopt);
    ASSERT_TRUE(log->sync());
    log.drop();
    fixture.files->power_cut(stop);
    fixture.options.boot_id += 1;
    EXPECT_TRUE(look_again(fixture).is(content));
    if (!is_through) continue;
    EXPECT_GT(restarts_seen, 3U);
    EXPECT_GT(stop, restarts_seen) << "the old log was seen too";
    return;
  }
}

/// The power goes after `stop` changes of a restart, and again after `again` changes of the recovery. False: no stop was met.
struct Stopped {
  bool restart = false;
  bool recovery = false;
};
Stopped lose_power_twice(std::uint64_t stop, std::uint64_t again, bool is_buffered, int& old_seen, int& new_seen) {
  SCOPED_TRACE("stopped after " + std::to_string(stop) + " changes, then after " + std::to_string(again));
  LogFixture fixture;
  fixture.options.buffered = is_buffered;
  auto log = fixture.create();
  const Content before = fill(log);
  const Content after = Content::restarted(80, {Term(8), NodeId(), Index(80)});
  fixture.files->set_faults({.stop_after = fixture.files->changes() + stop});
  const bool is_through = log->restart_after(Index(80), after.hard_state).has_value();
  log.drop();
  fixture.files->power_cut(stop * 100 + again);
  fixture.options.boot_id += 1;
  fixture.files->set_faults({.stop_after = fixture.files->changes() + again});
  const bool is_recovered = Log::open(*fixture.files, fixture.directory, fixture.options).has_value();
  fixture.files->power_cut(stop * 100 + again + 1);
  fixture.options.boot_id += 1;
  const Found found = look_again(fixture);
  const bool is_new = found.is(after);
  EXPECT_TRUE(is_new || (!is_through && found.is(before))) << "last " << found.first + found.entries.size() - 1;
  ++(is_new ? new_seen : old_seen);
  EXPECT_TRUE(look_again(fixture).is(is_new ? after : before)) << "and stays what it was found to be";
  return {.restart = !is_through, .recovery = !is_recovered};
}

TEST(LogRestart, ALossOfPowerAtAnyPointLeavesTheOldLogOrTheNewOne) {
  int old_seen = 0;
  int new_seen = 0;
  for (const bool is_buffered : {false, true}) {
    for (std::uint64_t stop = 0, is_stopped = 1; is_stopped != 0; ++stop) {
      for (std::uint64_t again = 0;; ++again) {
        const Stopped stopped = lose_power_twice(stop, again, is_buffered, old_seen, new_seen);
        if (testing::Test::HasFailure()) return;
        is_stopped = stopped.restart ? 1 : 0;
        if (!stopped.recovery) break;
      }
    }
  }
  EXPECT_GT(old_seen, 10);
  EXPECT_GT(new_seen, 10);
}

// ---------------------------------------------------------------------------------------------------------------------
// Random work, then a crash, now and then in the middle of a restart.

class RandomWork {
 public:
  explicit RandomWork(std::uint64_t seed) : random_(seed), seed_(seed) {
    fixture_.options.buffered = random_.one_in(3);
    log_.emplace(fixture_.create());
    synced();
  }

  void run() {
    for (std::uint64_t left = random_.below(100); left > 0 && !has_stopped_; --left) {
      ++step_;
      switch (random_.below(16)) {
        case 0: purge(); break;
        case 1: restart(); break;
        case 2: reopen(); break;
        case 3:
        case 4:
          ASSERT_TRUE((*log_)->sync());
          synced();
          break;
        default: append(); break;
      }
      if (testing::Test::HasFailure()) return;
    }
    crash();
  }

 private:
  void synced() { history_ = {now_}; }

  void append() {
    const std::uint64_t kept = std::max(now_.purged, now_.base);
    const bool replaces = random_.one_in(8) && now_.last() > kept + 1;
    const std::uint64_t first = replaces ? kept + 2 + random_.below(now_.last() - kept - 1) : now_.last() + 1;
    Model batch(random_.below(4) + (replaces ? 1 : 0));
    for (ModelEntry& entry : batch)
      entry = {step_, std::string(random_.below(400), static_cast<char>('a' + step_ % 26))};
    if (!batch.empty()) now_.entries.resize(static_cast<std::size_t>(first - now_.base - 1));
    now_.entries.insert(now_.entries.end(), batch.begin(), batch.end());
    now_.hard_state = {Term(step_), NodeId(1), Index(now_.base)};
    log_->append_at(Index(first), batch, now_.hard_state);
    history_.push_back(now_);
  }

  void purge() {
    if (now_.entries.size() < 3) return;
    ASSERT_TRUE((*log_)->sync());
    now_.purged = std::max(now_.purged, now_.base + random_.below(now_.entries.size() - 1));
    log_->purge(Index(now_.purged));
    synced();
  }

  void reopen() {
    ASSERT_TRUE((*log_)->sync());
    *log_ = fixture_.reopen(std::move(*log_));
    synced();
    EXPECT_TRUE(look(*log_).is(now_));
  }

  void restart() {
    const std::uint64_t index = 1 + random_.below(now_.last() + 30);
    const Content next = Content::restarted(index, {Term(step_), NodeId(), Index(index)});
    if (random_.one_in(2)) fixture_.files->set_faults({.stop_after = fixture_.files->changes() + random_.below(16)});
    has_stopped_ = !(*log_)->restart_after(Index(index), next.hard_state);
    now_ = next;
    if (has_stopped_) {
      history_.push_back(now_);
      return;
    }
    fixture_.files->set_faults({});
    synced();
  }

  void crash() {
    log_->drop();
    if (random_.one_in(3)) {  // only the process ends
      fixture_.files->set_faults({});
    } else {
      fixture_.files->power_cut(seed_);
      fixture_.options.boot_id += 1;
    }
    auto opened = Log::open(*fixture_.files, fixture_.directory, fixture_.options);
    ASSERT_TRUE(opened) << opened.error().message();
    LogHandle log(std::move(*opened));
    const Found found = look(log);
    const auto match = std::ranges::find_if(history_, [&](const Content& content) { return found.is(content); });
    ASSERT_TRUE(match != history_.end()) << "recovered to what never was: entries " << found.first << " to "
                                         << found.first + found.entries.size() - 1;
    now_ = *match;
    // And it goes on from there.
    now_.entries.push_back({1000, "next"});
    log.append({now_.entries.back()}, std::nullopt);
    ASSERT_TRUE(log->sync());
    log.drop();
    fixture_.files->power_cut(seed_ + 1);
    fixture_.options.boot_id += 1;
    EXPECT_TRUE(look_again(fixture_).is(now_));
  }

  base::Random random_;
  std::uint64_t seed_;
  LogFixture fixture_;
  std::optional<LogHandle> log_;
  std::uint64_t step_ = 0;
  bool has_stopped_ = false;
  Content now_;
  std::vector<Content> history_;  // what may be found: since the last sync, one a step
};

TEST(LogRestart, WithAnyOtherWorkEndsInAStateThatWas) {
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomWork(seed).run();
    if (HasFailure()) return;
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Damage.

constexpr std::string_view old_path = "/d/log/00000000000000000001.log";
constexpr std::string_view new_path = "/d/log/00000000000000000002.log";

/// A small log that was restarted after entry 10; of a crash there, the old segment may still be around.
class RestartDamage : public testing::TestWithParam<bool> {
 protected:
  RestartDamage() {
    fixture_.options.segment_bytes = 4096;
    auto log = fixture_.create();
    log.append({{1, "old"}, {1, "log"}}, HardState{Term(1), NodeId(9), Index(2)});
    EXPECT_TRUE(log->sync());
    old_segment_ = fixture_.files->contents(std::string(old_path));
    EXPECT_TRUE(log->restart_after(Index(10), {Term(3), NodeId(), Index(10)}));
    content_ = {.base = 10,
                .purged = 10,
                .entries = {{3, "new"}, {3, std::string(300, 'x')}},
                .hard_state = HardState{Term(3), NodeId(9), Index(11)}};
    for (const ModelEntry& entry : content_.entries) {
      log.append({entry}, content_.hard_state);
      EXPECT_TRUE(log->sync());
    }
    log.drop();
    for (const std::string& path : fixture_.files->paths()) {
      if (path == new_path) continue;
      EXPECT_TRUE(fixture_.files->remove(path)) << "a spare";
    }
    if (GetParam()) fixture_.files->set_contents(std::string(old_path), old_segment_);
    new_segment_ = fixture_.files->contents(std::string(new_path));
  }

  /// The content, but for an unfinished end; or a refusal that names file and offset and changes nothing.
  void check(const std::string& bad, std::size_t at) {
    SCOPED_TRACE("at byte " + std::to_string(at));
    const auto files = fixture_.files->clone();
    files->set_contents(std::string(new_path), bad);
    auto opened = Log::open(*files, fixture_.directory, fixture_.options);
    if (!opened) {
      ++refused_;
      EXPECT_EQ(opened.error().code(), Errc::storage_failed);
      const std::string& message = opened.error().message();
      EXPECT_NE(message.find(new_path), std::string::npos) << message;
      EXPECT_NE(message.find("offset"), std::string::npos) << message;
      EXPECT_EQ(files->contents(std::string(new_path)), bad);
      EXPECT_EQ(files->paths().size(), GetParam() ? 2U : 1U);
      if (GetParam()) {
        EXPECT_EQ(files->contents(std::string(old_path)), old_segment_);
      }
      return;
    }
    ++recovered_;
    LogHandle log(std::move(*opened));
    const std::string report = log->cut_report();
    const Found found = look(log);
    EXPECT_EQ(found.first, 11U);
    EXPECT_GE(found.entries.size() + 1, content_.entries.size());
    EXPECT_TRUE(std::equal(found.entries.begin(), found.entries.end(), content_.entries.begin()));
    if (found.entries.size() < content_.entries.size()) {
      EXPECT_FALSE(report.empty()) << "a cut is told";
    }
  }

  LogFixture fixture_;
  std::string old_segment_;
  std::string new_segment_;
  Content content_;
  int refused_ = 0;
  int recovered_ = 0;
};

TEST_P(RestartDamage, EveryFlippedByteIsRefusedOrHarmless) {
  const std::size_t used = new_segment_.find_last_not_of('\0') + 64;
  for (std::size_t at = 0; at < used; ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = new_segment_;
      bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
      check(bad, at);
    }
  }
  EXPECT_GT(refused_, 1000);
  EXPECT_GT(recovered_, 10);
}

TEST_P(RestartDamage, EveryTruncationIsRefused) {
  for (std::size_t size = 0; size < new_segment_.size(); ++size) check(new_segment_.substr(0, size), size);
  EXPECT_EQ(recovered_, 0);
}

INSTANTIATE_TEST_SUITE_P(Logs, RestartDamage, testing::Bool(),
                         [](const auto& old) { return old.param ? "WithTheOldSegment" : "Alone"; });

TEST(LogRestart, WhatWasReplacedMayBeDamagedOrMissing) {
  LogFixture fixture;
  auto log = fixture.create();
  for (int i = 0; i < 100; ++i) log.append({{1, std::string(200, 'x')}}, std::nullopt);
  std::vector<std::pair<std::string, std::string>> old;
  for (const std::string& path : fixture.files->paths()) {
    if (path.ends_with(".log")) old.emplace_back(path, fixture.files->contents(path));
  }
  ASSERT_GE(old.size(), 3U);
  const Content content = Content::restarted(80, {Term(8), NodeId(), Index(80)});
  ASSERT_TRUE(log->restart_after(Index(80), content.hard_state));
  log.drop();
  ASSERT_EQ(fixture.segment_count(), 1U);
  const auto restarted = fixture.files->clone();
  // Of the removals, any may have reached the disk.
  for (std::uint64_t kept = 0; kept < std::uint64_t{1} << old.size(); ++kept) {
    SCOPED_TRACE("kept segments, as bits: " + std::to_string(kept));
    fixture.files = restarted->clone();
    for (std::size_t at = 0; at < old.size(); ++at) {
      if ((kept >> at & 1U) != 0)
        fixture.files->set_contents(old[at].first, at % 2 == 0 ? old[at].second : "no segment");
    }
    EXPECT_TRUE(look_again(fixture).is(content));
    EXPECT_EQ(fixture.segment_count(), 1U);
  }
}

TEST(LogRestart, ASegmentThatIsMissingBehindItIsRefusedByName) {
  LogFixture fixture;
  auto log = fixture.create();
  ASSERT_TRUE(log->restart_after(Index(80), {Term(8), NodeId(), Index(80)}));
  while (fixture.segment_count() < 4) log.append({{8, std::string(200, 'x')}}, std::nullopt);
  log.drop();
  ASSERT_TRUE(fixture.files->remove("/d/log/00000000000000000003.log"));
  const auto opened = Log::open(*fixture.files, fixture.directory, fixture.options);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message().find("00000000000000000003.log: missing"), std::string::npos)
      << opened.error().message();
}

}  // namespace
}  // namespace concord::log

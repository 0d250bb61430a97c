#include "node/history_file.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "env/memory_file_system.hpp"
#include "log/snapshot_file.hpp"

namespace concord::node {
namespace {

using base::Index;
using base::Term;

constexpr std::string_view directory = "data/history";

std::string path() { return std::string(directory); }

/// A history of puts of one key.
void add_puts(store::History& history, std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t revision = from; revision <= to; ++revision) {
    const std::string value = '\0' + std::to_string(revision);
    history.on_entry({.cluster_time_ms = revision, .wall_offset_ms = 0});
    history.on_change({.key = "k", .value = std::string_view(value)});
    history.on_command(command::CommandKind::put, true, Revision(revision));
  }
}

std::vector<std::string> events_of(const store::History& history) {
  std::vector<std::string> events;
  for (Revision at = history.oldest(); at <= history.newest(); at = at.next()) {
    const auto block = history.find(at);
    if (!block) {
      ADD_FAILURE() << at.value();
      return events;
    }
    events.push_back(block->event(at.value() - block->first().value()).plain());
  }
  return events;
}

class HistoryFile : public testing::Test {
 protected:
  Result<void> load(store::History& history, std::uint64_t index, std::uint64_t revision) {
    return load_history(*files_, path(), Index(index), Term(2), Revision(revision), history);
  }

  std::unique_ptr<env::FileSystem> files_ = std::make_unique<env::MemoryFileSystem>();
};

TEST_F(HistoryFile, WhatWasSavedIsThereAgain) {
  store::History history({.max_events = 3000, .max_bytes = 64U << 20U});
  add_puts(history, 1, 9000);
  ASSERT_TRUE(save_history(*files_, path(), Index(7), Term(2), history.image()));
  store::History loaded({.max_events = 3000, .max_bytes = 64U << 20U});
  ASSERT_TRUE(load(loaded, 7, 9000));
  EXPECT_EQ(loaded.oldest(), Revision(6001));
  EXPECT_EQ(events_of(loaded), events_of(history));
  add_puts(history, 9001, 9100);
  add_puts(loaded, 9001, 9100);
  EXPECT_EQ(events_of(loaded), events_of(history));
}

/// Of a transaction that replaced many large values: what was there and what is.
TEST_F(HistoryFile, AnEventOfMoreThanAHundredMegabytesIsSavedAndThereAgain) {
  const std::string value(60U << 20U, 'v');
  store::History history;
  history.on_entry({.cluster_time_ms = 1, .wall_offset_ms = 0});
  history.on_change({.key = "k", .value = std::string_view(value), .previous_value = std::string_view(value)});
  history.on_command(command::CommandKind::put, true, Revision(1));
  ASSERT_GT(events_of(history).front().size(), 2 * value.size());
  ASSERT_TRUE(save_history(*files_, path(), Index(7), Term(2), history.image()));
  store::History loaded;
  ASSERT_TRUE(load(loaded, 7, 1));
  EXPECT_TRUE(events_of(loaded) == events_of(history));
}

TEST_F(HistoryFile, WithoutAFileItBeginsWithTheSnapshot) {
  store::History history;
  add_puts(history, 1, 5);
  ASSERT_TRUE(load(history, 7, 40));
  EXPECT_EQ(history.newest(), Revision(40));
  EXPECT_EQ(history.oldest(), Revision(41));
}

TEST_F(HistoryFile, AnEmptyHistoryIsSavedToo) {
  store::History history;
  history.reset(Revision(12));
  ASSERT_TRUE(save_history(*files_, path(), Index(7), Term(2), history.image()));
  store::History loaded;
  ASSERT_TRUE(load(loaded, 7, 12));
  EXPECT_EQ(loaded.oldest(), Revision(13));
}

TEST_F(HistoryFile, OneOfAnotherSnapshotIsNotTaken) {
  store::History history;
  add_puts(history, 1, 9);
  ASSERT_TRUE(save_history(*files_, path(), Index(7), Term(2), history.image()));
  store::History loaded;
  EXPECT_TRUE(load(loaded, 8, 9)) << "there is none at that place";
  EXPECT_EQ(loaded.oldest(), Revision(10));
  EXPECT_FALSE(load(loaded, 7, 10)) << "its revisions end elsewhere";
  EXPECT_EQ(loaded.oldest(), Revision(11));
}

TEST_F(HistoryFile, ADamagedOneLeavesAnEmptyHistory) {
  store::History history;
  add_puts(history, 1, 50);
  ASSERT_TRUE(save_history(*files_, path(), Index(7), Term(2), history.image()));
  const std::string name = log::snapshot_file(path(), Index(7), Term(2)).path;
  auto file = files_->open(name, env::OpenMode::write);
  ASSERT_TRUE(file);
  const auto size = (*file)->size_bytes();
  ASSERT_TRUE(size);
  ASSERT_TRUE((*file)->write_at(*size / 2, "damage"));
  store::History loaded;
  const auto result = load(loaded, 7, 50);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message().find(name), std::string::npos);
  EXPECT_EQ(loaded.newest(), Revision(50));
  EXPECT_EQ(loaded.oldest(), Revision(51));
}

TEST_F(HistoryFile, OldOnesGo) {
  store::History history;
  add_puts(history, 1, 9);
  for (std::uint64_t index = 1; index <= 4; ++index) {
    ASSERT_TRUE(save_history(*files_, path(), Index(index), Term(2), history.image()));
  }
  ASSERT_TRUE(remove_old_histories(*files_, path(), 2));
  const auto left = log::list_snapshots(*files_, path());
  ASSERT_TRUE(left);
  ASSERT_EQ(left->size(), 2U);
  EXPECT_EQ(left->front().index, Index(4));
}

}  // namespace
}  // namespace concord::node

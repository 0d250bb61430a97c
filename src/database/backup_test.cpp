// Backups through the public interface: of a node, and of one over HTTP.
#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <concord/backup.hpp>

#include "database/testing_store.hpp"

namespace concord::database {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class StoreBackup : public testing::Test {
 protected:
  std::vector<std::string> keys() {
    std::vector<std::string> found;
    const auto rows = store_.keys();
    EXPECT_TRUE(rows);
    if (!rows) return found;
    for (const std::string& key : *rows) found.push_back(key);
    return found;
  }

  StoreDirectory directory_;
  std::unique_ptr<TestedStore> tested_ = open_tested(directory_.options());
  Store& store_ = tested_->store();
  Backup backup_{store_};
};

TEST_F(StoreBackup, BringsBackWhatWasThere) {
  ASSERT_TRUE(store_.put("a", 1));
  ASSERT_TRUE(store_.put("b", "two", {.ttl = 1h}));
  ASSERT_TRUE(store_.put("c", Value(Bytes(std::string(5000, 'x')))));
  const auto made = backup_.create();
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->entry_count, 3U);
  EXPECT_EQ(made->revision, Revision(3));
  EXPECT_GT(made->size_bytes, 0U);
  ASSERT_TRUE(store_.put("a", 2));
  ASSERT_TRUE(store_.put("d", 4));
  ASSERT_TRUE(store_.del("b"));
  const auto restored = backup_.restore(made->name);
  ASSERT_TRUE(restored) << restored.error().message();
  EXPECT_EQ(restored->revision, Revision(7));
  EXPECT_EQ(restored->entry_count, 3U);
  EXPECT_THAT(keys(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(store_.get<int>("a"), 1);
  EXPECT_EQ(store_.get("c")->bytes(), std::string(5000, 'x'));
  const auto ttl = store_.ttl("b");
  ASSERT_TRUE(ttl && *ttl);
  EXPECT_LE(**ttl, 1h);
  EXPECT_GT(**ttl, 50min);
  EXPECT_EQ(store_.get_entry("a")->revision, restored->revision);
  EXPECT_EQ(store_.put("a", 3), Revision(8));
}

TEST_F(StoreBackup, IsOneEventForEverybody) {
  ASSERT_TRUE(store_.put("a", 1));
  const auto made = backup_.create();
  auto events = store_.subscribe({.key_pattern = "^other", .event_types = {EventType::put}});
  ASSERT_TRUE(events);
  ASSERT_TRUE(backup_.restore(made->name));
  ASSERT_TRUE(store_.put("other", 1));
  const auto restored = events->next(10s);
  ASSERT_TRUE(restored && *restored);
  EXPECT_EQ((*restored)->type, EventType::restored);
  EXPECT_EQ((*restored)->revision, Revision(2));
  EXPECT_TRUE((*restored)->changes.empty());
  const auto put = events->next(10s);
  ASSERT_TRUE(put && *put);
  EXPECT_EQ((*put)->revision, Revision(3));
  auto resumed = store_.subscribe({.after_revision = Revision(0)});
  ASSERT_TRUE(resumed);
  for (std::uint64_t revision = 1; revision <= 3; ++revision) {
    const auto event = resumed->next(10s);
    ASSERT_TRUE(event && *event);
    EXPECT_EQ((*event)->revision, Revision(revision));
  }
}

TEST_F(StoreBackup, OfPrefixesLeavesOtherKeys) {
  ASSERT_TRUE(store_.put("app/1", 1));
  ASSERT_TRUE(store_.put("sys/1", 1));
  const auto made = backup_.create();
  ASSERT_TRUE(store_.put("app/2", 2));
  ASSERT_TRUE(store_.put("sys/1", 2));
  const auto restored = backup_.restore(made->name, {.prefixes = {"app/"}});
  ASSERT_TRUE(restored) << restored.error().message();
  EXPECT_THAT(keys(), ElementsAre("app/1", "sys/1"));
  EXPECT_EQ(store_.get<int>("sys/1"), 2);
  EXPECT_EQ(backup_.restore(made->name, {.prefixes = {""}}).error().code(), Errc::invalid_request);
}

TEST_F(StoreBackup, IsListedVerifiedAndRemoved) {
  EXPECT_TRUE(backup_.list()->backups.empty());
  const auto first = backup_.create();
  const auto second = backup_.create();
  ASSERT_TRUE(first && second);
  const auto list = backup_.list();
  ASSERT_TRUE(list);
  ASSERT_EQ(list->backups.size(), 2U);
  EXPECT_EQ(list->backups[0].sha256, second->sha256);
  EXPECT_EQ(list->backups[1].created_at, first->created_at);
  EXPECT_TRUE(backup_.verify(first->name)->valid);
  EXPECT_EQ(backup_.cleanup({.keep_count = 1}), 1U);
  EXPECT_EQ(backup_.cleanup(), 0U);
  ASSERT_EQ(backup_.list()->backups.size(), 1U);
  EXPECT_EQ(backup_.list()->backups[0].name, second->name);
}

TEST_F(StoreBackup, WhatIsNotThereIsNotFound) {
  for (const char* const name : {"no.backup", "..", "x", ""}) {
    EXPECT_EQ(backup_.restore(name).error().code(), Errc::not_found) << name;
    EXPECT_EQ(backup_.verify(name).error().code(), Errc::not_found) << name;
  }
}

}  // namespace
}  // namespace concord::database

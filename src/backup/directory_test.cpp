#include "backup/directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backup/testing_data.hpp"

namespace concord::backup {
namespace {

using testing::ElementsAre;

constexpr std::int64_t day_ms = 86'400'000;
constexpr std::int64_t now_ms = 1'761'229'852'000;  // 2025-10-23 14:30:52

class BackupDirectory : public testing::Test {
 protected:
  BackupInfo make(std::int64_t created_at_ms) {
    const auto snapshot = data_.pin();
    auto info = directory_.create(*snapshot, TestingData::manifest(created_at_ms, hex_id(++last_id_)), go_on);
    EXPECT_TRUE(info) << info.error().message();
    return info ? *info : BackupInfo();
  }
  std::vector<std::string> names() {
    std::vector<std::string> names;
    const auto list = directory_.list();
    EXPECT_TRUE(list);
    if (!list) return names;
    for (const BackupInfo& backup : list->backups) names.push_back(backup.name);
    return names;
  }

  TestingData data_;
  env::MemoryFileSystem files_;
  Directory directory_{files_, "/b", "me"};
  std::uint64_t last_id_ = 0;
};

TEST_F(BackupDirectory, NamesAreOfTheTimeAndNeverTheSame) {
  EXPECT_EQ(make(now_ms).name, "concord_backup_20251023T143052.backup");
  EXPECT_EQ(make(now_ms + 999).name, "concord_backup_20251023T143052_2.backup");
  EXPECT_EQ(make(now_ms).name, "concord_backup_20251023T143052_3.backup");
}

TEST_F(BackupDirectory, IsListedTheNewestFirst) {
  EXPECT_TRUE(directory_.list()->backups.empty());  // it is not even there
  const BackupInfo old = make(now_ms - day_ms);
  const BackupInfo made = make(now_ms);
  files_.set_contents("/b/notes.txt", "no backup");
  files_.set_contents("/b/bad.backup", "no backup either");
  const auto list = directory_.list();
  ASSERT_TRUE(list);
  ASSERT_EQ(list->backups.size(), 2U);
  EXPECT_EQ(list->backups[0].name, made.name);
  EXPECT_EQ(list->backups[0].sha256, made.sha256);
  EXPECT_EQ(list->backups[1].sha256, old.sha256);
  EXPECT_THAT(list->damaged, ElementsAre("bad.backup"));
  EXPECT_EQ(Directory(files_, "/b", "other").list()->backups[1].sha256, old.sha256);  // read again
}

TEST_F(BackupDirectory, CleanupKeepsWhatAnyGivenRuleKeeps) {
  for (const int age : {0, 1, 5, 20, 40}) make(now_ms - age * day_ms);
  EXPECT_EQ(directory_.cleanup({.count = 2, .days = 10}, now_ms), 2U);
  EXPECT_EQ(names().size(), 3U);
  EXPECT_EQ(directory_.cleanup({.count = {}, .days = 2}, now_ms), 1U);
  EXPECT_EQ(directory_.cleanup({.count = 1, .days = {}}, now_ms), 1U);
  EXPECT_EQ(names().size(), 1U);
  EXPECT_EQ(directory_.cleanup(retention_of({}, {}), now_ms), 0U);
  EXPECT_EQ(Directory(files_, "/nowhere", "me").cleanup({.count = 1}, now_ms), 0U);
}

TEST_F(BackupDirectory, CleanupLeavesWhatIsNoBackup) {
  make(now_ms);
  files_.set_contents("/b/bad.backup", "x");
  files_.set_contents("/b/notes.txt", "x");
  EXPECT_EQ(directory_.cleanup({.count = 0}, now_ms), 1U);
  EXPECT_THAT(files_.paths(), ElementsAre("/b/bad.backup", "/b/notes.txt"));
}

TEST_F(BackupDirectory, NoNameLeadsOut) {
  for (const char* const name : {"", ".backup", "..", "../x.backup", "a/b.backup", "/etc/passwd", "x.txt", "a b.backup",
                                 ".hidden.backup", "x.backup\n", "x%2f.backup", "..\\x.backup"}) {
    EXPECT_FALSE(is_name(name)) << name;
    EXPECT_FALSE(directory_.open_download(name)) << name;
    EXPECT_FALSE(directory_.add_part(name, 0, "x")) << name;
  }
  EXPECT_FALSE(is_name(std::string("a\0.backup", 9)));
  EXPECT_FALSE(is_name(std::string(194, 'a') + ".backup"));
  EXPECT_TRUE(is_name("a-b_1.2.backup"));
  EXPECT_TRUE(files_.paths().empty());
}

TEST_F(BackupDirectory, ABackupComesInInPartsAndGetsItsNameWhenItIsWhole) {
  const std::string bytes = small_backup();
  ASSERT_TRUE(directory_.add_part("x.backup", 0, bytes.substr(0, 10)));
  EXPECT_TRUE(names().empty());
  const auto gap = directory_.add_part("x.backup", 11, "y");
  ASSERT_FALSE(gap);
  EXPECT_EQ(gap.error().code(), Errc::invalid_request);
  ASSERT_TRUE(directory_.add_part("x.backup", 10, bytes.substr(10)));
  const auto info = directory_.finish_parts("x.backup", go_on);
  ASSERT_TRUE(info) << info.error().message();
  EXPECT_EQ(info->path, "/b/x.backup");
  EXPECT_THAT(files_.paths(), ElementsAre("/b/x.backup"));
  EXPECT_EQ(files_.contents("/b/x.backup"), bytes);

  ASSERT_TRUE(directory_.add_part("x.backup", 0, bytes));  // the same again
  EXPECT_TRUE(directory_.finish_parts("x.backup", go_on));
  const auto other = make(now_ms);
  ASSERT_TRUE(directory_.add_part("x.backup", 0, files_.contents(other.path)));
  const auto refused = directory_.finish_parts("x.backup", go_on);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::already_exists);
  EXPECT_EQ(files_.contents("/b/x.backup"), bytes);
}

TEST_F(BackupDirectory, WhatComesInDamagedLeavesNothing) {
  const std::string bytes = small_backup();
  ASSERT_TRUE(directory_.add_part("x.backup", 0, bytes.substr(0, bytes.size() - 1)));
  const auto refused = directory_.finish_parts("x.backup", go_on);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::invalid_backup);
  EXPECT_EQ(refused.error().message().find(".upload"), std::string::npos) << refused.error().message();
  EXPECT_TRUE(files_.paths().empty());
  EXPECT_FALSE(directory_.add_part("y.backup", 5, "x"));  // nothing before it
  EXPECT_TRUE(files_.paths().empty());
}

TEST_F(BackupDirectory, WhatThisNodeLeftUnfinishedGoes) {
  ASSERT_TRUE(directory_.add_part("x.backup", 0, "x"));
  files_.set_contents("/b/.7.me.tmp", "x");
  files_.set_contents("/b/.7.me.whole.tmp", "x");
  files_.set_contents("/b/.7.other.tmp", "x");
  directory_.remove_unfinished();
  EXPECT_THAT(files_.paths(), ElementsAre("/b/.7.other.tmp"));
}

}  // namespace
}  // namespace concord::backup

// The real files, the simulated ones and those to look at behave alike; the simulated ones lose what was not synced.
#include "env/file_system.hpp"

#include <unistd.h>

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "env/memory_file_system.hpp"
#include "env/overlay_file_system.hpp"

namespace concord::env {
namespace {

enum class Kind { real, memory, overlay };

class FileSystems : public testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (GetParam() == Kind::real) {
      root_ = (std::filesystem::temp_directory_path() / ("concord_env_test." + std::to_string(::getpid()))).string();
      files_ = make_real_file_system();
    } else {
      root_ = "/memory";
      files_ = std::make_unique<MemoryFileSystem>();
    }
    if (GetParam() == Kind::overlay) {
      below_ = std::move(files_);
      files_ = std::make_unique<OverlayFileSystem>(*below_);
    }
    ASSERT_TRUE(files_->make_directories(root_ + "/a/b"));
  }
  void TearDown() override {
    if (GetParam() == Kind::real) std::filesystem::remove_all(root_);
  }

  std::string root_;
  std::unique_ptr<FileSystem> below_;
  std::unique_ptr<FileSystem> files_;
};

TEST_P(FileSystems, AFileIsWrittenReadRenamedAndRemoved) {
  const std::string path = root_ + "/a/file";
  auto file = files_->open(path, OpenMode::create_new);
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->allocate(100));
  ASSERT_TRUE((*file)->write_at(10, "hello"));
  ASSERT_TRUE((*file)->write_at(98, "tail"));
  ASSERT_TRUE((*file)->sync());
  EXPECT_EQ((*file)->size_bytes().value(), 102U);
  char read[200];
  EXPECT_EQ((*file)->read_at(10, read, 5).value(), 5U);
  EXPECT_EQ(std::string_view(read, 5), "hello");
  EXPECT_EQ((*file)->read_at(100, read, 50).value(), 2U);
  EXPECT_EQ((*file)->read_at(500, read, 50).value(), 0U);
  EXPECT_EQ(files_->open(path, OpenMode::create_new).error().code(), Errc::storage_failed);
  ASSERT_TRUE(files_->rename(path, root_ + "/a/other"));
  ASSERT_TRUE(files_->sync_directory(root_ + "/a"));
  EXPECT_EQ(files_->list(root_ + "/a").value(), (std::vector<std::string>{"b", "other"}));
  EXPECT_EQ(files_->open(path, OpenMode::read).error().code(), Errc::not_found);
  EXPECT_TRUE(files_->remove(root_ + "/a/other"));
  EXPECT_EQ(files_->remove(root_ + "/a/other").error().code(), Errc::not_found);
  EXPECT_GT(files_->free_bytes(root_).value(), 0U);
}

TEST_P(FileSystems, AnAtomicWriteReplacesTheWholeFile) {
  const std::string path = root_ + "/a/identity";
  ASSERT_TRUE(write_file_atomically(*files_, path, "a long first version"));
  ASSERT_TRUE(write_file_atomically(*files_, path, "second"));
  EXPECT_EQ(read_file(*files_, path).value(), "second");
  EXPECT_EQ(files_->list(root_ + "/a").value(), (std::vector<std::string>{"b", "identity"}));
  EXPECT_EQ(read_file(*files_, root_ + "/none").error().code(), Errc::not_found);
}

TEST_P(FileSystems, ALockIsHeldOnceAndFreeAgainAfterwards) {
  const std::string path = root_ + "/LOCK";
  {
    const auto lock = files_->lock(path);
    ASSERT_TRUE(lock);
    const auto second = files_->lock(path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), Errc::cluster_not_ready);
    EXPECT_NE(second.error().message().find("already open"), std::string::npos);
  }
  EXPECT_TRUE(files_->lock(path));
}

INSTANTIATE_TEST_SUITE_P(All, FileSystems, testing::Values(Kind::real, Kind::memory, Kind::overlay),
                         [](const auto& kind) -> std::string {
                           return kind.param == Kind::real ? "Real" : kind.param == Kind::memory ? "Memory" : "Overlay";
                         });

TEST(MemoryFileSystem, APowerCutKeepsWhatWasSyncedAndMayKeepTheRest) {
  bool lost_once = false;
  bool kept_once = false;
  for (std::uint64_t seed = 1; seed <= 32; ++seed) {
    MemoryFileSystem files;
    ASSERT_TRUE(files.make_directories("/d"));
    auto file = files.open("/d/f", OpenMode::create_new);
    ASSERT_TRUE((*file)->write_at(0, "synced"));
    ASSERT_TRUE((*file)->sync());
    ASSERT_TRUE(files.sync_directory("/d"));
    ASSERT_TRUE((*file)->write_at(1024, "later"));
    file->reset();
    files.power_cut(seed);
    const std::string bytes = files.contents("/d/f");
    ASSERT_EQ(bytes.substr(0, 6), "synced") << "seed " << seed;
    (bytes.size() > 1024 ? kept_once : lost_once) = true;
  }
  EXPECT_TRUE(lost_once);
  EXPECT_TRUE(kept_once);
}

TEST(MemoryFileSystem, ANameThatWasNotSyncedMayBeGone) {
  bool gone_once = false;
  for (std::uint64_t seed = 1; seed <= 32; ++seed) {
    MemoryFileSystem files;
    ASSERT_TRUE(files.make_directories("/d"));
    ASSERT_TRUE((*files.open("/d/f", OpenMode::create_new))->sync());
    files.power_cut(seed);
    if (files.paths().empty()) gone_once = true;
  }
  EXPECT_TRUE(gone_once);
}

TEST(MemoryFileSystem, InjectedFaultsComeWhereTheyWerePlanned) {
  MemoryFileSystem files;
  ASSERT_TRUE(files.make_directories("/d"));
  auto file = files.open("/d/f", OpenMode::create_new);
  files.set_faults({.fail_write_after = 1, .fail_sync_after = 0, .capacity_bytes = 100});
  EXPECT_TRUE((*file)->write_at(0, "0123456789"));
  EXPECT_EQ((*file)->write_at(10, "0123456789").error().code(), Errc::storage_failed);
  EXPECT_EQ((*file)->sync().error().code(), Errc::storage_failed);
  EXPECT_EQ((*file)->allocate(101).error().code(), Errc::storage_full);
}

TEST(MemoryFileSystem, AfterAFailedSyncTheNextOneSaysThatAllIsWellAndTheBytesAreLost) {
  MemoryFileSystem files;
  ASSERT_TRUE(files.make_directories("/d"));
  auto file = files.open("/d/f", OpenMode::create_new);
  ASSERT_TRUE(files.sync_directory("/d"));
  ASSERT_TRUE((*file)->write_at(0, "promised"));
  files.set_faults({.fail_sync_after = 0});
  EXPECT_FALSE((*file)->sync());
  EXPECT_TRUE((*file)->sync());
  EXPECT_EQ(files.contents("/d/f"), "promised");
  file->reset();
  files.power_cut(1);
  EXPECT_EQ(files.contents("/d/f").find("promised"), std::string::npos);
}

TEST(MemoryFileSystem, FromTheStopOnNothingChangesButHalfOfTheWriteThatComesJustThen) {
  MemoryFileSystem files;
  ASSERT_TRUE(files.make_directories("/d"));
  auto file = files.open("/d/f", OpenMode::create_new);
  ASSERT_TRUE((*file)->write_at(0, "----"));
  files.set_faults({.stop_after = files.changes()});
  EXPECT_FALSE((*file)->write_at(0, "abcd"));
  EXPECT_FALSE((*file)->write_at(0, "efgh"));
  EXPECT_FALSE((*file)->sync());
  EXPECT_FALSE((*file)->allocate(1000));
  EXPECT_FALSE(files.open("/d/g", OpenMode::create_new));
  EXPECT_FALSE(files.rename("/d/f", "/d/g"));
  EXPECT_FALSE(files.remove("/d/f"));
  EXPECT_FALSE(files.sync_directory("/d"));
  EXPECT_EQ(files.paths(), (std::vector<std::string>{"/d/f"}));
  EXPECT_EQ(files.contents("/d/f"), "ab--");
}

TEST(MemoryFileSystem, ARenameIsKeptOrLostAsAWholeAndDirectoriesApartFromEachOther) {
  std::set<std::vector<std::string>> seen;
  for (std::uint64_t seed = 1; seed <= 64; ++seed) {
    MemoryFileSystem files;
    for (const std::string directory : {"/a", "/b"}) {
      ASSERT_TRUE(files.make_directories(directory));
      ASSERT_TRUE((*files.open(directory + "/old", OpenMode::create_new))->sync());
      ASSERT_TRUE(files.sync_directory(directory));
      ASSERT_TRUE(files.rename(directory + "/old", directory + "/new"));
    }
    files.power_cut(seed);
    seen.insert(files.paths());
  }
  EXPECT_EQ(seen, (std::set<std::vector<std::string>>{
                      {"/a/new", "/b/new"}, {"/a/new", "/b/old"}, {"/a/old", "/b/new"}, {"/a/old", "/b/old"}}));
}

}  // namespace
}  // namespace concord::env

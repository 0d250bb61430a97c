#include "log/snapshot_file.hpp"

#include <gtest/gtest.h>

#include "env/memory_file_system.hpp"

namespace concord::log {
namespace {

using base::Index;
using base::Term;

void write_snapshot(env::FileSystem& files, std::uint64_t index) {
  auto writer = SnapshotWriter::create(files, "/s", Index(index), Term(1), "m");
  ASSERT_TRUE(writer);
  ASSERT_TRUE((*writer)->add_block("b"));
  ASSERT_TRUE((*writer)->finish());
}

TEST(SnapshotFile, TheNewestComesFirstAndOnlyTheNewestAreKept) {
  env::MemoryFileSystem files;
  ASSERT_TRUE(files.make_directories("/s"));
  for (const std::uint64_t index : {5, 100, 20}) write_snapshot(files, index);
  auto found = list_snapshots(files, "/s");
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 3U);
  EXPECT_EQ(found->front().index, Index(100));
  ASSERT_TRUE(remove_old_snapshots(files, "/s", 2));
  found = list_snapshots(files, "/s");
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ(found->back().index, Index(20));
}

TEST(SnapshotFile, AnUnfinishedOneLeavesNothing) {
  env::MemoryFileSystem files;
  ASSERT_TRUE(files.make_directories("/s"));
  {
    auto writer = SnapshotWriter::create(files, "/s", Index(1), Term(1), "m");
    ASSERT_TRUE((*writer)->add_block("b"));
  }
  EXPECT_TRUE(files.paths().empty());
  files.set_contents("/s/snapshot-00000000000000000001-00000000000000000001.snap.tmp", "left by a killed process");
  EXPECT_TRUE(list_snapshots(files, "/s")->empty());
  EXPECT_EQ(files.paths().size(), 1U) << "somebody may be writing it";
  ASSERT_TRUE(remove_unfinished_snapshots(files, "/s"));
  EXPECT_TRUE(files.paths().empty());
}

TEST(SnapshotFile, AForeignFileIsRefusedByName) {
  env::MemoryFileSystem files;
  ASSERT_TRUE(files.make_directories("/s"));
  files.set_contents("/s/notes.txt", "");
  EXPECT_NE(list_snapshots(files, "/s").error().message().find("/s/notes.txt"), std::string::npos);
}

TEST(SnapshotFile, OfAFormatThatIsNotKnownIsRefusedByName) {
  env::MemoryFileSystem files;
  ASSERT_TRUE(files.make_directories("/s"));
  write_snapshot(files, 1);
  const std::string path = list_snapshots(files, "/s")->front().path;
  std::string bytes = files.contents(path);
  bytes[8] = 2;
  files.set_contents(path, bytes);
  const auto reader = open_snapshot(files, path);
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code(), Errc::storage_failed);
  EXPECT_NE(reader.error().message().find("format 2 is not known to this version (it knows 1)"), std::string::npos)
      << reader.error().message();
  EXPECT_NE(reader.error().message().find(path), std::string::npos);
}

TEST(SnapshotFile, IsThereAsAWholeAfterALossOfPower) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    env::MemoryFileSystem files;
    ASSERT_TRUE(files.make_directories("/s"));
    write_snapshot(files, 1);
    files.power_cut(seed);
    const auto found = list_snapshots(files, "/s");
    ASSERT_EQ(found->size(), 1U) << "seed " << seed;
    auto reader = open_snapshot(files, found->front().path);
    ASSERT_TRUE(reader);
    std::string block;
    EXPECT_TRUE((*reader)->next(block).value());
    EXPECT_FALSE((*reader)->next(block).value());
  }
}

}  // namespace
}  // namespace concord::log

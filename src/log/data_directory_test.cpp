#include "log/data_directory.hpp"

#include <atomic>
#include <cstdio>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "base/check.hpp"
#include "base/crc32c.hpp"
#include "env/memory_file_system.hpp"

namespace concord::log {
namespace {

using base::ClusterId;
using base::NodeId;

const Identity drawn{.cluster = ClusterId(0xc1), .node = NodeId(0x0d), .directory = 0xd1};
const Identity drawn_again{.cluster = ClusterId(9), .node = NodeId(9), .directory = 9};
/// Of a node that waits to join: its cluster gives it the other ids.
const Identity undecided{.directory = 0xd1};

/// What format 1 would have written.
std::string first_format(const std::string& formed) {
  std::string text =
      "concord data directory\nformat 1\ncluster 00000000000000c1\nnode 000000000000000d\nincarnation 7\nformed " +
      formed + "\n";
  char crc[32];
  std::snprintf(crc, sizeof crc, "crc %08x\n", base::crc32c(text));
  return text + crc;
}

TEST(DataDirectory, KeepsItsIdentityAndCountsItsOpens) {
  env::MemoryFileSystem files;
  {
    auto directory = DataDirectory::open(files, "/data", drawn);
    ASSERT_TRUE(directory) << directory.error().message();
    EXPECT_EQ(directory->identity().incarnation, 1U);
    EXPECT_FALSE(directory->identity().formed);
    ASSERT_TRUE(directory->mark_formed(files));
  }
  auto directory = DataDirectory::open(files, "/data", drawn_again);
  ASSERT_TRUE(directory);
  EXPECT_EQ(directory->identity().cluster, drawn.cluster);
  EXPECT_EQ(directory->identity().node, drawn.node);
  EXPECT_EQ(directory->identity().directory, drawn.directory);
  EXPECT_FALSE(directory->identity().removed);
  EXPECT_EQ(directory->identity().incarnation, 2U);
  EXPECT_TRUE(directory->identity().formed);
}

TEST(DataDirectory, IsTheOldOneOrTheNewOneToAThreadThatLooksMeanwhile) {
  env::MemoryFileSystem files;
  auto directory = DataDirectory::open(files, "/data", undecided);
  ASSERT_TRUE(directory);
  std::atomic<bool> is_over = false;
  std::size_t halves = 0;
  std::thread looks([&] {
    while (!is_over) {
      const Identity seen = directory->identity();
      if (seen.cluster.is_zero() != seen.node.is_zero()) ++halves;
    }
  });
  EXPECT_TRUE(directory->adopt(files, drawn.cluster, drawn.node));
  EXPECT_TRUE(directory->mark_formed(files));
  is_over = true;
  looks.join();
  EXPECT_EQ(halves, 0U);
  EXPECT_TRUE(directory->identity().formed);
}

TEST(DataDirectory, CanBeOpenOnce) {
  env::MemoryFileSystem files;
  const auto directory = DataDirectory::open(files, "/data", drawn);
  const auto second = DataDirectory::open(files, "/data", drawn);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Errc::cluster_not_ready);
}

TEST(DataDirectory, AForeignDirectoryIsRefusedAndUntouched) {
  env::MemoryFileSystem files;
  ASSERT_TRUE(files.make_directories("/data"));
  files.set_contents("/data/thesis.txt", "precious");
  const auto opened = DataDirectory::open(files, "/data", drawn);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Errc::invalid_request);
  EXPECT_NE(opened.error().message().find("/data/thesis.txt"), std::string::npos);
  EXPECT_EQ(files.paths(), std::vector<std::string>{"/data/thesis.txt"});
}

TEST(DataDirectory, ALostIdentityIsNotReplacedOverExistingData) {
  env::MemoryFileSystem files;
  {
    ASSERT_TRUE(DataDirectory::open(files, "/data", drawn));
  }
  ASSERT_TRUE(files.remove("/data/identity"));
  const auto opened = DataDirectory::open(files, "/data", drawn);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message().find("/data/identity: missing"), std::string::npos);
}

TEST(DataDirectory, EveryFlippedByteOfTheIdentityIsRefused) {
  env::MemoryFileSystem files;
  {
    ASSERT_TRUE(DataDirectory::open(files, "/data", drawn));
  }
  const std::string good = files.contents("/data/identity");
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    files.set_contents("/data/identity", bad);
    const auto opened = DataDirectory::open(files, "/data", drawn);
    ASSERT_FALSE(opened) << "byte " << at;
    EXPECT_NE(opened.error().message().find("/data/identity"), std::string::npos);
    EXPECT_EQ(files.contents("/data/identity"), bad);
  }
}

TEST(DataDirectory, EveryTruncatedIdentityIsRefused) {
  env::MemoryFileSystem files;
  {
    ASSERT_TRUE(DataDirectory::open(files, "/data", drawn));
  }
  const std::string good = files.contents("/data/identity");
  for (std::size_t size = 0; size < good.size(); ++size) {
    files.set_contents("/data/identity", good.substr(0, size));
    const auto opened = DataDirectory::open(files, "/data", drawn);
    ASSERT_FALSE(opened) << "cut to " << size;
    EXPECT_EQ(opened.error().code(), Errc::storage_failed);
  }
}

TEST(DataDirectory, WaitsForItsIdsAcrossOpensAndTakesThemFromItsCluster) {
  env::MemoryFileSystem files;
  for (const std::uint64_t incarnation : {1, 2}) {
    auto directory = DataDirectory::open(files, "/data", incarnation == 1 ? undecided : drawn_again);
    ASSERT_TRUE(directory) << directory.error().message();
    EXPECT_TRUE(directory->identity().cluster.is_zero());
    EXPECT_TRUE(directory->identity().node.is_zero());
    EXPECT_EQ(directory->identity().directory, undecided.directory);
    EXPECT_EQ(directory->identity().incarnation, incarnation);
    if (incarnation == 1) continue;
    EXPECT_EQ(directory->adopt(files, ClusterId(0), NodeId(6)).error().code(), Errc::invalid_request);
    EXPECT_EQ(directory->adopt(files, ClusterId(5), NodeId(0)).error().code(), Errc::invalid_request);
    ASSERT_TRUE(directory->adopt(files, ClusterId(4), NodeId(4)));
    ASSERT_TRUE(directory->adopt(files, ClusterId(5), NodeId(6))) << "nothing was done as node 4";
    EXPECT_EQ(directory->identity().node, NodeId(6));
  }
  files.power_cut(1);
  auto directory = DataDirectory::open(files, "/data", undecided);
  ASSERT_TRUE(directory) << directory.error().message();
  EXPECT_EQ(directory->identity().cluster, ClusterId(5));
  EXPECT_EQ(directory->identity().node, NodeId(6));
  EXPECT_EQ(directory->identity().directory, undecided.directory);
  ASSERT_TRUE(directory->mark_formed(files));
  EXPECT_EQ(directory->adopt(files, ClusterId(5), NodeId(6)).error().code(), Errc::invalid_request);
  EXPECT_EQ(directory->identity().node, NodeId(6));
}

TEST(DataDirectory, WithoutIdsIsNeverFormed) {
  env::MemoryFileSystem files;
  auto directory = DataDirectory::open(files, "/data", undecided);
  ASSERT_TRUE(directory);
  EXPECT_THROW((void)directory->mark_formed(files), base::InvariantFailure);
  EXPECT_THROW((void)DataDirectory::open(files, "/other", {.cluster = ClusterId(1), .node = NodeId(1)}),
               base::InvariantFailure)
      << "a directory without a number";
}

TEST(DataDirectory, RemembersThatItsNodeWasRemoved) {
  env::MemoryFileSystem files;
  {
    auto directory = DataDirectory::open(files, "/data", drawn);
    ASSERT_TRUE(directory->mark_formed(files));
    ASSERT_TRUE(directory->mark_removed(files));
    EXPECT_TRUE(directory->identity().removed);
  }
  files.power_cut(1);
  for (int i = 0; i < 2; ++i) {
    const auto directory = DataDirectory::open(files, "/data", drawn_again);
    ASSERT_TRUE(directory);
    EXPECT_TRUE(directory->identity().removed);
    EXPECT_TRUE(directory->identity().formed);
    EXPECT_EQ(directory->identity().node, drawn.node);
  }
}

TEST(DataDirectory, OfTheFirstFormatIsReadAndWrittenAsTheSecond) {
  for (const bool is_formed : {false, true}) {
    env::MemoryFileSystem files;
    ASSERT_TRUE(files.make_directories("/data"));
    files.set_contents("/data/identity", first_format(is_formed ? "yes" : "no"));
    const auto directory = DataDirectory::open(files, "/data", drawn_again);
    ASSERT_TRUE(directory) << directory.error().message();
    EXPECT_EQ(directory->identity().cluster, drawn.cluster);
    EXPECT_EQ(directory->identity().node, drawn.node);
    EXPECT_EQ(directory->identity().directory, drawn.node.value());
    EXPECT_EQ(directory->identity().incarnation, 8U);
    EXPECT_EQ(directory->identity().formed, is_formed);
    EXPECT_FALSE(directory->identity().removed);
    EXPECT_NE(files.contents("/data/identity").find("\nformat 2\n"), std::string::npos);
  }
}

TEST(DataDirectory, OfAFormatThatIsNotKnownIsRefusedByName) {
  env::MemoryFileSystem files;
  ASSERT_TRUE(files.make_directories("/data"));
  files.set_contents("/data/identity", "concord data directory\nformat 4\n");
  const auto opened = DataDirectory::open(files, "/data", drawn);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message().find("/data/identity: format 4 is not known"), std::string::npos)
      << opened.error().message();
}

/// The identity of what is there, whatever it is.
Identity identity_of(env::FileSystem& files) {
  const auto directory = DataDirectory::open(files, "/data", drawn_again);
  EXPECT_TRUE(directory) << directory.error().message();
  return directory ? directory->identity() : Identity{};
}

TEST(DataDirectory, ALossOfPowerDuringAChangeLeavesTheOldIdentityOrTheNewOne) {
  for (std::uint64_t stop = 0, old_seen = 0, new_seen = 0;; ++stop) {
    SCOPED_TRACE("stopped after " + std::to_string(stop) + " changes");
    env::MemoryFileSystem files;
    bool is_through = false;
    {
      auto directory = DataDirectory::open(files, "/data", undecided);
      ASSERT_TRUE(directory);
      files.set_faults({.stop_after = files.changes() + stop});
      is_through = directory->adopt(files, ClusterId(5), NodeId(6)).has_value();
      EXPECT_EQ(directory->identity().node, NodeId(is_through ? 6 : 0));
    }
    files.power_cut(stop);
    const Identity found = identity_of(files);
    EXPECT_EQ(found.directory, undecided.directory);
    EXPECT_TRUE(found.node == NodeId(6) || (!is_through && found.node.is_zero()));
    EXPECT_EQ(found.cluster, ClusterId(found.node.is_zero() ? 0 : 5));
    ++(found.node.is_zero() ? old_seen : new_seen);
    if (!is_through) continue;
    EXPECT_GT(old_seen, 0U);
    EXPECT_GT(new_seen, 0U);
    return;
  }
}

TEST(DataDirectory, ThatWasRecoveredHasLogAndSnapshotsElsewhereAndAnotherCluster) {
  env::MemoryFileSystem files;
  for (const std::uint64_t round : {1, 2}) {
    SCOPED_TRACE("recovery " + std::to_string(round));
    auto directory = DataDirectory::open(files, "/data", drawn);
    ASSERT_TRUE(directory);
    if (round == 1) {
      ASSERT_TRUE(directory->mark_formed(files));
      ASSERT_TRUE(directory->mark_removed(files));
    }
    const Identity before = directory->identity();
    files.set_contents(directory->log_path() + "/1.log", "kept");
    const std::string number = "." + std::to_string(round);
    files.set_contents("/data/log" + number + "/1.log", "of an attempt before");
    const auto places = directory->prepare_recovery(files);
    ASSERT_TRUE(places) << places.error().message();
    EXPECT_EQ(places->log, "/data/log" + number);
    EXPECT_EQ(places->snapshots, "/data/snapshots" + number);
    EXPECT_TRUE(files.list(places->log)->empty());
    const std::string text_before = files.contents("/data/identity");
    ASSERT_TRUE(directory->recover(files, ClusterId(50 + round)));
    Identity expected = before;
    expected.cluster = ClusterId(50 + round);
    expected.former_cluster = before.cluster;
    expected.recoveries = round;
    expected.removed = false;
    EXPECT_EQ(directory->identity(), expected);
    EXPECT_EQ(directory->log_path(), places->log);
    EXPECT_EQ(files.contents("/data/identity.before" + number), text_before);
  }
  files.power_cut(3);
  const auto directory = DataDirectory::open(files, "/data", drawn_again);
  ASSERT_TRUE(directory) << directory.error().message();
  EXPECT_EQ(directory->identity().recoveries, 2U);
  EXPECT_EQ(directory->identity().former_cluster, ClusterId(51));
  EXPECT_EQ(directory->snapshots_path(), "/data/snapshots.2");
  EXPECT_EQ(files.contents("/data/log/1.log"), "kept");
  EXPECT_NE(files.contents("/data/identity").find("\nformat 3\n"), std::string::npos)
      << "what does not know of recoveries must not go on with the log of before";
  const std::string good = files.contents("/data/identity");
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    files.set_contents("/data/identity", bad);
    EXPECT_FALSE(DataDirectory::open(files, "/data", drawn)) << "byte " << at;
  }
}

TEST(DataDirectory, ARecoveredOneThatLostItsIdentityIsRefused) {
  env::MemoryFileSystem files;
  ASSERT_TRUE(files.make_directories("/data/log.1"));
  files.set_contents("/data/log.1/1.log", "precious");
  const auto opened = DataDirectory::open(files, "/data", drawn);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message().find("/data/identity: missing"), std::string::npos) << opened.error().message();
}

TEST(DataDirectory, AnInterruptedFirstStartBeginsAgain) {
  env::MemoryFileSystem files;
  {
    ASSERT_TRUE(DataDirectory::open(files, "/data", drawn));
  }
  files.set_contents("/data/log/00000000000000000001.log", "half a segment");
  const auto opened = DataDirectory::open(files, "/data", drawn);
  ASSERT_TRUE(opened);
  EXPECT_FALSE(opened->identity().formed);
  EXPECT_TRUE(files.list("/data/log")->empty());
}

}  // namespace
}  // namespace concord::log

#include "log/data_directory.hpp"

#include <gtest/gtest.h>

#include "env/memory_file_system.hpp"

namespace concord::log {
namespace {

using base::ClusterId;
using base::NodeId;

const Identity drawn{.cluster = ClusterId(0xc1), .node = NodeId(0x0d), .incarnation = 0, .formed = false};

TEST(DataDirectory, KeepsItsIdentityAndCountsItsOpens) {
  env::MemoryFileSystem files;
  {
    auto directory = DataDirectory::open(files, "/data", drawn);
    ASSERT_TRUE(directory) << directory.error().message();
    EXPECT_EQ(directory->identity().incarnation, 1U);
    EXPECT_FALSE(directory->identity().formed);
    ASSERT_TRUE(directory->mark_formed(files));
  }
  auto directory = DataDirectory::open(files, "/data", {.cluster = ClusterId(9), .node = NodeId(9)});
  ASSERT_TRUE(directory);
  EXPECT_EQ(directory->identity().cluster, drawn.cluster);
  EXPECT_EQ(directory->identity().node, drawn.node);
  EXPECT_EQ(directory->identity().incarnation, 2U);
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

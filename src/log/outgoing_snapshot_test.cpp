#include "log/outgoing_snapshot.hpp"

#include <unistd.h>

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "env/memory_file_system.hpp"
#include "log/snapshot_file.hpp"

namespace concord::log {
namespace {

using base::Index;
using base::Term;

/// A directory of the machine's own.
class RealDirectory {
 public:
  RealDirectory()
      : path_((std::filesystem::temp_directory_path() / ("concord_log_test." + std::to_string(::getpid()))).string()) {
    std::filesystem::create_directories(path_);
  }
  RealDirectory(const RealDirectory&) = delete;
  RealDirectory& operator=(const RealDirectory&) = delete;
  ~RealDirectory() { std::filesystem::remove_all(path_); }

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

TEST(OutgoingSnapshot, ReadsAnyPartOfTheFileAndFewerBytesOnlyAtItsEnd) {
  env::MemoryFileSystem files;
  ASSERT_TRUE(files.make_directories("/s"));
  files.set_contents("/s/file", "0123456789");
  const auto outgoing = OutgoingSnapshot::open(files, "/s/file");
  ASSERT_TRUE(outgoing);
  EXPECT_EQ(outgoing->size_bytes(), 10U);
  EXPECT_EQ(outgoing->read(0, 4).value(), "0123");
  EXPECT_EQ(outgoing->read(8, 4).value(), "89");
  EXPECT_EQ(outgoing->read(10, 4).value(), "");
  EXPECT_EQ(outgoing->read(11, 4).error().code(), Errc::invalid_request);
  EXPECT_EQ(OutgoingSnapshot::open(files, "/s/another").error().code(), Errc::not_found);
}

void goes_on_after_a_removal(env::FileSystem& files, const std::string& directory) {
  auto writer = SnapshotWriter::create(files, directory, Index(1), Term(1), "m");
  ASSERT_TRUE(writer);
  const auto written = (*writer)->finish();
  ASSERT_TRUE(written);
  const std::string whole = env::read_file(files, written->path).value();
  const auto outgoing = OutgoingSnapshot::open(files, written->path);
  ASSERT_TRUE(outgoing);
  EXPECT_EQ(outgoing->read(0, 5).value(), whole.substr(0, 5));
  ASSERT_TRUE(remove_old_snapshots(files, directory, 0));
  EXPECT_TRUE(list_snapshots(files, directory)->empty());
  EXPECT_EQ(outgoing->read(5, whole.size()).value(), whole.substr(5));
}

TEST(OutgoingSnapshot, GoesOnAfterTheFileWasRemoved) {
  env::MemoryFileSystem in_memory;
  ASSERT_TRUE(in_memory.make_directories("/s"));
  goes_on_after_a_removal(in_memory, "/s");
  const RealDirectory directory;
  goes_on_after_a_removal(*env::make_real_file_system(), directory.path());
}

TEST(OutgoingSnapshot, AFileThatHasBecomeShorterIsDamage) {
  const RealDirectory directory;
  const auto files = env::make_real_file_system();
  const std::string path = directory.path() + "/file";
  ASSERT_TRUE(env::write_file_atomically(*files, path, "0123456789"));
  const auto outgoing = OutgoingSnapshot::open(*files, path);
  ASSERT_TRUE(outgoing);
  std::filesystem::resize_file(path, 6);
  EXPECT_EQ(outgoing->read(0, 6).value(), "012345");
  const auto read = outgoing->read(4, 4);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), Errc::storage_failed);
  EXPECT_NE(read.error().message().find("damaged at offset 6"), std::string::npos) << read.error().message();
}

}  // namespace
}  // namespace concord::log

// That an overlay behaves like files is shown in file_system_test.cpp; here, that it touches nothing and shows what lies below.
#include "env/overlay_file_system.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "env/memory_file_system.hpp"

namespace concord::env {
namespace {

std::map<std::string, std::string> all_of(const MemoryFileSystem& files) {
  std::map<std::string, std::string> all;
  for (const std::string& path : files.paths()) all[path] = files.contents(path);
  return all;
}

TEST(OverlayFileSystem, ShowsWhatLiesBelowAndKeepsEveryChangeToItself) {
  MemoryFileSystem below;
  ASSERT_TRUE(below.make_directories("/d/kept"));
  below.set_contents("/d/a", "first");
  below.set_contents("/d/b", "second");
  const auto before = all_of(below);
  {
    OverlayFileSystem files(below);
    EXPECT_EQ(files.list("/d").value(), (std::vector<std::string>{"a", "b", "kept"}));
    EXPECT_EQ(read_file(files, "/d/a").value(), "first");
    ASSERT_TRUE(files.open("/d/a", OpenMode::write).value()->write_at(2, "XY"));
    ASSERT_TRUE(files.rename("/d/b", "/d/c"));
    ASSERT_TRUE(files.make_directories("/d/made"));
    ASSERT_TRUE(write_file_atomically(files, "/d/made/new", "third"));
    EXPECT_EQ(read_file(files, "/d/a").value(), "fiXYt");
    EXPECT_EQ(read_file(files, "/d/c").value(), "second");
    EXPECT_EQ(read_file(files, "/d/b").error().code(), Errc::not_found);
    EXPECT_EQ(files.list("/d").value(), (std::vector<std::string>{"a", "c", "kept", "made"}));
    EXPECT_EQ(files.list("/d/made").value(), (std::vector<std::string>{"new"}));
    ASSERT_TRUE(files.remove("/d/a"));
    EXPECT_EQ(files.open("/d/a", OpenMode::write).error().code(), Errc::not_found);
    EXPECT_EQ(files.open("/d/c", OpenMode::create_new).error().code(), Errc::storage_failed);
  }
  EXPECT_EQ(all_of(below), before);
  EXPECT_EQ(read_file(below, "/d/a").value(), "first");
}

TEST(OverlayFileSystem, ALockIsThatOfTheFilesBelow) {
  MemoryFileSystem below;
  OverlayFileSystem files(below);
  const auto lock = files.lock("/LOCK");
  ASSERT_TRUE(lock);
  EXPECT_EQ(below.lock("/LOCK").error().code(), Errc::cluster_not_ready);
}

TEST(OverlayFileSystem, WritesAnywhereReadLikeThoseOfAFileInOnePiece) {
  base::Random random(7);
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, std::size_t{4096}, std::size_t{10'000}}) {
    MemoryFileSystem below;
    std::string expected(size, '\0');
    for (char& c : expected) c = static_cast<char>('a' + random.below(26));
    below.set_contents("/f", expected);
    const std::string before = expected;
    OverlayFileSystem files(below);
    auto file = files.open("/f", OpenMode::write);
    ASSERT_TRUE(file);
    for (int i = 0; i < 200; ++i) {
      const auto offset = static_cast<std::size_t>(random.below(20'000));
      if (random.one_in(10)) {
        ASSERT_TRUE((*file)->allocate(offset));
        if (expected.size() < offset) expected.resize(offset);
      } else if (random.one_in(2)) {
        const std::string bytes(static_cast<std::size_t>(1 + random.below(9000)), static_cast<char>('A' + i % 26));
        ASSERT_TRUE((*file)->write_at(offset, bytes));
        if (expected.size() < offset + bytes.size()) expected.resize(offset + bytes.size());
        expected.replace(offset, bytes.size(), bytes);
      }
      std::string read(9000, '\0');
      const auto got = (*file)->read_at(offset, read.data(), read.size());
      ASSERT_TRUE(got);
      read.resize(*got);
      ASSERT_EQ(read, offset < expected.size() ? expected.substr(offset, 9000) : "")
          << "size " << size << ", step " << i;
      ASSERT_EQ((*file)->size_bytes().value(), expected.size());
    }
    EXPECT_EQ(below.contents("/f"), before);
  }
}

}  // namespace
}  // namespace concord::env

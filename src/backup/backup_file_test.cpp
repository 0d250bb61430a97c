#include "backup/backup_file.hpp"

#include <gtest/gtest.h>

#include "backup/testing_data.hpp"
#include "base/wire.hpp"
#include "log/block_file.hpp"

namespace concord::backup {
namespace {

Result<BackupInfo> verify_bytes(std::string bytes) {
  env::MemoryFileSystem files;
  files.set_contents("/b/x.backup", std::move(bytes));
  return verify(files, "/b/x.backup", max_value_bytes, go_on);
}

/// A file with right sums around these blocks.
std::string file_of(const Manifest& manifest, const std::vector<std::string>& blocks, std::uint32_t format = 1,
                    std::string_view magic = "CNCRDBKP") {
  env::MemoryFileSystem files;
  EXPECT_TRUE(files.make_directories("/b"));
  auto writer =
      log::BlockFileWriter::create(files, "/b/t", {.magic = magic, .format = format, .name = "x"}, encode(manifest));
  EXPECT_TRUE(writer);
  for (const std::string& block : blocks) EXPECT_TRUE((*writer)->add_block(block));
  EXPECT_TRUE((*writer)->finish("/b/x"));
  return files.contents("/b/x");
}

std::string entry(std::string_view key, std::string_view stored, std::uint64_t revision = 1) {
  std::string bytes;
  base::append_bytes(bytes, key);
  base::append_bytes(bytes, stored);
  base::append_varint(bytes, revision);
  bytes.push_back('\0');
  return bytes;
}

const std::string one("\0001", 2);  // the JSON value 1

Manifest manifest_of(std::uint64_t entries) {
  Manifest manifest = TestingData::manifest();
  manifest.revision = Revision(9);
  manifest.entry_count = entries;
  return manifest;
}

TEST(BackupFile, TellsWhatItHolds) {
  const auto info = verify_bytes(small_backup());
  ASSERT_TRUE(info) << info.error().message();
  EXPECT_EQ(info->name, "x.backup");
  EXPECT_EQ(info->entry_count, 3U);
  EXPECT_EQ(info->revision, Revision(3));
  EXPECT_EQ(info->node, "n1");
  EXPECT_EQ(info->cluster, "concord");
  EXPECT_EQ(info->version, "0.1.0");
  EXPECT_EQ(info->id, "00000000000000ab");
  EXPECT_EQ(info->size_bytes, small_backup().size());
  EXPECT_EQ(info->sha256.size(), 64U);
}

TEST(BackupFile, ItsChecksumIsThatOfTheWholeFile) {
  env::MemoryFileSystem files;
  files.set_contents("/b/x.backup", small_backup());
  const auto sum = log::sha256_of_file(files, "/b/x.backup");
  ASSERT_TRUE(sum);
  EXPECT_EQ(verify_bytes(small_backup())->sha256, hex_of(*sum));
}

TEST(BackupFile, AnyShorterFileIsRefused) {
  const std::string good = small_backup();
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto verdict = verify_bytes(good.substr(0, size));
    ASSERT_FALSE(verdict) << size;
    EXPECT_EQ(verdict.error().code(), Errc::invalid_backup) << size;
  }
  EXPECT_FALSE(verify_bytes(good + "x"));
}

TEST(BackupFile, AnyFlippedBitIsRefused) {
  const std::string good = small_backup();
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
      const auto verdict = verify_bytes(std::move(bad));
      ASSERT_FALSE(verdict) << at << " " << bit;
      EXPECT_EQ(verdict.error().code(), Errc::invalid_backup) << at;
    }
  }
}

TEST(BackupFile, ForeignAndNewerFilesAreRefusedByName) {
  const auto problem = [](std::string bytes) {
    const auto verdict = verify_bytes(std::move(bytes));
    EXPECT_FALSE(verdict);
    return verdict ? std::string() : verdict.error().message();
  };
  EXPECT_NE(problem(file_of(manifest_of(0), {}, 2)).find("format 2 is not known to this version"), std::string::npos);
  EXPECT_NE(problem(file_of(manifest_of(0), {}, 1, "CNCRDSNP")).find("not a backup of Concord"), std::string::npos);
  EXPECT_NE(problem("PK\3\4 something else altogether, and long enough").find("not a backup of Concord"),
            std::string::npos);
}

TEST(BackupFile, WhatItSaysMustBeWhatItHolds) {
  EXPECT_TRUE(verify_bytes(file_of(manifest_of(2), {entry("a", one) + entry("b", one)})));
  EXPECT_TRUE(verify_bytes(file_of(manifest_of(2), {entry("a", one), entry("b", one)})));
  EXPECT_FALSE(verify_bytes(file_of(manifest_of(3), {entry("a", one), entry("b", one)})));
  EXPECT_FALSE(verify_bytes(file_of(manifest_of(2), {entry("b", one), entry("a", one)})));
  EXPECT_FALSE(verify_bytes(file_of(manifest_of(2), {entry("a", one) + entry("a", one)})));
  EXPECT_FALSE(verify_bytes(file_of(manifest_of(1), {entry("a", one, 10)})));
  EXPECT_FALSE(verify_bytes(file_of(manifest_of(1), {entry(std::string(1025, 'k'), one)})));
  EXPECT_FALSE(verify_bytes(file_of(manifest_of(1), {entry("a", "\x07")})));
  EXPECT_FALSE(verify_bytes(file_of(manifest_of(1), {entry("a", std::string("\0{", 2))})));  // no JSON
  EXPECT_FALSE(verify_bytes(file_of(manifest_of(1), {entry("a", one).substr(0, 4)})));
  EXPECT_FALSE(verify_bytes(file_of(manifest_of(0), {std::string("\0\1x", 3)})));  // a token that is none
}

TEST(BackupFile, AValueThatClaimsToUnpackToMoreThanAValueMayIsRefused) {
  std::string bomb(1, '\x10');
  base::append_varint(bomb, std::uint64_t{1} << 40U);
  bomb += "x";
  EXPECT_FALSE(verify_bytes(file_of(manifest_of(1), {entry("a", bomb)})));
}

TEST(BackupFile, AFullDiskLeavesNothingBehind) {
  TestingData data;
  for (int i = 0; i < 1000; ++i) data.put("key" + std::to_string(i), std::string(200, 'v') + std::to_string(i * 7919));
  for (std::uint64_t capacity = 0; capacity < 6000; capacity += 500) {
    env::MemoryFileSystem files;
    ASSERT_TRUE(files.make_directories("/b"));
    files.set_faults({.capacity_bytes = capacity});
    const auto snapshot = data.pin();
    const auto written = write(files, "/b/.t", "/b/x.backup", *snapshot, TestingData::manifest(), go_on);
    if (written) break;
    EXPECT_EQ(written.error().code(), Errc::storage_full);
    EXPECT_TRUE(files.paths().empty()) << capacity;
  }
}

TEST(BackupFile, IsThereAsAWholeOrNotAtAllWheneverThePowerGoes) {
  TestingData data;
  data.put("a", 1);
  for (std::uint64_t stop_after = 0;; ++stop_after) {
    env::MemoryFileSystem files;
    ASSERT_TRUE(files.make_directories("/b"));
    files.set_faults({.stop_after = stop_after});
    const auto snapshot = data.pin();
    const auto written = write(files, "/b/.t", "/b/x.backup", *snapshot, TestingData::manifest(), go_on);
    files.power_cut(stop_after);
    const auto verdict = verify(files, "/b/x.backup", max_value_bytes, go_on);
    if (written) {
      EXPECT_TRUE(verdict);
      break;
    }
    if (!verdict) {
      EXPECT_EQ(verdict.error().code(), Errc::not_found) << stop_after;
    }
  }
}

TEST(BackupFile, WhoWatchesMayEndIt) {
  TestingData data;
  data.put("a", 1);
  env::MemoryFileSystem files;
  ASSERT_TRUE(files.make_directories("/b"));
  const auto snapshot = data.pin();
  const auto written = write(files, "/b/.t", "/b/x.backup", *snapshot, TestingData::manifest(),
                             [](std::uint64_t done, std::uint64_t total) -> Result<void> {
                               EXPECT_EQ(done, 1U);
                               EXPECT_EQ(total, 1U);
                               return fail(Errc::timeout, "enough");
                             });
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code(), Errc::timeout);
  EXPECT_TRUE(files.paths().empty());
}

}  // namespace
}  // namespace concord::backup

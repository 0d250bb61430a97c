// Every truncation point and every flipped byte: recovered to what was written, or refused by name and offset.
#include <span>
#include <string>

#include <gtest/gtest.h>

#include "log/snapshot_file.hpp"
#include "log/testing_log.hpp"

namespace concord::log {
namespace {

using base::HardState;
using base::Index;
using base::NodeId;
using base::Term;

constexpr std::string_view segment_path = "/d/log/00000000000000000001.log";

/// A small log of four batches; closed in good order or not.
std::unique_ptr<env::MemoryFileSystem> make_log(const LogOptions& options, bool is_closed, Model& model) {
  LogFixture fixture;
  fixture.options = options;
  auto log = fixture.create();
  model = {{1, "first"}, {1, "second, a little longer"}, {2, std::string(300, 'x')}, {2, "last"}};
  for (const ModelEntry& entry : model) {
    log.append({entry}, HardState{Term(entry.term), NodeId(9), Index(1)});
    EXPECT_TRUE(log->sync());
  }
  if (is_closed) {
    EXPECT_TRUE(log->close());
  }
  log.drop();
  return std::move(fixture.files);
}

class Damage : public testing::TestWithParam<bool> {
 protected:
  /// Opens a damaged copy: the model (or all of it but an unfinished end) or a refusal that names the file and leaves all as it is.
  void check(env::MemoryFileSystem& files, std::size_t at) {
    SCOPED_TRACE("at byte " + std::to_string(at));
    const std::string before = files.contents(std::string(segment_path));
    auto opened = Log::open(files, "/d/log", options_);
    if (!opened) {
      EXPECT_EQ(opened.error().code(), Errc::storage_failed);
      EXPECT_NE(opened.error().message().find(segment_path), std::string::npos) << opened.error().message();
      EXPECT_TRUE(opened.error().message().find("offset") != std::string::npos ||
                  opened.error().message().find("format") != std::string::npos)
          << opened.error().message();
      EXPECT_EQ(files.contents(std::string(segment_path)), before) << "a refused log is left as it is";
      ++refused_;
      return;
    }
    LogHandle log(std::move(*opened));
    const std::string report = log->cut_report();
    const Model found = log.replayed();
    ASSERT_LE(found.size(), model_.size());
    for (std::size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], model_[i]);
    if (GetParam()) {
      EXPECT_EQ(found.size(), model_.size()) << "after a good close nothing can be taken for an unfinished write";
    } else {
      EXPECT_GE(found.size() + 1, model_.size());
      if (found.size() < model_.size()) {
        EXPECT_FALSE(report.empty()) << "a cut is told";
      }
    }
    ++recovered_;
  }

  LogOptions options_{.segment_bytes = 4096, .buffered = false, .buffer_limit_bytes = 4096, .salt = 77, .boot_id = 5};
  Model model_;
  int refused_ = 0;
  int recovered_ = 0;
};

TEST_P(Damage, EveryFlippedByteOfALogIsRefusedOrHarmless) {
  const auto files = make_log(options_, GetParam(), model_);
  const std::string good = files->contents(std::string(segment_path));
  const std::size_t used = good.find_last_not_of('\0') + 64;
  for (std::size_t at = 0; at < used; ++at) {
    for (const char mask : {'\x01', '\x80'}) {
      auto copy = files->clone();
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ mask);
      copy->set_contents(std::string(segment_path), bad);
      check(*copy, at);
    }
  }
  EXPECT_GT(refused_, 500);
  EXPECT_GT(recovered_, 10);
}

TEST_P(Damage, EveryTruncatedLogIsRefused) {
  const auto files = make_log(options_, GetParam(), model_);
  const std::string good = files->contents(std::string(segment_path));
  for (std::size_t size = 0; size < good.size(); ++size) {
    auto copy = files->clone();
    copy->set_contents(std::string(segment_path), good.substr(0, size));
    check(*copy, size);
  }
  EXPECT_EQ(recovered_, 0) << "segments are preallocated: a shorter file has lost something";
}

INSTANTIATE_TEST_SUITE_P(Logs, Damage, testing::Bool(),
                         [](const auto& closed) { return closed.param ? "ClosedInGoodOrder" : "Interrupted"; });

TEST(Damage, ASegmentOfAFormatThatIsNotKnownIsRefusedByName) {
  Model model;
  const auto files = make_log(LogFixture().options, true, model);
  std::string bytes = files->contents(std::string(segment_path));
  bytes[8] = 3;
  files->set_contents(std::string(segment_path), bytes);
  const auto opened = Log::open(*files, "/d/log", LogFixture().options);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message().find("format 3 is not known to this version (it knows 1 and 2)"),
            std::string::npos)
      << opened.error().message();
  EXPECT_EQ(files->contents(std::string(segment_path)), bytes);
}

TEST(Damage, AnUnfinishedWriteIsCutWhereverItEnded) {
  LogOptions options{.segment_bytes = 4096, .buffered = false, .buffer_limit_bytes = 4096, .salt = 77, .boot_id = 5};
  Model model;
  const auto files = make_log(options, false, model);
  const std::string good = files->contents(std::string(segment_path));
  std::string before_last = good;
  // The last batch is one entry of four bytes with a hard state; cutting anywhere in it must leave three entries.
  constexpr std::size_t last_record_bytes = record_header_bytes + 14;
  const std::size_t end = good.find_last_not_of('\0') + 1;
  for (std::size_t size = end; size > end - last_record_bytes; --size) {
    auto copy = files->clone();
    std::string torn = good.substr(0, size - 1);
    torn.resize(good.size(), '\0');
    copy->set_contents(std::string(segment_path), torn);
    auto opened = Log::open(*copy, "/d/log", options);
    ASSERT_TRUE(opened) << opened.error().message();
    LogHandle log(std::move(*opened));
    EXPECT_EQ(log.replayed().size(), 3U);
    if (torn.find_last_not_of('\0') + 1 > end - last_record_bytes) {
      EXPECT_FALSE(log->cut_report().empty());
    }
  }
}

/// A segment that no log has written, with all its checksums right, and behind its records the beginning of an unfinished one.
std::unique_ptr<env::MemoryFileSystem> make_odd_log(Index first, std::span<const base::EntryView> entries,
                                                    const HardState& hard_state) {
  SegmentHeader header{.segment_id = 1, .size_bytes = 4096, .salt = 77, .first_index = first, .hard_state = {}};
  RecordPlace place{.segment_id = 1, .salt = 77, .offset = first_record_offset, .previous = 0, .synced = 0};
  std::string bytes = encode_segment_header(header, place.previous);
  (void)append_batch(bytes, place, entries, hard_state);
  bytes += "torn";
  bytes.resize(header.size_bytes, '\0');
  auto files = std::make_unique<env::MemoryFileSystem>();
  EXPECT_TRUE(files->make_directories("/d/log"));
  files->set_contents(std::string(segment_path), bytes);
  return files;
}

TEST(Damage, ALogWithEntriesMissingIsRefusedBeforeItsEndIsCut) {
  const LogOptions options{.segment_bytes = 4096, .buffered = false, .buffer_limit_bytes = 4096, .salt = 77};
  const auto refuses = [&](Index first, Index entry, Index commit, std::string_view why) {
    const base::EntryView view{.index = entry, .term = Term(1), .type = base::EntryType::normal, .data = "x"};
    const auto files = make_odd_log(first, {&view, 1}, HardState{Term(1), NodeId(1), commit});
    const std::string before = files->contents(std::string(segment_path));
    const auto opened = Log::open(*files, "/d/log", options);
    ASSERT_FALSE(opened) << why;
    EXPECT_EQ(opened.error().code(), Errc::storage_failed);
    EXPECT_NE(opened.error().message().find(why), std::string::npos) << opened.error().message();
    EXPECT_EQ(files->contents(std::string(segment_path)), before) << "a refused log is left as it is";
    EXPECT_EQ(files->paths().size(), 1U);
  };
  refuses(Index(1), Index(1), Index(2), "the commit index 2 is beyond the last entry 1");
  refuses(Index(5), Index(3), Index(3), "the last entry 3 lies before the log's first, 5");
  refuses(Index(0), Index(1), Index(1), "entry 0");
}

// ---------------------------------------------------------------------------------------------------------------------

constexpr std::string_view snapshot_path = "/s/snapshot-00000000000000000042-00000000000000000003.snap";

Result<std::string> read_all(env::MemoryFileSystem& files) {
  auto reader = open_snapshot(files, std::string(snapshot_path));
  if (!reader) return std::unexpected(std::move(reader.error()));
  std::string all((*reader)->meta());
  std::string block;
  for (;;) {
    const auto more = (*reader)->next(block);
    if (!more) return std::unexpected(more.error());
    if (!*more) return all;
    all += block;
  }
}

TEST(Damage, EveryFlippedByteAndTruncationOfASnapshotIsRefusedByNameAndOffset) {
  env::MemoryFileSystem files;
  ASSERT_TRUE(files.make_directories("/s"));
  auto writer = SnapshotWriter::create(files, "/s", Index(42), Term(3), "meta");
  ASSERT_TRUE(writer);
  ASSERT_TRUE((*writer)->add_block("the first block"));
  ASSERT_TRUE((*writer)->add_block(std::string(500, 'b')));
  ASSERT_TRUE((*writer)->finish());
  ASSERT_EQ(read_all(files).value(), "metathe first block" + std::string(500, 'b'));
  const std::string good = files.contents(std::string(snapshot_path));
  const auto refuses = [&](std::string bad, const std::string& what) {
    files.set_contents(std::string(snapshot_path), std::move(bad));
    const auto read = read_all(files);
    ASSERT_FALSE(read) << what;
    EXPECT_EQ(read.error().code(), Errc::storage_failed);
    EXPECT_NE(read.error().message().find(snapshot_path), std::string::npos);
    EXPECT_NE(read.error().message().find("offset"), std::string::npos);
  };
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
      refuses(std::move(bad), "bit " + std::to_string(bit) + " of byte " + std::to_string(at));
    }
    refuses(good.substr(0, at), "cut to " + std::to_string(at));
  }
  refuses(good + "x", "a byte more");
}

}  // namespace
}  // namespace concord::log

// A snapshot from a peer: there as a whole after it was finished, and never before, whatever is sent and wherever it stops.
#include "log/incoming_snapshot.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "env/memory_file_system.hpp"
#include "log/outgoing_snapshot.hpp"
#include "log/received_snapshot.hpp"

namespace concord::log {
namespace {

using base::Index;
using base::Term;

constexpr std::string_view final_path = "/s/snapshot-00000000000000000042-00000000000000000003.snap";
constexpr std::string_view received_path = "/s/snapshot-00000000000000000042-00000000000000000003.snap.received";

/// The bytes of a snapshot file that somebody else wrote.
std::string snapshot_bytes() {
  env::MemoryFileSystem files;
  EXPECT_TRUE(files.make_directories("/s"));
  auto writer = SnapshotWriter::create(files, "/s", Index(42), Term(3), "the meta data");
  EXPECT_TRUE((*writer)->add_block("the first block"));
  EXPECT_TRUE((*writer)->add_block(std::string(3000, 'b')));
  EXPECT_TRUE((*writer)->finish());
  return files.contents(std::string(final_path));
}

class IncomingSnapshotTest : public testing::Test {
 protected:
  IncomingSnapshotTest() { EXPECT_TRUE(files_.make_directories("/s")); }

  std::unique_ptr<IncomingSnapshot> begin(std::uint64_t size_bytes) {
    auto begun = IncomingSnapshot::begin(files_, "/s", {Index(42), Term(3), size_bytes});
    EXPECT_TRUE(begun) << begun.error().message();
    return std::move(*begun);
  }
  /// All of it in pieces.
  std::unique_ptr<IncomingSnapshot> receive(std::string_view bytes, std::size_t piece_bytes = 100) {
    auto incoming = begin(bytes.size());
    for (std::size_t at = 0; at < bytes.size(); at += piece_bytes)
      EXPECT_TRUE(incoming->append(at, bytes.substr(at, piece_bytes)));
    EXPECT_TRUE(incoming->is_complete());
    return incoming;
  }

  env::MemoryFileSystem files_;
  const std::string good_ = snapshot_bytes();
};

TEST_F(IncomingSnapshotTest, HasItsNameOnceItIsFinishedAndThenSurvivesALossOfPower) {
  auto incoming = receive(good_);
  EXPECT_TRUE(list_snapshots(files_, "/s")->empty());
  const auto finished = incoming->finish();
  ASSERT_TRUE(finished) << finished.error().message();
  EXPECT_EQ(finished->path, received_path);
  EXPECT_EQ(finished->index, Index(42));
  EXPECT_EQ(finished->term, Term(3));
  EXPECT_EQ(incoming->finish().error().code(), Errc::invalid_request) << "it is finished once";
  incoming.reset();
  files_.power_cut(1);
  EXPECT_TRUE(list_snapshots(files_, "/s")->empty()) << "it counts only once the log says so";
  EXPECT_EQ(files_.contents(std::string(received_path)), good_);
}

TEST_F(IncomingSnapshotTest, TakesOnlyTheNextBytesAndGoesOnAfterOthers) {
  auto incoming = begin(good_.size());
  ASSERT_TRUE(incoming->append(0, std::string_view(good_).substr(0, 10)));
  EXPECT_EQ(incoming->append(0, std::string_view(good_).substr(0, 10)).error().code(), Errc::invalid_request);
  EXPECT_EQ(incoming->append(11, "x").error().code(), Errc::invalid_request);
  EXPECT_EQ(incoming->append(10, good_).error().code(), Errc::invalid_request) << "more than announced";
  EXPECT_EQ(incoming->finish().error().code(), Errc::invalid_request) << "bytes are missing";
  EXPECT_EQ(incoming->received_bytes(), 10U);
  ASSERT_TRUE(incoming->append(10, std::string_view(good_).substr(10)));
  EXPECT_TRUE(incoming->finish());
}

TEST_F(IncomingSnapshotTest, NothingIsLeftOfOneThatIsGivenUp) {
  receive(good_).reset();
  EXPECT_TRUE(files_.paths().empty());
}

TEST_F(IncomingSnapshotTest, WhatAProcessLeftIsRemovedByTheNextStart) {
  auto incoming = begin(good_.size());
  ASSERT_TRUE(incoming->append(0, "half"));
  EXPECT_TRUE(list_snapshots(files_, "/s")->empty()) << "and no snapshot";
  ASSERT_TRUE(remove_old_snapshots(files_, "/s", 0));
  EXPECT_EQ(files_.paths().size(), 1U) << "a look at the directory does not disturb it";
  ASSERT_TRUE(remove_unfinished_snapshots(files_, "/s"));
  EXPECT_TRUE(files_.paths().empty());
}

TEST_F(IncomingSnapshotTest, AnAnnouncementMustMakeSense) {
  for (const IncomingSnapshot::Announced& announced :
       {IncomingSnapshot::Announced{Index(0), Term(3), 5}, IncomingSnapshot::Announced{Index(42), Term(0), 5},
        IncomingSnapshot::Announced{Index(42), Term(3), 0}}) {
    EXPECT_EQ(IncomingSnapshot::begin(files_, "/s", announced).error().code(), Errc::invalid_request);
  }
  EXPECT_TRUE(files_.paths().empty());
}

TEST_F(IncomingSnapshotTest, IsRefusedAtOnceWhenThereIsNoRoomForItAndTheLog) {
  files_.set_faults({.capacity_bytes = incoming_snapshot_margin_bytes + good_.size() - 1});
  const IncomingSnapshot::Announced announced{Index(42), Term(3), good_.size()};
  EXPECT_EQ(IncomingSnapshot::begin(files_, "/s", announced).error().code(), Errc::storage_full);
  const IncomingSnapshot::Announced absurd{Index(42), Term(3), ~std::uint64_t{0}};
  EXPECT_EQ(IncomingSnapshot::begin(files_, "/s", absurd).error().code(), Errc::storage_full);
  EXPECT_TRUE(files_.paths().empty());
  files_.set_faults({.capacity_bytes = incoming_snapshot_margin_bytes + good_.size()});
  EXPECT_TRUE(IncomingSnapshot::begin(files_, "/s", announced));
}

TEST_F(IncomingSnapshotTest, GoesOnWhenAFullDiskHasSpaceAgain) {
  auto incoming = begin(good_.size());
  files_.set_faults({.capacity_bytes = 50});
  EXPECT_EQ(incoming->append(0, good_).error().code(), Errc::storage_full);
  EXPECT_EQ(incoming->received_bytes(), 0U);
  files_.set_faults({});
  ASSERT_TRUE(incoming->append(0, good_));
  EXPECT_TRUE(incoming->finish());
}

TEST_F(IncomingSnapshotTest, AFailedWriteOrSyncEndsIt) {
  for (const bool is_sync : {false, true}) {
    auto incoming = begin(good_.size());
    if (is_sync) {
      ASSERT_TRUE(incoming->append(0, good_));
    }
    files_.set_faults(is_sync ? env::FaultPlan{.fail_sync_after = files_.syncs()}
                              : env::FaultPlan{.fail_write_after = files_.writes()});
    const Error error = is_sync ? incoming->finish().error() : incoming->append(0, good_).error();
    EXPECT_EQ(error.code(), Errc::storage_failed);
    files_.set_faults({});
    EXPECT_EQ(incoming->append(incoming->received_bytes(), "").error().code(), Errc::storage_failed);
    EXPECT_EQ(incoming->finish().error().code(), Errc::storage_failed);
    EXPECT_TRUE(files_.paths().empty());
  }
}

TEST_F(IncomingSnapshotTest, IsReadBeforeItHasItsName) {
  auto incoming = receive(good_);
  EXPECT_EQ(incoming->meta(), "the meta data");
  std::string block;
  EXPECT_EQ(incoming->next_block(block), true);
  EXPECT_EQ(block, "the first block");
  EXPECT_EQ(incoming->meta(), "the meta data");
  EXPECT_FALSE(files_.paths().front().ends_with(received_ending));
  // The owner of the meta data or of the blocks may have no use for it.
  incoming.reset();
  EXPECT_TRUE(files_.paths().empty());

  incoming = receive(good_);
  std::size_t blocks = 0;
  while (incoming->next_block(block) == true) ++blocks;
  EXPECT_EQ(blocks, 2U);
  EXPECT_EQ(incoming->next_block(block), false) << "and nothing follows";
  EXPECT_TRUE(incoming->finish());
}

TEST_F(IncomingSnapshotTest, AnyDamageOnTheWayIsRefusedAndRemoved) {
  const auto refuses = [&](const std::string& bad, const std::string& what) {
    const auto finished = receive(bad, 1000)->finish();
    ASSERT_FALSE(finished) << what;
    EXPECT_EQ(finished.error().code(), Errc::invalid_request) << "no fault of this disk";
    EXPECT_NE(finished.error().message().find("damaged at offset"), std::string::npos) << finished.error().message();
    ASSERT_TRUE(files_.paths().empty()) << what;
  };
  for (std::size_t at = 0; at < good_.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good_;
      bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
      refuses(bad, "bit " + std::to_string(bit) + " of byte " + std::to_string(at));
    }
    if (at > 0) refuses(good_.substr(0, at), "cut to " + std::to_string(at));
  }
  refuses(good_ + "x", "a byte more");
}

TEST_F(IncomingSnapshotTest, ALossOfPowerAtAnyPointLeavesAllOrNothing) {
  for (std::uint64_t stop = 0, whole_seen = 0;; ++stop) {
    SCOPED_TRACE("stopped after " + std::to_string(stop) + " changes");
    env::MemoryFileSystem files;
    ASSERT_TRUE(files.make_directories("/s"));
    files.set_faults({.stop_after = stop});
    bool is_through = false;
    if (auto incoming = IncomingSnapshot::begin(files, "/s", {Index(42), Term(3), good_.size()})) {
      const std::size_t half = good_.size() / 2;
      is_through = (*incoming)->append(0, std::string_view(good_).substr(0, half)) &&
                   (*incoming)->append(half, std::string_view(good_).substr(half)) && (*incoming)->finish();
    }
    files.power_cut(stop);
    ASSERT_TRUE(remove_unfinished_snapshots(files, "/s"));
    ASSERT_TRUE(settle_received(files, "/s", Index(43)));
    const auto found = list_snapshots(files, "/s");
    ASSERT_TRUE(found);
    ASSERT_EQ(files.paths().size(), found->size());
    if (!found->empty()) {
      EXPECT_EQ(files.contents(std::string(final_path)), good_);
      ++whole_seen;
    }
    if (!is_through) continue;
    EXPECT_EQ(found->size(), 1U);
    EXPECT_GT(stop, whole_seen) << "nothing was seen too";
    return;
  }
}

TEST_F(IncomingSnapshotTest, AnySequenceOfPiecesAndConnectionsGivesTheSameFile) {
  env::MemoryFileSystem sender;
  ASSERT_TRUE(sender.make_directories("/s"));
  sender.set_contents(std::string(final_path), good_);
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    base::Random random(seed);
    auto incoming = begin(good_.size());
    while (!incoming->is_complete()) {
      // A connection: it ends after some pieces, or when one came twice or was lost on the way.
      const auto outgoing = OutgoingSnapshot::open(sender, std::string(final_path));
      ASSERT_TRUE(outgoing);
      ASSERT_EQ(outgoing->size_bytes(), incoming->announced().size_bytes);
      std::uint64_t offset = incoming->received_bytes();
      for (std::uint64_t left = 1 + random.below(5); left > 0 && !incoming->is_complete(); --left) {
        const auto piece = outgoing->read(offset, 1 + random.below(700));
        ASSERT_TRUE(piece);
        const std::uint64_t before = incoming->received_bytes();
        const bool is_astray = random.one_in(4);
        const bool is_taken = incoming->append(is_astray ? offset + random.below(3) : offset, *piece).has_value();
        if (!is_taken) {
          EXPECT_EQ(incoming->received_bytes(), before);
          break;
        }
        offset += piece->size();
      }
    }
    const auto received = incoming->finish();
    ASSERT_TRUE(received);
    const auto taken = take_received(files_, *received);
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->path, final_path);
    EXPECT_EQ(files_.contents(std::string(final_path)), good_);
    ASSERT_TRUE(remove_old_snapshots(files_, "/s", 0));
  }
}

TEST_F(IncomingSnapshotTest, AStartTakesWhatTheLogBeginsBehindAndRemovesTheRest) {
  for (const std::uint64_t first : {42U, 43U, 44U}) {
    ASSERT_TRUE(receive(good_)->finish());
    ASSERT_TRUE(settle_received(files_, "/s", Index(first)));
    const auto found = list_snapshots(files_, "/s");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->size(), first == 43 ? 1U : 0U) << first;
    EXPECT_EQ(files_.paths().size(), found->size()) << first;
    ASSERT_TRUE(remove_old_snapshots(files_, "/s", 0));
  }
}

TEST_F(IncomingSnapshotTest, ATakenOneKeepsItsNameThroughALossOfPower) {
  const auto received = receive(good_)->finish();
  ASSERT_TRUE(received);
  ASSERT_TRUE(take_received(files_, *received));
  files_.power_cut(1);
  EXPECT_EQ(files_.contents(std::string(final_path)), good_);
}

}  // namespace
}  // namespace concord::log

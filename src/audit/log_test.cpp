#include "audit/log.hpp"

#include <chrono>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/testing_log.hpp"

namespace concord::audit {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

class AuditLogRoom : public TestingLog {};

TEST_F(AuditLogRoom, AnEntrySaysWhoDidWhatAndHasNoKey) {
  open();
  auto room = log_->wait_room(milliseconds(5000));
  log_->record(std::move(*room), {.operation = "put",
                                  .user = command::TokenId(0x5f1c),
                                  .key = "secret/key",
                                  .client = "10.0.0.1",
                                  .revision = 7,
                                  .trace_high = 1,
                                  .trace_low = 2,
                                  .span = 3,
                                  .has_ttl = true,
                                  .ttl_s = 3600,
                                  .is_compressed = false});
  const auto lines = log_->query({});
  ASSERT_TRUE(lines);
  ASSERT_THAT(*lines, SizeIs(1));
  EXPECT_THAT(lines->front(), Not(HasSubstr("secret/key")));
  const AuditEntry entry = entry_of(lines->front()).value();
  EXPECT_EQ(entry.timestamp, "2026-02-03T04:05:06.789012Z");
  EXPECT_EQ(entry.event_id.size(), 36U);
  EXPECT_EQ(entry.operation, "put");
  EXPECT_EQ(entry.key_hash, "sha256:" + std::string(view_of(Sha256().of("secret/key"))));
  EXPECT_EQ(entry.result, "ok");
  EXPECT_EQ(entry.user, "token:0000000000005f1c");
  EXPECT_EQ(entry.node, "n1");
  EXPECT_EQ(entry.client, "10.0.0.1");
  EXPECT_EQ(entry.revision, Revision(7));
  EXPECT_EQ(entry.trace_id, "00000000000000010000000000000002");
  EXPECT_EQ(entry.span_id, "0000000000000003");
  EXPECT_EQ(entry.metadata, (boost::json::object{{"has_ttl", true}, {"ttl_seconds", 3600}, {"compressed", false}}));
}

TEST_F(AuditLogRoom, KeysAreShownWhenAskedFor) {
  options_.sensitive_keys = true;
  open();
  record("put", "a \"key\"");
  record("put", "\xff\x01");
  const auto lines = log_->query({});
  ASSERT_THAT(*lines, SizeIs(2));
  EXPECT_EQ(entry_of((*lines)[1])->key, "a \"key\"");
  EXPECT_THAT((*lines)[0], HasSubstr(R"("key_b64":"/wE=")"));
}

TEST_F(AuditLogRoom, QueriesTakeOperationUserResultTimeAndLimit) {
  open();
  record("put");
  record("delete", "k", Outcome::error);
  now_us_ += 1'000'000;
  record("put", "k", Outcome::unauthorized);
  EXPECT_THAT(operations(), ElementsAre("put", "delete", "put"));
  EXPECT_THAT(operations({.operation = "delete"}), ElementsAre("delete"));
  EXPECT_THAT(operations({.result = "error"}), ElementsAre("put", "delete"));
  EXPECT_THAT(operations({.result = "unauthorized"}), ElementsAre("put"));
  EXPECT_THAT(operations({.user = "token:1"}), ElementsAre());
  EXPECT_THAT(operations({.user = "anonymous", .limit = 1}), ElementsAre("put"));
  const auto second = std::chrono::system_clock::time_point(std::chrono::microseconds(start_us + 1'000'000));
  EXPECT_THAT(operations({.from = second}), ElementsAre("put"));
  EXPECT_THAT(operations({.to = second - std::chrono::microseconds(1)}), ElementsAre("delete", "put"));
  EXPECT_EQ(log_->query({.limit = 0}).error().code(), Errc::invalid_request);
  EXPECT_EQ(log_->query({.result = "fine"}).error().code(), Errc::invalid_request);
}

TEST_F(AuditLogRoom, ADayHasAFileOfItsOwn) {
  open();
  record("put");
  settle();
  now_us_ += day_us;
  record("touch");
  EXPECT_THAT(operations(), ElementsAre("touch", "put"));
  EXPECT_THAT(log_files(), ElementsAre("logs/audit_2026-02-03.jsonl", "logs/audit_2026-02-04.jsonl"));
  EXPECT_TRUE(log_->verify()->valid);
}

TEST_F(AuditLogRoom, TwoRotationsInASecondDoNotCollide) {
  open();
  for (int i = 0; i < 3; ++i) {
    record("put");
    ASSERT_TRUE(log_->rotate());
  }
  EXPECT_THAT(log_files(), SizeIs(4));
  EXPECT_THAT(log_files(), testing::Contains("logs/audit_2026-02-03_1770091506.jsonl"));
  EXPECT_THAT(operations(), SizeIs(3));
  const auto verified = log_->verify();
  EXPECT_TRUE(verified->valid) << text_of(*verified);
  EXPECT_EQ(verified->files, 4U);
  EXPECT_EQ(verified->entries, 3U);
}

TEST_F(AuditLogRoom, AFileThatIsLargeIsFollowedByAnother) {
  options_.rotation_size_bytes = 4096;
  open();
  for (int i = 0; i < 80; ++i) {
    record("put");
    if (i % 10 == 9) settle();  // written by then
  }
  EXPECT_THAT(operations({.limit = 1000}), SizeIs(80));
  EXPECT_GT(log_files().size(), 2U);
}

TEST_F(AuditLogRoom, ARestartGoesOnWithTheChain) {
  open();
  record("put");
  close();
  open();
  record("touch");
  close();
  EXPECT_THAT(log_files(), SizeIs(1));
  const auto verified = verify_closed(*files_);
  EXPECT_TRUE(verified.valid) << text_of(verified);
  EXPECT_EQ(verified.entries, 2U);
  EXPECT_EQ(remarks_, "");
}

TEST_F(AuditLogRoom, AnUnfinishedLineIsCutAndThatIsRecorded) {
  for (const std::size_t left : {1U, 100U, 300U}) {
    files_ = std::make_unique<env::MemoryFileSystem>();
    open();
    record("put");
    settle();
    const auto copy = files_->clone();  // as kill -9 leaves it
    close();
    const std::string path = log_files().front();
    const std::string text = copy->contents(path);
    copy->set_contents(path, text + text.substr(text.rfind('\n', text.size() - 2) + 1, left));
    files_ = copy->clone();
    remarks_.clear();
    open();
    EXPECT_THAT(remarks_, HasSubstr("unfinished line of " + std::to_string(left)));
    record("touch");
    EXPECT_THAT(operations(), ElementsAre("touch", "audit_recovered", "put"));
    close();
    const auto verified = verify_closed(*files_);
    EXPECT_TRUE(verified.valid) << left << text_of(verified);
  }
}

TEST_F(AuditLogRoom, ALossOfPowerIsNoEndOfTheLog) {
  options_.rotation_size_bytes = 4096;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    files_ = std::make_unique<env::MemoryFileSystem>();
    open();
    for (int i = 0; i < 20; ++i) record("put");
    ASSERT_TRUE(log_->rotate());  // what stands in a file that has ended is durable
    for (int i = 0; i < 5; ++i) record("touch");
    settle();
    files_->set_faults({.stop_after = files_->changes()});
    close();
    files_->power_cut(seed);
    open();
    record("txn");
    EXPECT_EQ(operations({.operation = "txn"}).size(), 1U) << seed;
    EXPECT_EQ(operations({.operation = "put", .limit = 100}).size(), 20U) << seed;
    close();
  }
}

TEST_F(AuditLogRoom, FilesOfDaysBeforeAreRemoved) {
  options_.retention = std::chrono::days(2);
  open();
  for (int day = 0; day < 5; ++day) {
    record("put");
    settle();
    now_us_ += day_us;
  }
  EXPECT_EQ(log_->cleanup(), 3U);
  EXPECT_THAT(operations({.operation = "audit_retention"}), SizeIs(1));
  EXPECT_THAT(operations({.operation = "put"}), SizeIs(2));
  EXPECT_EQ(log_->cleanup(), 0U);
  EXPECT_TRUE(log_->verify()->valid) << text_of(*log_->verify());
  close();
  EXPECT_TRUE(verify_closed(*files_).valid);
}

TEST_F(AuditLogRoom, CallsWaitForADiskThatIsFullAndAreRefusedAtTheirDeadline) {
  open();
  record("put");
  settle();
  files_->set_faults({.capacity_bytes = 1});
  for (bool is_full = false; !is_full;) {
    Room room = log_->take_room();
    is_full = !room;
    if (room) log_->record(std::move(room), {.operation = "put", .key = "k"});
  }
  const auto refused = log_->wait_room(milliseconds(300));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::storage_full);
  EXPECT_THAT(refused.error().message(), HasSubstr("nothing was done"));
  EXPECT_THAT(log_->problem(), Not(testing::IsEmpty()));
  files_->set_faults({});
  ASSERT_TRUE(log_->wait_room(milliseconds(5000)));
  EXPECT_TRUE(log_->verify()->valid) << text_of(*log_->verify());
  EXPECT_EQ(log_->dropped(), 0U);
  EXPECT_EQ(log_->problem(), "");
}

TEST_F(AuditLogRoom, EntriesAreDroppedAndCountedWhenThatIsWanted) {
  options_.when_full = AuditFull::drop;
  open();
  settle();
  files_->set_faults({.capacity_bytes = 1});
  for (int i = 0; i < 100'000 && log_->dropped() == 0; ++i) {
    auto room = log_->wait_room(milliseconds(0));
    ASSERT_TRUE(room);
    log_->record(std::move(*room), {.operation = "put", .key = "k"});
  }
  EXPECT_GT(log_->dropped(), 0U);
}

TEST_F(AuditLogRoom, AFailedSyncIsFollowedByANewFile) {
  open();
  record("put");
  settle();
  files_->set_faults({.fail_sync_after = files_->syncs()});
  record("touch");
  settle();
  std::this_thread::sleep_for(milliseconds(250));
  files_->set_faults({});
  record("delete");
  EXPECT_THAT(operations(), ElementsAre("delete", "touch", "put"));
  EXPECT_TRUE(log_->verify()->valid) << text_of(*log_->verify());
}

TEST_F(AuditLogRoom, StrangersFillNoDisk) {
  open();
  for (int i = 0; i < 1500; ++i) log_->record_refusal({.operation = "get", .outcome = Outcome::unauthorized});
  for (int i = 0; i < 10; ++i) {
    log_->record_refusal({.operation = "get", .outcome = Outcome::forbidden, .user = command::TokenId(1)});
  }
  EXPECT_THAT(operations({.result = "unauthorized", .limit = 10'000}), SizeIs(1000));
  EXPECT_THAT(operations({.result = "forbidden"}), SizeIs(10));
  EXPECT_EQ(log_->dropped(), 500U);
  close();
  open();
  EXPECT_THAT(operations({.operation = "audit_suppressed"}), SizeIs(1));
}

TEST_F(AuditLogRoom, ADirectoryBelongsToOneNode) {
  open();
  const auto second = Log::open(std::make_unique<env::BorrowedFileSystem>(*files_), std::make_unique<Clock>(now_us_),
                                options_, "n2", {});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message(), HasSubstr("audit_log.log_dir"));
}

TEST_F(AuditLogRoom, AStepBackOfTheClockIsNotSeen) {
  open();
  record("put");
  settle();
  now_us_ -= 10 * day_us;
  record("touch");
  const auto lines = log_->query({});
  EXPECT_GE(entry_of((*lines)[0])->timestamp, entry_of((*lines)[1])->timestamp);
  EXPECT_THAT(log_files(), SizeIs(1));
}

}  // namespace
}  // namespace concord::audit

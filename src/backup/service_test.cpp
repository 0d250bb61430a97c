// Backups of a real node: made, restored, by themselves.
#include "backup/service.hpp"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "env/clock.hpp"
#include "node/draw.hpp"
#include "store/view.hpp"

namespace concord::backup {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

class BackupService : public testing::Test {
 protected:
  BackupService() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    directory_ =
        std::filesystem::temp_directory_path() / ("concord_backup." + std::to_string(::getpid()) + "." + test->name());
    std::filesystem::remove_all(directory_);
  }
  ~BackupService() override {
    service_.reset();
    runtime_.reset();
    std::filesystem::remove_all(directory_);
  }
  void open(const std::string& schedule = "off", std::uint64_t keep_count = 0) {
    Options options;
    options.data_dir = directory_ / "data";
    options.durability = Durability::memory;
    options.backup = {.dir = directory_ / "backups", .schedule = schedule, .keep_count = keep_count};
    auto runtime = node::Runtime::open(
        {.files = env::make_real_file_system(), .clock = std::make_unique<env::RealClock>()}, options);
    ASSERT_TRUE(runtime) << runtime.error().message();
    runtime_ = std::move(*runtime);
    auto service = Service::open(*runtime_);
    ASSERT_TRUE(service) << service.error().message();
    service_ = std::move(*service);
  }
  void put(std::string_view key, const Value& value) {
    ASSERT_TRUE(runtime_->write({.kind = command::CommandKind::put, .key = key, .value = value.stored()}, 5s));
  }
  std::string contents() {
    std::string all;
    runtime_->state().view().visit_from("", [&](const store::Record& record) {
      all += std::string(record.key()) + "=" + std::string(record.value().substr(1)) + " ";
      return true;
    });
    return all;
  }
  static Deadline soon() { return steady_clock::now() + 60s; }

  std::filesystem::path directory_;
  std::unique_ptr<node::Runtime> runtime_;
  std::unique_ptr<Service> service_;
};

TEST_F(BackupService, WhatWasBackedUpComesBack) {
  open();
  for (int i = 0; i < 3000; ++i) put("key" + std::to_string(i), std::string(500, static_cast<char>('a' + i % 26)));
  const std::string before = contents();
  const auto made = service_->create({}, soon(), {});
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->entry_count, 3000U);
  EXPECT_EQ(std::filesystem::status(made->path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_TRUE(service_->verify(made->name, soon())->valid);
  put("new", 1);
  put("key1", 1);
  const Revision revision = runtime_->state().revision();
  std::uint64_t last_done = 0;
  RestoreBackupOptions options;
  options.progress = [&](std::uint64_t done, std::uint64_t total) {
    EXPECT_LE(done, total);
    EXPECT_GE(done, std::min(last_done, total));
    last_done = done;
  };
  const auto restored = service_->restore(made->name, options, {}, soon());
  ASSERT_TRUE(restored) << restored.error().message();
  EXPECT_EQ(restored->revision, revision.next());
  EXPECT_EQ(restored->entry_count, 3000U);
  EXPECT_EQ(contents(), before);
}

TEST_F(BackupService, ADamagedBackupIsRefusedAndChangesNothing) {
  open();
  put("a", 1);
  const auto made = service_->create({}, soon(), {});
  ASSERT_TRUE(made);
  put("a", 2);
  const Revision revision = runtime_->state().revision();
  std::filesystem::resize_file(made->path, made->size_bytes - 1);
  const auto verdict = service_->verify(made->name, soon());
  ASSERT_TRUE(verdict);
  EXPECT_FALSE(verdict->valid);
  EXPECT_FALSE(verdict->reason.empty());
  const auto restored = service_->restore(made->name, {}, {}, soon());
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().code(), Errc::invalid_backup);
  EXPECT_EQ(runtime_->state().revision(), revision);
  EXPECT_EQ(contents(), "a=2 ");
  EXPECT_EQ(service_->restore("no.backup", {}, {}, soon()).error().code(), Errc::not_found);
  EXPECT_EQ(service_->restore((directory_ / "data" / "identity").string(), {}, {}, soon()).error().code(),
            Errc::invalid_backup);
}

TEST_F(BackupService, AnEmptyStoreIsABackupToo) {
  open();
  const auto made = service_->create({}, soon(), {});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->entry_count, 0U);
  put("a", 1);
  const auto restored = service_->restore(made->path, {}, {}, soon());
  ASSERT_TRUE(restored) << restored.error().message();
  EXPECT_EQ(contents(), "");
  EXPECT_EQ(restored->revision, Revision(2));
}

TEST_F(BackupService, ATimeThatIsOverLeavesNothing) {
  open();
  put("a", 1);
  const auto late = service_->create({}, steady_clock::now() - 1s, {});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), Errc::timeout);
  EXPECT_TRUE(std::filesystem::is_empty(directory_ / "backups"));
  const auto made = service_->create({}, soon(), {});
  const auto restored = service_->restore(made->name, {}, {}, steady_clock::now() - 1s);
  ASSERT_FALSE(restored);
  EXPECT_EQ(restored.error().code(), Errc::timeout);
}

TEST_F(BackupService, ARestartGoesOnBehindARestore) {
  open();
  put("a", 1);
  const auto made = service_->create({}, soon(), {});
  put("b", 2);
  ASSERT_TRUE(service_->restore(made->name, {}, {}, soon()));
  put("c", 3);
  const std::string before = contents();
  service_.reset();
  runtime_.reset();
  open();
  EXPECT_EQ(contents(), before);
  EXPECT_EQ(runtime_->state().revision(), Revision(4));
}

TEST_F(BackupService, MakesBackupsByItself) {
  open("1s", 1);
  put("a", 1);
  const auto end = steady_clock::now() + 60s;
  std::size_t found = 0;
  while (found == 0 && steady_clock::now() < end) {
    std::this_thread::sleep_for(50ms);
    found = service_->list({})->backups.size();
  }
  EXPECT_EQ(found, 1U);
}

TEST_F(BackupService, AScheduleThatIsNoneIsRefused) {
  open();
  Options options = runtime_->options();
  service_.reset();
  runtime_.reset();
  options.backup.schedule = "now and then";
  auto runtime = node::Runtime::open(
      {.files = env::make_real_file_system(), .clock = std::make_unique<env::RealClock>()}, options);
  ASSERT_TRUE(runtime);
  const auto service = Service::open(**runtime);
  ASSERT_FALSE(service);
  EXPECT_NE(service.error().message().find("backup.schedule"), std::string::npos);
}

TEST_F(BackupService, WorkThatIsHandedOverIsDoneAndAfterTheEndRefused) {
  open();
  std::promise<void> done;
  ASSERT_TRUE(service_->run([&] { done.set_value(); }));
  done.get_future().wait();
  service_->stop();
  EXPECT_FALSE(service_->run([] {}));
  EXPECT_FALSE(service_->create({}, soon(), {}));
}

}  // namespace
}  // namespace concord::backup

// For tests: a log over files in memory, with a clock that the test moves.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "audit/log.hpp"
#include "audit/verify.hpp"
#include "env/borrowed_file_system.hpp"
#include "env/memory_file_system.hpp"

namespace concord::audit {

inline constexpr std::int64_t day_us = 86'400'000'000;
/// 2026-02-03T04:05:06.789012Z
inline constexpr std::int64_t start_us = 1'770'091'506'789'012;

class TestingLog : public testing::Test {
 protected:
  class Clock final : public env::Clock {
   public:
    explicit Clock(const std::atomic<std::int64_t>& now_us) : now_us_(&now_us) {}
    std::uint64_t monotonic_ms() const noexcept override { return static_cast<std::uint64_t>(wall_ms()); }
    std::int64_t wall_ms() const noexcept override { return now_us_->load() / 1000; }
    std::int64_t wall_us() const noexcept override { return now_us_->load(); }

   private:
    const std::atomic<std::int64_t>* now_us_;
  };

  TestingLog() {
    options_.enabled = true;
    options_.log_dir = "logs";
  }

  void open() {
    log_.reset();
    auto log = Log::open(std::make_unique<env::BorrowedFileSystem>(*files_), std::make_unique<Clock>(now_us_), options_,
                         "n1", [this](LogLevel, std::string_view line) {
                           const base::MutexLock lock(remarks_mutex_);
                           remarks_ += std::string(line) + "\n";
                         });
    ASSERT_TRUE(log) << log.error().message();
    log_ = std::move(*log);
  }
  void close() { log_.reset(); }
  void record(std::string_view operation, std::string_view key = "k", Outcome outcome = Outcome::ok) {
    auto room = log_->wait_room(std::chrono::seconds(5));
    ASSERT_TRUE(room) << room.error().message();
    log_->record(std::move(*room), {.operation = operation, .outcome = outcome, .key = key});
  }
  /// What was recorded is written.
  void settle() { EXPECT_TRUE(log_->query({})); }
  std::vector<std::string> operations(const AuditQuery& query = {}) {
    std::vector<std::string> found;
    const auto lines = log_->query(query);
    EXPECT_TRUE(lines);
    if (!lines) return found;
    for (const std::string& line : *lines) found.push_back(entry_of(line)->operation);
    return found;
  }
  std::vector<std::string> log_files() const {
    std::vector<std::string> found;
    for (const std::string& path : files_->paths()) {
      if (path.ends_with(suffix)) found.push_back(path);
    }
    return found;
  }
  std::string key() const { return files_->contents("logs/audit.key").substr(0, hex_size); }
  AuditVerification verify_closed(env::FileSystem& files) const {
    const std::string directory = "logs";
    const std::string log_key = key();
    auto verified = audit::verify(files, {.directory = directory, .key = log_key});
    EXPECT_TRUE(verified);
    return verified.value_or(AuditVerification{});
  }
  static std::string text_of(const AuditVerification& verification) {
    std::string text;
    for (const AuditProblem& problem : verification.problems) {
      text += problem.file + ":" + std::to_string(problem.line) + ": " + problem.what + "\n";
    }
    return text;
  }

  std::unique_ptr<env::MemoryFileSystem> files_ = std::make_unique<env::MemoryFileSystem>();
  std::atomic<std::int64_t> now_us_{start_us};
  AuditLogOptions options_;
  base::Mutex remarks_mutex_;
  std::string remarks_;
  std::unique_ptr<Log> log_;
};

}  // namespace concord::audit

// What the tests of the log share: a log in memory with small segments, and the model it is compared with.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "env/memory_file_system.hpp"
#include "log/log.hpp"

namespace concord::log {

struct ModelEntry {
  std::uint64_t term = 0;
  std::string data;
  friend bool operator==(const ModelEntry&, const ModelEntry&) = default;
};
using Model = std::vector<ModelEntry>;

class LogHandle {
 public:
  explicit LogHandle(std::unique_ptr<Log> log) : log_(std::move(log)) {}
  Log* operator->() const { return log_.get(); }
  void drop() { log_.reset(); }

  void append(const Model& batch, const std::optional<base::HardState>& hard_state) {
    append_at(log_->last_index().next(), batch, hard_state);
  }
  void append_at(base::Index first, const Model& batch, const std::optional<base::HardState>& hard_state) {
    std::vector<base::EntryView> entries;
    for (const ModelEntry& entry : batch) {
      entries.push_back(
          {.index = base::Index(first.value() + entries.size()), .term = base::Term(entry.term), .data = entry.data});
    }
    const auto appended = log_->append(entries, hard_state);
    ASSERT_TRUE(appended) << appended.error().message();
  }
  void purge(base::Index up_to) {
    const auto removed = log_->remove_files(log_->retire(up_to));
    ASSERT_TRUE(removed) << removed.error().message();
  }
  [[nodiscard]] Model replayed() {
    Model model;
    base::Index next = log_->first_index();
    const auto done = log_->replay(base::Index(0), [&](const base::EntryView& entry) -> Result<void> {
      EXPECT_EQ(entry.index, next);
      next = next.next();
      model.push_back({entry.term.value(), std::string(entry.data)});
      return {};
    });
    EXPECT_TRUE(done);
    EXPECT_EQ(next, log_->last_index().next());
    return model;
  }

 private:
  std::unique_ptr<Log> log_;
};

struct LogFixture {
  LogFixture() { (void)files->make_directories(directory); }

  [[nodiscard]] LogHandle create() {
    auto log = Log::create(*files, directory, options, base::Index(1), {});
    EXPECT_TRUE(log) << log.error().message();
    return LogHandle(std::move(*log));
  }
  /// The process ends and another one comes.
  [[nodiscard]] LogHandle reopen(LogHandle log) {
    log.drop();
    auto opened = Log::open(*files, directory, options);
    EXPECT_TRUE(opened) << opened.error().message();
    return LogHandle(std::move(*opened));
  }
  [[nodiscard]] std::size_t segment_count() const {
    std::size_t count = 0;
    for (const std::string& path : files->paths()) count += path.ends_with(".log") ? 1 : 0;
    return count;
  }

  std::unique_ptr<env::MemoryFileSystem> files = std::make_unique<env::MemoryFileSystem>();
  std::string directory = "/d/log";
  LogOptions options{
      .segment_bytes = 8192, .buffered = false, .buffer_limit_bytes = 4096, .salt = 0x1234, .boot_id = 1};
};

}  // namespace concord::log

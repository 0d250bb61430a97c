// For tests: a machine of memory, whose files, clocks and power belong to the test, with a node on it.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "env/memory_file_system.hpp"
#include "env/testing_watched_files.hpp"
#include "node/runtime.hpp"
#include "store/view.hpp"

namespace concord::node {

/// Stands still until the test moves it.
class HandClock final : public env::Clock {
 public:
  struct Hands {
    std::atomic<std::uint64_t> monotonic_ms{1'000'000};
    std::atomic<std::int64_t> wall_ms{1'700'000'000'000};
  };
  explicit HandClock(std::shared_ptr<Hands> hands) : hands_(std::move(hands)) {}
  std::uint64_t monotonic_ms() const noexcept override { return hands_->monotonic_ms.load(); }
  std::int64_t wall_ms() const noexcept override { return hands_->wall_ms.load(); }

 private:
  std::shared_ptr<Hands> hands_;
};

/// Where the syncs of the log are held up while it is closed, and all are counted.
class SyncGate {
 public:
  void pass(const std::string& path) {
    if (path.find("/log/") == std::string::npos) return;
    std::unique_lock lock(mutex_);
    ++arrived_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return allowed_ > 0; });
    if (is_closed_) --allowed_;
  }
  void close() {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    allowed_ = 0;
  }
  void let_one_pass() { allow(true, 1); }
  void open() { allow(false, 1); }
  void wait_for_arrivals(std::uint64_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return arrived_ >= count; });
  }
  [[nodiscard]] std::uint64_t arrived() {
    const std::lock_guard lock(mutex_);
    return arrived_;
  }

 private:
  void allow(bool is_closed, std::uint64_t count) {
    const std::lock_guard lock(mutex_);
    is_closed_ = is_closed;
    allowed_ = count;
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_closed_ = false;
  std::uint64_t allowed_ = 1;
  std::uint64_t arrived_ = 0;
};

inline std::string stored(std::string_view json) { return std::string(1, '\0') + std::string(json); }

using Contents = std::map<std::string, std::string>;

struct Machine {
  Machine() {
    set_boot(1);
    files->before_sync([this](const std::string& path) { gate.pass(path); });
    options.data_dir = "/data";
    options.heartbeat = std::chrono::milliseconds(1);
    options.election_timeout = std::chrono::milliseconds(2);
    options.flush_interval = std::chrono::milliseconds(5);
    options.log = [this](LogLevel, std::string_view line) {
      const std::lock_guard lock(said_mutex);
      said += std::string(line) + '\n';
    };
  }

  [[nodiscard]] Result<std::unique_ptr<Runtime>> try_open() {
    return Runtime::open(
        {.files = std::make_unique<env::WatchedFileSystem>(*files, watch), .clock = std::make_unique<HandClock>(hands)},
        options, segment_bytes);
  }
  [[nodiscard]] std::unique_ptr<Runtime> open() {
    auto opened = try_open();
    EXPECT_TRUE(opened) << opened.error().message();
    if (!opened) throw std::runtime_error("the node does not open: " + opened.error().message());
    return std::move(*opened);
  }

  void lose_power(std::uint64_t seed) {
    files->power_cut(seed);
    set_boot(++boots);
  }
  /// A machine with the files as a process that ends now leaves them.
  [[nodiscard]] std::unique_ptr<Machine> as_left_by_a_kill() const {
    auto left = std::make_unique<Machine>();
    left->files = files->clone();
    left->options.durability = options.durability;
    left->segment_bytes = segment_bytes;
    return left;
  }
  void pass_ms(std::uint64_t monotonic_ms) {
    hands->monotonic_ms += monotonic_ms;
    hands->wall_ms += static_cast<std::int64_t>(monotonic_ms);
  }
  /// Other threads will see to it; time passes in small steps meanwhile.
  template <class Condition>
  [[nodiscard]] bool comes_true(Condition condition, std::uint64_t step_ms = 1) {
    const auto give_up_at = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > give_up_at) return false;
      pass_ms(step_ms);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }
  [[nodiscard]] std::string all_said() {
    const std::lock_guard lock(said_mutex);
    return said;
  }

  std::unique_ptr<env::MemoryFileSystem> files = std::make_unique<env::MemoryFileSystem>();
  std::shared_ptr<HandClock::Hands> hands = std::make_shared<HandClock::Hands>();
  env::FileWatch watch;
  SyncGate gate;
  Options options;
  std::uint64_t segment_bytes = 16U << 10U;
  std::uint64_t boots = 1;
  std::mutex said_mutex;
  std::string said;

 private:
  void set_boot(std::uint64_t number) {
    files->set_contents("/proc/sys/kernel/random/boot_id", "boot " + std::to_string(number));
  }
};

inline Write put_of(std::string_view key, std::string_view value, std::uint32_t ttl_s = 0) {
  return {.kind = command::CommandKind::put, .key = key, .value = value, .ttl_s = ttl_s};
}

inline Answer put(Runtime& node, std::string_view key, std::string_view json, std::uint32_t ttl_s = 0) {
  return node.write(put_of(key, stored(json), ttl_s), std::chrono::seconds(60));
}

inline bool has(const Runtime& node, std::string_view key) {
  Value ignored;
  return node.state().get(key, ignored);
}

inline Contents contents_of(const Runtime& node) {
  Contents all;
  const store::View view = node.state().view();
  view.visit_from("", [&](const store::Record& record) {
    all[std::string(record.key())] = record.value();
    return true;
  });
  return all;
}

/// Collects the answers of asynchronous writes, each with how often it came.
class Answers {
 public:
  [[nodiscard]] Completion<command::Outcome> slot() {
    const std::lock_guard lock(mutex_);
    const std::size_t at = slots_.size();
    slots_.emplace_back();
    return [this, at](Answer answer) {
      const std::lock_guard inner(mutex_);
      ++slots_[at].calls;
      slots_[at].answer = std::move(answer);
      ++answered_;
    };
  }
  [[nodiscard]] std::size_t answered() const {
    const std::lock_guard lock(mutex_);
    return answered_;
  }
  [[nodiscard]] bool all_answered() const {
    const std::lock_guard lock(mutex_);
    return answered_ >= slots_.size();
  }
  [[nodiscard]] std::vector<Answer> each_once() {
    const std::lock_guard lock(mutex_);
    std::vector<Answer> all;
    for (Slot& slot : slots_) {
      EXPECT_EQ(slot.calls, 1) << "of answer " << all.size();
      all.push_back(slot.answer ? *slot.answer : fail(Errc::internal, "never answered"));
    }
    return all;
  }

 private:
  struct Slot {
    int calls = 0;
    std::optional<Answer> answer;
  };
  mutable std::mutex mutex_;
  std::vector<Slot> slots_;
  std::size_t answered_ = 0;
};

}  // namespace concord::node

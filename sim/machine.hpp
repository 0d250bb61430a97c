// One simulated computer: a disk, clocks, power, and a process with a node, which does one thing at a time.
//
// Whatever comes to the process (a message, an answer, a call, its timer) waits in its inbox until it has finished what it did
// before: a sync takes time, and the process stands still for it. The node is the real one (node/runtime.hpp), without
// threads; its files are the real log and snapshot code over a disk in memory.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "env/memory_file_system.hpp"
#include "node/runtime.hpp"
#include "sim/world.hpp"
#include "store/history.hpp"

namespace concord::sim {

class Network;

/// How long a disk takes, and what goes wrong with it.
struct DiskMood {
  TimeUs least_sync_us = 50;
  TimeUs most_sync_us = 300;
};

class Machine {
 public:
  struct Hooks {
    /// After anything the node did.
    std::function<void(Machine&)> observe;
    /// The process begins.
    std::function<void()> started;
    /// The process is gone.
    std::function<void(Machine&)> ended;
  };

  Machine(World& world, Network& network, std::size_t number, Options options, Hooks hooks);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // --- the process -------------------------------------------------------------------------------------------------------
  void start();
  /// kill -9: what was written stays.
  void kill();
  /// The process ends, and what was not synced is lost, wholly or in part.
  void lose_power();
  /// The process ends in the middle of a later change of its disk.
  void end_at_change(std::uint64_t changes_from_now, bool loses_power);
  void pause();
  void resume();
  /// An empty disk, as of a new machine. Precondition: the process is down.
  void wipe();
  [[nodiscard]] bool is_up() const noexcept { return runtime_ != nullptr; }
  [[nodiscard]] bool is_paused() const noexcept { return is_paused_; }
  [[nodiscard]] bool is_running() const noexcept { return is_up() && !is_paused_; }
  [[nodiscard]] TimeUs paused_since_us() const noexcept { return paused_since_us_; }
  /// Why the last start failed.
  [[nodiscard]] const std::optional<Error>& start_problem() const noexcept { return start_problem_; }

  /// Does it in the process, when that has time; never, if the process ends before.
  void post(World::Event event) { post(world_.now_us(), std::move(event)); }
  /// What was sent to it then.
  void post(TimeUs sent_us, World::Event event);
  /// The same, outside of all work: a process that does nothing does it at once.
  void deliver(TimeUs sent_us, World::Event event);
  /// Does it in the process at once. Precondition: `is_running`, and nothing of this process is being done.
  void call(const std::function<void()>& work);

  // --- what it is made of ------------------------------------------------------------------------------------------------
  [[nodiscard]] std::size_t number() const noexcept { return number_; }
  [[nodiscard]] const std::string& name() const noexcept { return options_.name; }
  [[nodiscard]] Options& options() noexcept { return options_; }
  [[nodiscard]] const Options& options() const noexcept { return options_; }
  /// Precondition: `is_up`.
  [[nodiscard]] node::Runtime& runtime() noexcept { return *runtime_; }
  [[nodiscard]] const node::Runtime& runtime() const noexcept { return *runtime_; }
  [[nodiscard]] env::MemoryFileSystem& disk() noexcept { return *disk_; }
  [[nodiscard]] DiskMood& disk_mood() noexcept { return mood_; }
  /// The time as this machine's process lives it: later than the world's while it waits for its disk.
  [[nodiscard]] TimeUs local_now_us() const noexcept;
  [[nodiscard]] World& world() noexcept { return world_; }
  /// For who observes it: the index whose state was looked at last in this life of the process.
  [[nodiscard]] std::uint64_t& last_observed() noexcept { return last_observed_; }
  /// The events of this life of the process, and up to which of them was looked at. Precondition: `is_up`.
  [[nodiscard]] const store::History& history() const noexcept { return *history_; }
  [[nodiscard]] Revision& last_event() noexcept { return last_event_; }
  /// Cluster time at the last look, in this life of the process.
  [[nodiscard]] std::uint64_t& last_time_ms() noexcept { return last_time_ms_; }
  /// What it must never do and has done, if it was seen in the middle of its work.
  [[nodiscard]] const std::optional<std::string>& misdeed() const noexcept { return misdeed_; }
  void note_misdeed(std::string what) { misdeed_ = std::move(what); }
  void set_wall_clock(std::int64_t offset_ms) noexcept { wall_offset_ms_ = offset_ms; }
  /// Parts in a million that the machine's monotonic clock is fast or slow. Precondition: the process is down.
  void set_drift(std::int64_t parts_per_million) noexcept { drift_ppm_ = parts_per_million; }
  /// The longest that anything which it has done within `within_us` had been under way, and had waited, before.
  [[nodiscard]] TimeUs worst_delay_us(TimeUs within_us) const;
  [[nodiscard]] std::uint64_t monotonic_ms() const noexcept;
  [[nodiscard]] std::int64_t wall_ms() const noexcept;

 private:
  class Clock;
  class Executor;

  void boot();
  [[nodiscard]] node::Host make_host();
  void end_process();
  void wake_up();
  void run();
  void settle();
  void plan_timer();
  void on_sync();
  void note_delay(TimeUs delay_us);

  World& world_;
  Network& network_;
  const std::size_t number_;
  Options options_;
  const Hooks hooks_;
  std::unique_ptr<env::MemoryFileSystem> disk_;
  DiskMood mood_;
  std::int64_t wall_offset_ms_ = 0;
  std::int64_t drift_ppm_ = 0;
  TimeUs booted_at_us_ = 0;
  std::uint64_t boots_ = 0;
  bool loses_power_at_end_ = false;

  std::unique_ptr<node::Runtime> runtime_;
  std::optional<Error> start_problem_;
  std::uint64_t life_ = 0;  // of the process: what was planned for an earlier one is void
  struct Waiting {
    TimeUs sent_us = 0;
    World::Event event;
  };
  std::deque<Waiting> inbox_;
  std::deque<std::pair<TimeUs, TimeUs>> delays_;  // when, how long; each longer than all behind it
  bool is_woken_ = false;
  bool is_paused_ = false;
  bool is_working_ = false;
  std::uint64_t last_observed_ = 0;
  std::shared_ptr<store::History> history_;
  Revision last_event_;
  std::uint64_t last_time_ms_ = 0;
  std::optional<std::string> misdeed_;
  TimeUs paused_since_us_ = 0;
  TimeUs busy_until_us_ = 0;
  TimeUs timer_at_us_ = 0;  // 0: none
};

}  // namespace concord::sim

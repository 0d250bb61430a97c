#include "sim/machine.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "env/borrowed_file_system.hpp"
#include "sim/network.hpp"

namespace concord::sim {

namespace {

constexpr std::uint64_t segment_bytes = 64U << 10U;
/// What a monotonic clock shows after a boot: not 0, which means "never" in places.
constexpr std::uint64_t boot_offset_ms = 1'000'000;
constexpr std::int64_t epoch_ms = 1'700'000'000'000;
constexpr std::int64_t million = 1'000'000;
/// All of them are written with each snapshot.
constexpr std::uint64_t kept_events = 100;
constexpr TimeUs longest_memory_us = 10 * second;

}  // namespace

class Machine::Clock final : public env::Clock {
 public:
  explicit Clock(const Machine& machine) : machine_(machine) {}
  std::uint64_t monotonic_ms() const noexcept override { return machine_.monotonic_ms(); }
  std::int64_t wall_ms() const noexcept override { return machine_.wall_ms(); }

 private:
  const Machine& machine_;
};

/// Tasks are things that the process does.
class Machine::Executor final : public env::Executor {
 public:
  explicit Executor(Machine& machine) : machine_(machine), alive_(std::make_shared<bool>(true)) {}
  ~Executor() override { *alive_ = false; }
  void after(std::chrono::milliseconds delay, Task task) override {
    constexpr TimeUs thread_start_us = 20;
    machine_.world_.at(machine_.local_now_us() + static_cast<TimeUs>(delay.count()) * ms + thread_start_us,
                       [&machine = machine_, alive = alive_, task = std::move(task)]() mutable {
                         if (!*alive) return;
                         machine.post([alive, task = std::move(task)]() mutable {
                           if (*alive) task();
                         });
                       });
  }

 private:
  Machine& machine_;
  std::shared_ptr<bool> alive_;
};

Machine::Machine(World& world, Network& network, std::size_t number, Options options, Hooks hooks)
    : world_(world), network_(network), number_(number), options_(std::move(options)), hooks_(std::move(hooks)) {
  options_.log = [this](LogLevel, std::string_view line) {
    if (world_.is_told()) world_.tell(name() + " says: " + std::string(line));
  };
  wipe();
  boot();
}

Machine::~Machine() {
  if (is_up()) end_process();
}

void Machine::wipe() {
  CONCORD_CHECK(!is_up(), "a disk is changed while nobody uses it");
  disk_ = std::make_unique<env::MemoryFileSystem>();
  disk_->before_sync([this](const std::string&) { on_sync(); });
}

void Machine::boot() {
  booted_at_us_ = world_.now_us();
  disk_->set_contents("/proc/sys/kernel/random/boot_id",
                      "boot " + std::to_string(++boots_) + " of " + std::to_string(number_));
}

std::uint64_t Machine::monotonic_ms() const noexcept {
  const auto passed_us = static_cast<std::int64_t>(local_now_us() - booted_at_us_);
  return boot_offset_ms + static_cast<std::uint64_t>((passed_us + passed_us * drift_ppm_ / million) / 1000);
}

std::int64_t Machine::wall_ms() const noexcept {
  return epoch_ms + static_cast<std::int64_t>(local_now_us() / ms) + wall_offset_ms_;
}

TimeUs Machine::local_now_us() const noexcept { return std::max(world_.now_us(), busy_until_us_); }

void Machine::on_sync() { busy_until_us_ = local_now_us() + world_.between(mood_.least_sync_us, mood_.most_sync_us); }

// ---------------------------------------------------------------------------------------------------------------------
// Life and death.

node::Host Machine::make_host() {
  return {.files = std::make_unique<env::BorrowedFileSystem>(*disk_),
          .clock = std::make_unique<Clock>(*this),
          .draw = [this] { return world_.random().next() | 1U; },
          .open_transport = [this](const transport::Options& options,
                                   transport::Handler& handler) { return network_.open(*this, options, handler); },
          .make_executor = [this] { return std::make_unique<Executor>(*this); },
          .history = history_,
          .has_threads = false};
}

void Machine::start() {
  CONCORD_CHECK(!is_up(), "a process is started once");
  ++life_;
  if (hooks_.started) hooks_.started();
  is_paused_ = false;
  busy_until_us_ = world_.now_us();
  timer_at_us_ = 0;
  last_observed_ = 0;
  history_ = std::make_shared<store::History>(store::HistoryLimits{.max_events = kept_events});
  last_event_ = {};
  last_time_ms_ = 0;
  start_problem_.reset();
  is_working_ = true;
  auto opened = node::Runtime::open(make_host(), options_, segment_bytes);
  is_working_ = false;
  if (!opened) {
    start_problem_ = opened.error();
    world_.tell(name() + " does not start: " + opened.error().message());
    return;
  }
  runtime_ = std::move(*opened);
  world_.tell(name() + " has started");
  network_.machine_started(*this);
  settle();
}

void Machine::end_process() {
  CONCORD_CHECK(!is_working_, "a process does not end inside its own work");
  disk_->set_faults({.stop_after = disk_->changes()});  // whatever its destructor would like to write
  is_paused_ = false;
  is_working_ = true;
  runtime_.reset();
  is_working_ = false;
  ++life_;
  inbox_.clear();
  is_woken_ = false;
  disk_->set_faults({});
  if (hooks_.ended) hooks_.ended(*this);
}

void Machine::kill() {
  if (!is_up()) return;
  world_.tell(name() + " is killed");
  end_process();
}

void Machine::lose_power() {
  if (is_up()) {
    network_.silence(*this);
    end_process();
  }
  world_.tell(name() + " loses power");
  disk_->power_cut(world_.random().next());
  boot();
}

void Machine::end_at_change(std::uint64_t changes_from_now, bool loses_power) {
  if (!is_up()) return;
  loses_power_at_end_ = loses_power;
  disk_->set_faults({.stop_after = disk_->changes() + changes_from_now});
}

void Machine::pause() {
  if (!is_running()) return;
  world_.tell(name() + " stands still");
  is_paused_ = true;
  paused_since_us_ = world_.now_us();
  network_.machine_paused(*this);
}

void Machine::resume() {
  if (!is_up() || !is_paused_) return;
  world_.tell(name() + " goes on");
  is_paused_ = false;
  wake_up();
}

// ---------------------------------------------------------------------------------------------------------------------
// Work.

void Machine::post(TimeUs sent_us, World::Event event) {
  if (!is_up() && !is_working_) return;
  inbox_.push_back({.sent_us = sent_us, .event = std::move(event)});
  wake_up();
}

void Machine::deliver(TimeUs sent_us, World::Event event) {
  const bool is_free =
      is_running() && !is_working_ && !is_woken_ && inbox_.empty() && local_now_us() <= world_.now_us();
  if (!is_free) return post(sent_us, std::move(event));
  note_delay(world_.now_us() - sent_us);
  is_working_ = true;
  event();
  is_working_ = false;
  settle();
}

void Machine::wake_up() {
  if (is_woken_ || is_paused_) return;
  is_woken_ = true;
  world_.at(local_now_us(), [this, life = life_] {
    if (life == life_) run();
  });
}

void Machine::run() {
  is_woken_ = false;
  if (!is_running()) return;
  if (local_now_us() > world_.now_us()) return wake_up();
  is_working_ = true;
  if (timer_at_us_ != 0 && world_.now_us() >= timer_at_us_) {
    timer_at_us_ = 0;
    runtime_->step();
  } else if (!inbox_.empty()) {
    Waiting next = std::move(inbox_.front());
    inbox_.pop_front();
    note_delay(world_.now_us() - next.sent_us);
    next.event();
  }
  is_working_ = false;
  settle();
}

void Machine::note_delay(TimeUs delay_us) {
  while (!delays_.empty() && delays_.back().second <= delay_us) delays_.pop_back();
  delays_.emplace_back(world_.now_us(), delay_us);
  while (delays_.size() > 1 && delays_.front().first + longest_memory_us < world_.now_us()) delays_.pop_front();
}

TimeUs Machine::worst_delay_us(TimeUs within_us) const {
  const TimeUs since_us = world_.now_us() - std::min(world_.now_us(), within_us);
  const auto first = std::ranges::find_if(delays_, [&](const auto& delay) { return delay.first >= since_us; });
  return first == delays_.end() ? 0 : first->second;
}

void Machine::call(const std::function<void()>& work) {
  is_working_ = true;
  work();
  is_working_ = false;
  settle();
}

/// After something was done: threads that were woken work, timers are set anew, and everybody may look.
void Machine::settle() {
  is_working_ = true;
  for (int steps = 0; runtime_->wants_step(); ++steps) {
    CONCORD_CHECK(steps < 10'000, "a node comes to rest");
    runtime_->step();
  }
  is_working_ = false;
  if (hooks_.observe) hooks_.observe(*this);
  if (disk_->has_stopped()) {
    world_.after(0, [this, life = life_] {
      if (life != life_ || !is_up()) return;
      if (loses_power_at_end_) return lose_power();
      kill();
    });
    return;
  }
  if (!inbox_.empty()) wake_up();
  plan_timer();
}

void Machine::plan_timer() {
  const std::uint64_t now_ms = monotonic_ms();
  const std::uint64_t due_ms = runtime_->next_step_ms();
  const TimeUs wait_us = due_ms > now_ms ? (due_ms - now_ms) * ms : 100;
  const TimeUs due_us = local_now_us() + wait_us;
  if (timer_at_us_ != 0 && timer_at_us_ <= due_us) return;
  timer_at_us_ = due_us;
  world_.at(due_us, [this, life = life_] {  // unless it was set anew meanwhile
    if (life == life_ && timer_at_us_ != 0 && timer_at_us_ <= world_.now_us()) wake_up();
  });
}

}  // namespace concord::sim

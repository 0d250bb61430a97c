#include "observe/telemetry_hub.hpp"

#include <algorithm>
#include <exception>

namespace concord::observe {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t queue_limit = 10'000;

constexpr std::uint64_t api_bits = (std::uint64_t{1} << operation_count) - 1;
static_assert(event_count <= 64);

std::vector<std::string> make_names() {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < operation_count; ++i) {
    names.push_back("concord.api." + std::string(operation_name(static_cast<ApiOperation>(i))));
  }
  for (const char* name : {"concord.operation.apply", "concord.state.change", "concord.snapshot.created",
                           "concord.snapshot.installed", "concord.cluster.status"}) {
    names.emplace_back(name);
  }
  return names;
}

/// The events of that name as bits; 0: there are none.
std::uint64_t events_named(std::string_view name) {
  const bool is_pattern = name.ends_with(".*");
  if (is_pattern) name.remove_suffix(1);
  std::uint64_t events = 0;
  for (std::size_t i = 0; i < event_count; ++i) {
    const std::string& each = event_name(i);
    if (is_pattern ? each.starts_with(name) : each == name) events |= std::uint64_t{1} << i;
  }
  return events;
}

/// So many handlers, one inside the other, run on this thread: it must not wait for itself.
thread_local int handlers_running = 0;

}  // namespace

const std::string& event_name(std::size_t event) {
  static const std::vector<std::string> names = make_names();
  return names[event];
}

/// A look at the table.
class TelemetryHub::Section {
 public:
  explicit Section(TelemetryHub& hub) noexcept {
    const std::uint32_t round = hub.round_.load(std::memory_order_relaxed);
    count_ = &hub.inside_[this_threads_stripe()].count[round & 1U];
    count_->fetch_add(1, std::memory_order_seq_cst);
    ++handlers_running;
  }
  ~Section() {
    --handlers_running;
    count_->fetch_sub(1, std::memory_order_release);
  }
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;

 private:
  std::atomic<std::uint32_t>* count_;
};

TelemetryHub::TelemetryHub(const TelemetryOptions& options, std::function<void(LogLevel, std::string_view)> log)
    : options_(options), log_(std::move(log)), current_(std::make_unique<Table>()) {
  table_.store(current_.get());
}

TelemetryHub::~TelemetryHub() {
  {
    const base::MutexLock lock(queue_mutex_);
    stopping_ = true;
  }
  queue_changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

// ---------------------------------------------------------------------------------------------------------------------
// Telling.

void TelemetryHub::tell(std::size_t event, std::span<const TelemetryEvent::Measurement> measurements,
                        std::span<const TelemetryEvent::Text> metadata) noexcept {
  const Section section(*this);
  const Table& table = *table_.load(std::memory_order_seq_cst);
  if (table.of_event[event].empty()) return;
  const TelemetryEvent told{.name = event_name(event), .measurements = measurements, .metadata = metadata};
  for (const Attached* attached : table.of_event[event]) call(*attached, told);
}

void TelemetryHub::call(const Attached& attached, const TelemetryEvent& event) noexcept {
  try {
    attached.handler(event);
  } catch (const std::exception& e) {
    drop_failed(attached, e.what());
  } catch (...) {
    drop_failed(attached, "it threw what is no std::exception");
  }
}

void TelemetryHub::drop_failed(const Attached& attached, const char* why) noexcept {
  try {
    const std::string line = "telemetry: the handler \"" + attached.id + "\" has failed and is detached: " + why;
    if (!detach(attached.id)) return;  // another call of it failed before
    failures_.fetch_add(1, std::memory_order_relaxed);
    if (log_) log_(LogLevel::error, line);
  } catch (const std::exception&) {  // no memory: it stays, and may fail again
    failures_.fetch_add(1, std::memory_order_relaxed);
  }
}

void TelemetryHub::post(OwnedEvent event) {
  {
    const base::MutexLock lock(queue_mutex_);
    if (stopping_ || queue_.size() >= queue_limit) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    queue_.push_back(std::move(event));
  }
  queue_changed_.notify_one();
}

void TelemetryHub::tell_owned(const OwnedEvent& event) {
  std::vector<TelemetryEvent::Text> metadata;
  metadata.reserve(event.metadata.size());
  for (const auto& [name, value] : event.metadata) metadata.push_back({.name = name, .value = value});
  tell(event.event, event.measurements, metadata);
}

void TelemetryHub::tell_status() {
  const base::MutexLock lock(source_mutex_);
  if (!status_source_) return;
  const auto status = status_source_();
  if (!status) return;
  const auto number = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
  tell_owned({.event = event_of(NodeEvent::cluster_status),
              .measurements = {{"storage_size", number(status->storage.size)},
                               {"storage_memory", number(status->storage.memory_bytes)},
                               {"commit_index", number(status->cluster.commit_index)},
                               {"applied_index", number(status->cluster.applied_index)},
                               {"term", number(status->cluster.term)},
                               {"members", number(status->cluster.members.size())}},
              .metadata = {{"node", status->node},
                           {"status", std::string(node_state_name(status->cluster.state))},
                           {"leader", status->cluster.leader.value_or("")}}});
}

void TelemetryHub::run() {
  auto next_status = steady_clock::now() + options_.poll_interval;
  for (;;) {
    std::deque<OwnedEvent> events;
    {
      base::MutexLock lock(queue_mutex_);
      (void)queue_changed_.wait_until(lock, next_status, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(queue_mutex_) {
        return stopping_ || !queue_.empty();
      });
      if (stopping_ && queue_.empty()) return;
      events.swap(queue_);
    }
    for (const OwnedEvent& event : events) tell_owned(event);
    if (steady_clock::now() < next_status) continue;
    next_status = steady_clock::now() + options_.poll_interval;
    if (wants(event_of(NodeEvent::cluster_status))) tell_status();
  }
}

void TelemetryHub::set_status_source(std::function<std::optional<Status>()> source) {
  const base::MutexLock lock(source_mutex_);
  status_source_ = std::move(source);
}

void TelemetryHub::stop_polling() { set_status_source({}); }

// ---------------------------------------------------------------------------------------------------------------------
// Who is told.

Result<void> TelemetryHub::attach(std::string_view id, const std::vector<std::string>& events,
                                  TelemetryHandler handler) {
  if (!options_.enabled) return fail(Errc::invalid_request, "telemetry is off (telemetry.enabled)");
  if (id.empty()) return fail(Errc::invalid_request, "the id of a handler is empty");
  if (!handler) return fail(Errc::invalid_request, "the handler is empty");
  if (events.empty()) return fail(Errc::invalid_request, "no event is named");
  auto attached = std::make_unique<Attached>(Attached{.id = std::string(id), .handler = std::move(handler)});
  for (const std::string& event : events) {
    const std::uint64_t found = events_named(event);
    if (found == 0) return fail(Errc::invalid_request, "there is no event \"" + event + "\"");
    attached->events |= found;
  }
  {
    const base::MutexLock lock(mutex_);
    if (std::ranges::any_of(attached_, [&](const auto& each) { return each->id == id; })) {
      return fail(Errc::already_exists, "a handler \"" + std::string(id) + "\" is attached");
    }
    if ((attached->events & ~api_bits) != 0) start_thread();
    attached_.push_back(std::move(attached));
    publish();
  }
  free_old();
  return {};
}

Result<void> TelemetryHub::detach(std::string_view id) {
  {
    const base::MutexLock lock(mutex_);
    const auto found = std::ranges::find_if(attached_, [&](const auto& each) { return each->id == id; });
    if (found == attached_.end()) return fail(Errc::not_found, "no handler \"" + std::string(id) + "\" is attached");
    old_attached_.push_back(std::move(*found));
    attached_.erase(found);
    publish();
  }
  free_old();
  return {};
}

std::vector<std::string> TelemetryHub::handlers() const {
  const base::MutexLock lock(mutex_);
  std::vector<std::string> ids;
  for (const auto& attached : attached_) ids.push_back(attached->id);
  std::ranges::sort(ids);
  return ids;
}

void TelemetryHub::publish() {
  auto table = std::make_unique<Table>();
  std::uint64_t wanted = 0;
  for (const auto& attached : attached_) {
    wanted |= attached->events;
    for (std::size_t i = 0; i < event_count; ++i) {
      if (((attached->events >> i) & 1U) != 0) table->of_event[i].push_back(attached.get());
    }
  }
  table_.store(table.get(), std::memory_order_seq_cst);
  old_tables_.push_back(std::exchange(current_, std::move(table)));
  const bool was_wanted = (wanted_.exchange(wanted) & api_bits) != 0;
  const bool is_wanted = (wanted & api_bits) != 0;
  if (was_wanted != is_wanted && api_wanted_) api_wanted_(is_wanted);
}

/// Without the lock of the table: a handler that is waited for may want it.
void TelemetryHub::free_old() {
  if (handlers_running != 0) return;  // by the next change, or with the hub
  std::vector<std::unique_ptr<Table>> tables;
  std::vector<std::unique_ptr<Attached>> attached;
  {
    const base::MutexLock lock(mutex_);
    tables.swap(old_tables_);
    attached.swap(old_attached_);
  }
  const base::MutexLock waiting(grace_mutex_);
  wait_for_readers();
}

void TelemetryHub::wait_for_readers() noexcept {
  for (int i = 0; i < 2; ++i) {
    const std::uint32_t before = round_.fetch_add(1, std::memory_order_seq_cst);
    for (Inside& inside : inside_) {
      while (inside.count[before & 1U].load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
    }
  }
}

void TelemetryHub::start_thread() {
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
}

}  // namespace concord::observe

namespace concord {

Result<void> Telemetry::attach(std::string_view id, std::string_view event, TelemetryHandler handler) {
  return hub_->attach(id, {std::string(event)}, std::move(handler));
}

Result<void> Telemetry::attach_many(std::string_view id, const std::vector<std::string>& events,
                                    TelemetryHandler handler) {
  return hub_->attach(id, events, std::move(handler));
}

Result<void> Telemetry::detach(std::string_view id) { return hub_->detach(id); }

std::vector<std::string> Telemetry::handlers() const { return hub_->handlers(); }

}  // namespace concord

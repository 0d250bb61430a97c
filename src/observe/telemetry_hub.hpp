// Who is told of events, and the telling (concord/telemetry.hpp).
//
// To tell of a call costs two additions to a counter of the thread's own cache line, beside the handler itself: the table of handlers
// is read without a lock. Whoever changes it makes a new one and waits until nobody can see the old one: a reader counts itself
// under the parity of the round it saw, and looks at the table after that; the changer puts the new table there, and then waits until
// each of the two counts has been 0 once: whoever could see the old table has left. Moving the round on keeps new readers away from
// the count that is waited for. A handler that changes the table does not wait, or it would wait for itself.
//
// Thread rule: any thread.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <concord/options.hpp>
#include <concord/status.hpp>
#include <concord/telemetry.hpp>

#include "base/mutex.hpp"
#include "observe/operation.hpp"
#include "observe/stripe.hpp"

namespace concord::observe {

/// Events beside those of the API operations.
enum class NodeEvent : std::uint8_t { apply, state_change, snapshot_created, snapshot_installed, cluster_status };
inline constexpr std::size_t event_count = operation_count + 5;

/// Position among all events: first the operations, then those of the node.
[[nodiscard]] constexpr std::size_t event_of(ApiOperation operation) noexcept {
  return static_cast<std::size_t>(operation);
}
[[nodiscard]] constexpr std::size_t event_of(NodeEvent event) noexcept {
  return operation_count + static_cast<std::size_t>(event);
}
/// "concord.api.put"
[[nodiscard]] const std::string& event_name(std::size_t event);

/// An event that waits to be told. Names are of static storage.
struct OwnedEvent {
  std::size_t event = 0;
  std::vector<TelemetryEvent::Measurement> measurements;
  std::vector<std::pair<std::string_view, std::string>> metadata;
};

class TelemetryHub {
 public:
  TelemetryHub(const TelemetryOptions& options, std::function<void(LogLevel, std::string_view)> log);
  ~TelemetryHub();
  TelemetryHub(const TelemetryHub&) = delete;
  TelemetryHub& operator=(const TelemetryHub&) = delete;

  [[nodiscard]] bool wants(std::size_t event) const noexcept {
    return ((wanted_.load(std::memory_order_relaxed) >> event) & 1U) != 0;
  }
  /// Called with whether any event of the API is wanted, when that changes. Before the first handler.
  void on_api_wanted(std::function<void(bool)> changed) { api_wanted_ = std::move(changed); }
  /// What `concord.cluster.status` tells; none from `stop_polling` on.
  void set_status_source(std::function<std::optional<Status>()> source);
  void stop_polling();

  /// Tells at once, on this thread.
  void tell(std::size_t event, std::span<const TelemetryEvent::Measurement> measurements,
            std::span<const TelemetryEvent::Text> metadata) noexcept;
  /// Tells later, on the hub's thread.
  void post(OwnedEvent event);

  Result<void> attach(std::string_view id, const std::vector<std::string>& events, TelemetryHandler handler);
  Result<void> detach(std::string_view id);
  [[nodiscard]] std::vector<std::string> handlers() const;

  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t failures() const noexcept { return failures_.load(std::memory_order_relaxed); }

 private:
  struct Attached {
    std::string id;
    std::uint64_t events = 0;  // bits
    TelemetryHandler handler;
  };
  struct Table {
    std::array<std::vector<const Attached*>, event_count> of_event;
  };
  struct alignas(64) Inside {
    std::array<std::atomic<std::uint32_t>, 2> count{};
  };
  class Section;

  void call(const Attached& attached, const TelemetryEvent& event) noexcept;
  void drop_failed(const Attached& attached, const char* why) noexcept;
  void publish() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void free_old();
  void wait_for_readers() noexcept ABSL_EXCLUSIVE_LOCKS_REQUIRED(grace_mutex_);
  void start_thread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void run();
  void tell_owned(const OwnedEvent& event);
  void tell_status();

  const TelemetryOptions options_;
  const std::function<void(LogLevel, std::string_view)> log_;
  std::function<void(bool)> api_wanted_;
  std::atomic<std::uint64_t> wanted_{0};
  std::atomic<const Table*> table_;
  std::atomic<std::uint32_t> round_{0};
  std::array<Inside, stripe_count> inside_{};
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::uint64_t> failures_{0};

  mutable base::Mutex mutex_;  // of whoever changes the table
  std::vector<std::unique_ptr<Attached>> attached_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Table> current_ ABSL_GUARDED_BY(mutex_);
  // No longer in the table, but perhaps still seen: what a handler detached, which can't wait for itself.
  std::vector<std::unique_ptr<Table>> old_tables_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Attached>> old_attached_ ABSL_GUARDED_BY(mutex_);

  base::Mutex grace_mutex_;  // of whoever waits for readers

  base::Mutex queue_mutex_;
  base::CondVar queue_changed_;
  std::deque<OwnedEvent> queue_ ABSL_GUARDED_BY(queue_mutex_);
  bool stopping_ ABSL_GUARDED_BY(queue_mutex_) = false;
  base::Mutex source_mutex_;  // held while the status is asked for
  std::function<std::optional<Status>()> status_source_ ABSL_GUARDED_BY(source_mutex_);
  std::thread thread_;
};

}  // namespace concord::observe

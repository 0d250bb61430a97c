// All that watches one node: its metrics, and whoever else wants to know of its calls.
//
// An API operation, wherever it comes from, is a `Call` from beginning to end; room database makes one of each call inside the
// process, room http of each request. What it costs when nobody watches is one load (`is_watching`).
//
//     if (!observer.is_watching()) return read();
//     observe::Call call(observer, ApiOperation::get, {.consistency = consistency});
//     auto entry = read();
//     call.end(error_code_of(entry));
//
// Thread rule: any thread. An observer outlives the node it watches and all its calls.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include <concord/error.hpp>
#include <concord/options.hpp>

#include "observe/api_metrics.hpp"
#include "observe/http_metrics.hpp"
#include "observe/node_metrics.hpp"
#include "observe/operation.hpp"
#include "observe/telemetry_hub.hpp"
#include "observe/tick_clock.hpp"
#include "observe/tracer.hpp"

namespace concord::observe {

/// Who wants to know of calls: bits of `Observer::watching`.
enum class Watch : std::uint32_t { metrics = 1, telemetry = 2, tracing = 4, slow_log = 8 };

struct Metrics {
  ApiMetrics api;
  HttpMetrics http;
  NodeMetrics node;
};

class Observer {
 public:
  explicit Observer(const Options& options);

  [[nodiscard]] bool is_watching() const noexcept { return watching_.load(std::memory_order_relaxed) != 0; }
  [[nodiscard]] bool is_watching(Watch watch) const noexcept {
    return (watching_.load(std::memory_order_relaxed) & static_cast<std::uint32_t>(watch)) != 0;
  }

  /// Whether somebody wants to hear how long each call took.
  [[nodiscard]] bool is_told_of_calls() const noexcept {
    constexpr auto listeners =
        static_cast<std::uint32_t>(Watch::telemetry) | static_cast<std::uint32_t>(Watch::slow_log);
    return (watching_.load(std::memory_order_relaxed) & listeners) != 0;
  }
  /// Whether somebody wants to know how long this one takes. Spans read clocks of their own.
  [[nodiscard]] bool wants_time(ApiOperation operation) noexcept {
    return is_told_of_calls() || (metrics_ != nullptr && metrics_->api.wants_time(operation));
  }

  /// Null: nothing is measured.
  [[nodiscard]] Metrics* metrics() noexcept { return metrics_.get(); }
  [[nodiscard]] const TickClock& clock() const noexcept { return clock_; }
  void calibrate() noexcept { clock_.calibrate(); }
  [[nodiscard]] TelemetryHub& telemetry() noexcept { return telemetry_; }
  [[nodiscard]] Tracer& tracer() noexcept { return tracer_; }
  /// A call has ended that took at least `Options::slow_call`.
  void log_slow(ApiOperation operation, Outcome outcome, std::uint64_t duration_ns) const noexcept;
  [[nodiscard]] std::uint64_t slow_ns() const noexcept { return slow_ns_; }

 private:
  void watch(Watch watch, bool on) noexcept;

  std::atomic<std::uint32_t> watching_{0};
  const std::function<void(LogLevel, std::string_view)> log_;
  const std::uint64_t slow_ns_;
  TickClock clock_;
  TelemetryHub telemetry_;
  Tracer tracer_;
  std::unique_ptr<Metrics> metrics_;
};

}  // namespace concord::observe

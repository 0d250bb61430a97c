#include "observe/observer.hpp"

#include <exception>
#include <string>

namespace concord::observe {

Observer::Observer(const Options& options)
    : log_(options.log),
      slow_ns_(static_cast<std::uint64_t>(std::chrono::nanoseconds(options.slow_call).count())),
      telemetry_(options.telemetry, options.log),
      tracer_(options.tracing, options.name, options.log) {
  telemetry_.on_api_wanted([this](bool wanted) { watch(Watch::telemetry, wanted); });
  watch(Watch::slow_log, slow_ns_ > 0 && log_);
  watch(Watch::tracing, options.tracing.enabled);
  if (!options.metrics.enabled) return;
  metrics_ = std::make_unique<Metrics>();
  watch(Watch::metrics, true);
}

void Observer::watch(Watch watch, bool on) noexcept {
  const auto bit = static_cast<std::uint32_t>(watch);
  if (on) {
    watching_.fetch_or(bit);
  } else {
    watching_.fetch_and(~bit);
  }
}

void Observer::log_slow(ApiOperation operation, Outcome outcome, std::uint64_t duration_ns) const noexcept {
  try {
    log_(LogLevel::warn, "slow call: " + std::string(operation_name(operation)) + " took " +
                             std::to_string(duration_ns / 1'000'000) + " ms, " + std::string(outcome_name(outcome)));
  } catch (
      const std::
          exception&) {  // no memory for the line, or the host's log has failed: the call is none of their business
    return;
  }
}

}  // namespace concord::observe

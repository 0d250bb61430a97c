#include "observe/call.hpp"

#include <array>
#include <cstddef>
#include <exception>
#include <string>

namespace concord::observe {

void Call::begin_span(const CallDetails& details) {
  Tracer& tracer = observer_->tracer();
  const std::string& name =
      event_name(event_of(operation_));  // spans and events go by one name, which is there already
  span_ = details.parent != nullptr ? details.parent->begin_child(tracer, name, SpanKind::internal)
                                    : tracer.begin_if_kept(name, SpanKind::internal);
  if (!span_ || !span_->is_recorded()) return;
  span_->set("db.system.name", "concord");
  span_->set("db.operation.name", operation_name(operation_));
  span_->set("concord.operation", operation_name(operation_));
  if (consistency_) span_->set("concord.consistency", consistency_name(*consistency_));
  if (has_ttl_) span_->set("concord.has_ttl", *has_ttl_);
  if (!details.key.empty() && tracer.shows_keys()) span_->set("concord.key", details.key);
}

void Call::end_span(std::optional<Errc> error) noexcept {
  try {
    if (span_->is_recorded()) {
      span_->set("concord.result", outcome_name(error ? outcome_of(*error) : Outcome::ok));
      if (error) span_->set("db.response.status_code", error_name(*error));
      if (error && *error != Errc::not_found) {  // that a key is missing is an answer
        span_->set("error.type", error_name(*error));
        span_->fail(error_name(*error));
      }
    }
  } catch (const std::exception&) {  // no memory for what it would say
  }
  span_.reset();
}

void Call::tell(std::optional<Errc> error, std::uint64_t duration_ns) const noexcept {
  const Outcome outcome = error ? outcome_of(*error) : Outcome::ok;
  if (observer_->is_watching(Watch::slow_log) && duration_ns >= observer_->slow_ns()) {
    observer_->log_slow(operation_, outcome, duration_ns);
  }
  TelemetryHub& telemetry = observer_->telemetry();
  const std::size_t event = event_of(operation_);
  if (!telemetry.wants(event)) return;
  const std::array measurements = {
      TelemetryEvent::Measurement{.name = "duration", .value = static_cast<std::int64_t>(duration_ns)}};
  std::array<TelemetryEvent::Text, 3> metadata;
  std::size_t count = 0;
  metadata[count++] = {.name = "result", .value = outcome_name(outcome)};
  if (consistency_) metadata[count++] = {.name = "consistency", .value = consistency_name(*consistency_)};
  if (has_ttl_) metadata[count++] = {.name = "has_ttl", .value = *has_ttl_ ? "true" : "false"};
  telemetry.tell(event, measurements, std::span(metadata.data(), count));
}

}  // namespace concord::observe

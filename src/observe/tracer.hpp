// Begins spans, decides which are kept, and hands those that have ended to the exporter.
//
// Sampling, as OpenTelemetry's parent-based ratio sampler: a span below another goes as that one went; one that begins a trace is
// kept when the lower 63 bits of the trace's id, as a share of all, lie below the ratio. So all services with one ratio keep the same
// traces. With `keep_errors` what was not drawn is recorded too, and exported when it has failed.
//
// The current span is the thread's own: whoever calls the API inside `Tracing::with_span` need not pass anything on.
// Thread rule: any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include <concord/options.hpp>

#include "observe/span.hpp"
#include "observe/span_exporter.hpp"

namespace concord::observe {

class Tracer {
 public:
  Tracer(const TracingOptions& options, std::string_view node, std::function<void(LogLevel, std::string_view)> log);

  [[nodiscard]] bool is_on() const noexcept { return options_.enabled; }
  [[nodiscard]] bool shows_keys() const noexcept { return options_.show_keys; }

  /// Below `parent`; none: it begins a trace. Always gives a span: one that is not kept has ids too.
  [[nodiscard]] std::unique_ptr<Span> begin(std::string_view name, SpanKind kind, const TraceContext* parent);
  /// The same, below the thread's current span; null when it would begin a trace that is not kept: most often, and then it costs
  /// the drawing of a number.
  [[nodiscard]] std::unique_ptr<Span> begin_if_kept(std::string_view name, SpanKind kind);

  /// The thread's; null: none.
  [[nodiscard]] static Span* current() noexcept;
  /// Returns what was current before.
  static Span* set_current(Span* span) noexcept;

  [[nodiscard]] static std::uint64_t new_span_id();

  void take(SpanData&& span) noexcept { exporter_.take(std::move(span)); }

  [[nodiscard]] const SpanExporter& exporter() const noexcept { return exporter_; }

 private:
  [[nodiscard]] bool is_drawn(const TraceId& trace) const noexcept;
  [[nodiscard]] std::unique_ptr<Span> root(std::string_view name, SpanKind kind, const TraceId& trace, bool is_drawn);

  const TracingOptions options_;
  const std::uint64_t drawn_below_;  // of 2^63
  SpanExporter exporter_;
};

/// What is done while it lives is done in this span's name, on this thread; null: in that which was current before.
class CurrentSpan {
 public:
  explicit CurrentSpan(Span* span) noexcept
      : is_set_(span != nullptr), before_(is_set_ ? Tracer::set_current(span) : nullptr) {}
  CurrentSpan(const CurrentSpan&) = delete;
  CurrentSpan& operator=(const CurrentSpan&) = delete;
  ~CurrentSpan() {
    if (is_set_) Tracer::set_current(before_);
  }

 private:
  const bool is_set_;
  Span* const before_;
};

}  // namespace concord::observe

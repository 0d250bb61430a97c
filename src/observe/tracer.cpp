#include "observe/tracer.hpp"

#include <algorithm>
#include <random>
#include <string>

#include "base/random.hpp"

namespace concord::observe {
namespace {

thread_local Span* current_span = nullptr;

std::uint64_t seed_of_thread() {
  std::random_device source;
  return (std::uint64_t{source()} << 32U) | source();
}

/// Never 0.
std::uint64_t draw() {
  static thread_local base::Random random(seed_of_thread());
  return std::max<std::uint64_t>(random.next(), 1);
}

constexpr double two_to_63 = 9223372036854775808.0;

std::uint64_t threshold_of(double ratio) {
  if (ratio >= 1) return std::uint64_t{1} << 63U;
  return ratio <= 0 ? 0 : static_cast<std::uint64_t>(ratio * two_to_63);
}

}  // namespace

Tracer::Tracer(const TracingOptions& options, std::string_view node,
               std::function<void(LogLevel, std::string_view)> log)
    : options_(options), drawn_below_(threshold_of(options.sample_ratio)), exporter_(options, node, std::move(log)) {}

bool Tracer::is_drawn(const TraceId& trace) const noexcept { return (trace.low >> 1U) < drawn_below_; }

std::unique_ptr<Span> Tracer::root(std::string_view name, SpanKind kind, const TraceId& trace, bool is_drawn) {
  TraceContext context{.trace = trace, .span = draw(), .is_sampled = is_drawn, .state = {}};
  const bool only_if_failed = !is_drawn && options_.keep_errors;
  return std::make_unique<Span>(*this, std::move(context), 0, name, kind, is_drawn || only_if_failed, only_if_failed);
}

std::unique_ptr<Span> Tracer::begin(std::string_view name, SpanKind kind, const TraceContext* parent) {
  if (parent == nullptr) {
    const TraceId trace{.high = draw(), .low = draw()};
    return root(name, kind, trace, is_drawn(trace));
  }
  TraceContext context = *parent;
  context.span = draw();
  const bool is_sampled = context.is_sampled;
  return std::make_unique<Span>(*this, std::move(context), parent->span, name, kind, is_sampled, false);
}

std::unique_ptr<Span> Tracer::begin_if_kept(std::string_view name, SpanKind kind) {
  if (const Span* const parent = current()) return parent->begin_child(*this, name, kind);
  const std::uint64_t low = draw();
  const bool is_kept = (low >> 1U) < drawn_below_;
  if (!is_kept && !options_.keep_errors) return nullptr;
  return root(name, kind, {.high = draw(), .low = low}, is_kept);
}

std::uint64_t Tracer::new_span_id() { return draw(); }

Span* Tracer::current() noexcept { return current_span; }

Span* Tracer::set_current(Span* span) noexcept { return std::exchange(current_span, span); }

}  // namespace concord::observe

namespace concord {

using observe::SpanKind;
using observe::Tracer;

Tracing::Scope::Scope(Tracing& tracing, std::string_view traceparent, std::string_view name, Attributes attributes) {
  Tracer& tracer = *tracing.tracer_;
  if (!tracer.is_on()) return;
  const auto given = observe::parse_traceparent(traceparent);
  if (given || Tracer::current() == nullptr) {
    span_ = tracer.begin(name, SpanKind::internal, given ? &*given : nullptr);
  } else {
    span_ = Tracer::current()->begin_child(tracer, name, SpanKind::internal);
  }
  for (Attribute& attribute : attributes) span_->set(attribute.name, std::move(attribute.value));
  outer_ = Tracer::set_current(span_.get());
}

Tracing::Scope::~Scope() {
  if (span_) Tracer::set_current(outer_);
}

void Tracing::Scope::fail(std::string_view why) {
  if (span_) span_->fail(why);
}

void Tracing::set_attribute(std::string_view name, AttributeValue value) {
  if (observe::Span* const span = Tracer::current()) span->set(name, std::move(value));
}

void Tracing::add_event(std::string_view name, Attributes attributes) {
  if (observe::Span* const span = Tracer::current()) span->add_event(name, std::move(attributes));
}

std::string Tracing::current_trace_id() const {
  const observe::Span* const span = Tracer::current();
  return span == nullptr ? std::string() : observe::hex_of(span->context().trace);
}

std::string Tracing::current_span_id() const {
  const observe::Span* const span = Tracer::current();
  return span == nullptr ? std::string() : observe::hex_of(span->context().span);
}

std::string Tracing::traceparent() const {
  const observe::Span* const span = Tracer::current();
  return span == nullptr ? std::string() : observe::traceparent_of(span->context());
}

}  // namespace concord

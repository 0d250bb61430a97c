#include "observe/span.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "observe/tracer.hpp"

namespace concord::observe {

std::uint64_t unix_ns_now() noexcept {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
}

Span::Span(Tracer& tracer, TraceContext context, std::uint64_t parent, std::string_view name, SpanKind kind,
           bool is_recorded, bool only_if_failed)
    : tracer_(tracer), is_recorded_(is_recorded), only_if_failed_(only_if_failed) {
  data_.context = std::move(context);
  if (!is_recorded_) return;
  data_.parent = parent;
  data_.name = name;
  data_.kind = kind;
  data_.start_unix_ns = unix_ns_now();
}

Span::~Span() {
  if (!is_recorded_ || (only_if_failed_ && !data_.has_failed)) return;
  // A step of the wall clock must not make a span end before it began.
  data_.end_unix_ns = std::max(unix_ns_now(), data_.start_unix_ns);
  data_.context.is_sampled = true;
  tracer_.take(std::move(data_));
}

std::unique_ptr<Span> Span::begin_child(Tracer& tracer, std::string_view name, SpanKind kind) const {
  TraceContext context = data_.context;
  context.span = Tracer::new_span_id();
  return std::make_unique<Span>(tracer, std::move(context), data_.context.span, name, kind, is_recorded_,
                                only_if_failed_);
}

void Span::set(std::string_view name, AttributeValue value) {
  if (!is_recorded_) return;
  const auto found = std::ranges::find(data_.attributes, name, &Attribute::name);
  if (found != data_.attributes.end()) {
    found->value = std::move(value);
  } else {
    data_.attributes.push_back({.name = std::string(name), .value = std::move(value)});
  }
}

void Span::add_event(std::string_view name, Attributes attributes) {
  if (!is_recorded_) return;
  data_.events.push_back({.name = std::string(name), .unix_ns = unix_ns_now(), .attributes = std::move(attributes)});
}

void Span::fail(std::string_view why) {
  if (!is_recorded_) return;
  data_.has_failed = true;
  data_.failure = why;
}

}  // namespace concord::observe

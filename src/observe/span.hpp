// A span: what a piece of work was, from when to when, below which other one.
//
// Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <concord/tracing.hpp>

#include "observe/trace_context.hpp"

namespace concord::observe {

/// The numbers are those of OTLP.
enum class SpanKind : std::uint8_t { internal = 1, server = 2, client = 3 };

struct SpanEvent {
  std::string name;
  std::uint64_t unix_ns = 0;
  Attributes attributes;
};

struct SpanData {
  TraceContext context;
  std::uint64_t parent = 0;  ///< 0: it begins the trace
  std::string name;
  SpanKind kind = SpanKind::internal;
  std::uint64_t start_unix_ns = 0;
  std::uint64_t end_unix_ns = 0;
  Attributes attributes;
  std::vector<SpanEvent> events;
  bool has_failed = false;
  std::string failure;
};

[[nodiscard]] std::uint64_t unix_ns_now() noexcept;

class Tracer;

/// A span under way. It ends, and is exported, when it is destroyed.
class Span {
 public:
  Span(Tracer& tracer, TraceContext context, std::uint64_t parent, std::string_view name, SpanKind kind,
       bool is_recorded, bool only_if_failed);
  ~Span();
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;

  [[nodiscard]] const TraceContext& context() const noexcept { return data_.context; }
  /// A span below this one, which is kept as this one is.
  [[nodiscard]] std::unique_ptr<Span> begin_child(Tracer& tracer, std::string_view name, SpanKind kind) const;
  /// Else nothing that is told to it is kept.
  [[nodiscard]] bool is_recorded() const noexcept { return is_recorded_; }
  void set(std::string_view name, AttributeValue value);
  void add_event(std::string_view name, Attributes attributes);
  void fail(std::string_view why);

 private:
  Tracer& tracer_;
  SpanData data_;
  bool is_recorded_;
  bool only_if_failed_;  // exported
};

}  // namespace concord::observe

// Distributed tracing: spans of the node's calls, and of the program around them.
//
//     node->tracing().with_span("process_user_data", {{"user_id", "123"}}, [&] {
//       node->put("user:123", user);                                 // a child span, concord.api.put
//       node->tracing().set_attribute("cache_hit", true);
//       node->tracing().add_event("data_processed", {{"rows", 100}});
//     });
//
// Spans are recorded when `TracingOptions::enabled` is on; else all of this does nothing and costs next to nothing. Every API call
// makes a span `concord.api.<operation>`, a child of the span that is current on its thread. A span is current while the function
// given to `with_span` runs, on that thread; a thread that it starts begins traces of its own unless it is handed the
// `traceparent`:
//
//     std::thread([&, parent = node->tracing().traceparent()] {
//       node->tracing().with_span_of(parent, "in_the_background", {}, work);
//     });
//
// Which traces are kept: those begun here by `TracingOptions::sample_ratio`, drawn from the trace's id; others as their parent says.
// A collector that is slow or away holds nobody up: spans wait in a bounded queue, and what does not fit is dropped and counted
// (`concord_tracing_spans_dropped_total`).
//
// Thread rule: any thread.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <concord/export.hpp>

namespace concord {

namespace observe {
class Span;
class Tracer;
}  // namespace observe

/// Text, a whole number, a number, or yes and no.
class AttributeValue {
 public:
  using Variant = std::variant<std::string, std::int64_t, double, bool>;

  AttributeValue(const char* text) : value_(std::string(text)) {}
  AttributeValue(std::string text) : value_(std::move(text)) {}
  AttributeValue(std::string_view text) : value_(std::string(text)) {}
  AttributeValue(bool yes) : value_(yes) {}
  template <std::integral Number>
    requires(!std::same_as<Number, bool>)
  AttributeValue(Number number) : value_(static_cast<std::int64_t>(number)) {}
  AttributeValue(double number) : value_(number) {}

  [[nodiscard]] const Variant& value() const noexcept { return value_; }

 private:
  Variant value_;
};

struct Attribute {
  std::string name;
  AttributeValue value;
};
using Attributes = std::vector<Attribute>;

class CONCORD_API Tracing {
 public:
  /// Runs `function` inside a new span, a child of the current one, and returns what it returns. The span fails with an exception,
  /// which goes on, and with a `Result` that is an error.
  template <class Function>
  CONCORD_LOCAL decltype(auto) with_span(std::string_view name, Attributes attributes, Function&& function) {
    Scope scope(*this, {}, name, std::move(attributes));
    return run(scope, std::forward<Function>(function));
  }
  /// The same below a span of elsewhere; a `traceparent` that can't be read begins a new trace.
  template <class Function>
  CONCORD_LOCAL decltype(auto) with_span_of(std::string_view traceparent, std::string_view name, Attributes attributes,
                                            Function&& function) {
    Scope scope(*this, traceparent, name, std::move(attributes));
    return run(scope, std::forward<Function>(function));
  }

  /// Of the current span; without one nothing happens.
  void set_attribute(std::string_view name, AttributeValue value);
  void add_event(std::string_view name, Attributes attributes = {});

  /// 32 and 16 digits of hex; empty: no span is current.
  [[nodiscard]] std::string current_trace_id() const;
  [[nodiscard]] std::string current_span_id() const;
  /// What a request to another service says in its header `traceparent`; empty: no span is current.
  [[nodiscard]] std::string traceparent() const;

 private:
  friend class Node;

  /// A span that is current as long as this lives.
  class CONCORD_API Scope {
   public:
    Scope(Tracing& tracing, std::string_view traceparent, std::string_view name, Attributes attributes);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    void fail(std::string_view why);

   private:
    std::unique_ptr<observe::Span> span_;
    observe::Span* outer_ = nullptr;
  };

  template <class Function>
  CONCORD_LOCAL static decltype(auto) run(Scope& scope, Function&& function) {
    using Returned = std::invoke_result_t<Function>;
    try {
      if constexpr (requires(Returned& result) { result.error().message(); }) {
        Returned result = std::forward<Function>(function)();
        if (!result) scope.fail(result.error().message());
        return result;
      } else {
        return std::forward<Function>(function)();
      }
    } catch (...) {
      scope.fail("an exception was thrown");
      throw;
    }
  }

  CONCORD_LOCAL explicit Tracing(observe::Tracer& tracer) noexcept : tracer_(&tracer) {}
  observe::Tracer* tracer_;
};

}  // namespace concord

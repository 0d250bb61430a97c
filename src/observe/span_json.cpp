#include "observe/span_json.hpp"

#include <charconv>
#include <cmath>
#include <utility>
#include <variant>

#include <concord/version.hpp>

#include "value/json_string.hpp"

namespace concord::observe {
namespace {

/// What users put into a span may be no UTF-8, which would break the document.
void append_text(std::string& to, std::string_view text) {
  if (value::is_utf8(text)) return value::append_json_string(to, text);
  std::string cleaned(text);
  for (char& c : cleaned) {
    if (static_cast<unsigned char>(c) >= 0x80U) c = '?';
  }
  value::append_json_string(to, cleaned);
}

std::string number_text(double number) {
  if (!std::isfinite(number)) return "0";
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, number).ptr};
}

/// Members of an object or items of an array, one behind the other.
class Sequence {
 public:
  Sequence(std::string& to, char open, char close) : to_(to), close_(close) { to_ += open; }
  ~Sequence() { to_ += close_; }
  Sequence(const Sequence&) = delete;
  Sequence& operator=(const Sequence&) = delete;

  std::string& next() {
    if (!std::exchange(is_first_, false)) to_ += ',';
    return to_;
  }
  std::string& name(std::string_view name_of) {
    append_text(next(), name_of);
    return to_ += ':';
  }
  void text(std::string_view name_of, std::string_view text) { append_text(name(name_of), text); }
  void raw(std::string_view name_of, std::string_view json) { name(name_of) += json; }
  /// 64 bits: as text.
  void number_as_text(std::string_view name_of, std::uint64_t number) {
    name(name_of).append("\"").append(std::to_string(number)) += '"';
  }

 private:
  std::string& to_;
  char close_;
  bool is_first_ = true;
};

struct Object : Sequence {
  explicit Object(std::string& to) : Sequence(to, '{', '}') {}
};
struct Array : Sequence {
  explicit Array(std::string& to) : Sequence(to, '[', ']') {}
};

// OTLP ---------------------------------------------------------------------------------------------------------------

void append_otlp_value(std::string& to, const AttributeValue& value) {
  Object object(to);
  const AttributeValue::Variant& held = value.value();
  if (const auto* text = std::get_if<std::string>(&held)) object.text("stringValue", *text);
  if (const auto* whole = std::get_if<std::int64_t>(&held)) object.text("intValue", std::to_string(*whole));
  if (const auto* number = std::get_if<double>(&held)) object.raw("doubleValue", number_text(*number));
  if (const auto* yes = std::get_if<bool>(&held)) object.raw("boolValue", *yes ? "true" : "false");
}

void append_otlp_attribute(Array& to, std::string_view name, const AttributeValue& value) {
  Object object(to.next());
  object.text("key", name);
  append_otlp_value(object.name("value"), value);
}

void append_otlp_attributes(std::string& to, const Attributes& attributes) {
  Array array(to);
  for (const Attribute& attribute : attributes) append_otlp_attribute(array, attribute.name, attribute.value);
}

void append_otlp_event(std::string& to, const SpanEvent& event) {
  Object object(to);
  object.number_as_text("timeUnixNano", event.unix_ns);
  object.text("name", event.name);
  append_otlp_attributes(object.name("attributes"), event.attributes);
}

void append_otlp_span(std::string& to, const SpanData& span) {
  constexpr std::string_view failed = "2";  // STATUS_CODE_ERROR
  Object object(to);
  object.text("traceId", hex_of(span.context.trace));
  object.text("spanId", hex_of(span.context.span));
  if (!span.context.state.empty()) object.text("traceState", span.context.state);
  if (span.parent != 0) object.text("parentSpanId", hex_of(span.parent));
  object.text("name", span.name);
  object.raw("kind", std::to_string(static_cast<int>(span.kind)));
  object.number_as_text("startTimeUnixNano", span.start_unix_ns);
  object.number_as_text("endTimeUnixNano", span.end_unix_ns);
  append_otlp_attributes(object.name("attributes"), span.attributes);
  {
    Array events(object.name("events"));
    for (const SpanEvent& event : span.events) append_otlp_event(events.next(), event);
  }
  Object status(object.name("status"));
  if (!span.has_failed) return;
  status.raw("code", failed);
  status.text("message", span.failure);
}

void append_otlp_resource(std::string& to, const SpanResource& resource) {
  Object object(to);
  Array attributes(object.name("attributes"));
  append_otlp_attribute(attributes, "service.name", resource.service);
  append_otlp_attribute(attributes, "service.instance.id", resource.node);
  append_otlp_attribute(attributes, "service.version", concord::version);
  append_otlp_attribute(attributes, "telemetry.sdk.name", "concord");
  append_otlp_attribute(attributes, "telemetry.sdk.language", "cpp");
  for (const auto& [name, value] : resource.attributes) append_otlp_attribute(attributes, name, value);
}

// Zipkin -------------------------------------------------------------------------------------------------------------

std::string text_of(const AttributeValue& value) {
  const AttributeValue::Variant& held = value.value();
  if (const auto* text = std::get_if<std::string>(&held)) return *text;
  if (const auto* whole = std::get_if<std::int64_t>(&held)) return std::to_string(*whole);
  if (const auto* number = std::get_if<double>(&held)) return number_text(*number);
  return std::get<bool>(held) ? "true" : "false";
}

void append_zipkin_span(std::string& to, const SpanData& span, std::string_view service) {
  Object object(to);
  object.text("traceId", hex_of(span.context.trace));
  object.text("id", hex_of(span.context.span));
  if (span.parent != 0) object.text("parentId", hex_of(span.parent));
  object.text("name", span.name);
  if (span.kind == SpanKind::server) object.text("kind", "SERVER");
  if (span.kind == SpanKind::client) object.text("kind", "CLIENT");
  object.raw("timestamp", std::to_string(span.start_unix_ns / 1000));
  object.raw("duration", std::to_string(std::max<std::uint64_t>((span.end_unix_ns - span.start_unix_ns) / 1000, 1)));
  {
    Object endpoint(object.name("localEndpoint"));
    endpoint.text("serviceName", service);
  }
  {
    Array annotations(object.name("annotations"));
    for (const SpanEvent& event : span.events) {
      Object annotation(annotations.next());
      annotation.raw("timestamp", std::to_string(event.unix_ns / 1000));
      annotation.text("value", event.name);
    }
  }
  Object tags(object.name("tags"));
  for (const Attribute& attribute : span.attributes) tags.text(attribute.name, text_of(attribute.value));
  if (span.has_failed) tags.text("error", span.failure);
}

// A line -------------------------------------------------------------------------------------------------------------

void append_plain_value(std::string& to, const AttributeValue& value) {
  if (const auto* text = std::get_if<std::string>(&value.value())) return append_text(to, *text);
  to += text_of(value);
}

void append_plain_attributes(std::string& to, const Attributes& attributes) {
  Object object(to);
  for (const Attribute& attribute : attributes) append_plain_value(object.name(attribute.name), attribute.value);
}

}  // namespace

std::string otlp_json(const std::vector<SpanData>& spans, const SpanResource& resource) {
  std::string text;
  {
    Object request(text);
    Array of_resources(request.name("resourceSpans"));
    Object of_resource(of_resources.next());
    append_otlp_resource(of_resource.name("resource"), resource);
    Array of_scopes(of_resource.name("scopeSpans"));
    Object of_scope(of_scopes.next());
    {
      Object scope(of_scope.name("scope"));
      scope.text("name", "concord");
      scope.text("version", concord::version);
    }
    Array list(of_scope.name("spans"));
    for (const SpanData& span : spans) append_otlp_span(list.next(), span);
  }
  return text;
}

std::string zipkin_json(const std::vector<SpanData>& spans, std::string_view service) {
  std::string text;
  {
    Array list(text);
    for (const SpanData& span : spans) append_zipkin_span(list.next(), span, service);
  }
  return text;
}

void append_span_line(std::string& to, const SpanData& span) {
  {
    Object object(to);
    object.text("span", span.name);
    object.text("trace_id", hex_of(span.context.trace));
    object.text("span_id", hex_of(span.context.span));
    if (span.parent != 0) object.text("parent_span_id", hex_of(span.parent));
    object.raw("start_unix_ns", std::to_string(span.start_unix_ns));
    object.raw("duration_ns", std::to_string(span.end_unix_ns - span.start_unix_ns));
    object.text("status", span.has_failed ? "error" : "ok");
    if (span.has_failed) object.text("error", span.failure);
    append_plain_attributes(object.name("attributes"), span.attributes);
    Array events(object.name("events"));
    for (const SpanEvent& event : span.events) {
      Object shown(events.next());
      shown.text("name", event.name);
      shown.raw("unix_ns", std::to_string(event.unix_ns));
      append_plain_attributes(shown.name("attributes"), event.attributes);
    }
  }
  to += '\n';
}

}  // namespace concord::observe

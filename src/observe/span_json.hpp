// Spans as the three forms that leave the node: OTLP (the JSON form of ExportTraceServiceRequest: ids as hex, 64-bit numbers as
// text), Zipkin v2 (microseconds, attributes as text), and a line of JSON for people.
//
// Thread rule: pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <concord/observability.hpp>

#include "observe/span.hpp"

namespace concord::observe {

struct SpanResource {
  std::string_view service;
  std::string_view node;
  const NamedTexts& attributes;
};

[[nodiscard]] std::string otlp_json(const std::vector<SpanData>& spans, const SpanResource& resource);
[[nodiscard]] std::string zipkin_json(const std::vector<SpanData>& spans, std::string_view service);
/// With its line end.
void append_span_line(std::string& to, const SpanData& span);

}  // namespace concord::observe

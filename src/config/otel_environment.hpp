// The environment variables that OpenTelemetry gives to every program, as values of our keys.
//
// They are weaker than CONCORD_* and stronger than the file. As their specification asks, a value that makes no sense is warned of
// and ignored. Thread rule: pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/configuration.hpp"

namespace concord::config {

struct OtelValue {
  std::string_view key;       ///< "tracing.endpoint"
  std::string_view variable;  ///< "OTEL_EXPORTER_OTLP_ENDPOINT"
  std::string value;          ///< as the key would be written
};

/// In the order in which they are to be set: of two for one key the later one counts.
[[nodiscard]] std::vector<OtelValue> otel_values(const NamedValues& environment, std::vector<std::string>& warnings);

/// "name=value" of a list; the value percent-decoded. Words without "=" are left out.
[[nodiscard]] NamedTexts pairs_of(const std::vector<std::string>& words);

}  // namespace concord::config

#include "config/otel_environment.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace concord::config {
namespace {

struct Row {
  std::string_view variable;
  std::string_view key;
};

/// Those whose value is that of the key.
constexpr Row rows[] = {
    {"OTEL_SERVICE_NAME", "tracing.service_name"},        {"OTEL_RESOURCE_ATTRIBUTES", "tracing.resource"},
    {"OTEL_EXPORTER_OTLP_ENDPOINT", "tracing.endpoint"},  {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "tracing.endpoint"},
    {"OTEL_EXPORTER_OTLP_HEADERS", "tracing.headers"},    {"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "tracing.headers"},
    {"OTEL_EXPORTER_OTLP_TIMEOUT", "tracing.timeout_ms"}, {"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "tracing.timeout_ms"},
    {"OTEL_BSP_MAX_QUEUE_SIZE", "tracing.queue_size"},    {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "tracing.batch_size"},
    {"OTEL_BSP_SCHEDULE_DELAY", "tracing.interval_ms"}};

class Reader {
 public:
  Reader(const NamedValues& environment, std::vector<std::string>& warnings)
      : environment_(environment), warnings_(warnings) {}

  std::vector<OtelValue> read() {
    for (const Row& row : rows) {
      if (auto value = find(row.variable)) add(row.key, row.variable, std::move(*value));
    }
    read_exporter();
    read_sampler();
    if (find("OTEL_SDK_DISABLED") == "true") add("tracing.enabled", "OTEL_SDK_DISABLED", "false");
    if (find("OTEL_EXPORTER_OTLP_PROTOCOL") == "grpc" || find("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") == "grpc") {
      warnings_.emplace_back(
          "OTEL_EXPORTER_OTLP_PROTOCOL = grpc: spans are sent as JSON over HTTP; the endpoint must take that");
    }
    return std::move(values_);
  }

 private:
  /// An empty one is as none (their specification).
  [[nodiscard]] std::optional<std::string> find(std::string_view name) const {
    const auto found = std::ranges::find(environment_, name, &std::pair<std::string, std::string>::first);
    if (found == environment_.end() || found->second.empty()) return std::nullopt;
    return found->second;
  }

  void add(std::string_view key, std::string_view variable, std::string value) {
    values_.push_back({.key = key, .variable = variable, .value = std::move(value)});
  }

  void ignore(std::string_view variable, const std::string& value) {
    warnings_.push_back("the environment variable " + std::string(variable) + " = \"" + value +
                        "\" is not understood and is ignored");
  }

  void read_exporter() {
    constexpr std::string_view variable = "OTEL_TRACES_EXPORTER";
    const auto exporter = find(variable);
    if (exporter == "console") {
      add("tracing.exporter", variable, "stdout");
    } else if (exporter == "otlp" || exporter == "zipkin" || exporter == "none") {
      add("tracing.exporter", variable, *exporter);
    } else if (exporter) {
      ignore(variable, *exporter);
    }
    constexpr std::string_view zipkin = "OTEL_EXPORTER_ZIPKIN_ENDPOINT";
    if (auto endpoint = find(zipkin); endpoint && exporter == "zipkin") {
      add("tracing.endpoint", zipkin, std::move(*endpoint));
    }
  }

  void read_sampler() {
    constexpr std::string_view variable = "OTEL_TRACES_SAMPLER";
    constexpr std::string_view prefix = "parentbased_";
    auto sampler = find(variable);
    if (!sampler) return;
    std::string_view kind = *sampler;
    if (kind.starts_with(prefix)) kind.remove_prefix(prefix.size());
    if (kind == "always_on") {
      add("tracing.sample_ratio", variable, "1");
    } else if (kind == "always_off") {
      add("tracing.sample_ratio", variable, "0");
    } else if (kind == "traceidratio") {
      add("tracing.sample_ratio", "OTEL_TRACES_SAMPLER_ARG", find("OTEL_TRACES_SAMPLER_ARG").value_or("1"));
    } else {
      ignore(variable, *sampler);
    }
  }

  const NamedValues& environment_;
  std::vector<std::string>& warnings_;
  std::vector<OtelValue> values_;
};

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// What is no encoding stays as it is.
std::string percent_decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0) {
      plain += text[i];
    } else {
      plain += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return plain;
}

}  // namespace

std::vector<OtelValue> otel_values(const NamedValues& environment, std::vector<std::string>& warnings) {
  return Reader(environment, warnings).read();
}

NamedTexts pairs_of(const std::vector<std::string>& words) {
  NamedTexts pairs;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == 0 || equals == std::string::npos) continue;
    pairs.emplace_back(word.substr(0, equals), percent_decoded(std::string_view(word).substr(equals + 1)));
  }
  return pairs;
}

}  // namespace concord::config

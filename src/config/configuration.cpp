#include "config/configuration.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>

#include <unistd.h>

#include "base/check.hpp"
#include "base/nearest.hpp"
#include "base/schedule.hpp"
#include "config/otel_environment.hpp"
#include "config/secret_file.hpp"
#include "config/toml_file.hpp"

namespace concord::config {
namespace {

/// Variables of ours that are no keys: the config file, and what the command line client reads.
constexpr std::string_view other_variables[] = {"CONCORD_CONFIG", "CONCORD_ENDPOINT", "CONCORD_TOKEN"};

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_choice(std::string_view choices, std::string_view value) {
  for (std::size_t from = 0; from <= choices.size();) {
    const std::size_t bar = std::min(choices.find('|', from), choices.size());
    if (choices.substr(from, bar - from) == value) return true;
    from = bar + 1;
  }
  return false;
}

std::string quoted(const Key& key, std::string_view value) {
  if (key.secret) return "the value";
  std::string text = "\"";
  text.append(value.substr(0, 200));
  text += '"';
  return text;
}

bool fits(KeyType type, FileValue::Type given) {
  switch (type) {
    case KeyType::text:
    case KeyType::choice: return given == FileValue::Type::text;
    case KeyType::integer: return given == FileValue::Type::integer;
    case KeyType::number: return given == FileValue::Type::integer || given == FileValue::Type::number;
    case KeyType::boolean: return given == FileValue::Type::boolean;
    case KeyType::list: return given == FileValue::Type::list || given == FileValue::Type::text;
  }
  return false;
}

/// The words of a list, without the blanks around them; empty ones are left out.
std::vector<std::string> words_of(std::string_view list) {
  std::vector<std::string> words;
  for (std::size_t from = 0; from <= list.size();) {
    const std::size_t comma = std::min(list.find(',', from), list.size());
    std::string_view word = list.substr(from, comma - from);
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    if (!word.empty()) words.emplace_back(word);
    from = comma + 1;
  }
  return words;
}

/// Would end the line of a log or of `config show`, and a path by a NUL.
bool has_control_character(std::string_view value) {
  return std::ranges::any_of(value, [](char c) { return static_cast<unsigned char>(c) < 0x20U || c == 0x7f; });
}

/// As a browser sends it: scheme, host and port, nothing behind.
bool is_origin(std::string_view text) {
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == 0 || scheme_end == std::string_view::npos) return false;
  const std::string_view rest = text.substr(scheme_end + 3);
  return !rest.empty() && rest.find_first_of("/?# ") == std::string_view::npos;
}

/// All names of one kind, for suggestions.
std::vector<std::string> names(std::string (*long_name)(const Key&), std::string (*short_name)(const Key&)) {
  std::vector<std::string> all;
  for (const Key& key : keys()) {
    all.push_back(long_name(key));
    if (std::string name = short_name(key); !name.empty()) all.push_back(std::move(name));
  }
  return all;
}

/// The prefix that all have in common says nothing about which is meant.
std::string suggest_variable(std::string_view name) {
  constexpr std::string_view prefix = "CONCORD_";
  std::vector<std::string> all = names(environment_name, short_environment_name);
  for (std::string& each : all) each.erase(0, prefix.size());
  const auto found = base::nearest(name.substr(prefix.size()), all);
  return found ? "; did you mean " + std::string(prefix) + *found + "?" : std::string();
}

std::string suggest_key(std::string_view name) {
  std::vector<std::string> all;
  for (const Key& key : keys()) all.emplace_back(key.name);
  return base::did_you_mean(name, all);
}

std::string_view type_name(KeyType type) {
  switch (type) {
    case KeyType::text:
    case KeyType::choice: return "a string";
    case KeyType::integer: return "a whole number";
    case KeyType::number: return "a number";
    case KeyType::boolean: return "true or false";
    case KeyType::list: return "a list of strings";
  }
  return "a value";
}

}  // namespace

Result<std::string> normalise(const Key& key, std::string_view value) {
  const auto bad = [&](std::string_view wanted) {
    return fail(Errc::invalid_request, quoted(key, value) + " is not " + std::string(wanted));
  };
  if (has_control_character(value)) return fail(Errc::invalid_request, "the value holds a control character");
  switch (key.type) {
    case KeyType::text:
      if (value.empty() && !key.may_be_empty) return fail(Errc::invalid_request, "the value is empty");
      return std::string(value);
    case KeyType::choice:
      if (!is_choice(key.choices, value)) return bad("one of " + std::string(key.choices));
      return std::string(value);
    case KeyType::integer: {
      const auto number = whole_number<std::int64_t>(value);
      if (!number) return bad("a whole number");
      if (*number < key.low || *number > key.high) {
        return bad("within " + std::to_string(key.low) + " to " + std::to_string(key.high));
      }
      return std::to_string(*number);
    }
    case KeyType::number: {
      const auto number = whole_number<double>(value);
      if (!number || !(*number >= 0 && *number <= 1)) return bad("a number from 0 to 1");
      char text[64];
      return std::string(text, std::to_chars(text, text + sizeof text, *number).ptr);
    }
    case KeyType::boolean:
      if (value == "true" || value == "1") return std::string("true");
      if (value == "false" || value == "0") return std::string("false");
      return bad("true or false");
    case KeyType::list: {
      std::string normal;
      for (const std::string& word : words_of(value)) normal += (normal.empty() ? "" : ",") + word;
      return normal;
    }
  }
  return bad("understood");
}

/// Builds a configuration layer by layer, the weakest first, and collects every problem instead of stopping at the first.
class Loader {
 public:
  explicit Loader(const Sources& sources) : sources_(sources) {
    for (const Key& key : keys()) {
      const auto value = normalise(key, key.default_text);
      CONCORD_CHECK(value.has_value(), "a default of the table is not a value of its key");
      configuration_.settings_.push_back({&key, *value, "default"});
    }
  }

  Result<Configuration> run() {
    apply_file();
    apply_otel_environment();
    apply_environment();
    apply_flags();
    if (problems_.empty()) read_secret_files();
    if (problems_.empty()) {
      check_together();
      check_browser_keys();
    }
    if (problems_.empty()) return std::move(configuration_);
    problems_.pop_back();
    return fail(Errc::invalid_request, std::move(problems_));
  }

 private:
  void problem(const std::string& where, const std::string& reason) { problems_ += where + ": " + reason + "\n"; }

  Setting& setting(const Key& key) { return configuration_.settings_[static_cast<std::size_t>(&key - keys().data())]; }

  /// `where` comes first in a problem's line, `origin` is shown beside the value.
  void set(const Key& key, std::string_view value, const std::string& where, std::string origin) {
    auto normal = normalise(key, value);
    if (!normal) return problem(where, normal.error().message());
    setting(key) = {&key, std::move(*normal), std::move(origin)};
  }

  void apply_file() {
    std::optional<std::string> path = sources_.config_path;
    if (!path) path = environment("CONCORD_CONFIG");
    if (!path) {
      std::error_code ignored;
      if (!std::filesystem::exists(sources_.default_path, ignored)) return;
      path = sources_.default_path;
    }
    const auto values = read_toml_file(*path);
    if (!values) {
      problems_ += values.error().message() + "\n";
      return;
    }
    for (const FileValue& value : *values) {
      const std::string place = *path + ":" + std::to_string(value.line);
      const Key* key = find_key(value.name);
      if (key == nullptr) {
        const bool in_section = value.name.find('.') != std::string::npos;
        problem(place, "unknown key \"" + value.name + "\"" +
                           (in_section ? suggest_key(value.name) : " outside of any section"));
      } else if (!fits(key->type, value.type)) {
        problem(place, value.name + ": " + std::string(type_name(key->type)) + " is expected");
      } else {
        set(*key, value.value, place + ": " + value.name, "file " + place);
      }
    }
  }

  /// What makes no sense is ignored: these variables are for all programs of the machine.
  void apply_otel_environment() {
    for (const OtelValue& given : otel_values(sources_.environment, configuration_.warnings)) {
      const Key& key = *find_key(given.key);
      auto normal = normalise(key, given.value);
      if (normal) {
        setting(key) = {&key, std::move(*normal), "environment " + std::string(given.variable)};
      } else {
        configuration_.warnings.push_back("the environment variable " + std::string(given.variable) +
                                          " is ignored: " + normal.error().message());
      }
    }
  }

  void apply_environment() {
    for (const Key& key : keys()) {
      const std::string long_name = environment_name(key);
      const std::string short_name = short_environment_name(key);
      const auto short_value = short_name == long_name ? std::nullopt : environment(short_name);
      apply_named(key, long_name, environment(long_name), short_name, short_value, "environment ");
    }
    for (const auto& [name, value] : sources_.environment) {
      if (name.starts_with("CONCORD_") && !is_known_variable(name)) {
        configuration_.warnings.push_back("the environment variable " + name + " is not known and is ignored" +
                                          suggest_variable(name));
      }
    }
  }

  void apply_flags() {
    std::vector<bool> used(sources_.flags.size());
    const auto take = [&](const std::string& name) -> std::optional<std::string> {
      std::optional<std::string> value;
      for (std::size_t i = 0; i < used.size(); ++i) {
        if (sources_.flags[i].first != name) continue;
        used[i] = true;
        value = sources_.flags[i].second;
      }
      return value;
    };
    for (const Key& key : keys()) {
      const std::string long_name = flag_name(key);
      const std::string short_name = short_flag_name(key);
      const auto long_value = take(long_name);
      const auto short_value = short_name.empty() || short_name == long_name ? std::nullopt : take(short_name);
      apply_named(key, long_name, long_value, short_name, short_value, "flag ");
    }
    for (std::size_t i = 0; i < used.size(); ++i) {
      if (!used[i]) problem(sources_.flags[i].first, "unknown flag" + suggest_flag(sources_.flags[i].first));
    }
  }

  /// A key that may be given by two different names. Both values must be good; the long name wins.
  void apply_named(const Key& key, const std::string& long_name, const std::optional<std::string>& long_value,
                   const std::string& short_name, const std::optional<std::string>& short_value, const char* kind) {
    if (short_value) set(key, *short_value, short_name, kind + short_name);
    if (!long_value) return;
    const std::string before = setting(key).value;
    set(key, *long_value, long_name, kind + long_name);
    if (short_value && before != setting(key).value) {
      configuration_.warnings.push_back(short_name + " and " + long_name + " disagree; " + long_name + " is used");
    }
  }

  [[nodiscard]] std::optional<std::string> environment(std::string_view name) const {
    const auto found = std::ranges::find(sources_.environment, name, &std::pair<std::string, std::string>::first);
    if (name.empty() || found == sources_.environment.end()) return std::nullopt;
    return found->second;
  }

  static bool is_known_variable(std::string_view name) {
    if (std::ranges::find(other_variables, name) != std::end(other_variables)) return true;
    return std::ranges::any_of(
        keys(), [&](const Key& key) { return environment_name(key) == name || short_environment_name(key) == name; });
  }

  void read_secret_files() {
    for (const Key& key : keys()) {
      const Key* const file = file_key(key);
      if (file == nullptr || setting(*file).value.empty()) continue;
      const std::string path = setting(*file).value;
      const std::string where = setting(*file).origin + ": " + std::string(file->name);
      if (!setting(key).value.empty()) {
        problem(where, "both it and " + std::string(key.name) + " (" + setting(key).origin + ") are given; give one");
        continue;
      }
      const auto content = read_secret_file(path);
      if (!content) {
        problem(where, content.error().message());
      } else {
        set(key, *content, where + ": " + path, std::string(file->name) + " " + path);
      }
    }
  }

  void check_together() {
    const Setting& token = setting(*find_key("auth.token"));
    if (!token.value.empty() && !token.value.starts_with("sk_concord_")) {
      problem(token.origin, "auth.token must start with sk_concord_");
    }
    if (setting(*find_key("api.tls_cert")).value.empty() != setting(*find_key("api.tls_key")).value.empty()) {
      problem("api.tls_cert, api.tls_key", "one needs the other: give both or none");
    }
    const Setting& schedule = setting(*find_key("backup.schedule"));
    if (const auto parsed = base::Schedule::parse(schedule.value); !parsed) {
      problem(schedule.origin, "backup.schedule: " + parsed.error().message());
    }
    if (configuration_.text("api.tls_cert").empty() && !configuration_.text("api.tls_client_ca").empty()) {
      problem(setting(*find_key("api.tls_client_ca")).origin, "api.tls_client_ca needs api.tls_cert and api.tls_key");
    }
    check_member_certificates();
    if (configuration_.integer("cluster.election_timeout_ms") <= configuration_.integer("cluster.heartbeat_ms")) {
      problem(setting(*find_key("cluster.election_timeout_ms")).origin,
              "cluster.election_timeout_ms must be longer than cluster.heartbeat_ms");
    }
  }

  /// All or none: TLS that asks for nobody's certificate would look like more than it is.
  void check_member_certificates() {
    std::string given;
    std::string missing;
    for (const std::string_view name : {"cluster.tls_cert", "cluster.tls_key", "cluster.tls_ca"}) {
      std::string& list = configuration_.text(name).empty() ? missing : given;
      list += (list.empty() ? "" : ", ") + std::string(name);
    }
    if (!given.empty() && !missing.empty()) {
      problem(given,
              "TLS between members needs a certificate, its key and an authority: give all three or none; missing: " +
                  missing);
    }
  }

  /// What no request could match.
  void check_browser_keys() {
    for (const std::string& host : configuration_.list("api.allowed_hosts")) {
      if (host != "*" && host.find_first_of("/: ") != std::string::npos) {
        problem(setting(*find_key("api.allowed_hosts")).origin,
                "api.allowed_hosts: \"" + host + "\" is not a name without scheme and port, like db.example.org");
      }
    }
    for (const std::string& origin : configuration_.list("api.cors_origins")) {
      if (origin != "*" && !is_origin(origin)) {
        problem(setting(*find_key("api.cors_origins")).origin,
                "api.cors_origins: \"" + origin +
                    "\" is not an origin like https://app.example.org or http://localhost:3000");
      }
    }
  }

  const Sources& sources_;
  Configuration configuration_;
  std::string problems_;
};

Result<Configuration> load(const Sources& sources) { return Loader(sources).run(); }

std::string suggest_flag(std::string_view flag) { return base::did_you_mean(flag, names(flag_name, short_flag_name)); }

NamedValues process_environment() {
  NamedValues variables;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view line(*at);
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    variables.emplace_back(line.substr(0, equals), line.substr(equals + 1));
  }
  return variables;
}

const std::string& Configuration::text(std::string_view name) const {
  const auto found = std::ranges::find(settings_, name, [](const Setting& setting) { return setting.key->name; });
  CONCORD_CHECK(found != settings_.end(), "a key that is not in the table was asked for");
  return found->value;
}

std::int64_t Configuration::integer(std::string_view name) const {
  const auto number = whole_number<std::int64_t>(text(name));
  CONCORD_CHECK(number.has_value(), "a key without a whole number was asked for one");
  return *number;
}

bool Configuration::is_default(std::string_view name) const {
  const auto found = std::ranges::find(settings_, name, [](const Setting& setting) { return setting.key->name; });
  CONCORD_CHECK(found != settings_.end(), "a key that is not in the table was asked for");
  return found->origin == "default";
}

double Configuration::number(std::string_view name) const {
  const auto number = whole_number<double>(text(name));
  CONCORD_CHECK(number.has_value(), "a key without a number was asked for one");
  return *number;
}

std::vector<std::string> Configuration::list(std::string_view name) const { return words_of(text(name)); }

bool Configuration::boolean(std::string_view name) const { return text(name) == "true"; }

Options Configuration::database_options() const {
  const std::string& durability = text("durability.mode");
  const std::string& consistency = text("read.default_consistency");
  Options options;
  options.name = text("node.name");
  options.data_dir = text("node.data_dir");
  options.durability = durability == "disk" ? Durability::disk
                       : durability == "os" ? Durability::os
                                            : Durability::memory;
  options.flush_interval = std::chrono::milliseconds(integer("durability.flush_ms"));
  options.heartbeat = std::chrono::milliseconds(integer("cluster.heartbeat_ms"));
  options.election_timeout = std::chrono::milliseconds(integer("cluster.election_timeout_ms"));
  options.default_consistency = consistency == "eventual" ? ReadConsistency::eventual
                                : consistency == "leader" ? ReadConsistency::leader
                                                          : ReadConsistency::strong;
  options.cluster = cluster_options();
  options.limits.max_value_bytes = static_cast<std::size_t>(integer("limits.max_value_bytes"));
  options.limits.max_in_flight = static_cast<std::size_t>(integer("limits.max_in_flight"));
  options.limits.max_in_flight_bytes = static_cast<std::size_t>(integer("limits.max_in_flight_bytes"));
  options.snapshot.every_entries = static_cast<std::uint64_t>(integer("snapshot.every_entries"));
  options.snapshot.every_bytes = static_cast<std::uint64_t>(integer("snapshot.every_bytes"));
  options.compression = compression_options();
  options.auth = {.enabled = boolean("auth.enabled"), .token = text("auth.token")};
  options.audit_log = audit_log_options();
  options.metrics.enabled = boolean("prometheus.enabled");
  options.telemetry.enabled = boolean("telemetry.enabled");
  options.telemetry.poll_interval = std::chrono::seconds(integer("telemetry.poll_interval_s"));
  options.tracing = tracing_options();
  options.slow_call = std::chrono::milliseconds(integer("log.slow_call_ms"));
  options.event_stream.enabled = boolean("event_stream.enabled");
  options.event_stream.buffer_size = static_cast<std::size_t>(integer("event_stream.buffer_size"));
  options.event_stream.history = static_cast<std::uint64_t>(integer("event_stream.history"));
  options.event_stream.history_bytes = static_cast<std::uint64_t>(integer("event_stream.history_bytes"));
  options.backup = {.dir = text("backup.dir"),
                    .schedule = text("backup.schedule"),
                    .keep_count = static_cast<std::uint64_t>(integer("backup.keep_count")),
                    .keep_days = static_cast<std::uint64_t>(integer("backup.keep_days"))};
  return options;
}

AuditLogOptions Configuration::audit_log_options() const {
  AuditLogOptions audit;
  audit.enabled = boolean("audit_log.enabled");
  audit.log_dir = text("audit_log.log_dir");
  audit.rotation_size_bytes = static_cast<std::uint64_t>(integer("audit_log.rotation_size_mb")) << 20U;
  audit.retention = std::chrono::days(integer("audit_log.retention_days"));
  audit.log_reads = boolean("audit_log.log_reads");
  audit.sensitive_keys = boolean("audit_log.sensitive_keys");
  audit.when_full = text("audit_log.when_full") == "drop" ? AuditFull::drop : AuditFull::wait;
  audit.key_file = text("audit_log.key_file");
  return audit;
}

ClusterOptions Configuration::cluster_options() const {
  ClusterOptions cluster;
  cluster.name = text("cluster.name");
  cluster.cookie = text("cluster.cookie");
  cluster.peer_host = text("cluster.peer_host");
  cluster.peer_port = static_cast<std::uint16_t>(integer("cluster.peer_port"));
  cluster.advertise = text("cluster.advertise");
  for (const std::string& member : words_of(text("cluster.initial"))) {
    const std::size_t equals = member.find('=');
    // Without an address it is refused when the node is opened, by name.
    cluster.initial.push_back({.name = member.substr(0, equals),
                               .peer = equals == std::string::npos ? std::string() : member.substr(equals + 1)});
  }
  cluster.tls_cert = text("cluster.tls_cert");
  cluster.tls_key = text("cluster.tls_key");
  cluster.tls_ca = text("cluster.tls_ca");
  cluster.join = words_of(text("cluster.join"));
  cluster.auto_join = boolean("cluster.auto_join");
  cluster.auto_promote = boolean("cluster.auto_promote");
  const std::string& discovery = text("cluster.discovery");
  cluster.discovery = discovery == "gossip" ? Discovery::gossip
                      : discovery == "dns"  ? Discovery::dns
                                            : Discovery::listed;
  cluster.expected_size = static_cast<std::size_t>(integer("cluster.expected_size"));
  cluster.settle_time = std::chrono::milliseconds(integer("cluster.settle_ms"));
  cluster.dns_name = text("cluster.dns_name");
  cluster.gossip_port = static_cast<std::uint16_t>(integer("cluster.gossip_port"));
  cluster.gossip_group = text("cluster.gossip_group");
  cluster.gossip_interface = text("cluster.gossip_interface");
  cluster.gossip_ttl = static_cast<std::uint8_t>(integer("cluster.gossip_ttl"));
  cluster.gossip_addresses = words_of(text("cluster.gossip_addresses"));
  return cluster;
}

TracingOptions Configuration::tracing_options() const {
  const std::string& exporter = text("tracing.exporter");
  TracingOptions tracing;
  tracing.enabled = boolean("tracing.enabled");
  tracing.exporter = exporter == "stdout"   ? TraceExporter::output
                     : exporter == "otlp"   ? TraceExporter::otlp
                     : exporter == "zipkin" ? TraceExporter::zipkin
                                            : TraceExporter::none;
  tracing.endpoint = text("tracing.endpoint");
  tracing.sample_ratio = number("tracing.sample_ratio");
  tracing.keep_errors = boolean("tracing.keep_errors");
  tracing.show_keys = boolean("tracing.show_keys");
  tracing.service_name = text("tracing.service_name");
  tracing.resource = pairs_of(list("tracing.resource"));
  tracing.headers = pairs_of(list("tracing.headers"));
  tracing.queue_size = static_cast<std::size_t>(integer("tracing.queue_size"));
  tracing.batch_size = static_cast<std::size_t>(integer("tracing.batch_size"));
  tracing.interval = std::chrono::milliseconds(integer("tracing.interval_ms"));
  tracing.timeout = std::chrono::milliseconds(integer("tracing.timeout_ms"));
  return tracing;
}

CompressionOptions Configuration::compression_options() const {
  const std::string& algorithm = text("compression.algorithm");
  return {.enabled = boolean("compression.enabled"),
          .algorithm = algorithm == "zlib"   ? CompressionAlgorithm::zlib
                       : algorithm == "gzip" ? CompressionAlgorithm::gzip
                       : algorithm == "zstd" ? CompressionAlgorithm::zstd
                                             : CompressionAlgorithm::lz4,
          .threshold_bytes = static_cast<std::size_t>(integer("compression.threshold_bytes")),
          .level = static_cast<int>(integer("compression.level"))};
}

std::string shown(const Setting& setting) {
  return setting.key->secret && !setting.value.empty() ? "****" : setting.value;
}

std::vector<Change> Configuration::reload(const Configuration& newer) {
  std::vector<Change> changes;
  for (std::size_t i = 0; i < settings_.size(); ++i) {
    const Setting& other = newer.settings_[i];
    if (settings_[i].value != other.value) changes.push_back({other.key, shown(settings_[i]), shown(other)});
    if (other.key->reloadable) settings_[i] = other;
  }
  return changes;
}

std::string Configuration::show() const {
  std::string lines;
  for (const Setting& setting : settings_) {
    lines += std::string(setting.key->name) + " = " + shown(setting) + "  # " + setting.origin + "\n";
  }
  return lines;
}

}  // namespace concord::config

#include "config/key_table.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace concord::config {
namespace {

constexpr std::int64_t no_limit = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t one_gib = std::int64_t{1} << 30;
constexpr std::int64_t an_hour_ms = 3'600'000;
constexpr std::int64_t a_day_ms = 24 * an_hour_ms;

constexpr Key text(std::string_view name, std::string_view value, std::string_view short_name, std::string_view help) {
  return {.name = name,
          .type = KeyType::text,
          .default_text = value,
          .short_name = short_name,
          .help = help,
          .choices = {}};
}
constexpr Key integer(std::string_view name, std::string_view value, std::string_view short_name, std::int64_t low,
                      std::int64_t high, std::string_view help) {
  return {.name = name,
          .type = KeyType::integer,
          .default_text = value,
          .short_name = short_name,
          .help = help,
          .low = low,
          .high = high,
          .choices = {}};
}
constexpr Key boolean(std::string_view name, std::string_view value, std::string_view short_name,
                      std::string_view help) {
  return {.name = name,
          .type = KeyType::boolean,
          .default_text = value,
          .short_name = short_name,
          .help = help,
          .choices = {}};
}
constexpr Key choice(std::string_view name, std::string_view value, std::string_view choices,
                     std::string_view short_name, std::string_view help) {
  return {.name = name,
          .type = KeyType::choice,
          .default_text = value,
          .short_name = short_name,
          .help = help,
          .choices = choices};
}
constexpr Key number(std::string_view name, std::string_view value, std::string_view help) {
  return {.name = name, .type = KeyType::number, .default_text = value, .short_name = {}, .help = help, .choices = {}};
}

constexpr Key list(std::string_view name, std::string_view help) {
  return {.name = name, .type = KeyType::list, .default_text = {}, .short_name = {}, .help = help, .choices = {}};
}

constexpr Key secret(Key key) {
  key.secret = true;
  return key;
}
constexpr Key reloadable(Key key) {
  key.reloadable = true;
  return key;
}
constexpr Key optional(Key key) {
  key.may_be_empty = true;
  return key;
}

constexpr auto table = std::to_array<Key>({
    text("node.name", "node1@127.0.0.1", "NODE_NAME", "name of this node, unique in its cluster"),
    text("node.data_dir", "./data", "DATA_DIR", "directory of the log and the snapshots; created when missing"),
    text("api.host", "127.0.0.1", "API_HOST", "address the HTTP API listens on"),
    integer("api.port", "4000", "API_PORT", 0, 65535, "port of the HTTP API; 0 takes a free one"),
    integer("api.threads", "0", "", 0, 1024, "threads that serve HTTP; 0: one a processor"),
    list("api.allowed_hosts",
         "names of this server in requests (Host), by comma; *: any; empty: any, on the loopback local ones"),
    list("api.cors_origins", "origins whose pages may use the API, by comma; *: any; empty: none"),
    boolean("api.compress", "true", "", "gzip answers for clients that ask for it"),
    reloadable(boolean("api.access_log", "false", "", "log a line (info) for each answered request")),
    optional(text("api.tls_cert", "", "TLS_CERT", "certificate chain (PEM) for HTTPS; empty: HTTP")),
    optional(text("api.tls_key", "", "TLS_KEY", "its private key (PEM)")),
    optional(text("api.tls_client_ca", "", "TLS_CLIENT_CA",
                  "authorities (PEM) of clients, which must show a certificate; empty: none is asked for")),
    text("cluster.name", "concord", "CLUSTER_NAME", "name of the cluster"),
    secret(optional(text("cluster.cookie", "", "COOKIE", "shared secret of the members; empty: a single node only"))),
    optional(text("cluster.cookie_file", "", "COOKIE_FILE", "file that holds cluster.cookie, instead of it")),
    optional(text("cluster.tls_cert", "", "",
                  "certificate chain (PEM) this node shows to other members; empty: no TLS between members")),
    optional(text("cluster.tls_key", "", "", "its private key (PEM)")),
    optional(text("cluster.tls_ca", "", "", "authorities (PEM) the other members' certificates must lead to")),
    text("cluster.peer_host", "127.0.0.1", "PEER_HOST", "address the peer port listens on"),
    integer("cluster.peer_port", "9100", "PEER_PORT", 0, 65535, "port other members connect to"),
    optional(text("cluster.advertise", "", "PEER_ADVERTISE", "address other members reach this node at")),
    optional(text("cluster.initial", "", "INITIAL_CLUSTER", "members of a new cluster: name=host:port, by comma")),
    optional(text("cluster.join", "", "JOIN", "peer addresses of a cluster to join, by comma")),
    boolean("cluster.auto_join", "true", "", "join a running cluster that has the same name and cookie"),
    boolean("cluster.auto_promote", "true", "", "become a voter once caught up"),
    choice("cluster.discovery", "static", "static|gossip|dns", "DISCOVERY", "how members find each other"),
    integer("cluster.expected_size", "1", "EXPECTED_SIZE", 1, 100, "members that must meet before a cluster forms"),
    integer("cluster.settle_ms", "3000", "", 100, an_hour_ms,
            "how long the same nodes are seen before they form a cluster"),
    optional(text("cluster.dns_name", "", "DNS_NAME", "name that resolves to the members")),
    integer("cluster.gossip_port", "0", "GOSSIP_PORT", 0, 65535, "UDP port of gossip; 0: the number of the peer port"),
    optional(text("cluster.gossip_group", "239.255.90.40:9099", "GOSSIP_GROUP",
                  "multicast group of gossip, host:port; empty: none")),
    optional(text("cluster.gossip_interface", "", "", "address of the interface for the multicast group")),
    integer("cluster.gossip_ttl", "1", "", 0, 255, "how many networks far multicast goes"),
    list("cluster.gossip_addresses", "host:port of the gossip of some others, by comma"),
    integer("cluster.heartbeat_ms", "50", "", 1, an_hour_ms, "interval of the leader's heartbeats"),
    integer("cluster.election_timeout_ms", "500", "", 2, an_hour_ms, "silence of the leader before an election"),
    choice("durability.mode", "disk", "disk|os|memory", "DURABILITY", "when a write is acknowledged"),
    integer("durability.flush_ms", "10", "", 1, 60'000, "mode memory: longest time a write stays unwritten"),
    boolean("auth.enabled", "false", "AUTH_ENABLED", "ask for a token"),
    secret(optional(text("auth.token", "", "AUTH_TOKEN", "first admin token; starts with sk_concord_"))),
    optional(text("auth.token_file", "", "", "file that holds auth.token, instead of it")),
    choice("read.default_consistency", "leader", "eventual|leader|strong", "DEFAULT_READ_CONSISTENCY",
           "how fresh a read is that does not say"),
    boolean("compression.enabled", "true", "", "compress large values"),
    choice("compression.algorithm", "zlib", "zlib|gzip|zstd|lz4", "", "how values are compressed"),
    integer("compression.threshold_bytes", "1024", "", 0, one_gib, "values larger than this are compressed"),
    integer("compression.level", "6", "", 0, 9, "effort of the compression; 0 stores without compressing"),
    boolean("prometheus.enabled", "true", "PROMETHEUS_ENABLED", "measure, and serve metrics on their own port"),
    integer("prometheus.port", "9568", "PROMETHEUS_PORT", 0, 65535, "port of the metrics; 0 takes a free one"),
    optional(text("prometheus.host", "", "", "address that port listens on; empty: that of the API")),
    boolean("telemetry.enabled", "true", "TELEMETRY_ENABLED", "emit telemetry events"),
    integer("telemetry.poll_interval_s", "10", "", 1, 86'400, "interval of the periodic measurements"),
    boolean("tracing.enabled", "false", "TRACING_ENABLED", "record spans"),
    choice("tracing.exporter", "none", "none|stdout|otlp|zipkin", "TRACING_EXPORTER", "where spans go"),
    optional(text("tracing.endpoint", "", "", "URL spans are sent to")),
    number("tracing.sample_ratio", "1.0", "share of traces that is kept, 0 to 1"),
    boolean("tracing.keep_errors", "false", "", "keep spans of calls that failed whatever was drawn"),
    boolean("tracing.show_keys", "false", "", "name the key in a span"),
    text("tracing.service_name", "concord", "", "name of the service in spans"),
    list("tracing.resource", "further attributes of the service in spans: name=value, by comma"),
    secret(list("tracing.headers", "header fields of an export: name=value, by comma")),
    optional(text("tracing.headers_file", "", "", "file that holds tracing.headers, instead of it")),
    integer("tracing.queue_size", "2048", "", 1, 10'000'000, "spans that wait; more are dropped"),
    integer("tracing.batch_size", "512", "", 1, 10'000'000, "spans of one export"),
    integer("tracing.interval_ms", "5000", "", 1, an_hour_ms, "longest time a span waits"),
    integer("tracing.timeout_ms", "10000", "", 1, an_hour_ms, "time an export may take"),
    boolean("audit_log.enabled", "false", "AUDIT_ENABLED", "keep an audit log"),
    text("audit_log.log_dir", "./audit_logs", "", "directory of the audit log, of this node alone"),
    integer("audit_log.rotation_size_mb", "100", "", 1, 1'000'000, "size of an audit file"),
    integer("audit_log.retention_days", "90", "", 1, 100'000, "how long audit files are kept"),
    boolean("audit_log.log_reads", "false", "", "audit reads too"),
    boolean("audit_log.sensitive_keys", "false", "", "write keys as they are instead of their hash"),
    choice("audit_log.when_full", "wait", "wait|drop", "", "what calls do while the buffer of the audit log is full"),
    optional(text("audit_log.key_file", "", "", "key of the log's signatures; empty: audit.key in its directory")),
    boolean("event_stream.enabled", "true", "", "offer the event stream"),
    integer("event_stream.buffer_size", "10000", "", 1, one_gib, "events buffered for a subscriber"),
    integer("event_stream.history", "100000", "", 1, one_gib, "events kept for resuming"),
    integer("event_stream.history_bytes", "67108864", "", 1, no_limit, "memory of the events kept for resuming"),
    text("backup.dir", "./backups", "", "directory of the backups of this node"),
    text("backup.schedule", "off", "",
         "when backups are made by themselves: 30m, 1h, 1d, or five fields of cron in UTC"),
    integer("backup.keep_count", "0", "", 0, one_gib,
            "after one was made by itself so many of the newest are kept; 0: no such rule"),
    integer("backup.keep_days", "0", "", 0, one_gib, "likewise those no older than so many days; 0: no such rule"),
    integer("snapshot.every_entries", "1000000", "", 1, no_limit, "take a snapshot after so many log entries"),
    integer("snapshot.every_bytes", "268435456", "", 1, no_limit, "take a snapshot after so many bytes of log"),
    reloadable(choice("log.level", "info", "trace|debug|info|warn|error|off", "LOG_LEVEL",
                      "least severe line that is logged")),
    reloadable(choice("log.format", "text", "text|json", "LOG_FORMAT", "form of the log lines")),
    integer("log.slow_call_ms", "0", "", 0, an_hour_ms, "calls that take so long are logged; 0: none"),
    integer("limits.max_value_bytes", "8388608", "", 1, std::int64_t{64} << 20, "largest value"),
    integer("limits.max_in_flight", "65536", "", 1, one_gib, "writes accepted and not yet answered"),
    integer("limits.max_in_flight_bytes", "268435456", "", 1, no_limit, "their encoded size"),
    integer("limits.max_connections", "10000", "", 1, 1'000'000, "HTTP connections open at once"),
    integer("limits.auth_failures_per_minute", "1000", "", 0, one_gib,
            "wrong tokens from one address before it has to wait; 0: no limit"),
    integer("limits.requests_per_address_per_s", "0", "", 0, one_gib, "calls from one address; 0: no limit"),
    integer("limits.requests_per_token_per_s", "0", "", 0, one_gib, "calls with one token; 0: no limit"),
    integer("limits.max_handshakes", "1024", "", 1, 1'000'000, "TLS handshakes under way; above, the oldest is closed"),
    integer("limits.handshake_timeout_ms", "10000", "", 100, an_hour_ms, "time a TLS handshake may take"),
    integer("limits.max_body_bytes", "16777216", "", 1024, one_gib, "largest body of a request"),
    integer("limits.request_timeout_ms", "30000", "", 100, an_hour_ms, "time a request may take to arrive"),
    integer("limits.idle_timeout_ms", "75000", "", 100, a_day_ms, "time a connection may be idle"),
});

std::string transformed(std::string_view prefix, std::string_view name, char separator, int (*letter)(int)) {
  std::string result(prefix);
  for (const char c : name) {
    result += c == '.' || c == '_' ? separator : static_cast<char>(letter(static_cast<unsigned char>(c)));
  }
  return result;
}

}  // namespace

std::span<const Key> keys() noexcept { return table; }

const Key* find_key(std::string_view name) noexcept {
  const auto found = std::ranges::find(table, name, &Key::name);
  return found == table.end() ? nullptr : &*found;
}

const Key* file_key(const Key& secret) noexcept {
  if (!secret.secret) return nullptr;
  const auto found = std::ranges::find_if(table, [&](const Key& key) {
    return key.name.size() == secret.name.size() + 5 && key.name.starts_with(secret.name) &&
           key.name.ends_with("_file");
  });
  return found == table.end() ? nullptr : &*found;
}

std::string environment_name(const Key& key) { return transformed("CONCORD_", key.name, '_', std::toupper); }

std::string short_environment_name(const Key& key) {
  return key.short_name.empty() ? std::string() : "CONCORD_" + std::string(key.short_name);
}

std::string flag_name(const Key& key) { return transformed("--", key.name, '-', std::tolower); }

std::string short_flag_name(const Key& key) {
  return key.short_name.empty() ? std::string() : transformed("--", key.short_name, '-', std::tolower);
}

}  // namespace concord::config

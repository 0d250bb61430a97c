// concord start: a node with its HTTP API, until a signal or a failure.
//
// SIGHUP reads the configuration again: reloadable keys take effect, the others are named in the log as
// waiting for a restart, and a configuration that would not be accepted changes nothing.
// Exit codes: 0 after SIGTERM or SIGINT, 1 when the start is refused or the node has failed for good.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "commands/commands.hpp"
#include "config_flags.hpp"
#include "database/database.hpp"
#include "http/server.hpp"
#include "log.hpp"
#include "open_files.hpp"
#include "security/tls_context.hpp"
#include "service_manager.hpp"

namespace concord::app {
namespace {

using std::chrono::milliseconds;

/// How often the node is asked whether it has failed.
constexpr milliseconds failure_poll{100};
/// How often a node that has not been ready yet is asked whether it is.
constexpr milliseconds ready_poll{20};
/// Together below the 5 s a stop may take.
constexpr milliseconds hand_over_limit{500};
constexpr milliseconds server_stop_limit{2000};
constexpr milliseconds database_stop_limit{1500};

/// Blocks the signals meant for the program, in this thread and all it starts from here on, and waits for them. A pipe that nobody
/// reads any more must not end the node: SIGPIPE is ignored.
class Signals {
 public:
  Signals() noexcept {
    std::signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set_);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }

  /// The one that came within `time`; 0: none did.
  [[nodiscard]] int wait_for(milliseconds time) const noexcept {
    const timespec limit{.tv_sec = time.count() / 1000, .tv_nsec = (time.count() % 1000) * 1'000'000};
    return std::max(sigtimedwait(&set_, nullptr, &limit), 0);
  }

 private:
  sigset_t set_;
};

/// A reload that is asked for while the node still starts waits until it serves; else SIGHUP would end the process.
void hold_back_reload() noexcept {
  sigset_t reload;
  sigemptyset(&reload);
  sigaddset(&reload, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &reload, nullptr);
}

/// What the running parts share with the configuration, so that a reload reaches them.
struct Switches {
  explicit Switches(const config::Configuration& configuration)
      : log(log_level_of(configuration.text("log.level")), log_format_of(configuration.text("log.format"))) {
    apply(configuration);
  }

  void apply(const config::Configuration& configuration) const {
    log.configure(log_level_of(configuration.text("log.level")), log_format_of(configuration.text("log.format")));
    access_log->store(configuration.boolean("api.access_log"));
  }

  Log log;
  std::shared_ptr<std::atomic<bool>> access_log = std::make_shared<std::atomic<bool>>(false);
};

void log_access(const Log& log, const http::AccessRecord& record) {
  const auto duration = std::chrono::duration_cast<std::chrono::microseconds>(record.duration);
  const LogField fields[] = {{"client", record.client},
                             {"method", record.method},
                             {"target", record.target},
                             {"status", static_cast<std::int64_t>(record.status)},
                             {"request_bytes", static_cast<std::int64_t>(record.request_bytes)},
                             {"response_bytes", static_cast<std::int64_t>(record.response_bytes)},
                             {"duration_us", static_cast<std::int64_t>(duration.count())},
                             {"request_id", record.request_id}};
  log.write(LogLevel::info, "request", fields);
}

http::Settings server_settings(const config::Configuration& configuration, const Switches& switches) {
  http::Settings settings;
  settings.host = configuration.text("api.host");
  settings.port = static_cast<std::uint16_t>(configuration.integer("api.port"));
  settings.threads = static_cast<std::size_t>(configuration.integer("api.threads"));
  settings.max_connections = static_cast<std::size_t>(configuration.integer("limits.max_connections"));
  settings.limits.max_body_bytes = static_cast<std::size_t>(configuration.integer("limits.max_body_bytes"));
  settings.request_timeout = milliseconds(configuration.integer("limits.request_timeout_ms"));
  settings.idle_timeout = milliseconds(configuration.integer("limits.idle_timeout_ms"));
  settings.browsers = {.allowed_hosts = configuration.list("api.allowed_hosts"),
                       .cors_origins = configuration.list("api.cors_origins")};
  const auto limit = [&](std::string_view key) { return static_cast<std::uint64_t>(configuration.integer(key)); };
  settings.rate_limits = {.auth_failures_per_minute = limit("limits.auth_failures_per_minute"),
                          .requests_per_address_per_s = limit("limits.requests_per_address_per_s"),
                          .requests_per_token_per_s = limit("limits.requests_per_token_per_s")};
  settings.max_handshakes = static_cast<std::size_t>(configuration.integer("limits.max_handshakes"));
  settings.handshake_timeout = milliseconds(configuration.integer("limits.handshake_timeout_ms"));
  settings.compress = configuration.boolean("api.compress");
  settings.access_log = [log = switches.log](const http::AccessRecord& record) { log_access(log, record); };
  settings.access_log_on = switches.access_log;
  settings.log = switches.log;
  return settings;
}

using Reader = std::function<Result<config::Configuration>()>;

void log_problems(const Log& log, const Error& error) {
  log(LogLevel::error, "reload: the configuration is not accepted; the one in force stays");
  std::istringstream problems(error.message());
  for (std::string problem; std::getline(problems, problem);) log(LogLevel::error, "reload: " + problem);
}

void reload(config::Configuration& configuration, const Reader& read, const Switches& switches) {
  const auto newer = read();
  if (!newer) return log_problems(switches.log, newer.error());
  const std::vector<config::Change> changes = configuration.reload(*newer);
  switches.apply(configuration);
  for (const std::string& warning : newer->warnings) switches.log(LogLevel::warn, warning);
  for (const config::Change& change : changes) {
    const bool done = change.key->reloadable;
    const LogField fields[] = {{"key", change.key->name}, {"before", change.before}, {"after", change.after}};
    switches.log.write(done ? LogLevel::info : LogLevel::warn,
                       done ? "reload: changed" : "reload: changes with the next restart only", fields);
  }
  if (changes.empty()) switches.log(LogLevel::info, "reload: nothing has changed");
}

/// sd_notify(3) asks for the time of the reload's start, so that systemd knows which READY answers which request.
void notify_reloading() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  const auto now_us = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  notify_service_manager("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now_us));
}

/// Where the metrics are; none: nothing is measured. Nobody asked for the default port, so it may be in use: by a second node on this
/// machine, say. The API has the same page.
Result<std::optional<std::string>> serve_metrics(const config::Configuration& configuration, const Log& log,
                                                 database::Database& database, const std::string& api_url) {
  if (!configuration.boolean("prometheus.enabled")) return std::nullopt;
  const std::string& host = configuration.text("prometheus.host");
  const auto port = static_cast<std::uint16_t>(configuration.integer("prometheus.port"));
  auto url = database.serve_metrics(host.empty() ? configuration.text("api.host") : host, port);
  if (url) return std::move(*url);
  if (!configuration.is_default("prometheus.port")) return std::unexpected(std::move(url.error()));
  log(LogLevel::info, url.error().message() + "; they are at " + api_url + "/metrics");
  return api_url + "/metrics";
}

bool is_ready(database::Database& database) {
  return std::ranges::all_of(database.ready(), [](const database::ReadyCheck& check) { return check.ok; });
}

/// Serves until a signal ends it, or its cluster removed the node (none), or the node has failed (why). `on_ready` is called once.
std::optional<Error> serve(const Signals& signals, database::Database& database, const std::function<void()>& on_ready,
                           const std::function<void()>& on_reload) {
  for (bool was_ready = false;;) {
    if (!was_ready && is_ready(database)) {
      was_ready = true;
      on_ready();
    }
    const int signal = signals.wait_for(was_ready ? failure_poll : ready_poll);
    if (database.is_removed()) return std::nullopt;
    if (signal == SIGTERM || signal == SIGINT) return std::nullopt;
    if (signal == SIGHUP) {
      notify_reloading();
      on_reload();
      notify_service_manager("READY=1");
    }
    if (auto failure = database.failure()) return failure;
  }
}

ExitCode run(config::Configuration configuration, const Reader& read) {
  const Switches switches(configuration);
  const Log& log = switches.log;
  for (const std::string& warning : configuration.warnings) log(LogLevel::warn, warning);
  const Signals signals;
  const auto max_connections = static_cast<std::uint64_t>(configuration.integer("limits.max_connections"));
  if (const std::uint64_t possible = allow_connections(max_connections); possible < max_connections) {
    log(LogLevel::warn, "limits.max_connections = " + std::to_string(max_connections) +
                            " but the files that this process " + "may open (ulimit -Hn) are enough for " +
                            std::to_string(possible) + " only");
  }

  http::Settings settings = server_settings(configuration, switches);
  if (const std::string& certificate = configuration.text("api.tls_cert"); !certificate.empty()) {
    auto tls = security::TlsContext::load({.certificate = certificate,
                                           .key = configuration.text("api.tls_key"),
                                           .authority = configuration.text("api.tls_client_ca")});
    if (!tls) return report_problem(ExitCode::failed, tls.error().message());
    settings.tls = std::move(*tls);
  }
  Options options = configuration.database_options();
  options.log = log;
  const auto database = database::Database::open(std::move(options));
  if (!database) return report_problem(ExitCode::failed, database.error().message());
  const auto server = http::Server::start(**database, std::move(settings));
  if (!server) {
    (*database)->close(database_stop_limit);
    return report_problem(ExitCode::failed, server.error().message());
  }
  (*database)->announce_api((*server)->url());
  const auto metrics = serve_metrics(configuration, log, **database, (*server)->url());
  if (!metrics) {
    (*server)->stop(server_stop_limit);
    (*database)->close(database_stop_limit);
    return report_problem(ExitCode::failed, metrics.error().message());
  }
  const auto say_ready = [&] {
    const std::string peer = (*database)->peer_address();
    std::cout << "concord ready node=" << configuration.text("node.name") << " api=" << (*server)->url()
              << " peer=" << (peer.empty() ? "-" : peer) << " metrics=" << metrics->value_or("-") << "\n"
              << std::flush;
    notify_service_manager("READY=1");
  };
  const std::optional<Error> failure =
      serve(signals, **database, say_ready, [&] { reload(configuration, read, switches); });
  notify_service_manager("STOPPING=1");
  const bool is_removed = (*database)->is_removed();
  log(failure ? LogLevel::error : LogLevel::info, failure      ? "the node has failed: " + failure->message()
                                                  : is_removed ? "stopping: this node was removed from its cluster"
                                                               : "stopping");
  if (is_removed)
    std::cerr << "concord: this node was removed from its cluster; its data directory can't be used again\n";
  (*database)->hand_over(hand_over_limit);  // first, so that clients of other members wait for nobody
  (*server)->stop(server_stop_limit);
  (*database)->close(database_stop_limit);
  return failure ? ExitCode::failed : ExitCode::done;
}

}  // namespace

void add_start(CLI::App& app, Context& context) {
  CLI::App& command = *app.add_subcommand("start", "Run a node and its HTTP API");
  const auto flags = add_config_flags(command);
  command.callback([&context, flags] {
    hold_back_reload();
    const Reader read = [&context, flags] { return load_configuration(context, *flags); };
    auto configuration = read();
    context.exit_code = configuration ? run(std::move(*configuration), read)
                                      : report_problem(ExitCode::failed, configuration.error().message());
  });
}

}  // namespace concord::app

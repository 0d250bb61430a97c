// concord start: a node with its HTTP API, until a signal or a failure.
//
// Exit codes: 0 after SIGTERM or SIGINT, 1 when the start is refused or the node has failed for good.
#include <chrono>
#include <csignal>
#include <iostream>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>

#include "commands/commands.hpp"
#include "config_flags.hpp"
#include "database/database.hpp"
#include "http/server.hpp"
#include "log.hpp"
#include "service_manager.hpp"

namespace concord::app {
namespace {

using std::chrono::milliseconds;

/// How often the node is asked whether it has failed.
constexpr milliseconds failure_poll{100};
/// Together below the 5 s a stop may take.
constexpr milliseconds server_stop_limit{2500};
constexpr milliseconds database_stop_limit{1500};

/// Blocks the signals that end the program, in this thread and all it starts from here on, and waits for them.
class EndSignals {
 public:
  EndSignals() noexcept {
    sigemptyset(&set_);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }

  /// True when one came within `time`.
  [[nodiscard]] bool wait_for(milliseconds time) const noexcept {
    const timespec limit{.tv_sec = time.count() / 1000, .tv_nsec = (time.count() % 1000) * 1'000'000};
    return sigtimedwait(&set_, nullptr, &limit) > 0;
  }

 private:
  sigset_t set_;
};

http::Settings server_settings(const config::Configuration& configuration, const Log& log) {
  http::Settings settings;
  settings.host = configuration.text("api.host");
  settings.port = static_cast<std::uint16_t>(configuration.integer("api.port"));
  settings.threads = static_cast<std::size_t>(configuration.integer("api.threads"));
  settings.max_connections = static_cast<std::size_t>(configuration.integer("limits.max_connections"));
  settings.log = log;
  return settings;
}

/// Serves until a signal comes (none) or the node has failed (why).
std::optional<Error> serve(const EndSignals& signals, database::Database& database) {
  while (!signals.wait_for(failure_poll)) {
    if (auto failure = database.failure()) return failure;
  }
  return std::nullopt;
}

ExitCode run(const config::Configuration& configuration) {
  const Log log(log_level_of(configuration.text("log.level")),
                configuration.text("log.format") == "json" ? Log::Format::json : Log::Format::text);
  for (const std::string& warning : configuration.warnings) log(LogLevel::warn, warning);
  const EndSignals signals;

  Options options = configuration.database_options();
  options.log = log;
  const auto database = database::Database::open(std::move(options));
  if (!database) return report_problem(ExitCode::failed, database.error().message());
  const auto server = http::Server::start(**database, server_settings(configuration, log));
  if (!server) {
    (*database)->close(database_stop_limit);
    return report_problem(ExitCode::failed, server.error().message());
  }
  std::cout << "concord ready node=" << configuration.text("node.name") << " api=" << (*server)->url()
            << " peer=- metrics=-\n"
            << std::flush;
  notify_service_manager("READY=1");

  const std::optional<Error> failure = serve(signals, **database);
  notify_service_manager("STOPPING=1");
  log(failure ? LogLevel::error : LogLevel::info, failure ? "the node has failed: " + failure->message() : "stopping");
  (*server)->stop(server_stop_limit);
  (*database)->close(database_stop_limit);
  return failure ? ExitCode::failed : ExitCode::done;
}

}  // namespace

void add_start(CLI::App& app, Context& context) {
  CLI::App& command = *app.add_subcommand("start", "Run a node and its HTTP API");
  const auto flags = add_config_flags(command);
  command.callback([&context, flags] {
    const auto configuration = load_configuration(context, *flags);
    context.exit_code =
        configuration ? run(*configuration) : report_problem(ExitCode::failed, configuration.error().message());
  });
}

}  // namespace concord::app

// concord bench: puts load on a node and says how much it took and how long the answers took.
//
// The keys are under a prefix of their own, `bench-<random>-`, so that no run meets another's or a user's; they are deleted at
// the end. Keys that are to be read are stored first. Every connection has one request in flight: a slow answer delays the
// next request, as it does for a caller, so latencies are those of a loaded server, not of requests that arrive by the clock. With
// --rate they do arrive by the clock, and a latency counts from when its request was due (load/schedule.hpp).
//
// With several endpoints the connections are spread over all of them, each pinned to one for the whole time; the calls of other
// subcommands ask the first that answers.
//
// Exit codes: 0 also when some requests failed (they are counted); 6 when the node is not there or goes away for good; that of
// the answer when nothing worked at all.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <iostream>
#include <memory>
#include <optional>
#include <random>
#include <thread>

#include <pthread.h>

#include <CLI/CLI.hpp>

#include "client/endpoint.hpp"
#include "commands/api_call.hpp"
#include "duration.hpp"
#include "json_text.hpp"
#include "load/load.hpp"
#include "load/plan.hpp"
#include "load/report.hpp"
#include "load/request.hpp"
#include "open_files.hpp"

namespace concord::app {
namespace {

using std::chrono::milliseconds;

constexpr std::uint32_t fill_operations = 500;
constexpr std::uint32_t fill_bytes = 4U << 20U;
constexpr std::uint32_t delete_keys = 10'000;

struct BenchArguments {
  load::Plan plan;
  std::string duration = "10s";
  std::string warmup = "1s";
  std::string mix = "9:1";
  std::optional<std::string> rate;
  bool keep = false;
};

/// SIGINT and SIGTERM, held back in this thread and all it starts, and asked for.
class Interrupt {
 public:
  Interrupt() noexcept {
    sigemptyset(&set_);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  /// What came in the meantime and was not asked for takes effect.
  ~Interrupt() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  /// True when one came within `time`.
  [[nodiscard]] bool wait_for(milliseconds time) const noexcept {
    const timespec limit{.tv_sec = time.count() / 1000, .tv_nsec = (time.count() % 1000) * 1'000'000};
    return sigtimedwait(&set_, nullptr, &limit) > 0;
  }

 private:
  sigset_t set_{};
  sigset_t before_{};
};

std::uint32_t default_threads() noexcept { return std::max(1U, std::thread::hardware_concurrency() / 4); }

std::string unique_prefix() {
  std::random_device device;
  constexpr std::string_view digits = "0123456789abcdef";
  std::string prefix = "bench-";
  for (int count = 0; count < 8; ++count) prefix += digits[device() % digits.size()];
  return prefix + "-";
}

void refuse(Context& context, const std::string& why) { context.exit_code = report_problem(ExitCode::usage, why); }

/// Completes the plan from the texts of the command line. False after the problem was reported.
bool complete_plan(Context& context, BenchArguments& arguments) {
  load::Plan& plan = arguments.plan;
  const auto duration = read_duration(arguments.duration);
  if (!duration) return refuse(context, "--duration is like 10, 10s or 500ms, up to an hour"), false;
  const auto warmup = arguments.warmup == "0" ? milliseconds(0) : read_duration(arguments.warmup);
  if (!warmup) return refuse(context, "--warmup is like 0, 1, 1s or 500ms, up to an hour"), false;
  const auto mix = load::read_mix(arguments.mix);
  if (!mix) return refuse(context, "--mix is reads:writes, like 9:1, 1:0 or 0:1, not " + arguments.mix), false;
  if (arguments.rate && !(plan.rate_per_second = load::read_rate(*arguments.rate))) {
    return refuse(context, "--rate is a whole number of requests a second, from 1 to 10000000, not " + *arguments.rate),
           false;
  }
  plan.duration = *duration;
  plan.warmup = *warmup;
  plan.mix = *mix;
  plan.timeout = context.timeout_value();
  plan.token = context.token;
  plan.consistency = context.consistency;
  plan.prefix = unique_prefix();
  if (plan.threads == 0) plan.threads = std::min(default_threads(), std::max(1U, plan.connections));
  if (const auto problem = load::problem_of(plan)) return refuse(context, *problem), false;
  if (allow_connections(plan.connections) < plan.connections) {
    return refuse(context, "--connections " + std::to_string(plan.connections) +
                               " is more than this process may open; see ulimit -n"),
           false;
  }
  return true;
}

std::optional<std::vector<load::Server>> servers_of(Context& context) {
  std::vector<load::Server> servers;
  for (const std::string& text : context.endpoints) {
    const auto endpoint = client::parse_endpoint(text);
    if (!endpoint) return refuse(context, endpoint.error().message()), std::nullopt;
    if (endpoint->is_secure) return refuse(context, "bench speaks http only, not " + text), std::nullopt;
    auto server = load::resolve(endpoint->host, endpoint->port);
    if (!server) {
      context.exit_code = report_problem(ExitCode::unavailable, server.error());
      return std::nullopt;
    }
    servers.push_back(std::move(*server));
  }
  return servers;
}

/// Stores every key once, when some are to be read; else only looks whether the node is there. False: not to go on, the
/// problem is in the context, or an interrupt came.
bool fill(Context& context, load::Report& report, const Interrupt& interrupt) {
  const load::Plan& plan = report.plan;
  if (plan.mix.reads == 0) return call(context, {.method = "GET", .target = "/health"}).has_value();
  const std::uint32_t step = std::clamp(fill_bytes / (plan.value_bytes + 1), 1U, fill_operations);
  for (std::uint32_t first = 0; first < plan.keys; first += step) {
    const std::uint32_t count = std::min(step, plan.keys - first);
    ClientRequest request{.method = "POST", .target = api_target(context, "/api/v1/kv/bulk")};
    request.content_type = "application/json";
    request.body = load::fill_body(plan, first, count);
    if (!call(context, request)) return false;
    report.filled_keys += count;
    ++report.fill_requests;
    if (interrupt.wait_for(milliseconds(0))) return false;
  }
  return true;
}

/// Deletes the keys of the load. A second interrupt ends it.
void clean_up(Context& context, const load::Plan& plan, const Interrupt& interrupt) {
  std::uint64_t deleted = delete_keys;
  while (deleted == delete_keys && !interrupt.wait_for(milliseconds(0))) {
    ClientRequest request{.method = "POST", .target = api_target(context, "/api/v1/query/delete")};
    request.content_type = "application/json";
    request.body = R"({"prefix":")" + plan.prefix + R"(","limit":)" + std::to_string(delete_keys) + "}";
    const auto data = call_for_data(context, request);
    if (!data) {
      std::cerr << "concord: keys are left under the prefix " << plan.prefix << '\n';
      return;
    }
    const std::string_view count = json_member(*data, "deleted").value_or("0");
    deleted = 0;
    std::from_chars(count.data(), count.data() + count.size(), deleted);
  }
}

void print(const Context& context, const load::Report& report) {
  switch (context.output_form()) {
    case OutputForm::json: std::cout << load::json_text(report); break;
    case OutputForm::plain: std::cout << load::plain_text(report); break;
    case OutputForm::table: std::cout << load::table_text(report); break;
  }
  std::cout.flush();
  for (const auto& [status, message] : report.outcome.tally.messages)
    std::cerr << "concord: the first answer of status " << status << ": " << message << '\n';
}

ExitCode exit_code_of(const load::Outcome& outcome) {
  if (outcome.lost_all) return report_problem(ExitCode::unavailable, "the node is gone: no connection could be made");
  if (outcome.tally.succeeded() > 0 || outcome.tally.requests == 0) return ExitCode::done;
  const auto& messages = outcome.tally.messages;
  return report_problem(messages.empty() ? ExitCode::unavailable : app::exit_code_of(messages.begin()->first),
                        "no request succeeded");
}

void bench(Context& context, BenchArguments& arguments) {
  if (!complete_plan(context, arguments)) return;
  const auto servers = servers_of(context);
  if (!servers) return;
  const Interrupt interrupt;
  load::Report report{.plan = arguments.plan, .outcome = {}, .kept = arguments.keep};
  const bool is_filled = fill(context, report, interrupt);
  if (is_filled) {
    std::cerr << "concord: putting load on the node; keys under " << report.plan.prefix << '\n';
    report.outcome = load::run(report.plan, *servers, [&](milliseconds time) { return interrupt.wait_for(time); });
    print(context, report);
    context.exit_code = exit_code_of(report.outcome);
  } else if (context.exit_code == ExitCode::done) {
    context.exit_code = report_problem(ExitCode::failed, "interrupted before the load began");
  }
  const bool is_reachable = context.exit_code != ExitCode::unavailable;
  const bool has_stored = report.filled_keys > 0 || (is_filled && report.plan.mix.writes > 0);
  if (arguments.keep || !has_stored) return;
  if (is_reachable) return clean_up(context, report.plan, interrupt);
  std::cerr << "concord: keys may be left under the prefix " << report.plan.prefix << '\n';
}

}  // namespace

void add_bench(CLI::App& app, Context& context) {
  CLI::App& command =
      *app.add_subcommand("bench",
                          "Put load on nodes, spread over every --endpoint; print the throughput and a histogram of "
                          "latencies");
  const auto arguments = std::make_shared<BenchArguments>();
  load::Plan& plan = arguments->plan;
  plan.threads = 0;
  command.add_option("--duration", arguments->duration, "How long to measure: 10, 10s, 500ms")->capture_default_str();
  command.add_option("--warmup", arguments->warmup, "How long before nothing counts yet")->capture_default_str();
  command.add_option("--connections", plan.connections, "Connections, each with one request in flight")
      ->capture_default_str();
  command.add_option("--value-size", plan.value_bytes, "Bytes of a value")->capture_default_str();
  command.add_option("--mix", arguments->mix, "Reads to writes: 9:1, 1:0, 0:1")->capture_default_str();
  command.add_option("--keys", plan.keys, "Different keys, chosen at random")->capture_default_str();
  command.add_option("--bulk", plan.bulk, "Keys a request; above 1 the bulk calls are made")->capture_default_str();
  command.add_option("--rate", arguments->rate,
                     "Requests a second over all connections, due by the clock; latencies count from when they were "
                     "due. Without it each connection asks again once it has its answer");
  command.add_option("--threads", plan.threads, "Threads of the generator; a quarter of the processors without it")
      ->check(CLI::PositiveNumber);
  command.add_flag("--keep", arguments->keep, "Leave the keys behind");
  command.callback([&context, arguments] { bench(context, *arguments); });
}

}  // namespace concord::app

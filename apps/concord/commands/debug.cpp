// concord debug bigkeys|hotkeys|bundle|log: for whoever looks for what is wrong.
//
// None of it needs anything of the server that it does not do anyway: sizes are those of a listing, what is used is counted from the event
// stream, and a bundle is what the node answers. A bundle holds no values, no keys, no tokens and no secrets.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <concord/version.hpp>

#include "commands/api_call.hpp"
#include "commands/remote_store.hpp"
#include "commands/selection.hpp"
#include "duration.hpp"
#include "json_text.hpp"

namespace concord::app {
namespace {

using std::chrono::steady_clock;

struct Arguments {
  Selection selection;
  std::uint64_t top = 20;
  std::string duration = "10s";
  bool counts_reads = false;
  std::string out;
};

// ---------------------------------------------------------------------------------------------------------------------
// Sizes.

/// Bytes of a value as it is kept before it is compressed: JSON text, or what stands in base64.
std::uint64_t size_of(std::string_view row) {
  const std::string_view value = json_member(row, "value").value_or("");
  if (!json_member(row, "encoding")) return value.size();
  constexpr std::size_t quotes = 2;
  const std::size_t padding = static_cast<std::size_t>(std::ranges::count(value, '='));
  return (value.size() - quotes) / 4 * 3 - padding;
}

struct Sized {
  std::uint64_t size_bytes = 0;
  std::string key;
  bool operator>(const Sized& other) const { return size_bytes > other.size_bytes; }
};

void print_sizes(const Context& context, std::vector<Sized> largest) {
  std::ranges::sort(largest, std::greater());
  if (context.output_form() == OutputForm::json) {
    for (const Sized& one : largest) {
      std::cout << R"({"key":)" << json_string(one.key).value_or("null") << R"(,"size_bytes":)" << one.size_bytes
                << "}\n";
    }
    return;
  }
  RowPrinter printer(context.output_form(), {"SIZE", "KEY"});
  for (Sized& one : largest) printer.add({std::to_string(one.size_bytes), std::move(one.key)});
}

void big_keys(Context& context, const Arguments& arguments) {
  std::string query = listing_parameters(arguments.selection);
  add_parameters(query, consistency_of(context));
  std::vector<Sized> largest;  // a heap, the smallest in front
  const auto show = [&](std::string_view row) {
    const std::uint64_t size_bytes = size_of(row);
    if (largest.size() == arguments.top && size_bytes <= largest.front().size_bytes) return;
    if (largest.size() == arguments.top) {
      std::ranges::pop_heap(largest, std::greater());
      largest.pop_back();
    }
    largest.push_back({.size_bytes = size_bytes, .key = shown_key(row)});
    std::ranges::push_heap(largest, std::greater());
  };
  if (walk_listing(context, query, show, std::nullopt)) print_sizes(context, std::move(largest));
}

// ---------------------------------------------------------------------------------------------------------------------
// Use.

struct Uses {
  std::uint64_t writes = 0;
  std::uint64_t reads = 0;
};

/// Beyond so many keys new ones are not counted any more.
constexpr std::size_t most_counted = 1'000'000;

void count(std::unordered_map<std::string, Uses>& uses, const Event& event) {
  const bool is_read = event.type == EventType::get || event.type == EventType::get_many;
  for (const EventChange& change : event.changes) {
    if (uses.size() >= most_counted && !uses.contains(change.key)) continue;
    Uses& one = uses[change.key];
    ++(is_read ? one.reads : one.writes);
  }
}

void print_uses(const Context& context, const std::unordered_map<std::string, Uses>& uses, const Arguments& arguments) {
  std::vector<std::pair<std::string, Uses>> most(uses.begin(), uses.end());
  const auto total = [](const auto& one) { return one.second.writes + one.second.reads; };
  std::ranges::sort(most, [&](const auto& a, const auto& b) {
    return total(a) != total(b) ? total(a) > total(b) : a.first < b.first;
  });
  if (most.size() > arguments.top) most.resize(arguments.top);
  if (context.output_form() == OutputForm::json) {
    for (const auto& [key, one] : most) {
      std::cout << R"({"key":)" << json_string(key).value_or("null") << R"(,"writes":)" << one.writes << R"(,"reads":)"
                << one.reads << "}\n";
    }
    return;
  }
  RowPrinter printer(context.output_form(), {"WRITES", "READS", "KEY"});
  for (const auto& [key, one] : most) printer.add({std::to_string(one.writes), std::to_string(one.reads), key});
}

void hot_keys(Context& context, const Arguments& arguments) {
  const auto duration = read_duration(arguments.duration);
  auto client = connect_store(context);
  if (!client) return;
  SubscribeOptions options{.prefix = arguments.selection.prefix, .keys_only = true, .max_demand = 10'000};
  if (arguments.counts_reads) {
    options.event_types = {EventType::put,      EventType::del,      EventType::touch,      EventType::expire,
                           EventType::put_many, EventType::del_many, EventType::touch_many, EventType::txn,
                           EventType::get,      EventType::get_many};
  }
  auto subscription = client->subscribe(options);
  if (!subscription) return report_error(context, subscription.error());
  std::unordered_map<std::string, Uses> uses;
  const auto end = steady_clock::now() + *duration;
  for (auto left = *duration; left > std::chrono::milliseconds(0);
       left = std::chrono::duration_cast<std::chrono::milliseconds>(end - steady_clock::now())) {
    const auto events = subscription->take(1000, left);
    if (!events) return report_error(context, events.error());
    for (const Event& event : *events) count(uses, event);
  }
  if (uses.size() >= most_counted) std::cerr << "concord: only the first " << most_counted << " keys were counted\n";
  print_uses(context, uses, arguments);
}

// ---------------------------------------------------------------------------------------------------------------------
// A bundle.

std::string utc_now(const char* format) {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof text, format, &parts)};
}

/// `"name":{"status":n,"body":...}`, or `"name":{"problem":"..."}`.
void append_answer(std::string& to, const Client& client, std::string_view name, const std::string& target) {
  to.append(",\"").append(name).append("\":");
  const auto answer = client.call({.method = "GET", .target = target});
  if (!answer) {
    to += R"({"problem":)" + json_string(answer.error().message).value_or("\"\"") + "}";
    return;
  }
  const bool is_json = answer->body.starts_with('{');
  to += R"({"status":)" + std::to_string(answer->status) + R"(,"body":)" +
        (is_json ? answer->body : json_string(answer->body).value_or("null")) + "}";
}

std::string bundle_text(const Context& context) {
  std::string text = R"({"made_at":")" + utc_now("%Y-%m-%dT%H:%M:%SZ") + R"(","client_version":")" +
                     std::string(concord::version) + R"(","endpoints":[)";
  constexpr std::pair<std::string_view, std::string_view> parts[] = {{"status", "/api/v1/status"},
                                                                     {"ready", "/readyz?verbose=true"},
                                                                     {"events", "/api/v1/events/stats"},
                                                                     {"metrics", "/metrics"}};
  for (const std::string& endpoint : context.endpoints) {
    if (!text.ends_with('[')) text += ',';
    Context one = context;
    one.endpoints = {endpoint};
    text += R"({"endpoint":)" + json_string(endpoint).value_or("null");
    for (const auto& [name, target] : parts) append_answer(text, one.client(), name, std::string(target));
    text += '}';
  }
  return text + "]}\n";
}

/// A new file that only its owner reads; one that is there is left alone.
bool write_new_file(const std::string& path, std::string_view bytes) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return false;
  while (!bytes.empty()) {
    const ssize_t size = ::write(file, bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return ::close(file) == 0 && bytes.empty();
}

void bundle(Context& context, const Arguments& arguments) {
  const std::string text = bundle_text(context);
  if (arguments.out == "-") {
    std::cout << text;
    return;
  }
  const std::string path =
      arguments.out.empty() ? "concord-support-" + utc_now("%Y%m%dT%H%M%SZ") + ".json" : arguments.out;
  if (!write_new_file(path, text)) {
    context.exit_code = report_problem(ExitCode::failed, path + ": " + std::strerror(errno));
    return;
  }
  std::cout << path << '\n';
}

}  // namespace

void add_debug(CLI::App& app, Context& context) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& debug = *app.add_subcommand("debug", "Look for what is wrong");
  debug.require_subcommand(1);
  CLI::App& big = *debug.add_subcommand("bigkeys", "The keys with the largest values, by reading all of them");
  add_selection(big, arguments->selection, false);
  CLI::App& hot = *debug.add_subcommand("hotkeys", "The keys that are used most, by following events for a while");
  hot.add_option("--prefix", arguments->selection.prefix, "Keys that begin so");
  hot.add_option("--duration", arguments->duration, "So long: 10, 10s, 500ms")
      ->capture_default_str()
      ->check([](const std::string& text) {
        return read_duration(text) ? "" : "a duration is like 5, 5s or 500ms, up to an hour";
      });
  hot.add_flag("--reads", arguments->counts_reads, "Count reads too: those of single keys and batches at that node");
  for (CLI::App* const each : {&big, &hot}) {
    each->add_option("--top", arguments->top, "So many keys")->capture_default_str()->check(CLI::Range(1, 100'000));
  }
  CLI::App& bundling = *debug.add_subcommand(
      "bundle", "Write what each endpoint says of itself into one file, without keys, values and secrets");
  bundling.add_option("--out", arguments->out, "The file, which must be new; -: standard output");
  big.callback([&context, arguments] { big_keys(context, *arguments); });
  hot.callback([&context, arguments] { hot_keys(context, *arguments); });
  bundling.callback([&context, arguments] { bundle(context, *arguments); });
#ifdef CONCORD_WITH_NODE
  add_debug_log(debug, context);
#endif
}

}  // namespace concord::app

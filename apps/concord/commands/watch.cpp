// concord watch: what changes, as it happens; printed, or given to a command.
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <memory>
#include <sstream>
#include <vector>

#include <CLI/CLI.hpp>
#include <concord/client.hpp>

#include "commands/api_call.hpp"
#include "http/error_status.hpp"
#include "http/event_text.hpp"

namespace concord::app {
namespace {

struct WatchArguments {
  SubscribeOptions options;
  std::string types;
  std::uint64_t after_revision = 0;
  std::uint64_t limit = 0;
  std::vector<std::string> command;
};

/// Beyond, a value does not go into the environment of a command; its standard input has it.
constexpr std::size_t most_environment_bytes = 64U << 10U;

std::string value_text(const std::optional<Value>& value) {
  if (!value) return {};
  return value->is_bytes() ? std::string(value->bytes()) : std::string(value->json_text());
}

/// One line for each change: revision, type, key, value. With one change the type is the event's.
void print_lines(const Context& context, const Event& event) {
  const auto print = [&](EventType type, std::string_view key, std::string_view value) {
    std::cout << event.revision.value() << '\t' << event_type_name(type) << '\t' << key;
    if (!value.empty()) std::cout << '\t' << value;
    std::cout << '\n';
  };
  if (event.changes.empty()) print(event.type, "", "");
  for (const EventChange& change : event.changes) {
    std::string value;
    if (change.value) value = change.value->is_bytes() ? "(bytes)" : std::string(change.value->json_text());
    if (context.output_form() == OutputForm::table) value = change.value ? table_cell(value) : value;
    print(event.change_count > 1 ? change.op : event.type, change.key, value);
  }
}

void print(const Context& context, const Event& event) {
  if (context.output_form() != OutputForm::json) return print_lines(context, event);
  std::string line;
  http::append_event_json(line, event);
  std::cout << line << '\n';
}

/// Closed when it goes.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int number() const noexcept { return number_; }

 private:
  int number_;
};

/// The environment of this program and what the event adds to it.
std::vector<std::string> environment_of(const Event& event) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.emplace_back(*variable);
  const auto add = [&](std::string_view name, const std::string& value) {
    // What no variable can hold is in the standard input.
    if (value.size() > most_environment_bytes || value.find('\0') != std::string::npos) return;
    variables.push_back("CONCORD_WATCH_" + std::string(name) + "=" + value);
  };
  add("REVISION", std::to_string(event.revision.value()));
  add("TYPE", std::string(event_type_name(event.type)));
  std::string keys;
  for (const EventChange& change : event.changes) keys += change.key + "\n";
  add("KEYS", keys);
  if (event.changes.size() == 1) {
    add("KEY", event.changes.front().key);
    if (event.changes.front().value) add("VALUE", value_text(event.changes.front().value));
  }
  return variables;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// Runs the command and waits for it; the event is its standard input. False: it can't be started, which was said.
bool run_command(std::vector<std::string>& command, const Event& event) {
  std::string input;
  http::append_event_json(input, event);
  input += '\n';
  const Descriptor file(::memfd_create("concord-event", MFD_CLOEXEC));
  const bool is_written =
      file.number() >= 0 && ::write(file.number(), input.data(), input.size()) == static_cast<ssize_t>(input.size());
  if (!is_written || ::lseek(file.number(), 0, SEEK_SET) != 0) {
    std::cerr << "concord: the event can't be given to the command: " << std::strerror(errno) << '\n';
    return false;
  }
  std::cout.flush();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, file.number(), STDIN_FILENO);
  std::vector<std::string> variables = environment_of(event);
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, command.front().c_str(), &actions, nullptr, pointers_to(command).data(),
                                   pointers_to(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    std::cerr << "concord: " << command.front() << ": " << std::strerror(error) << '\n';
    return false;
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    std::cerr << "concord: the command ended with "
              << (WIFEXITED(status) ? std::to_string(WEXITSTATUS(status))
                                    : "signal " + std::to_string(WTERMSIG(status)))
              << " at revision " << event.revision.value() << '\n';
  }
  return true;
}

ExitCode exit_code_of_error(const Error& error) { return exit_code_of(http::status_of(error.code())); }

/// The types that were named; none after a wrong one was reported.
bool read_types(Context& context, WatchArguments& arguments) {
  std::istringstream list(arguments.types);
  for (std::string name; std::getline(list, name, ',');) {
    const auto type = parse_event_type(name);
    if (!type) {
      context.exit_code = report_problem(ExitCode::usage, "\"" + name + "\" is no type of event");
      return false;
    }
    arguments.options.event_types.push_back(*type);
  }
  return true;
}

void follow(Context& context, WatchArguments& arguments, Subscription& subscription) {
  for (std::uint64_t count = 0; arguments.limit == 0 || count < arguments.limit;) {
    auto event = subscription.next(std::chrono::hours(1));
    if (!event) {
      context.exit_code = report_problem(exit_code_of_error(event.error()), event.error().message());
      return;
    }
    if (!*event) continue;
    ++count;
    if (arguments.command.empty()) {
      print(context, **event);
      if (!std::cout.flush()) return;  // nobody reads any more
    } else if (!run_command(arguments.command, **event)) {
      context.exit_code = ExitCode::failed;
      return;
    }
  }
}

void watch(Context& context, WatchArguments& arguments, bool has_after) {
  if (!read_types(context, arguments)) return;
  if (has_after) arguments.options.after_revision = Revision(arguments.after_revision);
  auto client = concord::Client::connect(context.endpoints, {.token = context.token,
                                                             .cacert = context.certificates_path,
                                                             .verify_certificates = !context.trusts_anybody,
                                                             .cert = context.own_certificate_path,
                                                             .key = context.own_key_path});
  if (!client) {
    context.exit_code = report_problem(ExitCode::usage, client.error().message());
    return;
  }
  auto subscription = client->subscribe(arguments.options);
  if (!subscription) {
    context.exit_code = report_problem(exit_code_of_error(subscription.error()), subscription.error().message());
    return;
  }
  follow(context, arguments, *subscription);
}

}  // namespace

void add_watch(CLI::App& app, Context& context) {
  CLI::App& command =
      *app.add_subcommand("watch", "Print what changes, as it happens; or run a command for each event, behind --");
  const auto arguments = std::make_shared<WatchArguments>();
  command.add_option("--pattern", arguments->options.key_pattern, "Keys that match a regular expression (RE2)");
  command.add_option("--prefix", arguments->options.prefix, "Keys that begin so");
  command.add_option(
      "--types", arguments->types,
      "Events of these types, by commas: put, delete, touch, expire, put_many, delete_many, touch_many, txn, "
      "restored; get and get_many too, when they are named");
  const CLI::Option* const after =
      command.add_option("--after-revision", arguments->after_revision, "Begin behind this revision, not now");
  command.add_flag("--keys-only", arguments->options.keys_only, "Leave values out");
  command.add_flag("--previous", arguments->options.with_previous, "Show what keys held before (with --output json)");
  command.add_option("--limit", arguments->limit, "End after so many events");
  command.add_option(
      "command", arguments->command,
      "Run with each event on its standard input, and CONCORD_WATCH_REVISION, _TYPE, _KEYS, _KEY and _VALUE");
  command.callback([&context, arguments, after] { watch(context, *arguments, after->count() > 0); });
}

}  // namespace concord::app

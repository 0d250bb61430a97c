// concord: one program. `concord start` runs a node; every other subcommand is a client of its HTTP API.
#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <concord/version.hpp>

#include "base/nearest.hpp"
#include "commands/commands.hpp"
#include "commands/examples.hpp"
#include "duration.hpp"

namespace concord::app {

std::chrono::milliseconds Context::timeout_value() const noexcept {
  return read_duration(timeout).value_or(std::chrono::milliseconds(5000));
}

namespace {

void add_common_flags(CLI::App& app, Context& context) {
  app.add_option("--endpoint", context.endpoints, "URL of a node's API; may be repeated (CONCORD_ENDPOINT)")
      ->delimiter(',')
      ->expected(1)
      ->allow_extra_args(false)  // what follows the URL is a word of the subcommand
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--token", context.token, "Token of the API (CONCORD_TOKEN)");
  app.add_option("--output", context.output, "Form of the results; table on a terminal, else plain")
      ->check(CLI::IsMember({"table", "json", "plain"}));
  app.add_option("--timeout", context.timeout, "Longest time a call may take: 5, 5s, 500ms")
      ->check([](const std::string& text) {
        return read_duration(text) ? "" : "a duration is like 5, 5s or 500ms, up to an hour";
      });
  app.add_option("--consistency", context.consistency, "How fresh a read must be")
      ->check(CLI::IsMember({"eventual", "leader", "strong"}));
  app.add_option("--config", context.config_path, "Configuration file of `start` and `config` (CONCORD_CONFIG)");
  app.add_option("--cacert", context.certificates_path,
                 "Whom to trust at https endpoints, a PEM file; else whom the system trusts");
  app.add_flag("--insecure", context.trusts_anybody, "Trust any certificate of https endpoints");
  app.add_option("--cert", context.own_certificate_path,
                 "Certificate to show to https endpoints that ask for one, a PEM file");
  app.add_option("--key", context.own_key_path, "Private key of --cert, a PEM file");
}

/// Flags beat the environment, the environment the defaults.
void fill_from_environment(Context& context) {
  const auto variable = [](const char* name) { return std::getenv(name); };
  if (context.endpoints.empty()) {
    const char* const endpoints = variable("CONCORD_ENDPOINT");
    context.endpoints =
        CLI::detail::split(endpoints != nullptr && *endpoints != '\0' ? endpoints : "http://127.0.0.1:4000", ',');
  }
  if (const char* const token = variable("CONCORD_TOKEN"); context.token.empty() && token != nullptr)
    context.token = token;
}

std::vector<const CLI::App*> subcommands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* each) { return !each->get_name().empty(); });
}

/// True for a flag whose value is the next word.
bool takes_next_word(const CLI::App& root, const CLI::App& command, const std::string& word) {
  if (word.find('=') != std::string::npos) return false;
  for (const CLI::App* app : {&command, &root}) {
    const CLI::Option* const option = app->get_option_no_throw(word);
    if (option != nullptr) return option->get_items_expected_max() > 0;
  }
  return false;
}

/// Says which subcommand was probably meant. False: none was mistyped.
bool suggest_subcommand(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* command = &app;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].starts_with('-')) {
      if (takes_next_word(app, *command, words[i])) ++i;
      continue;
    }
    const auto subcommands = subcommands_of(*command);
    if (subcommands.empty()) return false;
    const auto next = std::ranges::find(subcommands, words[i], [](const CLI::App* each) { return each->get_name(); });
    if (next == subcommands.end()) {
      std::vector<std::string> names;
      for (const CLI::App* each : subcommands) names.push_back(each->get_name());
      const auto meant = base::nearest(words[i], names);
      std::cerr << "concord: there is no subcommand \"" << words[i] << '"';
      if (meant) std::cerr << "; did you mean \"" << *meant << "\"?";
      std::cerr << "\nRun with --help for more information.\n";
      return true;
    }
    command = *next;
  }
  return false;
}

int run(int argument_count, char** arguments) {
  Context context;
  CLI::App app("Concord: a strongly consistent key-value store", "concord");
  app.set_version_flag("--version", "concord " + std::string(version));
  app.fallthrough();
  app.require_subcommand(1);
  add_common_flags(app, context);
  app.parse_complete_callback([&context] { fill_from_environment(context); });
#ifdef CONCORD_WITH_NODE
  add_start(app, context);
#endif
  add_kv(app, context);
  add_import(app, context);
  add_export(app, context);
  add_cluster(app, context);
  add_query(app, context);
  add_txn(app, context);
  add_token(app, context);
  add_role(app, context);
  add_user(app, context);
  add_tenant(app, context);
  add_audit(app, context);
  add_backup(app, context);
  add_cert(app, context);
  add_watch(app, context);
  add_bench(app, context);
  add_debug(app, context);
  add_config(app, context);
  add_completion(app, context);
  add_man(app, context);
  add_version(app, context);
  add_examples(app);
  try {
    app.parse(argument_count, arguments);
  } catch (const CLI::ParseError& error) {
    const bool is_help = error.get_exit_code() == 0;
    const std::vector<std::string> words(arguments + 1, arguments + argument_count);
    if (is_help || !suggest_subcommand(app, words)) app.exit(error);
    if (is_help) return 0;
    return static_cast<int>(ExitCode::usage);
  }
  if (!std::cout.flush() && context.exit_code == ExitCode::done) {
    context.exit_code = report_problem(ExitCode::failed, "cannot write to standard output");
  }
  return static_cast<int>(context.exit_code);
}

}  // namespace
}  // namespace concord::app

int main(int argument_count, char** arguments) {
  try {
    return concord::app::run(argument_count, arguments);
  } catch (const std::exception& error) {
    std::cerr << "concord: " << error.what() << '\n';
    return static_cast<int>(concord::app::ExitCode::failed);
  }
}

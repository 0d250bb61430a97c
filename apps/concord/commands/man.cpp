// concord man: the manual page, in man(7), made from the command line's own description.
#include <iostream>
#include <string>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>

#include <concord/version.hpp>

#include "commands/commands.hpp"

namespace concord::app {
namespace {

/// Text as roff takes it: no escape, hyphens that can be copied, and no line that is a request.
std::string roff(std::string_view text) {
  std::string to;
  bool is_line_start = true;
  for (const char c : text) {
    if (is_line_start && (c == '.' || c == '\'')) to += "\\&";
    if (c == '\\') {
      to += "\\e";
    } else if (c == '-') {
      to += "\\-";
    } else {
      to += c;
    }
    is_line_start = c == '\n';
  }
  return to;
}

/// `--output TEXT`, or `key` for what has no name.
std::string synopsis_of(const CLI::Option& option) {
  if (!option.nonpositional()) return "\\fI" + roff(option.get_name(true)) + "\\fR";
  std::string names;
  for (const std::string& name : option.get_snames()) names += (names.empty() ? "\\-" : ", \\-") + roff(name);
  for (const std::string& name : option.get_lnames()) names += (names.empty() ? "\\-\\-" : ", \\-\\-") + roff(name);
  std::string text = "\\fB" + names + "\\fR";
  if (option.get_items_expected_max() > 0) text += " \\fI" + roff(option.get_type_name()) + "\\fR";
  return text;
}

void print_options(const CLI::App& command) {
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_group().empty()) continue;
    std::cout << ".TP\n" << synopsis_of(*option) << '\n' << roff(option->get_description()) << '\n';
  }
}

void print_command(const CLI::App& command, const std::string& path) {
  const auto subcommands = command.get_subcommands([](const CLI::App* each) { return !each->get_name().empty(); });
  for (const CLI::App* each : subcommands) print_command(*each, path + " " + each->get_name());
  if (!subcommands.empty()) return;
  std::cout << ".SS \"" << roff(path) << "\"\n" << roff(command.get_description()) << ".\n";
  print_options(command);
  std::string examples = command.get_footer();
  if (examples.empty()) return;
  examples.erase(0, examples.find('\n') + 1);
  std::cout << ".PP\n.nf\n" << roff(examples) << "\n.fi\n";
}

void print_page(const CLI::App& app) {
  std::cout << ".TH CONCORD 1 \"\" \"concord " << roff(version) << "\" \"User Commands\"\n"
            << ".SH NAME\nconcord \\- " << roff("a strongly consistent key-value store") << '\n'
            << ".SH SYNOPSIS\n.B concord\n[\\fIflags\\fR] \\fIsubcommand\\fR [\\fIarguments\\fR]\n"
            << ".SH DESCRIPTION\n"
            << roff(
                   "`concord start` runs a node. Every other subcommand is a client of a node's HTTP API.\n"
                   "Results go to standard output, everything else to standard error.\n")
            << ".SH COMMON FLAGS\nThey stand before or after the subcommand.\n";
  print_options(app);
  std::cout << ".SH SUBCOMMANDS\n";
  for (const CLI::App* each : app.get_subcommands({})) print_command(*each, "concord " + each->get_name());
  std::cout << ".SH EXIT STATUS\n";
  for (const auto& [code, what] :
       {std::pair{"0", "done"}, std::pair{"1", "failed, or refused by the node"}, std::pair{"2", "wrong usage"},
        std::pair{"3", "not found"}, std::pair{"4", "a condition did not hold"},
        std::pair{"5", "unauthorized or forbidden"}, std::pair{"6", "nobody answered, or not in time"}}) {
    std::cout << ".TP\n.B " << code << '\n' << roff(what) << '\n';
  }
  std::cout << ".SH ENVIRONMENT\n.TP\n.B CONCORD_ENDPOINT\n"
            << roff("The nodes' APIs, where --endpoint is not given; several by commas.\n")
            << ".TP\n.B CONCORD_TOKEN\nThe token of the API.\n";
}

}  // namespace

void add_man(CLI::App& app, Context&) {
  app.add_subcommand("man", "Print the manual page")->callback([&app] { print_page(app); });
}

}  // namespace concord::app

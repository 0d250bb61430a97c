// concord completion bash|zsh|fish: scripts made from the command line's own description.
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "commands/commands.hpp"

namespace concord::app {
namespace {

/// A command ("concord kv put") with the words that may follow.
struct Node {
  std::string path;
  std::vector<const CLI::App*> subcommands;
  std::vector<std::string> flags;
};

void collect(const CLI::App& app, const std::string& path, const std::vector<std::string>& inherited,
             std::vector<Node>& nodes) {
  Node node{.path = path, .subcommands = {}, .flags = inherited};
  for (const CLI::Option* option : app.get_options()) {
    if (!option->nonpositional() || option->get_group().empty()) continue;
    for (const std::string& name : option->get_lnames()) node.flags.push_back("--" + name);
  }
  node.subcommands = app.get_subcommands([](const CLI::App* each) { return !each->get_name().empty(); });
  const auto subcommands = node.subcommands;
  const auto flags = path == "concord" ? node.flags : inherited;
  nodes.push_back(std::move(node));
  for (const CLI::App* each : subcommands) collect(*each, path + " " + each->get_name(), flags, nodes);
}

std::string words_of(const Node& node) {
  std::string words;
  for (const CLI::App* each : node.subcommands) words += each->get_name() + " ";
  for (const std::string& flag : node.flags) words += flag + " ";
  if (!words.empty()) words.pop_back();
  return words;
}

std::string bash_script(const std::vector<Node>& nodes) {
  std::string script =
      "_concord() {\n"
      "  local path=concord word\n"
      "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    case \"$path $word\" in\n";
  for (const Node& node : nodes) {
    if (node.path != "concord") script += "      \"" + node.path + "\") path=\"" + node.path + "\" ;;\n";
  }
  script +=
      "    esac\n"
      "  done\n"
      "  case \"$path\" in\n";
  for (const Node& node : nodes) {
    script += "    \"" + node.path + "\") COMPREPLY=($(compgen -W \"" + words_of(node) +
              "\" -- \"${COMP_WORDS[COMP_CWORD]}\")) ;;\n";
  }
  return script + "  esac\n}\ncomplete -o default -F _concord concord\n";
}

std::string fish_script(const std::vector<Node>& nodes) {
  std::string script = "complete -c concord -f\n";
  for (const Node& node : nodes) {
    std::string condition;
    if (node.path == "concord") {
      condition = "__fish_use_subcommand";
    } else {
      for (std::size_t from = node.path.find(' '); from != std::string::npos;) {
        const std::size_t end = node.path.find(' ', from + 1);
        condition += (condition.empty() ? "__fish_seen_subcommand_from " : "; and __fish_seen_subcommand_from ") +
                     node.path.substr(from + 1, end == std::string::npos ? end : end - from - 1);
        from = end;
      }
    }
    for (const CLI::App* each : node.subcommands) {
      script += "complete -c concord -n '" + condition + "' -a " + each->get_name() + "\n";
    }
    for (const std::string& flag : node.flags) {
      script += "complete -c concord -n '" + condition + "' -l " + flag.substr(2) + "\n";
    }
  }
  return script;
}

}  // namespace

void add_completion(CLI::App& app, Context&) {
  CLI::App& command = *app.add_subcommand("completion", "Print a script that completes the command line");
  command.require_subcommand(1);
  const auto add = [&](const char* shell, auto print) {
    command.add_subcommand(shell, std::string("For ") + shell)->callback([&app, print] {
      std::vector<Node> nodes;
      collect(app, "concord", {}, nodes);
      print(nodes);
    });
  };
  add("bash", [](const std::vector<Node>& nodes) { std::cout << bash_script(nodes); });
  add("zsh", [](const std::vector<Node>& nodes) {
    std::cout << "#compdef concord\nautoload -U +X bashcompinit && bashcompinit\n" << bash_script(nodes);
  });
  add("fish", [](const std::vector<Node>& nodes) { std::cout << fish_script(nodes); });
}

}  // namespace concord::app

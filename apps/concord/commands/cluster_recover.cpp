// concord cluster recover: after a quorum was lost for good, a node that is left goes on alone (node/survivor.hpp). It works on the
// directories of stopped nodes, and asks no node.
//
// One directory is reported and, after a yes, recovered; several are compared. Plain output is a line `name = value` for each part, a
// block for each directory, and behind them what follows from it, in sentences; JSON is one object with all of that.
#include "commands/cluster_recover.hpp"

#include <algorithm>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>
#include <CLI/CLI.hpp>

#include "commands/commands.hpp"
#include "env/file_system.hpp"
#include "json_text.hpp"
#include "node/draw.hpp"
#include "node/survivor.hpp"

namespace concord::app {
namespace {

using base::NodeId;
using node::StateAt;
using node::Survivor;
using node::SurvivorReport;

struct Wish {
  std::vector<std::string> directories;
  bool only_inspects = false;
  bool is_forced = false;
};

std::string hex_id(std::uint64_t id) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = text.size(); i-- > 0; id >>= 4U) text[i] = digits[id & 15U];
  return text;
}

std::string text_of(std::uint64_t number) { return std::to_string(number); }

/// A member as people know it.
std::string name_of(const SurvivorReport& report, NodeId id) {
  const replica::Member* const member = report.members.find(id);
  return member == nullptr || member->name.empty() ? "node " + hex_id(id.value()) : member->name;
}

std::string own_name(const SurvivorReport& report) { return name_of(report, report.identity.node); }

/// All members but this one, "n2 and n3".
std::string others_of(const SurvivorReport& report) {
  std::vector<std::string> names;
  for (const auto* ids : {&report.members.conf.voters, &report.members.conf.learners}) {
    for (const NodeId id : *ids) {
      if (id != report.identity.node) names.push_back(name_of(report, id));
    }
  }
  std::ranges::sort(names);
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return text;
}

// ---------------------------------------------------------------------------------------------------------------------
// What is there.

struct Part {
  std::string name;
  std::string value;
  bool is_number = false;
};

std::vector<Part> parts_of(const SurvivorReport& report) {
  std::vector<Part> parts{{"directory", report.path},
                          {"node", own_name(report)},
                          {"node_id", hex_id(report.identity.node.value())},
                          {"cluster_id", hex_id(report.identity.cluster.value())}};
  const auto number = [&](const char* name, std::uint64_t value) { parts.push_back({name, text_of(value), true}); };
  number("recoveries", report.identity.recoveries);
  number("term", report.term.value());
  number("last_index", report.all.index.value());
  number("last_term", report.all.term.value());
  number("commit_index", report.committed.index.value());
  number("revision", report.all.revision.value());
  number("commit_revision", report.committed.revision.value());
  number("keys", report.all.keys);
  parts.push_back({"digest", hex_id(report.all.digest)});
  return parts;
}

struct ShownMember {
  std::string name;
  std::string role;
  std::string peer;
};

std::vector<ShownMember> members_of(const SurvivorReport& report) {
  std::vector<ShownMember> shown;
  const auto add = [&](const std::vector<NodeId>& ids, const char* role) {
    for (const NodeId id : ids) {
      const replica::Member* const member = report.members.find(id);
      shown.push_back({name_of(report, id), role, member == nullptr ? std::string() : member->peer});
    }
  };
  add(report.members.conf.voters, "voter");
  add(report.members.conf.learners, "learner");
  std::ranges::sort(shown, {}, &ShownMember::name);
  return shown;
}

void print_parts(OutputForm form, const SurvivorReport& report) {
  const bool is_table = form == OutputForm::table;
  RowPrinter printer(form, {"NAME", "VALUE"});
  const auto add = [&](const std::string& name, const std::string& value) {
    printer.add(is_table ? std::vector<std::string>{name, value} : std::vector<std::string>{name + " = " + value});
  };
  for (const Part& part : parts_of(report)) add(part.name, part.value);
  for (const ShownMember& member : members_of(report)) {
    add("members." + member.name + ".role", member.role);
    add("members." + member.name + ".peer", member.peer);
  }
}

/// As JSON, which has no form for other bytes than UTF-8: a path may hold some.
std::string quoted(std::string text) {
  if (const auto json = json_string(text)) return *json;
  std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80U; }, '?');
  return json_string(text).value_or(R"("")");
}

std::string json_of(const std::vector<std::string>& lines) {
  std::string json = "[";
  for (const std::string& line : lines) json += (json.size() == 1 ? "" : ",") + quoted(line);
  return json + "]";
}

std::string json_of(const SurvivorReport& report, const std::vector<std::string>& notes) {
  std::string json = "{";
  for (const Part& part : parts_of(report))
    json += quoted(part.name) + ":" + (part.is_number ? part.value : quoted(part.value)) + ",";
  json += "\"members\":[";
  bool is_first = true;
  for (const ShownMember& member : members_of(report)) {
    json += (std::exchange(is_first, false) ? "" : ",") + ("{\"name\":" + quoted(member.name)) +
            ",\"role\":" + quoted(member.role) + ",\"peer\":" + quoted(member.peer) + "}";
  }
  return json + "],\"notes\":" + json_of(notes) + "}";
}

// ---------------------------------------------------------------------------------------------------------------------
// What follows from it.

std::vector<std::string> losses_of(const SurvivorReport& report) {
  const StateAt& known = report.committed;
  const StateAt& all = report.all;
  const std::string last = text_of(all.index.value());
  std::vector<std::string> notes{"Lost is what the others agreed to without this node: whatever came after entry " +
                                 last + " (term " + text_of(all.term.value()) + "), revision " +
                                 text_of(all.revision.value()) +
                                 ". Writes among it may have been acknowledged; how many can't be known from here."};
  if (known.index == all.index) {
    notes.push_back("This node knows that the cluster agreed to every entry that is here.");
  } else {
    const std::uint64_t count = all.index.value() - known.index.value();
    const std::string which =
        count == 1 ? "Entry " + last + " is here, and this node does not know that the cluster agreed to it. It counts"
                   : "Entries " + text_of(known.index.value() + 1) + " to " + last + " (" + text_of(count) +
                         ") are here, and this node does not know that the cluster agreed to them. They count";
    notes.push_back(
        which +
        " from here on, also if a client was told that the outcome of its write is unknown; if the others agreed "
        "to something else in that place, that is lost. The revision is " +
        text_of(known.revision.value()) + " without and " + text_of(all.revision.value()) + " with.");
  }
  if (report.identity.removed)
    notes.push_back("This node was removed from its cluster: it lacks everything since then.");
  if (report.members.is_learner(report.identity.node))
    notes.push_back("This node is a learner, which no write waited for: it may lack more than a voter.");
  for (const std::string& remark : report.remarks) notes.push_back("While reading: " + remark + ".");
  return notes;
}

std::vector<std::string> notes_of(const SurvivorReport& report) {
  if (report.is_alone()) return {"This node is the only voter of its cluster: there is nothing to recover. Start it."};
  std::vector<std::string> notes = losses_of(report);
  notes.push_back("The cluster gets a new id and this node is its only member. " + others_of(report) +
                  " can't come back with the data they had: they are refused, and may join with empty directories.");
  notes.push_back("The revision goes on at " + text_of(report.all.revision.value() + node::revision_gap) +
                  ", so that none that the others gave out comes a second time.");
  return notes;
}

/// Of several directories: which one has most, and whether recovering is needed at all.
struct Comparison {
  const SurvivorReport* newest = nullptr;  ///< none: they can't be compared
  std::string verdict;
};

Comparison compare(const std::vector<SurvivorReport>& reports) {
  const SurvivorReport* newest = &reports.front();
  for (const SurvivorReport& report : reports) {
    if (report.identity.cluster != newest->identity.cluster) {
      return {.newest = nullptr,
              .verdict = newest->path + " and " + report.path +
                         " belong to different clusters, or one of them was recovered: they can't be compared."};
    }
    if (is_behind(*newest, report)) newest = &report;
  }
  const std::vector<NodeId>& voters = newest->members.conf.voters;
  const auto has_directory = [&](NodeId id) {
    return std::ranges::any_of(reports, [&](const SurvivorReport& report) { return report.identity.node == id; });
  };
  const auto left = static_cast<std::size_t>(std::ranges::count_if(voters, has_directory));
  if (left > voters.size() / 2) {
    return {
        .newest = newest,
        .verdict =
            "These are " + text_of(left) + " of " + text_of(voters.size()) +
            " voters, a quorum: start them, each where it belongs, and nothing is lost. There is nothing to recover."};
  }
  return {.newest = newest,
          .verdict = "The newest log is in " + newest->path +
                     ": recover that one, and it alone. What only the others have is lost."};
}

// ---------------------------------------------------------------------------------------------------------------------

/// What is printed at the end of the command, in JSON as one object.
struct Outcome {
  std::vector<std::string> directories;  // objects
  std::string recommended = "null";
  std::string verdict = "null";
  std::string recovered = "null";

  void print() const {
    std::cout << "{\"directories\":[";
    for (std::size_t i = 0; i < directories.size(); ++i) std::cout << (i == 0 ? "" : ",") << directories[i];
    std::cout << "],\"recommended\":" << recommended << ",\"verdict\":" << verdict << ",\"recovered\":" << recovered
              << "}\n";
  }
};

void print_lines(std::ostream& to, const std::vector<std::string>& lines) {
  to << '\n';
  for (const std::string& line : lines) to << line << '\n';
}

void show(const Context& context, const SurvivorReport& report, Outcome& outcome) {
  const std::vector<std::string> notes = notes_of(report);
  outcome.directories.push_back(json_of(report, notes));
  if (context.output_form() == OutputForm::json) return;
  print_parts(context.output_form(), report);
  print_lines(std::cout, notes);
}

bool is_confirmed(const Context& context, const SurvivorReport& report) {
  const std::string name = own_name(report);
  if (context.output_form() == OutputForm::json) print_lines(std::cerr, notes_of(report));
  std::cout.flush();
  std::cerr << "\nTo go on with this node alone, type its name, " << name << ", or yes: ";
  std::string answer;
  return std::getline(std::cin, answer) && (answer == name || answer == "yes");
}

void recover(Context& context, Survivor& survivor, const Wish& wish, Outcome& outcome) {
  const SurvivorReport& report = survivor.report();
  const auto refuse = [&](const std::string& why) {
    context.exit_code = report_problem(ExitCode::failed, "nothing was changed: " + why);
  };
  if (!wish.is_forced && ::isatty(STDIN_FILENO) != 1)
    return refuse("this must be confirmed on a terminal, or with --force");
  if (!wish.is_forced && !is_confirmed(context, report)) return refuse("it was not confirmed");
  const node::Drawn drawn{.cluster_id = node::draw(), .log_salt = node::draw()};
  if (auto done = survivor.go_on_alone(drawn); !done) return refuse(done.error().message());
  const std::string cluster = hex_id(survivor.directory().identity().cluster.value());
  const std::string revision = text_of(report.all.revision.value() + node::revision_gap);
  outcome.recovered = "{\"directory\":" + quoted(report.path) + ",\"cluster_id\":" + quoted(cluster) +
                      ",\"revision\":" + revision + ",\"index\":" + text_of(report.all.index.value()) + "}";
  if (context.output_form() != OutputForm::json)
    std::cout << "\nrecovered cluster_id=" << cluster << " revision=" << revision << '\n';
  std::cerr << "Start the node. Others join it with empty directories (cluster.join). What it had before stands in "
            << report.path << " beside the new log and may be removed later.\n";
}

/// All that can be read; the exit code tells when one can't.
std::vector<SurvivorReport> inspect(Context& context, env::FileSystem& files, const Wish& wish, Outcome& outcome) {
  std::vector<SurvivorReport> reports;
  for (const std::string& directory : wish.directories) {
    auto survivor = Survivor::open(files, directory);
    if (!survivor) {
      context.exit_code = report_problem(ExitCode::failed, survivor.error().message());
      continue;
    }
    if (!reports.empty() && context.output_form() != OutputForm::json) std::cout << '\n';
    show(context, (*survivor)->report(), outcome);
    reports.push_back((*survivor)->report());
  }
  return reports;
}

void run(Context& context, Wish wish) {
  const auto files = env::make_real_file_system();
  for (std::string& directory : wish.directories) {
    while (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
  }
  Outcome outcome;
  if (wish.only_inspects || wish.directories.size() > 1) {
    const auto reports = inspect(context, *files, wish, outcome);
    if (reports.size() > 1) {
      const Comparison comparison = compare(reports);
      outcome.verdict = quoted(comparison.verdict);
      if (comparison.newest != nullptr) outcome.recommended = quoted(comparison.newest->path);
      if (comparison.newest == nullptr) context.exit_code = ExitCode::failed;
      if (context.output_form() != OutputForm::json) print_lines(std::cout, {comparison.verdict});
    }
  } else {
    auto survivor = Survivor::open(*files, wish.directories.front());
    if (!survivor) {
      context.exit_code = report_problem(ExitCode::failed, "nothing was changed: " + survivor.error().message());
      return;
    }
    show(context, (*survivor)->report(), outcome);
    if (!(*survivor)->report().is_alone()) recover(context, **survivor, wish, outcome);
  }
  if (context.output_form() == OutputForm::json) outcome.print();
}

}  // namespace

void add_cluster_recover(CLI::App& cluster, Context& context) {
  CLI::App& command = *cluster.add_subcommand(
      "recover", "Offline, after a quorum was lost for good: make a stopped node that is left a cluster of its own");
  const auto wish = std::make_shared<Wish>();
  command
      .add_option("--data-dir", wish->directories,
                  "Data directory of a stopped node; several are only compared, to find the one that has most")
      ->required()
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command.add_flag("--inspect", wish->only_inspects, "Only tell what is there and what would be lost");
  command.add_flag("--force", wish->is_forced, "Don't ask whether what may be lost shall be lost");
  command.callback([&context, wish] { run(context, *wish); });
}

}  // namespace concord::app

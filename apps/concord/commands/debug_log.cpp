// concord debug log verify|dump DIR: what the log and the snapshots of a stopped node hold, without changing a byte of them.
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "command/entry.hpp"
#include "commands/commands.hpp"
#include "env/file_system.hpp"
#include "env/overlay_file_system.hpp"
#include "json_text.hpp"
#include "log/data_directory.hpp"
#include "log/log.hpp"
#include "log/snapshot_file.hpp"

namespace concord::app {
namespace {

struct Arguments {
  std::string directory;
  std::uint64_t from = 0;
};

std::string_view name_of(command::CommandKind kind) {
  switch (kind) {
    case command::CommandKind::put: return "put";
    case command::CommandKind::remove: return "delete";
    case command::CommandKind::touch: return "touch";
    case command::CommandKind::expire: return "expire";
    case command::CommandKind::token_create: return "token_create";
    case command::CommandKind::token_revoke: return "token_revoke";
    case command::CommandKind::access_set: return "access_set";
    case command::CommandKind::access_remove: return "access_remove";
    default: return "txn";
  }
}

std::string_view name_of(command::OperationKind kind) {
  switch (kind) {
    case command::OperationKind::put: return "put";
    case command::OperationKind::remove: return "delete";
    case command::OperationKind::touch: return "touch";
    case command::OperationKind::get: return "get";
    case command::OperationKind::delete_where: break;
  }
  return "delete_where";
}

/// "put a"; of a transaction "if a: put a, delete b; else: get a".
void append_summary(std::string& to, const command::Command& command) {
  const auto append = [&to](std::string_view name, std::string_view key) {
    to.append(name);
    const auto json = json_string(key);  // one line, whatever bytes it has
    if (!key.empty()) to.append(" ").append(json ? table_cell(*json) : "(bytes)");
  };
  const auto append_all = [&](const std::vector<command::Operation>& operations) {
    for (const command::Operation& operation : operations) {
      if (&operation != operations.data()) to += ", ";
      append(name_of(operation.kind), operation.key);
    }
  };
  const command::Transaction& transaction = command.transaction;
  const bool is_transaction = name_of(command.kind) == "txn";
  if (!is_transaction) return append(name_of(command.kind), command.key);
  for (const command::Guard& guard : transaction.guards)
    append(&guard == transaction.guards.data() ? "if" : " and", guard.key);
  if (!transaction.guards.empty()) to += ": ";
  append_all(transaction.then);
  if (transaction.otherwise.empty()) return;
  to += "; else: ";
  append_all(transaction.otherwise);
}

std::string summary_of(const base::EntryView& entry) {
  if (entry.type != base::EntryType::normal) return "members";
  if (entry.data.empty()) return "a new leader";
  command::EntryReader reader(entry.data);
  std::string text;
  for (command::Command command; reader.next(command);) {
    if (!text.empty()) text += " | ";
    append_summary(text, command);
  }
  return reader.ok() ? text : text + " (its bytes do not follow the grammar)";
}

/// A stopped node's directory, opened without touching it.
class Stopped {
 public:
  static Result<std::unique_ptr<Stopped>> open(const std::string& path) {
    auto stopped = std::make_unique<Stopped>();
    // Before anything is locked: a lock makes its file, also where it does not belong.
    if (const auto identity = stopped->files_->open(path + "/identity", env::OpenMode::read); !identity) {
      if (identity.error().code() != Errc::not_found) return std::unexpected(identity.error());
      return fail(Errc::invalid_request, path + ": not the data directory of a node (it has no file \"identity\")");
    }
    auto directory = log::DataDirectory::open(stopped->overlay_, path, {.directory = 1});
    if (!directory) return std::unexpected(std::move(directory.error()));
    stopped->directory_ = std::make_unique<log::DataDirectory>(std::move(*directory));
    return stopped;
  }

  [[nodiscard]] Result<std::unique_ptr<log::Log>> open_log() {
    return log::Log::open(overlay_, directory_->log_path(), {.salt = 1, .boot_id = 1});
  }
  /// A line for each file; false when one is damaged.
  [[nodiscard]] Result<bool> check_snapshots(Context& context) {
    const auto snapshots = log::list_snapshots(overlay_, directory_->snapshots_path());
    if (!snapshots) return std::unexpected(snapshots.error());
    bool are_good = true;
    for (const log::SnapshotFileInfo& file : *snapshots) {
      const auto checked = read_through(file.path);
      are_good &= checked.has_value();
      if (checked) {
        std::cout << file.path << ": good, index " << file.index.value() << ", " << *checked << " blocks\n";
      } else {
        context.exit_code = report_problem(ExitCode::failed, checked.error().message());
      }
    }
    return are_good;
  }

 private:
  Result<std::uint64_t> read_through(const std::string& path) {
    auto reader = log::open_snapshot(overlay_, path);
    if (!reader) return std::unexpected(std::move(reader.error()));
    std::string block;
    for (std::uint64_t blocks = 0;; ++blocks) {
      const auto more = (*reader)->next(block);
      if (!more) return std::unexpected(more.error());
      if (!*more) return blocks;
    }
  }

  std::unique_ptr<env::FileSystem> files_ = env::make_real_file_system();
  env::OverlayFileSystem overlay_{*files_};
  std::unique_ptr<log::DataDirectory> directory_;
};

void report(Context& context, const Error& error) {
  const bool is_wrong_use = error.code() == Errc::invalid_request || error.code() == Errc::cluster_not_ready;
  context.exit_code = report_problem(is_wrong_use ? ExitCode::usage : ExitCode::failed, error.message());
}

/// Reads the whole log; `visit` sees each entry.
Result<void> walk(Stopped& stopped, base::Index from, const log::Log::Visitor& visit) {
  auto opened = stopped.open_log();
  if (!opened) return std::unexpected(std::move(opened.error()));
  log::Log& log = **opened;
  if (!log.cut_report().empty()) std::cerr << "concord: " << log.cut_report() << " (a start would cut it)\n";
  if (auto replayed = log.replay(from, visit); !replayed) return replayed;
  const base::HardState& state = log.hard_state();
  std::cout << "log: entries " << log.first_index().value() << " to " << log.last_index().value() << ", term "
            << state.term.value() << ", committed at least to " << state.commit.value() << '\n';
  return {};
}

void verify(Context& context, const Arguments& arguments) {
  auto stopped = Stopped::open(arguments.directory);
  if (!stopped) return report(context, stopped.error());
  const auto snapshots = (*stopped)->check_snapshots(context);
  if (!snapshots) return report(context, snapshots.error());
  const auto walked = walk(**stopped, base::Index(), [](const base::EntryView& entry) -> Result<void> {
    if (entry.type != base::EntryType::normal || entry.data.empty()) return {};
    command::EntryReader reader(entry.data);
    for (command::Command command; reader.next(command);) {
    }
    if (reader.ok()) return {};
    return fail(Errc::storage_failed, "entry " + std::to_string(entry.index.value()) + " does not follow the grammar");
  });
  if (!walked) report(context, walked.error());
}

void dump(Context& context, const Arguments& arguments) {
  auto stopped = Stopped::open(arguments.directory);
  if (!stopped) return report(context, stopped.error());
  const auto walked = walk(**stopped, base::Index(arguments.from), [](const base::EntryView& entry) -> Result<void> {
    std::cout << entry.index.value() << "\tterm " << entry.term.value() << '\t' << entry.data.size() << " bytes\t"
              << summary_of(entry) << '\n';
    return {};
  });
  if (!walked) report(context, walked.error());
}

}  // namespace

void add_debug_log(CLI::App& debug, Context& context) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& log = *debug.add_subcommand("log", "The log and the snapshots of a stopped node, which stay as they are");
  log.require_subcommand(1);
  CLI::App& verifying = *log.add_subcommand("verify", "Read every byte, and name the file and the place of damage");
  CLI::App& dumping = *log.add_subcommand("dump", "Print a line for each entry of the log");
  for (CLI::App* const each : {&verifying, &dumping}) {
    each->add_option("directory", arguments->directory, "The data directory")->required();
  }
  dumping.add_option("--from", arguments->from, "Begin with this index");
  verifying.callback([&context, arguments] { verify(context, *arguments); });
  dumping.callback([&context, arguments] { dump(context, *arguments); });
}

}  // namespace concord::app

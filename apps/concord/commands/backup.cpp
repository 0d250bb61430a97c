// concord backup create|list|verify|restore|cleanup: those of a node, and those in directories of this machine.
//
// A file that stands on this machine is brought to the node in parts before it is restored, and one that is wanted here is fetched in
// parts. Which file is meant: one that is there; else a name on the node.
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "commands/api_call.hpp"
#ifdef CONCORD_WITH_NODE
#include "commands/local_backups.hpp"
#endif
#include "http/target.hpp"
#include "json_text.hpp"
#include "progress.hpp"
#include "value/cursor.hpp"
#include "value/json_string.hpp"

namespace concord::app {
namespace {

constexpr std::string_view root = "/api/v1/backups";
constexpr std::size_t part_bytes = 8U << 20U;
[[maybe_unused]] constexpr std::string_view usual_directory = "./backups";

struct Arguments {
  std::string path;
  std::string file;
  bool is_forced = false;
  bool with_tokens = false;
  std::vector<std::string> prefixes;
  std::optional<std::uint64_t> keep_count;
  std::optional<std::uint64_t> keep_days;
};

std::string text_of(std::string_view object, std::string_view name) {
  return json_to_plain(json_member(object, name).value_or("\"\""));
}

std::uint64_t number_of(std::string_view object, std::string_view name) {
  return std::strtoull(std::string(json_member(object, name).value_or("0")).c_str(), nullptr, 10);
}

std::string shown_size(std::uint64_t size_bytes) {
  char text[64];
  if (size_bytes < 1024) {
    std::snprintf(text, sizeof text, "%llu bytes", static_cast<unsigned long long>(size_bytes));
  } else if (size_bytes < (1U << 20U)) {
    std::snprintf(text, sizeof text, "%.2f KB", static_cast<double>(size_bytes) / 1024);
  } else {
    std::snprintf(text, sizeof text, "%.2f MB", static_cast<double>(size_bytes) / (1024.0 * 1024));
  }
  return text;
}

std::string target_of(const Context& context, std::string_view name, std::string_view behind = {},
                      std::string query = {}) {
  return api_target(context, std::string(root) + "/" + http::percent_encode(std::string(name)) + std::string(behind),
                    std::move(query));
}

std::string name_in(const std::string& path) { return std::filesystem::path(path).filename().string(); }

bool is_file(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

// ---------------------------------------------------------------------------------------------------------------------
// Here.

#ifdef CONCORD_WITH_NODE

ExitCode report_error(const Error& error) {
  return report_problem(error.code() == Errc::not_found ? ExitCode::not_found : ExitCode::failed, error.message());
}

std::string json_of(const BackupInfo& backup) {
  std::string json = "{\"name\":";
  const auto text = [&](std::string_view name, std::string_view value) {
    ((json += ",\"") += name) += "\":";
    value::append_json_string(json, value);
  };
  value::append_json_string(json, backup.name);
  text("path", backup.path);
  json += ",\"size\":" + std::to_string(backup.size_bytes);
  json += ",\"entry_count\":" + std::to_string(backup.entry_count);
  json += ",\"revision\":" + std::to_string(backup.revision.value());
  char time[32];
  const std::time_t seconds = std::chrono::system_clock::to_time_t(backup.created_at);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%SZ", &parts);
  text("created_at", time);
  text("sha256", backup.sha256);
  text("node", backup.node);
  text("version", backup.version);
  return json + "}";
}

/// As the API answers it.
std::optional<std::string> local_list(Context& context, const std::string& directory) {
  const auto found = list_local_backups(directory);
  if (!found) {
    context.exit_code = report_error(found.error());
    return std::nullopt;
  }
  std::string json = "{\"backups\":[";
  for (std::size_t at = 0; at < found->backups.size(); ++at) {
    json += (at > 0 ? "," : "") + json_of(found->backups[at]);
  }
  json += "],\"damaged\":[";
  for (std::size_t at = 0; at < found->damaged.size(); ++at) {
    if (at > 0) json += ',';
    value::append_json_string(json, found->damaged[at]);
  }
  return json + "]}";
}

/// None: it was reported.
std::optional<std::string> verify_here(Context& context, const std::string& path) {
  std::error_code ignored;
  Progress progress("bytes", std::filesystem::file_size(path, ignored));
  const auto info = verify_local_backup(path, [&](std::uint64_t done, std::uint64_t) { progress.show(done, done); });
  if (info) return R"({"valid":true})";
  if (info.error().code() != Errc::invalid_backup) {
    context.exit_code = report_error(info.error());
    return std::nullopt;
  }
  std::string json = R"({"valid":false,"reason":)";
  value::append_json_string(json, info.error().message());
  return json + "}";
}

/// Fetches a backup of the node; none after it was reported.
std::optional<std::string> fetch(Context& context, const std::string& name, const std::string& directory,
                                 std::uint64_t size_bytes) {
  Progress progress("bytes", size_bytes);
  bool is_reported = false;
  const auto saved = save_local_backup(directory, name, part_bytes, [&](std::uint64_t offset) -> Result<std::string> {
    progress.show(offset, offset);
    auto part = call(
        context, {.method = "GET",
                  .target = target_of(context, name, {},
                                      "offset=" + std::to_string(offset) + "&limit=" + std::to_string(part_bytes))});
    if (part) return std::move(*part);
    is_reported = true;
    return fail(Errc::internal, "");
  });
  if (saved) return saved->path;
  if (!is_reported) context.exit_code = report_error(saved.error());
  return std::nullopt;
}

#endif

// ---------------------------------------------------------------------------------------------------------------------
// On the node.

void create(Context& context, [[maybe_unused]] const Arguments& arguments) {
  if (context.output_form() == OutputForm::table) std::cerr << "Creating backup...\n";
  const auto data = call_for_data(
      context, {.method = "POST", .target = api_target(context, std::string(root), consistency_of(context))});
  if (!data) return;
  std::string path = text_of(*data, "path");
#ifdef CONCORD_WITH_NODE
  if (!arguments.path.empty()) {
    const auto saved = fetch(context, text_of(*data, "name"), arguments.path, number_of(*data, "size"));
    if (!saved) return;
    path = *saved;
  }
#endif
  switch (context.output_form()) {
    case OutputForm::json: std::cout << *data << '\n'; return;
    case OutputForm::plain: std::cout << path << '\n'; return;
    case OutputForm::table: break;
  }
  std::cout << "✓ Backup created successfully!\n  Path: " << path
            << "\n  Size: " << shown_size(number_of(*data, "size"))
            << "\n  Entries: " << number_of(*data, "entry_count") << "\n  Revision: " << number_of(*data, "revision")
            << '\n';
}

void print_table(std::string_view data) {
  std::vector<std::string> backups;
  value::Cursor cursor(json_member(data, "backups").value_or("[]"));
  for (cursor.open(); cursor.more();) backups.emplace_back(cursor.skip());
  std::cout << "Found " << backups.size() << " backup(s):\n";
  for (const std::string& backup : backups) {
    std::cout << "\nBackup: " << text_of(backup, "name") << "\n  Created: " << text_of(backup, "created_at")
              << "\n  Entries: " << number_of(backup, "entry_count")
              << "\n  Revision: " << number_of(backup, "revision")
              << "\n  Size: " << shown_size(number_of(backup, "size")) << "\n  Node: " << text_of(backup, "node")
              << "\n  Version: " << text_of(backup, "version") << '\n';
  }
}

void print_list(const Context& context, const std::string& data) {
  value::Cursor damaged(json_member(data, "damaged").value_or("[]"));
  for (damaged.open(); damaged.more();) {
    std::cerr << "concord: damaged, or no backup: " << json_to_plain(damaged.skip()) << '\n';
  }
  if (context.output_form() == OutputForm::json) {
    std::cout << data << '\n';
  } else if (context.output_form() == OutputForm::table) {
    print_table(data);
  } else {
    RowPrinter printer(OutputForm::plain, {});
    value::Cursor cursor(json_member(data, "backups").value_or("[]"));
    for (cursor.open(); cursor.more();) {
      const std::string_view backup = cursor.skip();
      printer.add({text_of(backup, "name"), text_of(backup, "created_at"),
                   std::to_string(number_of(backup, "entry_count")), std::to_string(number_of(backup, "size")),
                   text_of(backup, "node"), text_of(backup, "version")});
    }
  }
}

void list(Context& context, [[maybe_unused]] const Arguments& arguments) {
  std::optional<std::string> data;
#ifdef CONCORD_WITH_NODE
  if (!arguments.path.empty()) {
    data = local_list(context, arguments.path);
    if (data) print_list(context, *data);
    return;
  }
#endif
  data = call_for_data(context, {.method = "GET", .target = api_target(context, std::string(root))});
#ifdef CONCORD_WITH_NODE
  const bool is_here = std::filesystem::is_directory(usual_directory);
  if (!data && context.exit_code == ExitCode::unavailable && is_here) {
    std::cerr << "These are the backups in " << usual_directory << ":\n";
    context.exit_code = ExitCode::done;
    data = local_list(context, std::string(usual_directory));
  }
#endif
  if (data) print_list(context, *data);
}

void verify(Context& context, const Arguments& arguments) {
  std::optional<std::string> data;
#ifdef CONCORD_WITH_NODE
  const bool is_here = is_file(arguments.file) || arguments.file.find('/') != std::string::npos;
#else
  const bool is_here = false;
#endif
  if (context.output_form() == OutputForm::table) std::cerr << "Verifying backup: " << arguments.file << '\n';
  if (!is_here) {
    data = call_for_data(context, {.method = "POST", .target = target_of(context, arguments.file, "/verify")});
  }
#ifdef CONCORD_WITH_NODE
  if (is_here) data = verify_here(context, arguments.file);
#endif
  if (!data) return;
  const bool is_valid = json_member(*data, "valid") == "true";
  if (!is_valid) context.exit_code = ExitCode::failed;
  if (context.output_form() == OutputForm::json) {
    std::cout << *data << '\n';
  } else if (context.output_form() == OutputForm::plain) {
    std::cout << (is_valid ? "valid" : "invalid\t" + text_of(*data, "reason")) << '\n';
  } else if (is_valid) {
    std::cout << "✓ Backup is valid\n";
  } else {
    std::cout << "✗ Backup is not valid: " << text_of(*data, "reason") << '\n';
  }
}

/// False: nothing is to be done.
bool is_confirmed(const Arguments& arguments) {
  if (arguments.is_forced) return true;
  std::cerr << (arguments.prefixes.empty()
                    ? "⚠  WARNING: This will overwrite all data in the cluster!\n"
                    : "⚠  WARNING: This will overwrite all keys of the prefixes in the cluster!\n")
            << "Are you sure you want to continue? (yes/no): " << std::flush;
  std::string answer;
  if (!std::getline(std::cin, answer)) std::cerr << '\n';
  return answer == "yes";
}

/// Brings a file to the node. False after it was reported.
bool bring(Context& context, const std::string& path, const std::string& name) {
  std::ifstream file(path, std::ios::binary);
  std::error_code failed;
  const std::uint64_t size_bytes = std::filesystem::file_size(path, failed);
  if (!file || failed) {
    context.exit_code = report_problem(ExitCode::failed, "cannot read " + path);
    return false;
  }
  Progress progress("bytes", size_bytes);
  std::string part;
  std::uint64_t offset = 0;
  do {
    part.resize(static_cast<std::size_t>(std::min<std::uint64_t>(part_bytes, size_bytes - offset)));
    if (!file.read(part.data(), static_cast<std::streamsize>(part.size()))) {
      context.exit_code = report_problem(ExitCode::failed, "cannot read " + path);
      return false;
    }
    std::string query = "offset=" + std::to_string(offset);
    offset += part.size();
    if (offset < size_bytes) query += "&more=true";
    if (!call(context, {.method = "PUT",
                        .target = target_of(context, name, {}, std::move(query)),
                        .body = part,
                        .content_type = "application/octet-stream"})) {
      return false;
    }
    progress.show(offset, offset);
  } while (offset < size_bytes);
  return true;
}

std::optional<std::string> restore_body(const Arguments& arguments) {
  std::string body = R"({"confirm":true)";
  if (arguments.with_tokens) body += R"(,"with_tokens":true)";
  if (!arguments.prefixes.empty()) {
    body += R"(,"prefixes":[)";
    for (std::size_t at = 0; at < arguments.prefixes.size(); ++at) {
      const auto prefix = json_string(arguments.prefixes[at]);
      if (!prefix) return std::nullopt;
      body += (at > 0 ? "," : "") + *prefix;
    }
    body += ']';
  }
  return body + "}";
}

void restore(Context& context, const Arguments& arguments) {
  auto body = restore_body(arguments);
  if (!body) {
    context.exit_code = report_problem(ExitCode::usage, "a prefix is not UTF-8");
    return;
  }
  const bool is_here = is_file(arguments.file);
  if (!is_here && arguments.file.find('/') != std::string::npos) {
    context.exit_code = report_problem(ExitCode::not_found, "there is no file " + arguments.file);
    return;
  }
  if (!is_confirmed(arguments)) {
    context.exit_code = report_problem(ExitCode::failed, "nothing was changed; answer yes, or give --force");
    return;
  }
  if (context.output_form() == OutputForm::table) std::cerr << "Restoring from backup: " << arguments.file << '\n';
  const std::string name = name_in(arguments.file);
  if (is_here && !bring(context, arguments.file, name)) return;
  const auto answer = call(context, {.method = "POST",
                                     .target = target_of(context, name, "/restore"),
                                     .body = std::move(*body),
                                     .content_type = "application/json"});
  if (!answer) return;
  if (context.output_form() == OutputForm::table) {
    std::cout << "✓ Backup restored successfully!\n";
    if (const auto data = json_member(*answer, "data")) {
      std::cout << "  Entries: " << number_of(*data, "entry_count")
                << "\n  Revision: " << json_member(*answer, "revision").value_or("0") << '\n';
    }
    return;
  }
  print_done(context, *answer);
}

void cleanup(Context& context, const Arguments& arguments) {
  std::string body = "{";
  if (arguments.keep_count) body += "\"keep_count\":" + std::to_string(*arguments.keep_count);
  if (arguments.keep_count && arguments.keep_days) body += ',';
  if (arguments.keep_days) body += "\"keep_days\":" + std::to_string(*arguments.keep_days);
  body += '}';
  std::uint64_t deleted = 0;
#ifdef CONCORD_WITH_NODE
  if (!arguments.path.empty()) {
    const auto removed = clean_local_backups(arguments.path, arguments.keep_count, arguments.keep_days);
    if (!removed) {
      context.exit_code = report_error(removed.error());
      return;
    }
    deleted = *removed;
  }
#endif
  if (arguments.path.empty()) {
    const auto data = call_for_data(context, {.method = "POST",
                                              .target = api_target(context, std::string(root) + "/cleanup"),
                                              .body = std::move(body),
                                              .content_type = "application/json"});
    if (!data) return;
    deleted = number_of(*data, "deleted");
  }
  switch (context.output_form()) {
    case OutputForm::json: std::cout << "{\"deleted\":" << deleted << "}\n"; return;
    case OutputForm::plain: std::cout << deleted << '\n'; return;
    case OutputForm::table: break;
  }
  std::cout << "✓ Deleted " << deleted << " old backup(s)\n";
}

}  // namespace

void add_backup(CLI::App& app, Context& context) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& backup = *app.add_subcommand("backup", "Make, list, verify, restore and remove backups");
  backup.require_subcommand(1);
  // They take as long as the data are large.
  backup.parse_complete_callback([&app, &context] {
    if (app.count("--timeout") == 0) context.timeout = "3600";
  });
  const auto add = [&](const char* name, const char* what, void (*run)(Context&, const Arguments&)) -> CLI::App& {
    CLI::App& command = *backup.add_subcommand(name, what);
    command.callback([&context, arguments, run] { run(context, *arguments); });
    return command;
  };
  CLI::App& creating = add("create", "Make a backup on the node, and print where it is", create);
  CLI::App& listing = add("list", "Print the backups of the node, or of a directory here", list);
  CLI::App& verifying = add("verify", "Look through a backup, here or on the node", verify);
  CLI::App& restoring = add("restore", "Replace the data of the cluster by those of a backup", restore);
  CLI::App& cleaning = add("cleanup", "Remove old backups; what any given rule keeps is kept", cleanup);
#ifdef CONCORD_WITH_NODE
  creating.add_option("--path", arguments->path, "Fetch it into this directory too");
  listing.add_option("--path", arguments->path, "A directory here; no node is asked");
  cleaning.add_option("--path", arguments->path, "A directory here; no node is asked");
#endif
  (void)creating;
  (void)listing;
  verifying.add_option("file", arguments->file, "A file here, or a name on the node")->required();
  restoring.add_option("file", arguments->file, "A file here, or a name on the node")->required();
  restoring.add_flag("--force", arguments->is_forced, "Don't ask");
  restoring.add_option("--prefix", arguments->prefixes, "Only keys that begin so are replaced; may be repeated");
  restoring.add_flag("--with-tokens", arguments->with_tokens, "Add the tokens of the backup that are not there");
  cleaning.add_option("--keep-count", arguments->keep_count, "Keep so many of the newest (10 when no rule is given)");
  cleaning.add_option("--keep-days", arguments->keep_days, "Keep those of so many days (30 when no rule is given)");
}

}  // namespace concord::app

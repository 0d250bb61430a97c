// concord audit query|export|log|rotate|cleanup|stats|verify: the audit log of the node that is asked; `verify DIR` reads its files
// without a node.
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include <CLI/CLI.hpp>

#include "audit/state.hpp"
#include "audit/verify.hpp"
#include "commands/api_call.hpp"
#include "commands/output_file.hpp"
#include "http/target.hpp"
#include "json_text.hpp"
#include "value/cursor.hpp"

namespace concord::app {
namespace {

constexpr std::string_view audit_path = "/api/v1/audit";

struct Arguments {
  std::string operation;
  std::string user;
  std::string result;
  std::string from;
  std::string to;
  std::uint64_t limit = 100;
  std::string file;       ///< to export to
  std::string directory;  ///< to verify
  std::string key_file;
  std::string key;  ///< of an entry
  std::string metadata;
};

std::string target_of(const Context& context, std::string_view suffix, std::string query = {}) {
  return api_target(context, std::string(audit_path).append(suffix), std::move(query));
}

std::string query_of(const Arguments& arguments) {
  std::string query;
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) add_parameters(query, std::string(name) + "=" + http::percent_encode(value));
  };
  add("operation", arguments.operation);
  add("user", arguments.user);
  add("result", arguments.result);
  add("from", arguments.from);
  add("to", arguments.to);
  return query;
}

std::string text_of(std::string_view object, std::string_view name) {
  const auto member = json_member(object, name);
  return member ? table_cell(*member) : "-";
}

/// The key, or what stands for it.
std::string key_of(std::string_view entry) {
  for (const std::string_view name : {"key", "key_b64", "key_hash"}) {
    if (json_member(entry, name)) return text_of(entry, name);
  }
  return "-";
}

void query(Context& context, const Arguments& arguments) {
  std::string parameters = query_of(arguments);
  add_parameters(parameters, "limit=" + std::to_string(arguments.limit));
  const auto data = call_for_data(context, {.method = "GET", .target = target_of(context, "", parameters)});
  if (!data) return;
  value::Cursor cursor(json_member(*data, "entries").value_or("[]"));
  if (context.output_form() == OutputForm::json) {
    for (cursor.open(); cursor.more();) std::cout << cursor.skip() << '\n';
    return;
  }
  RowPrinter printer(context.output_form(), {"TIME", "OPERATION", "RESULT", "USER", "CLIENT", "REVISION", "KEY"});
  for (cursor.open(); cursor.more();) {
    const std::string_view entry = cursor.skip();
    printer.add({text_of(entry, "timestamp"), text_of(entry, "operation"), text_of(entry, "result"),
                 text_of(entry, "user"), text_of(entry, "client"), text_of(entry, "revision"), key_of(entry)});
  }
}

/// Of a text that comes in pieces, its last line.
class LastLine {
 public:
  void add(std::string_view piece) {
    text_ += piece;
    const std::size_t end = text_.size() < 2 ? std::string::npos : text_.rfind('\n', text_.size() - 2);
    if (end != std::string::npos) text_.erase(0, end + 1);
  }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

/// False: not everything was written; the problem was reported.
bool write_lines(Context& context, const Arguments& arguments, std::ostream& output) {
  LastLine last;
  ClientRequest request{.method = "GET", .target = target_of(context, "/export", query_of(arguments))};
  request.take = [&](std::string_view piece) {
    last.add(piece);
    return static_cast<bool>(output << piece);
  };
  if (!call(context, request)) return false;
  // The last line of an export that did not come to its end tells why.
  if (!last.text().starts_with("{\"error\":")) return true;
  context.exit_code = report_problem(ExitCode::failed, "the export ended early: " + last.text());
  return false;
}

void export_lines(Context& context, const Arguments& arguments) {
  write_output(context, arguments.file, [&](std::ostream& output) { return write_lines(context, arguments, output); });
}

void post(Context& context, std::string_view suffix, std::string body = {}) {
  ClientRequest request{.method = "POST", .target = target_of(context, suffix), .body = std::move(body)};
  if (!request.body.empty()) request.content_type = "application/json";
  if (const auto answer = call(context, request)) print_done(context, *answer);
}

void log_entry(Context& context, const Arguments& arguments) {
  const auto operation = json_string(arguments.operation);
  const auto key = json_string(arguments.key);
  const auto result = json_string(arguments.result);
  if (!operation || !key || !result) {
    context.exit_code = report_problem(ExitCode::usage, "an argument is not UTF-8");
    return;
  }
  std::string body = R"({"operation":)" + *operation;
  if (!arguments.key.empty()) body += R"(,"key":)" + *key;
  if (!arguments.result.empty()) body += R"(,"result":)" + *result;
  if (!arguments.metadata.empty()) body += R"(,"metadata":)" + arguments.metadata;
  post(context, "", body + "}");
}

void cleanup(Context& context) {
  const auto data = call_for_data(context, {.method = "POST", .target = target_of(context, "/cleanup")});
  if (!data) return;
  if (context.output_form() == OutputForm::json) {
    std::cout << *data << '\n';
  } else {
    std::cout << "removed " << text_of(*data, "removed") << " files\n";
  }
}

void stats(Context& context) {
  const auto data = call_for_data(context, {.method = "GET", .target = target_of(context, "/stats")});
  if (!data) return;
  if (context.output_form() == OutputForm::json) {
    std::cout << *data << '\n';
    return;
  }
  RowPrinter printer(context.output_form(), {"NAME", "VALUE"});
  value::Cursor cursor(*data);
  for (cursor.open(); cursor.more();) {
    const std::string name(cursor.name());
    printer.add({name, table_cell(cursor.skip())});
  }
}

/// The answer of a node, of files that were read here: the same in all forms.
void print_verification(Context& context, std::string_view data) {
  const bool is_valid = json_member(data, "valid") == "true";
  if (context.output_form() == OutputForm::json) {
    std::cout << data << '\n';
  } else {
    std::cout << (is_valid ? "valid: " : "NOT valid: ") << text_of(data, "files") << " files, "
              << text_of(data, "entries") << " entries\n";
    value::Cursor cursor(json_member(data, "problems").value_or("[]"));
    for (cursor.open(); cursor.more();) {
      const std::string_view problem = cursor.skip();
      std::cout << text_of(problem, "file") << ":" << text_of(problem, "line") << ": " << text_of(problem, "problem")
                << '\n';
    }
  }
  if (!is_valid) context.exit_code = ExitCode::failed;
}

std::string json_of_problems(const AuditVerification& verification) {
  std::string data = std::string(R"({"valid":)") + (verification.valid ? "true" : "false") + R"(,"files":)" +
                     std::to_string(verification.files) + R"(,"entries":)" + std::to_string(verification.entries) +
                     R"(,"problems":[)";
  for (const AuditProblem& problem : verification.problems) {
    if (data.back() != '[') data += ',';
    data += R"({"file":)" + json_string(problem.file).value_or("\"\"") + R"(,"line":)" + std::to_string(problem.line) +
            R"(,"problem":)" + json_string(problem.what).value_or("\"\"") + "}";
  }
  return data + "]}";
}

void verify_files(Context& context, const Arguments& arguments) {
  const auto files = env::make_real_file_system();
  const std::string key_path =
      arguments.key_file.empty() ? arguments.directory + "/" + std::string(audit::key_name) : arguments.key_file;
  const auto key = audit::read_key(*files, key_path);
  if (!key && (!arguments.key_file.empty() || key.error().code() != Errc::not_found)) {
    context.exit_code = report_problem(ExitCode::failed, key.error().message());
    return;
  }
  if (!key) std::cerr << "concord: " << key_path << " is missing: signatures are not checked, see --key-file\n";
  const auto verification = audit::verify(
      *files, {.directory = arguments.directory, .key = key ? std::string_view(*key) : std::string_view()});
  if (!verification) {
    const bool is_missing = verification.error().code() == Errc::not_found;
    context.exit_code =
        report_problem(is_missing ? ExitCode::not_found : ExitCode::failed, verification.error().message());
    return;
  }
  print_verification(context, json_of_problems(*verification));
}

void verify(Context& context, const Arguments& arguments) {
  if (!arguments.directory.empty()) return verify_files(context, arguments);
  const auto data = call_for_data(context, {.method = "POST", .target = target_of(context, "/verify")});
  if (data) print_verification(context, *data);
}

void add_filters(CLI::App& command, Arguments& arguments) {
  command.add_option("--operation", arguments.operation, "put, delete, token_create, ...");
  command.add_option("--user", arguments.user, "token:<id>, or anonymous");
  command.add_option("--result", arguments.result, "ok, not_found, unauthorized, forbidden; error: whatever failed");
  command.add_option("--from", arguments.from, "Not before, as 2026-02-03T04:05:06Z or 2026-02-03");
  command.add_option("--to", arguments.to, "Not after");
}

}  // namespace

void add_audit(CLI::App& app, Context& context) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App& audit = *app.add_subcommand("audit", "Look at the audit log of a node, and check it");
  audit.require_subcommand(1);
  CLI::App& querying = *audit.add_subcommand("query", "Print entries, newest first");
  add_filters(querying, *arguments);
  querying.add_option("--limit", arguments->limit, "So many at most, up to 10000")->capture_default_str();
  querying.callback([&context, arguments] { query(context, *arguments); });
  CLI::App& exporting = *audit.add_subcommand("export", "Write entries as JSON lines, oldest first");
  exporting.add_option("file", arguments->file, "To this file; -: to standard output")->default_val("-");
  add_filters(exporting, *arguments);
  exporting.callback([&context, arguments] { export_lines(context, *arguments); });
  CLI::App& logging = *audit.add_subcommand("log", "Add an entry of your own");
  logging.add_option("operation", arguments->operation, "What was done: a-z, 0-9, _, . and -")->required();
  logging.add_option("--key", arguments->key, "To what");
  logging.add_option("--result", arguments->result, "ok unless said");
  logging.add_option("--metadata", arguments->metadata, "A JSON object");
  logging.callback([&context, arguments] { log_entry(context, *arguments); });
  audit.add_subcommand("rotate", "Begin a new file")->callback([&context] { post(context, "/rotate"); });
  audit.add_subcommand("cleanup", "Remove files older than audit_log.retention_days")->callback([&context] {
    cleanup(context);
  });
  audit.add_subcommand("stats", "Print how the log is doing")->callback([&context] { stats(context); });
  CLI::App& verifying = *audit.add_subcommand("verify", "Find what was changed, removed or put in; exits 1 then");
  verifying.add_option("directory", arguments->directory,
                       "The files of this directory, read here; without: those of the node");
  verifying.add_option("--key-file", arguments->key_file,
                       "The key of the signatures; audit.key in the directory unless said");
  verifying.callback([&context, arguments] { verify(context, *arguments); });
}

}  // namespace concord::app

// concord kv bulk-load, kv export, export: many keys from and to files of JSON lines or CSV.
//
//   JSON lines   {"key" or "key_b64": ..., "value": ..., "ttl"?: seconds, "encoding"?: "base64"}      one a line
//   CSV          as csv_rows.hpp says; a first line with the names of the columns is a heading
//
// What an export wrote, a load stores again as it was. The heading of CSV tells which columns follow, and that is known only when
// the last row has come: rows wait in a spool until then.
// Loading sends batches of 500 (bulk_writer.hpp). A bad line is reported with its number and left out; the others are loaded.
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "commands/api_call.hpp"
#include "commands/bulk_writer.hpp"
#include "commands/output_file.hpp"
#include "commands/selection.hpp"
#include "csv.hpp"
#include "csv_rows.hpp"
#include "json_text.hpp"
#include "progress.hpp"
#include "spool.hpp"
#include "value/json.hpp"

namespace concord::app {
namespace {

struct LoadArguments {
  std::string path;
  std::string format;
  std::uint64_t from_line = 1;
};

void report(std::string_view place, std::string_view why) { std::cerr << place << ": " << why << '\n'; }

std::string place_of(std::uint64_t line) { return "line " + std::to_string(line); }

/// Reads operations from JSON lines or CSV. What can't be one is reported and left out.
class Source {
 public:
  Source(std::istream& input, bool is_csv) : input_(input), csv_(input), is_csv_(is_csv) {}

  /// What stands before `from_line` was dealt with by an earlier load.
  [[nodiscard]] std::optional<BulkItem> next(std::uint64_t from_line) {
    from_line_ = from_line;
    while (true) {
      auto read = is_csv_ ? next_csv() : next_json();
      if (!read) return std::nullopt;
      if (read->number >= from_line && !read->json.empty()) return read;
    }
  }
  [[nodiscard]] std::uint64_t bad_lines() const noexcept { return bad_lines_; }
  [[nodiscard]] std::uint64_t bytes_read() const noexcept { return is_csv_ ? csv_.bytes_read() : bytes_read_; }

 private:
  static BulkItem item(std::uint64_t line, std::string json = {}) {
    return {.number = line, .place = place_of(line), .json = std::move(json)};
  }

  BulkItem refused(std::uint64_t line, std::string_view why) {
    if (line >= from_line_) {
      report(place_of(line), why);
      ++bad_lines_;
    }
    return item(line);
  }

  std::optional<BulkItem> next_json() {
    std::string text;
    if (!std::getline(input_, text)) return std::nullopt;
    ++line_;
    bytes_read_ += text.size() + 1;
    if (text.find_first_not_of(" \t\r") == std::string::npos) return item(line_);
    auto compact = value::compact_json(text, value::max_json_depth + 1);
    if (!compact) return refused(line_, compact.error().message());
    if ((!json_member(*compact, "key") && !json_member(*compact, "key_b64")) || !json_member(*compact, "value")) {
      return refused(line_, "not an object with a key and a value");
    }
    return item(line_, std::move(*compact));
  }

  std::optional<BulkItem> next_csv() {
    const auto fields = csv_.next();
    if (!fields) return std::nullopt;
    const std::uint64_t line = csv_.line();
    if (fields->size() == 1 && fields->front().empty()) return item(line);
    if (line == 1 && is_csv_heading(*fields)) return item(line);
    auto operation = operation_of(*fields);
    if (!operation) return refused(line, operation.error());
    return item(line, std::move(*operation));
  }

  std::istream& input_;
  CsvReader csv_;
  const bool is_csv_;
  std::uint64_t line_ = 0;
  std::uint64_t bytes_read_ = 0;
  std::uint64_t bad_lines_ = 0;
  std::uint64_t from_line_ = 1;
};

void load_from(Context& context, const LoadArguments& arguments, std::istream& input,
               std::optional<std::uint64_t> size_bytes) {
  const bool is_csv =
      arguments.format == "csv" || (arguments.format.empty() && std::string_view(arguments.path).ends_with(".csv"));
  Source source(input, is_csv);
  BulkWriter writer(context, OnConflict::replace, [](const BulkItem& item, std::string_view why) {
    report(item.place, why);
    return true;
  });
  {
    Progress progress("keys", size_bytes);
    auto item = source.next(arguments.from_line);
    while (item && writer.add(std::move(*item))) {
      progress.show(writer.stored(), source.bytes_read());
      item = source.next(arguments.from_line);
    }
    if (!item) (void)writer.finish();  // it has reported what is wrong
  }
  const std::uint64_t bad = source.bad_lines() + writer.refused();
  if (context.exit_code != ExitCode::done) {
    std::cerr << "stopped; go on with --from-line " << writer.first_pending(arguments.from_line) << '\n';
  } else if (bad > 0) {
    context.exit_code = ExitCode::failed;
  }
  if (context.output_form() == OutputForm::json) {
    std::cout << R"({"loaded":)" << writer.stored() << R"(,"refused":)" << bad << "}\n";
  } else {
    std::cout << "loaded " << writer.stored() << ", refused " << bad << '\n';
  }
}

void load(Context& context, const LoadArguments& arguments) {
  if (arguments.path == "-") return load_from(context, arguments, std::cin, std::nullopt);
  std::ifstream file(arguments.path, std::ios::binary);
  std::error_code error;
  const auto size_bytes = std::filesystem::file_size(arguments.path, error);
  if (!file || error) {
    context.exit_code = report_problem(ExitCode::usage, "cannot read " + arguments.path);
    return;
  }
  load_from(context, arguments, file, size_bytes);
}

struct ExportArguments {
  Selection selection;
  std::string path = "-";
  std::string format;

  [[nodiscard]] bool is_csv() const { return format == "csv" || (format.empty() && path.ends_with(".csv")); }
};

/// Gives `take` row after row. False: not everything could be asked for; the problem was reported.
bool read_rows(Context& context, const ExportArguments& arguments, const std::function<void(std::string_view)>& take) {
  bool is_whole = true;
  std::string query = listing_parameters(arguments.selection);
  add_parameters(query, "with_ttl=true");
  add_parameters(query, consistency_of(context));
  std::uint64_t count = 0;
  Progress progress("keys", std::nullopt);
  const auto fetch = [&](const std::string& cursor, std::uint64_t limit) -> std::optional<std::string> {
    std::string page = query;
    add_parameters(page, "limit=" + std::to_string(limit));
    if (!cursor.empty()) add_parameters(page, "cursor=" + cursor);
    const auto body = call(context, {.method = "GET", .target = api_target(context, "/api/v1/kv", page)});
    auto answer = body ? compact_answer(context, *body) : std::nullopt;
    is_whole = is_whole && answer.has_value();
    return answer;
  };
  const auto rows = [](std::string_view page) { return json_member(page, "data").value_or("[]"); };
  walk_pages({fetch, rows,
              [&](std::string_view row) {
                take(row);
                progress.show(++count, 0);
              }},
             arguments.selection.limit);
  return is_whole;
}

bool write_csv(Context& context, const ExportArguments& arguments, std::ostream& output) {
  Spool spool;
  CsvColumns columns = CsvColumns::plain;
  const bool is_whole = read_rows(context, arguments, [&](std::string_view row) {
    if (needs_all_columns(row)) columns = CsvColumns::all;
    spool.add(row);
  });
  if (!spool.rewind()) {
    context.exit_code = report_problem(ExitCode::failed, "cannot keep the rows in a temporary file");
    return false;
  }
  output << csv_heading(columns);
  while (const auto row = spool.next()) output << csv_row(*row, columns);
  return is_whole;
}

/// False: not everything; the problem was reported.
bool write_all(Context& context, const ExportArguments& arguments, std::ostream& output) {
  if (arguments.is_csv()) return write_csv(context, arguments, output);
  return read_rows(context, arguments, [&output](std::string_view row) { output << row << '\n'; });
}

void export_keys(Context& context, const ExportArguments& arguments) {
  write_output(context, arguments.path, [&](std::ostream& output) { return write_all(context, arguments, output); });
}

}  // namespace

void add_kv_transfer(CLI::App& kv, Context& context) {
  CLI::App& command = *kv.add_subcommand("bulk-load", "Store many keys from JSON lines or CSV");
  const auto arguments = std::make_shared<LoadArguments>();
  command.add_option("file", arguments->path, "The file; - is standard input")->required();
  command.add_option("--format", arguments->format, "json or csv; by the file's name without it")
      ->check(CLI::IsMember({"json", "csv"}));
  command.add_option("--from-line", arguments->from_line, "Leave out what stands before this line");
  command.callback([&context, arguments] { load(context, *arguments); });

  add_export(kv, context);
}

void add_export(CLI::App& parent, Context& context) {
  CLI::App& command = *parent.add_subcommand("export", "Write keys with their values and ttls as JSON lines or CSV");
  const auto arguments = std::make_shared<ExportArguments>();
  command.add_option("file", arguments->path, "The file; - or nothing is standard output");
  command.add_option("--format", arguments->format, "json or csv; by the file's name without it")
      ->check(CLI::IsMember({"json", "csv"}));
  add_selection(command, arguments->selection, false);
  command.callback([&context, arguments] { export_keys(context, *arguments); });
}

}  // namespace concord::app

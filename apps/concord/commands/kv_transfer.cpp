// concord kv bulk-load, kv export: many keys from and to files of JSON lines or CSV.
//
//   JSON lines   {"key" or "key_b64": ..., "value": ..., "ttl"?: seconds, "encoding"?: "base64"}      one a line
//   CSV          as csv_rows.hpp says; a first line with the names of the columns is a heading
//
// What an export wrote, a load stores again as it was. The heading of CSV tells which columns follow, and that is known only when
// the last row has come: rows wait in a spool until then.
// Loading sends batches of 500, each one transaction. A bad line is reported with its number and left out; the others are loaded.
#include <charconv>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "commands/api_call.hpp"
#include "commands/selection.hpp"
#include "csv.hpp"
#include "csv_rows.hpp"
#include "json_text.hpp"
#include "progress.hpp"
#include "spool.hpp"
#include "value/json.hpp"

namespace concord::app {
namespace {

constexpr std::size_t batch_operations = 500;
constexpr std::size_t batch_bytes = 4U << 20U;

struct LoadArguments {
  std::string path;
  std::string format;
  std::uint64_t from_line = 1;
};

/// One operation of `POST /kv/bulk`, and where it comes from.
struct Loadable {
  std::uint64_t line = 0;
  std::string json;
};

void report_line(std::uint64_t line, std::string_view why) { std::cerr << "line " << line << ": " << why << '\n'; }

/// Reads operations from JSON lines or CSV. What can't be one is reported and left out.
class Source {
 public:
  Source(std::istream& input, bool is_csv) : input_(input), csv_(input), is_csv_(is_csv) {}

  /// What stands before `from_line` was dealt with by an earlier load.
  [[nodiscard]] std::optional<Loadable> next(std::uint64_t from_line) {
    from_line_ = from_line;
    while (true) {
      auto read = is_csv_ ? next_csv() : next_json();
      if (!read) return std::nullopt;
      if (read->line >= from_line && !read->json.empty()) return read;
    }
  }
  [[nodiscard]] std::uint64_t bad_lines() const noexcept { return bad_lines_; }
  [[nodiscard]] std::uint64_t bytes_read() const noexcept { return is_csv_ ? csv_.bytes_read() : bytes_read_; }

 private:
  Loadable refused(std::uint64_t line, std::string_view why) {
    if (line >= from_line_) {
      report_line(line, why);
      ++bad_lines_;
    }
    return {.line = line, .json = {}};
  }

  std::optional<Loadable> next_json() {
    std::string text;
    if (!std::getline(input_, text)) return std::nullopt;
    ++line_;
    bytes_read_ += text.size() + 1;
    if (text.find_first_not_of(" \t\r") == std::string::npos) return Loadable{.line = line_, .json = {}};
    auto compact = value::compact_json(text, value::max_json_depth + 1);
    if (!compact) return refused(line_, compact.error().message());
    if ((!json_member(*compact, "key") && !json_member(*compact, "key_b64")) || !json_member(*compact, "value")) {
      return refused(line_, "not an object with a key and a value");
    }
    return Loadable{.line = line_, .json = std::move(*compact)};
  }

  std::optional<Loadable> next_csv() {
    const auto fields = csv_.next();
    if (!fields) return std::nullopt;
    const std::uint64_t line = csv_.line();
    if (fields->size() == 1 && fields->front().empty()) return Loadable{.line = line, .json = {}};
    if (line == 1 && is_csv_heading(*fields)) return Loadable{.line = line, .json = {}};
    auto operation = operation_of(*fields);
    if (!operation) return refused(line, operation.error());
    return Loadable{.line = line, .json = std::move(*operation)};
  }

  std::istream& input_;
  CsvReader csv_;
  const bool is_csv_;
  std::uint64_t line_ = 0;
  std::uint64_t bytes_read_ = 0;
  std::uint64_t bad_lines_ = 0;
  std::uint64_t from_line_ = 1;
};

/// The position that a refusal names: "operations[17] ...".
std::optional<std::size_t> refused_position(std::string_view message) {
  constexpr std::string_view mark = "operations[";
  const std::size_t at = message.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  std::size_t position = 0;
  const char* const begin = message.data() + at + mark.size();
  const auto [end, error] = std::from_chars(begin, message.data() + message.size(), position);
  return error == std::errc() ? std::optional(position) : std::nullopt;
}

std::string message_of(const std::string& body) {
  const auto compact = value::compact_json(body);
  const auto error = compact ? json_member(*compact, "error") : std::nullopt;
  const auto message = error ? json_member(*error, "message") : std::nullopt;
  return message ? json_to_plain(*message) : body;
}

class Loader {
 public:
  explicit Loader(Context& context) : context_(context), client_(context.client()) {}

  void add(Loadable loadable) {
    bytes_ += loadable.json.size();
    batch_.push_back(std::move(loadable));
  }
  [[nodiscard]] bool is_full() const { return batch_.size() == batch_operations || bytes_ > batch_bytes; }

  /// False: the rest can't be loaded now; the problem was reported.
  bool send() {
    while (!batch_.empty()) {
      const auto answer = client_.call(request());
      if (!answer) {
        context_.exit_code = report_problem(answer.error().code, answer.error().message);
        return false;
      }
      if (answer->status == 200) {
        loaded_ += batch_.size();
        batch_.clear();
      } else if (const auto position = batch_.size() == 1 ? 0 : refused_position(message_of(answer->body));
                 answer->status >= 400 && answer->status < 500 && position && *position < batch_.size()) {
        report_line(batch_[*position].line, message_of(answer->body));
        ++refused_;
        batch_.erase(batch_.begin() + static_cast<std::ptrdiff_t>(*position));
      } else {
        context_.exit_code = report_problem(answer->status, answer->body);
        return false;
      }
    }
    bytes_ = 0;
    return true;
  }

  [[nodiscard]] std::uint64_t loaded() const noexcept { return loaded_; }
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }
  /// Where to go on after `send` failed.
  [[nodiscard]] std::uint64_t first_line() const { return batch_.front().line; }

 private:
  [[nodiscard]] ClientRequest request() const {
    ClientRequest request{.method = "POST", .target = api_target(context_, "/api/v1/kv/bulk")};
    request.content_type = "application/json";
    request.body = R"({"operations":[)";
    for (const Loadable& loadable : batch_) request.body += loadable.json + ",";
    request.body.back() = ']';
    request.body += '}';
    return request;
  }

  Context& context_;
  Client client_;
  std::vector<Loadable> batch_;
  std::size_t bytes_ = 0;
  std::uint64_t loaded_ = 0;
  std::uint64_t refused_ = 0;
};

void load_from(Context& context, const LoadArguments& arguments, std::istream& input,
               std::optional<std::uint64_t> size_bytes) {
  const bool is_csv =
      arguments.format == "csv" || (arguments.format.empty() && std::string_view(arguments.path).ends_with(".csv"));
  Source source(input, is_csv);
  Loader loader(context);
  bool goes_on = true;
  {
    Progress progress("keys", size_bytes);
    while (goes_on) {
      auto loadable = source.next(arguments.from_line);
      if (loadable) loader.add(std::move(*loadable));
      if (!loadable || loader.is_full()) goes_on = loader.send() && loadable;
      progress.show(loader.loaded(), source.bytes_read());
    }
  }
  const std::uint64_t bad = source.bad_lines() + loader.refused();
  if (context.exit_code != ExitCode::done) {
    std::cerr << "stopped; go on with --from-line " << loader.first_line() << '\n';
  } else if (bad > 0) {
    context.exit_code = ExitCode::failed;
  }
  if (context.output_form() == OutputForm::json) {
    std::cout << R"({"loaded":)" << loader.loaded() << R"(,"refused":)" << bad << "}\n";
  } else {
    std::cout << "loaded " << loader.loaded() << ", refused " << bad << '\n';
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

bool write_file(Context& context, const ExportArguments& arguments, const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  const bool is_whole = file && write_all(context, arguments, file);
  file.close();
  if (!file) context.exit_code = report_problem(ExitCode::failed, "cannot write " + path);
  return is_whole && file;
}

void export_keys(Context& context, const ExportArguments& arguments) {
  if (arguments.path == "-") {
    write_all(context, arguments, std::cout);
    if (!std::cout.flush()) context.exit_code = report_problem(ExitCode::failed, "cannot write to standard output");
    return;
  }
  std::error_code error;
  const auto status = std::filesystem::status(arguments.path, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {  // a pipe, a device
    write_file(context, arguments, arguments.path);
    return;
  }
  // Under its own name only once it is whole: an export that fails leaves what was there.
  const std::string partial = arguments.path + ".partial";
  if (!write_file(context, arguments, partial)) {
    std::filesystem::remove(partial, error);
    return;
  }
  std::filesystem::rename(partial, arguments.path, error);
  if (error) context.exit_code = report_problem(ExitCode::failed, "cannot write " + arguments.path);
}

}  // namespace

void add_kv_transfer(CLI::App& kv, Context& context) {
  CLI::App& load_command = *kv.add_subcommand("bulk-load", "Store many keys from JSON lines or CSV");
  const auto load_arguments = std::make_shared<LoadArguments>();
  load_command.add_option("file", load_arguments->path, "The file; - is standard input")->required();
  load_command.add_option("--format", load_arguments->format, "json or csv; by the file's name without it")
      ->check(CLI::IsMember({"json", "csv"}));
  load_command.add_option("--from-line", load_arguments->from_line, "Leave out what stands before this line");
  load_command.callback([&context, load_arguments] { load(context, *load_arguments); });

  CLI::App& export_command = *kv.add_subcommand("export", "Write keys with their values and ttls as JSON lines or CSV");
  const auto export_arguments = std::make_shared<ExportArguments>();
  export_command.add_option("file", export_arguments->path, "The file; - or nothing is standard output");
  export_command.add_option("--format", export_arguments->format, "json or csv; by the file's name without it")
      ->check(CLI::IsMember({"json", "csv"}));
  add_selection(export_command, export_arguments->selection, false);
  export_command.callback([&context, export_arguments] { export_keys(context, *export_arguments); });
}

}  // namespace concord::app

// concord import: what other stores export, and `concord export` itself (import/entry_reader.hpp).
//
// A file is read twice: first only to see that it is whole and that every entry can be stored, so a file that is cut off or damaged
// changes nothing. Standard input can be read once: what came before the damage is stored, in whole batches. Either way the last
// line says with which entry to go on.
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/base64.hpp"
#include "command/limits.hpp"
#include "commands/api_call.hpp"
#include "commands/bulk_writer.hpp"
#include "import/entry_reader.hpp"
#include "json_text.hpp"
#include "progress.hpp"

namespace concord::app {
namespace {

const std::map<std::string, ImportFormat> formats = {{"json", ImportFormat::json},
                                                     {"etcd", ImportFormat::etcd},
                                                     {"consul", ImportFormat::consul},
                                                     {"redis", ImportFormat::redis}};
const std::map<std::string, ValueForm> value_forms = {
    {"auto", ValueForm::automatic}, {"text", ValueForm::text}, {"bytes", ValueForm::bytes}};
const std::map<std::string, OnConflict> conflict_rules = {
    {"replace", OnConflict::replace}, {"skip", OnConflict::skip}, {"fail", OnConflict::fail}};

struct ImportArguments {
  std::string path;
  std::string format = "json";
  std::string values = "auto";
  std::string on_conflict = "replace";
  bool if_absent = false;
  bool is_dry_run = false;
  bool keeps_going = false;
  std::uint64_t from_entry = 1;
  std::string leases_path;
  ImportSettings settings = {};
};

/// What was met on the way, besides what the writer counts.
struct Tally {
  std::uint64_t entries = 0;  ///< that can be stored
  std::uint64_t bad = 0;
  std::uint64_t expired = 0;
  std::uint64_t lost_leases = 0;
  std::uint64_t lost_flags = 0;
};

std::string operation_of(const Entry& entry) {
  std::string json;
  if (const auto key = json_string(entry.key)) {
    json = R"({"key":)" + *key;
  } else {
    json = R"({"key_b64":")";
    base::append_base64(json, entry.key);
    json += '"';
  }
  json += R"(,"value":)" + entry.value_json;
  if (entry.is_bytes) json += R"(,"encoding":"base64")";
  if (entry.ttl_s > 0) json += R"(,"ttl":)" + std::to_string(entry.ttl_s);
  return json + "}";
}

class Import {
 public:
  Import(Context& context, const ImportArguments& arguments, std::string name)
      : context_(context), arguments_(arguments), name_(std::move(name)) {}

  /// `size_bytes`: of a file, which can be read twice.
  void run(std::istream& input, std::optional<std::uint64_t> size_bytes);

 private:
  /// False: it must stop; why was reported.
  using Sink = std::function<bool(Entry entry)>;

  bool check(std::istream& input, std::uint64_t size_bytes);
  void store(std::istream& input, std::optional<std::uint64_t> size_bytes);
  bool read(std::istream& input, Tally& tally, bool is_telling, const Sink& sink, Progress& progress);
  bool goes_on_after(const EntryProblem& met, Tally& tally, bool is_telling);
  void report(const std::string& place, std::string_view why) const {
    std::cerr << "concord: " << name_ << ": " << place << ": " << why << '\n';
  }
  void print_losses() const;
  void print_result(std::uint64_t stored, std::uint64_t skipped, std::uint64_t refused) const;

  Context& context_;
  const ImportArguments& arguments_;
  const std::string name_;
  Tally tally_;
  std::uint64_t next_entry_ = 1;  ///< the first that was neither given to the sink nor left out
  bool is_cut_short_ = false;
};

bool Import::goes_on_after(const EntryProblem& met, Tally& tally, bool is_telling) {
  const auto& [problem, is_final] = met;
  const std::uint64_t element = problem.place.element;  // 0: it is of none
  if (!is_final && element < arguments_.from_entry) return true;
  const bool goes_on = arguments_.keeps_going && !is_final;
  if (!goes_on || is_telling) report(problem.place.text(), problem.message);
  ++tally.bad;
  if (element > 0) next_entry_ = element + (goes_on ? 1 : 0);
  if (!goes_on) context_.exit_code = ExitCode::failed;
  return goes_on;
}

/// Gives `sink` each entry that is to be stored. `is_telling`: names what is left out.
bool Import::read(std::istream& input, Tally& tally, bool is_telling, const Sink& sink, Progress& progress) {
  EntryReader reader(input, arguments_.settings);
  next_entry_ = 1;
  while (true) {
    auto entry = reader.next();
    if (!entry) {
      if (!goes_on_after(entry.error(), tally, is_telling)) return false;
      continue;
    }
    is_cut_short_ = reader.is_cut_short();
    if (!*entry) return true;
    const std::uint64_t element = (*entry)->place.element;
    next_entry_ = element + 1;
    if (element < arguments_.from_entry) continue;
    tally.expired += (*entry)->has_expired ? 1 : 0;
    if ((*entry)->has_expired) continue;
    ++tally.entries;
    tally.lost_leases += (*entry)->lost_lease ? 1 : 0;
    tally.lost_flags += (*entry)->lost_flags ? 1 : 0;
    if (!sink(std::move(**entry))) return false;
    progress.show(tally.entries, reader.bytes_read());
  }
}

bool Import::check(std::istream& input, std::uint64_t size_bytes) {
  Tally ignored;
  Progress progress("entries checked", size_bytes);
  return read(input, ignored, false, [](const Entry&) { return true; }, progress);
}

void Import::store(std::istream& input, std::optional<std::uint64_t> size_bytes) {
  const OnConflict on_conflict = arguments_.if_absent ? OnConflict::skip : conflict_rules.at(arguments_.on_conflict);
  BulkWriter writer(context_, on_conflict, [this](const BulkItem& item, std::string_view why) {
    report(item.place, why);
    return arguments_.keeps_going;
  });
  const auto add = [&writer](Entry entry) {
    std::string json = operation_of(entry);
    return writer.add({.number = entry.place.element,
                       .place = entry.place.text(),
                       .key = std::move(entry.key),
                       .json = std::move(json)});
  };
  bool is_whole = false;
  {
    Progress progress("entries", size_bytes);
    is_whole = read(input, tally_, true, add, progress) && writer.finish();
  }
  print_losses();
  print_result(writer.stored(), writer.skipped(), tally_.bad + writer.refused());
  if (!is_whole) {
    const std::uint64_t next = writer.first_pending(next_entry_);
    std::cerr << "concord: stopped; all before entry " << next << " is done, go on with --from-entry " << next << '\n';
  } else if (tally_.bad + writer.refused() > 0) {
    context_.exit_code = ExitCode::failed;
  }
}

void Import::print_losses() const {
  const auto say = [this](std::uint64_t count, std::string_view what) {
    if (count > 0) std::cerr << "concord: " << name_ << ": " << what << ": " << count << '\n';
  };
  say(tally_.lost_leases, "keys without a ttl, since nobody says when their lease ends (--leases, --lease-ttl)");
  say(tally_.lost_flags, "keys with flags, which have no place here");
  say(tally_.expired, "keys left out, since they had expired");
  if (is_cut_short_) std::cerr << "concord: " << name_ << ": there are more keys: it was asked with a limit\n";
}

void Import::print_result(std::uint64_t stored, std::uint64_t skipped, std::uint64_t refused) const {
  const std::uint64_t count = arguments_.is_dry_run ? tally_.entries : stored;
  if (context_.output_form() == OutputForm::json) {
    std::cout << R"({"imported":)" << count << R"(,"skipped":)" << skipped << R"(,"refused":)" << refused
              << R"(,"expired":)" << tally_.expired << R"(,"dry_run":)" << (arguments_.is_dry_run ? "true" : "false")
              << "}\n";
    return;
  }
  std::cout << (arguments_.is_dry_run ? "would import " : "imported ") << count;
  if (!arguments_.is_dry_run) std::cout << ", skipped " << skipped;
  std::cout << ", refused " << refused << '\n';
}

void Import::run(std::istream& input, std::optional<std::uint64_t> size_bytes) {
  if (arguments_.is_dry_run) {
    Progress progress("entries", size_bytes);
    (void)read(input, tally_, true, [](const Entry&) { return true; }, progress);
    if (tally_.bad > 0) context_.exit_code = ExitCode::failed;
    print_losses();
    return print_result(0, 0, tally_.bad);
  }
  if (size_bytes) {
    if (!check(input, *size_bytes)) {
      std::cerr << "concord: nothing was imported\n";
      return;
    }
    input.clear();
    input.seekg(0);
  }
  store(input, size_bytes);
}

std::optional<Leases> read_leases_of(Context& context, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    context.exit_code = report_problem(ExitCode::usage, "cannot read " + path);
    return std::nullopt;
  }
  auto leases = read_leases(file);
  if (leases) return std::move(*leases);
  const InputProblem& problem = leases.error();
  context.exit_code = report_problem(ExitCode::failed, path + ": " + problem.place.text() + ": " + problem.message);
  return std::nullopt;
}

void import_from(Context& context, ImportArguments& arguments) {
  arguments.settings.format = formats.at(arguments.format);
  arguments.settings.values = value_forms.at(arguments.values);
  std::optional<Leases> leases;
  if (!arguments.leases_path.empty()) {
    leases = read_leases_of(context, arguments.leases_path);
    if (!leases) return;
    arguments.settings.leases = &*leases;
  }
  if (arguments.path == "-") return Import(context, arguments, "standard input").run(std::cin, std::nullopt);
  std::ifstream file(arguments.path, std::ios::binary);
  std::error_code error;
  const auto status = std::filesystem::status(arguments.path, error);
  if (!file || error || std::filesystem::is_directory(status)) {
    context.exit_code = report_problem(ExitCode::usage, "cannot read " + arguments.path);
    return;
  }
  std::optional<std::uint64_t> size_bytes;  // a pipe can be read once
  if (std::filesystem::is_regular_file(status)) size_bytes = std::filesystem::file_size(arguments.path, error);
  Import(context, arguments, arguments.path).run(file, size_bytes);
}

template <class T>
std::vector<std::string> names_of(const std::map<std::string, T>& named) {
  std::vector<std::string> names;
  names.reserve(named.size());
  for (const auto& [name, value] : named) names.push_back(name);
  return names;
}

}  // namespace

void add_import(CLI::App& app, Context& context) {
  CLI::App& command = *app.add_subcommand("import", "Store what etcd, Consul, Redis or Concord exported");
  const auto arguments = std::make_shared<ImportArguments>();
  command.add_option("file", arguments->path, "The file; - is standard input")->required();
  command.add_option("--format", arguments->format, "Whose export it is")
      ->check(CLI::IsMember(names_of(formats)))
      ->capture_default_str();
  command.add_option("--values", arguments->values, "What bytes become: auto takes them as `kv put` does; text; bytes")
      ->check(CLI::IsMember(names_of(value_forms)))
      ->capture_default_str();
  command.add_option("--strip-prefix", arguments->settings.strip_prefix, "Take this off the front of each key");
  command.add_option("--prefix", arguments->settings.prefix, "Put this in front of each key");
  CLI::Option* const on_conflict =
      command.add_option("--on-conflict", arguments->on_conflict, "What becomes of a key that is there already")
          ->check(CLI::IsMember(names_of(conflict_rules)))
          ->capture_default_str();
  command.add_flag("--if-absent", arguments->if_absent, "Leave keys alone that are there: --on-conflict skip")
      ->excludes(on_conflict);
  command.add_option("--leases", arguments->leases_path, "Of etcd: a file that tells how long leases last");
  command
      .add_option("--lease-ttl", arguments->settings.lease_ttl_s,
                  "Of etcd: seconds for keys whose lease nobody tells the end of")
      ->check(CLI::Range(std::uint32_t{1}, command::max_ttl_s));
  command.add_flag("--dry-run", arguments->is_dry_run, "Read and check everything, and store nothing");
  command.add_flag("--keep-going", arguments->keeps_going, "Name entries that can't be stored, and go on without them");
  command.add_option("--from-entry", arguments->from_entry, "Leave out what stands before this entry");
  command.callback([&context, arguments] { import_from(context, *arguments); });
}

}  // namespace concord::app

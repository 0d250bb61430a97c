// concord txn: a transaction from a file.
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

#include <CLI/CLI.hpp>

#include "commands/api_call.hpp"
#include "json_text.hpp"

namespace concord::app {
namespace {

std::optional<std::string> read_file(const std::string& path) {
  if (path == "-") return input_of(path);
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

void run(Context& context, const std::string& path) {
  auto text = read_file(path);
  if (!text) {
    context.exit_code = report_problem(ExitCode::usage, "cannot read " + path);
    return;
  }
  ClientRequest request{.method = "POST", .target = api_target(context, "/api/v1/txn")};
  request.content_type = "application/json";
  request.body = std::move(*text);
  const auto data = call_for_data(context, request);
  if (!data) return;
  std::cout << *data << '\n';
  // As with a single condition: scripts see from the exit code that the guards did not hold.
  if (json_member(*data, "succeeded") == "false") context.exit_code = ExitCode::condition_failed;
}

}  // namespace

void add_txn(CLI::App& app, Context& context) {
  CLI::App& command =
      *app.add_subcommand("txn", "Run a transaction: guards, then, else, as in the body of POST /api/v1/txn");
  const auto path = std::make_shared<std::string>();
  command.add_option("file", *path, "The file with the JSON; - is standard input")->required();
  command.callback([&context, path] { run(context, *path); });
}

}  // namespace concord::app

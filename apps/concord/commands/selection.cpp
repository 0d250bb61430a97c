#include "commands/selection.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "commands/api_call.hpp"
#include "http/target.hpp"
#include "json_text.hpp"
#include "value/cursor.hpp"
#include "value/json.hpp"

namespace concord::app {
namespace {

constexpr std::uint64_t page_limit = 1000;

struct Part {
  std::string_view name;
  const std::string& text;
};

}  // namespace

void add_selection(CLI::App& command, Selection& selection, bool is_query) {
  command.add_option("--prefix", selection.prefix, "Keys that begin so");
  command.add_option("--suffix", selection.suffix, "Keys that end so");
  command.add_option("--contains", selection.contains, "Keys that have this inside");
  command.add_option("--pattern", selection.pattern, "Keys in which this regular expression (RE2) is found");
  if (is_query) {
    command.add_option("--range", selection.range, "The first and the last key")->expected(2)->type_name("FIRST LAST");
    command.add_option("--filter", selection.filter, "A filter document on the value, as JSON");
  } else {
    command.add_option("--start", selection.start, "The first key that counts");
    command.add_option("--end", selection.end, "The last key that counts");
  }
  command.add_option("--limit", selection.limit, "At most so many")->check(CLI::PositiveNumber);
}

std::string listing_parameters(const Selection& selection) {
  std::string query;
  for (const auto& [name, text] :
       {Part{"prefix", selection.prefix}, Part{"suffix", selection.suffix}, Part{"contains", selection.contains},
        Part{"pattern", selection.pattern}, Part{"start", selection.start}, Part{"end", selection.end}}) {
    if (!text.empty()) add_parameters(query, std::string(name) + "=" + http::percent_encode(text));
  }
  if (selection.offset > 0) add_parameters(query, "offset=" + std::to_string(selection.offset));
  return query;
}

std::optional<std::string> query_members(Context& context, const Selection& selection) {
  std::string members;
  for (const auto& [name, text] : {Part{"prefix", selection.prefix}, Part{"suffix", selection.suffix},
                                   Part{"contains", selection.contains}, Part{"pattern", selection.pattern}}) {
    if (text.empty()) continue;
    const auto json = json_string(text);
    if (!json) {
      context.exit_code = report_problem(ExitCode::usage, "--" + std::string(name) + " is not UTF-8");
      return std::nullopt;
    }
    members += '"' + std::string(name) + "\":" + *json + ",";
  }
  if (selection.range.size() == 2) {
    const auto first = json_string(selection.range[0]);
    const auto last = json_string(selection.range[1]);
    if (!first || !last) {
      context.exit_code = report_problem(ExitCode::usage, "--range is not UTF-8");
      return std::nullopt;
    }
    members += R"("range":[)" + *first + "," + *last + "],";
  }
  if (!selection.filter.empty()) {
    const auto filter = value::compact_json(selection.filter);
    if (!filter) {
      context.exit_code = report_problem(ExitCode::usage, "--filter is not JSON: " + filter.error().message());
      return std::nullopt;
    }
    members += R"("filter":)" + *filter + ",";
  }
  return members;
}

bool walk_pages(const Paging& paging, const std::optional<std::uint64_t>& limit) {
  std::string cursor;
  for (std::uint64_t left = limit.value_or(~std::uint64_t{0}); left > 0;) {
    const std::uint64_t wanted = std::min(left, page_limit);
    const auto page = paging.fetch(cursor, wanted);
    if (!page) return false;
    value::Cursor walk(paging.rows(*page));
    std::uint64_t count = 0;
    for (walk.open(); walk.more(); ++count) paging.show(walk.skip());
    left -= std::min(left, count);
    const auto next = json_member(*page, "next_cursor");
    if (!next || *next == "null") return true;
    cursor = json_to_plain(*next);
  }
  return true;
}

bool walk_listing(Context& context, const std::string& query, const std::function<void(std::string_view row)>& show,
                  const std::optional<std::uint64_t>& limit) {
  const auto fetch = [&](const std::string& cursor, std::uint64_t count) -> std::optional<std::string> {
    std::string page = query;
    add_parameters(page, "limit=" + std::to_string(count));
    if (!cursor.empty()) add_parameters(page, "cursor=" + cursor);
    const auto body = call(context, {.method = "GET", .target = api_target(context, "/api/v1/kv", page)});
    if (!body) return std::nullopt;
    return compact_answer(context, *body);
  };
  const auto rows = [](std::string_view page) { return json_member(page, "data").value_or("[]"); };
  return walk_pages({fetch, rows, show}, limit);
}

}  // namespace concord::app

// The flags that say which keys a command means, and walking through the pages of what matches.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "commands/commands.hpp"

namespace concord::app {

struct Selection {
  std::string prefix;
  std::string suffix;
  std::string contains;
  std::string pattern;
  std::string start;
  std::string end;
  std::vector<std::string> range;
  std::string filter;
  std::optional<std::uint64_t> limit;
  std::uint64_t offset = 0;
};

/// `--prefix` to `--limit`; with the filter and the range where the call takes them.
void add_selection(CLI::App& command, Selection& selection, bool is_query);

/// The parameters of a listing, without limit and cursor.
[[nodiscard]] std::string listing_parameters(const Selection& selection);

/// The members of a query's body, each with a comma behind it, without limit, offset and cursor. None after a problem was reported.
[[nodiscard]] std::optional<std::string> query_members(Context& context, const Selection& selection);

/// Asks for page after page until there are no more or the limit is reached; `fetch(cursor, limit)` gives a page's data,
/// `rows` takes its rows out (JSON array text), `show` gets each row. False after a problem was reported.
struct Paging {
  std::function<std::optional<std::string>(const std::string& cursor, std::uint64_t limit)> fetch;
  std::function<std::string_view(std::string_view page)> rows;
  std::function<void(std::string_view row)> show;
};
bool walk_pages(const Paging& paging, const std::optional<std::uint64_t>& limit);
/// The same over the listing of keys; `query` is its parameters without limit and cursor.
bool walk_listing(Context& context, const std::string& query, const std::function<void(std::string_view row)>& show,
                  const std::optional<std::uint64_t>& limit);

}  // namespace concord::app

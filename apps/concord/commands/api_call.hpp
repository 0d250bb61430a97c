// What the commands that call a node have in common: targets, values from the command line, answers.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "commands/commands.hpp"

namespace concord::app {

/// `path?query&timeout_ms=...`
[[nodiscard]] std::string api_target(const Context& context, std::string path, std::string query = {});
/// That of a key, `suffix` behind it.
[[nodiscard]] std::string key_target(const Context& context, const std::string& key, std::string query = {},
                                     std::string_view suffix = {});
/// Appends more parameters to a query, either of which may be empty.
void add_parameters(std::string& query, std::string_view more);
/// `consistency=...`, or nothing.
[[nodiscard]] std::string consistency_of(const Context& context);

/// Calls the node. None after the problem was reported.
[[nodiscard]] std::optional<std::string> call(Context& context, const ClientRequest& request);
/// An answer's body as compact JSON; none after a problem was reported.
[[nodiscard]] std::optional<std::string> compact_answer(Context& context, const std::string& body);
/// The `data` of an answer, compact; none after a problem was reported.
[[nodiscard]] std::optional<std::string> call_for_data(Context& context, const ClientRequest& request);

/// The key of a row of an answer; one that is not text as its base64, marked.
[[nodiscard]] std::string shown_key(std::string_view row);

/// What a write that was done prints.
void print_done(const Context& context, const std::string& body);

/// Standard input for `-`.
[[nodiscard]] std::string input_of(const std::string& value);

}  // namespace concord::app

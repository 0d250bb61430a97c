// Calls as requests of the HTTP API. What is given was checked before. Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concord/client.hpp>

#include "client/request.hpp"

namespace concord::client {

/// For a path or a query.
void append_percent_encoded(std::string& to, std::string_view text);

/// What all reads and writes have in common; the options' token goes before the client's.
[[nodiscard]] Request read_request(const ReadOptions& options, const ClientOptions& client);
[[nodiscard]] Request write_request(const WriteOptions& options, const ClientOptions& client);

void set_put(Request& request, std::string_view key, const Value& value, const PutOptions& options);
void set_delete(Request& request, std::string_view key);
void set_touch(Request& request, std::string_view key, std::chrono::seconds ttl);
void set_get(Request& request, std::string_view key, bool with_everything);
void set_get_many(Request& request, const std::vector<std::string_view>& keys);
void set_transaction(Request& request, const Transaction& transaction);

/// A page of a query: what is selected is "keys", "pairs" or "count". `limit` 0 is none.
void set_query(Request& request, const Query& query, std::string_view select, std::uint64_t limit, std::uint64_t offset,
               const std::optional<std::string>& cursor);
void set_query_delete(Request& request, const Query& query);

// The cluster. A member stands in the path; `behind` follows it. A leader without a name is whoever is furthest.
void set_add_member(Request& request, std::string_view name, std::string_view peer);
void set_member(Request& request, Method method, std::string_view name, std::string_view behind);
void set_leader(Request& request, std::string_view name);

/// Whether all the keys can stand in an answer as text.
[[nodiscard]] bool all_are_text(const std::vector<std::string_view>& keys);

/// Errors: invalid_request for a selector that is not UTF-8, which JSON can't say.
[[nodiscard]] Result<void> check_selectors(const Query& query);

}  // namespace concord::client

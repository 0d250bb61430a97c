// Which keys a query means, and the forms its answer comes in.
//
//     for (const std::string& key : *store.keys({.prefix = "user:"})) ...
//     for (const Item& item : *store.where({.prefix = "product:", .filter = Filter(R"({"price": {"$gt": 100}})")})) ...
//     store.scan({.range = {{"order:2024-01-01", "order:2024-12-31"}}}, [](const Item& item) { ...; return true; });
//
// All selectors are ANDed; one that is not set matches everything; order is that of the keys' bytes. `prefix` and `range` visit
// only what lies between them. The others look at each key in there, and `filter` at its value, so narrow them where you can:
// a query that isn't done at its `timeout` ends with `timeout`.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <concord/entry.hpp>
#include <concord/predicate.hpp>

namespace concord {

struct Query {
  std::optional<std::string> prefix = {};
  std::optional<std::string> suffix = {};
  std::optional<std::string> contains = {};
  std::optional<std::string> pattern = {};                        ///< RE2; searched in the key unless anchored
  std::optional<std::pair<std::string, std::string>> range = {};  ///< Both ends are in. Reversed: `invalid_request`.
  Predicate filter = {};                                          ///< A filter document, or a C++ predicate.
  std::optional<std::uint64_t> limit = {};                        ///< At most so many; at least 1. None: all.
  std::uint64_t offset = 0;                                       ///< Skips so many matches.
};

/// Rows of an answer: many small allocations, never one for all.
template <class T>
using Rows = std::deque<T>;

/// Part of an answer, and where the next part begins.
template <class T>
struct Page {
  std::vector<T> rows = {};
  /// Give it to the next call with the same query. None: the end. It stays valid while data changes: what is there all the
  /// time is given out once, in order; what comes or goes meanwhile perhaps.
  std::optional<std::string> next_cursor = {};
};

struct PageOptions {
  std::uint64_t size = 100;                ///< Rows of the page, 1 to 1000. `Query::limit` is not looked at.
  std::optional<std::string> cursor = {};  ///< Of the page before; `Query::offset` counts for the first page only.
};

}  // namespace concord

// Queries whose answers are gathered from pieces.
#include <concord/store.hpp>

#include <utility>

#include "calls/keys.hpp"

namespace concord {
namespace {

template <class Map, class Make>
Result<bool> add_all(Map& map, std::vector<Item>& items, const Make& make) {
  for (Item& item : items) map.emplace_hint(map.end(), std::move(item.key), make(item.entry));
  return true;
}

}  // namespace

Result<Rows<std::string>> Store::keys(const Query& query, const ReadOptions& options) {
  Rows<std::string> rows;
  auto done = visit_matches(query, false, options, [&](std::vector<Item>& items) -> Result<bool> {
    rows.append(calls::take_keys(items));
    return true;
  });
  if (!done) return std::unexpected(std::move(done.error()));
  return rows;
}

Result<Rows<Item>> Store::where(const Query& query, const ReadOptions& options) {
  Rows<Item> rows;
  auto done = visit_matches(query, true, options, [&](std::vector<Item>& items) -> Result<bool> {
    rows.append(std::move(items));
    return true;
  });
  if (!done) return std::unexpected(std::move(done.error()));
  return rows;
}

Result<void> Store::scan(const Query& query, const std::function<bool(const Item&)>& visit,
                         const ReadOptions& options) {
  return visit_matches(query, true, options, [&](std::vector<Item>& items) -> Result<bool> {
    return detail::guarded([&] {
      for (const Item& item : items) {
        if (!visit(item)) return false;
      }
      return true;
    });
  });
}

Result<Page<std::string>> Store::keys_page(const Query& query, const PageOptions& options, const ReadOptions& read) {
  auto found = page(query, false, options, read);
  if (!found) return std::unexpected(std::move(found.error()));
  return Page<std::string>{calls::take_keys(found->rows), std::move(found->next_cursor)};
}

Result<Page<Item>> Store::where_page(const Query& query, const PageOptions& options, const ReadOptions& read) {
  return page(query, true, options, read);
}

Result<std::map<std::string, Value, std::less<>>> Store::get_all(const ReadOptions& options) {
  std::map<std::string, Value, std::less<>> all;
  auto done = visit_matches({}, true, options, [&](std::vector<Item>& items) {
    return add_all(all, items, [](Entry& entry) { return std::move(entry.value); });
  });
  if (!done) return std::unexpected(std::move(done.error()));
  return all;
}

Result<std::map<std::string, WithTtl<Value>, std::less<>>> Store::get_all_with_ttl(const ReadOptions& options) {
  std::map<std::string, WithTtl<Value>, std::less<>> all;
  auto done = visit_matches({}, true, options, [&](std::vector<Item>& items) {
    return add_all(all, items, [](Entry& entry) { return WithTtl<Value>{std::move(entry.value), entry.ttl}; });
  });
  if (!done) return std::unexpected(std::move(done.error()));
  return all;
}

}  // namespace concord

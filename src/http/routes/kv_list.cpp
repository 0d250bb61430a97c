// GET /api/v1/kv: the keys in order, a page at a time.
#include <charconv>
#include <memory>

#include "http/page_limit.hpp"
#include "http/routes/routes.hpp"

namespace concord::http::routes {
namespace {

struct Listing {
  concord::Query query;
  PageOptions page;
  bool with_ttl = false;
  bool keys_only = false;
};

std::expected<std::optional<std::uint64_t>, Problem> read_number(const Query& query, std::string_view name) {
  const std::string* text = query.find(name);
  if (text == nullptr) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size()) {
    return std::unexpected(
        invalid_request("the query parameter \"" + std::string(name) + "\" must be a whole number, not negative"));
  }
  return number;
}

std::optional<std::string> read_text(const Query& query, std::string_view name) {
  const std::string* text = query.find(name);
  return text == nullptr ? std::nullopt : std::optional(*text);
}

std::expected<Listing, Problem> read_listing(const Query& query) {
  Listing listing;
  listing.query.prefix = read_text(query, "prefix");
  listing.query.suffix = read_text(query, "suffix");
  listing.query.contains = read_text(query, "contains");
  listing.query.pattern = read_text(query, "pattern");
  listing.query.start = read_text(query, "start");
  listing.query.end = read_text(query, "end");
  listing.page.cursor = read_text(query, "cursor");
  const auto limit = read_number(query, "limit");
  if (!limit) return std::unexpected(limit.error());
  listing.page.size = limit->value_or(default_page_limit);
  if (auto done = check_page_limit(listing.page.size); !done) return std::unexpected(done.error());
  const auto offset = read_number(query, "offset");
  if (!offset) return std::unexpected(offset.error());
  listing.query.offset = offset->value_or(0);
  const auto with_ttl = query.flag("with_ttl");
  if (!with_ttl) return std::unexpected(with_ttl.error());
  const auto keys_only = query.flag("keys_only");
  if (!keys_only) return std::unexpected(keys_only.error());
  listing.with_ttl = *with_ttl;
  listing.keys_only = *keys_only;
  return listing;
}

void append_item(std::string& to, const Item& item, const Listing& listing) {
  to += '{';
  append_key_member(to, item.key);
  if (!listing.keys_only) {
    to += ',';
    append_value_member(to, item.entry.value);
  }
  if (listing.with_ttl) append_ttl_member(to += ',', item.entry);
  to += '}';
}

void answer(Call& call, const Listing& listing, const Page<Item>& page) {
  std::string& body = call.reply.body;
  call.reply.begin_data();
  body += '[';
  for (std::size_t i = 0; i < page.rows.size(); ++i) {
    if (i > 0) body += ',';
    append_item(body, page.rows[i], listing);
  }
  body += R"(],"next_cursor":)";
  append_cursor(body, page.next_cursor);
  body += R"(,"count":)";
  append_number(body, page.rows.size());
  call.reply.end_data();
}

void list(Call& call) {
  auto listing = read_listing(call.query);
  if (!listing) return call.refuse(listing.error());
  const bool needs_entries = !listing->keys_only || listing->with_ttl;
  auto search = call.site.database.search(listing->query,
                                          needs_entries ? database::SearchFor::entries : database::SearchFor::keys,
                                          listing->page, {.consistency = call.consistency, .timeout = call.timeout});
  if (!search) return call.refuse(search.error());
  call.work([listing = std::move(*listing), search = std::move(*search)](Call& working) {
    const auto done = search->step();
    if (!done) {
      working.refuse(done.error());
      return true;
    }
    if (*done) answer(working, listing, search->page);
    return *done;
  });
}

}  // namespace

void add_kv_list(std::vector<Route>& routes) {
  routes.push_back({.method = Method::get,
                    .path = "/api/v1/kv",
                    .operation = "get_all",
                    .handler = list,
                    .is_read = true,
                    .parameters = {"prefix", "suffix", "contains", "pattern", "start", "end", "limit", "offset",
                                   "cursor", "with_ttl", "keys_only"}});
}

}  // namespace concord::http::routes

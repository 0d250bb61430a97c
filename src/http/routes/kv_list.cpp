// GET /api/v1/kv: the keys in order, a page at a time.
#include <array>
#include <memory>

#include "http/page_limit.hpp"
#include "http/routes/routes.hpp"
#include "http/schemas.hpp"

namespace concord::http::routes {
namespace {

struct Listing {
  concord::Query query;
  PageOptions page;
  bool with_ttl = false;
  bool meta = false;
  bool keys_only = false;
};

constexpr std::array parameters = {
    Parameter{.name = "prefix", .schema = &schemas::text},
    Parameter{.name = "suffix", .schema = &schemas::text},
    Parameter{.name = "contains", .schema = &schemas::text},
    Parameter{.name = "pattern", .schema = &schemas::regular_expression, .description = "A regular expression (RE2)."},
    Parameter{.name = "start", .schema = &schemas::text, .description = "The first key, included."},
    Parameter{.name = "end", .schema = &schemas::text, .description = "The last key, included."},
    Parameter{.name = "limit", .schema = &schemas::page_limit, .description = "Keys of a page; 100 unless said."},
    Parameter{.name = "offset", .schema = &schemas::count},
    Parameter{.name = "cursor", .schema = &schemas::given_cursor, .description = "`next_cursor` of the page before."},
    Parameter{.name = "with_ttl", .schema = &schemas::boolean},
    Parameter{.name = "meta", .schema = &schemas::boolean, .description = "Shows ttl, revisions and version too."},
    Parameter{.name = "keys_only", .schema = &schemas::boolean}};

std::optional<std::string> read_text(const Query& query, std::string_view name) {
  const std::string* text = query.find(name);
  return text == nullptr ? std::nullopt : std::optional(*text);
}

Listing read_listing(const Query& query) {
  Listing listing;
  listing.query.prefix = read_text(query, "prefix");
  listing.query.suffix = read_text(query, "suffix");
  listing.query.contains = read_text(query, "contains");
  listing.query.pattern = read_text(query, "pattern");
  listing.query.start = read_text(query, "start");
  listing.query.end = read_text(query, "end");
  listing.query.offset = number_of(query, "offset", 0);
  listing.page.cursor = read_text(query, "cursor");
  listing.page.size = number_of(query, "limit", default_page_limit);
  listing.meta = query.is_set("meta");
  listing.with_ttl = listing.meta || query.is_set("with_ttl");
  listing.keys_only = query.is_set("keys_only");
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
  if (listing.meta) append_meta_members(to += ',', item.entry);
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
  Listing listing = read_listing(call.query);
  const bool needs_entries = !listing.keys_only || listing.with_ttl;
  auto search =
      call.site.database.search(listing.query, needs_entries ? database::SearchFor::entries : database::SearchFor::keys,
                                listing.page, call.access, {.consistency = call.consistency, .timeout = call.timeout});
  if (!search) return call.refuse(search.error());
  call.work([listing = std::move(listing), search = std::move(*search)](Call& working) {
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
                    .tag = "Many keys",
                    .summary = "Keys in order, a page at a time",
                    .needs = Needs::read,
                    .is_read = true,
                    .parameters = parameters,
                    .answer = {.kind = AnswerKind::page, .schema = &schemas::listed_page}});
}

}  // namespace concord::http::routes

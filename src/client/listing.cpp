#include "client/listing.hpp"

#include <algorithm>
#include <utility>

#include "base/timeout.hpp"
#include "client/decode.hpp"
#include "client/encode.hpp"
#include "command/from_public.hpp"
#include "command/page_cursor.hpp"

namespace concord::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::uint64_t page_rows = 1000;  // the most that the API gives

}  // namespace

Result<Listing> Listing::begin(const Query& query, bool with_entries, const ReadOptions& options,
                               const ClientOptions& client) {
  if (const auto valid = command::select(query); !valid) return std::unexpected(valid.error());
  if (auto valid = check_selectors(query); !valid) return std::unexpected(std::move(valid.error()));
  return Listing(query, with_entries, options, client);
}

Listing::Listing(const Query& query, bool with_entries, const ReadOptions& options, const ClientOptions& client)
    : query_(query),
      with_entries_(with_entries || query.filter.is_function()),
      options_(options),
      token_(options.token),
      client_(&client),
      deadline_(steady_clock::now() + base::bounded(options.timeout)),
      offset_(query.offset),
      left_(query.limit) {}

Request Listing::next_request() const {
  ReadOptions options = options_;
  options.token = token_;
  options.timeout = std::max(milliseconds(0), std::chrono::ceil<milliseconds>(deadline_ - steady_clock::now()));
  Request request = read_request(options, *client_);
  const bool counts_here = query_.filter.is_function();
  const std::uint64_t rows = counts_here ? page_rows : std::min(page_rows, left_.value_or(page_rows));
  set_query(request, query_, with_entries_ ? "pairs" : "keys", rows, counts_here ? 0 : query_.offset, cursor_);
  return request;
}

Result<std::vector<Item>> Listing::take(Result<Answer>&& answer) {
  auto page = page_of(std::move(answer));
  if (!page) return std::unexpected(std::move(page.error()));
  cursor_ = std::move(page->next_cursor);
  if (auto chosen = choose(page->rows); !chosen) return std::unexpected(std::move(chosen.error()));
  is_done_ = !cursor_ || left_ == std::uint64_t{0};
  return std::move(page->rows);
}

Result<void> Listing::choose(std::vector<Item>& rows) {
  const bool is_narrowed = query_.filter.is_function();
  std::size_t kept = 0;
  for (Item& row : rows) {
    if (left_ == std::uint64_t{0}) break;
    if (is_narrowed) {
      const auto matches = query_.filter(row.key, row.entry.value);
      if (!matches) return std::unexpected(matches.error());
      if (!*matches) continue;
      if (offset_ > 0) {
        --offset_;
        continue;
      }
    }
    if (left_) --*left_;
    if (&rows[kept] != &row) rows[kept] = std::move(row);
    ++kept;
  }
  rows.resize(kept);
  return {};
}

void Listing::go_on_behind(std::string_view key) {
  // The API's cursor is made here because a page of it may have been given out in part only.
  cursor_ = command::encode_cursor(*command::to_selector(query_), false, key);
  offset_ = 0;
}

Result<NarrowedPage> NarrowedPage::begin(const Query& query, const PageOptions& page, const ReadOptions& options,
                                         const ClientOptions& client) {
  Query all = query;
  all.limit.reset();
  auto listing = Listing::begin(all, true, options, client);
  if (!listing) return std::unexpected(std::move(listing.error()));
  NarrowedPage narrowed(std::move(*listing), all, page.size);
  if (page.cursor) {
    const auto last = command::decode_cursor(*page.cursor, *command::to_selector(query), true);
    if (!last) return std::unexpected(last.error());
    narrowed.listing_.go_on_behind(*last);
  }
  return narrowed;
}

Result<void> NarrowedPage::take(Result<Answer>&& answer) {
  auto rows = listing_.take(std::move(answer));
  if (!rows) return std::unexpected(std::move(rows.error()));
  rows_.insert(rows_.end(), std::make_move_iterator(rows->begin()), std::make_move_iterator(rows->end()));
  return {};
}

Page<Item> NarrowedPage::page() {
  Page<Item> page{.rows = std::move(rows_)};
  if (page.rows.size() > size_) {
    page.rows.resize(size_);
    page.next_cursor = command::encode_cursor(*command::to_selector(query_), true, page.rows.back().key);
  }
  return page;
}

}  // namespace concord::client

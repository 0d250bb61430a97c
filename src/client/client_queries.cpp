// The remote client's queries. An asynchronous one goes from page to page; its steps run where completions do.
#include <concord/client.hpp>

#include <algorithm>
#include <utility>

#include "calls/delete_matching.hpp"
#include "calls/keys.hpp"
#include "client/client_impl.hpp"
#include "client/decode.hpp"
#include "client/encode.hpp"
#include "client/listing.hpp"
#include "command/from_public.hpp"

namespace concord {

using calls::Gate;
using client::Answer;
using client::Core;
using client::Listing;
using client::NarrowedPage;
using client::Request;

namespace {

/// Page after page until the listing is done. `take(std::vector<Item>)` is given the rows; at the end `done` is told.
template <class Take>
class Walk : public std::enable_shared_from_this<Walk<Take>> {
 public:
  Walk(Core& core, std::shared_ptr<Gate> gate, Listing listing, Take take)
      : core_(core), gate_(std::move(gate)), listing_(std::move(listing)), take_(std::move(take)) {}

  void go_on() {
    if (!gate_->enter()) return take_.end(calls::store_is_closed());
    core_.ask(listing_.next_request(), [self = this->shared_from_this()](Result<Answer> answer) {
      auto rows = self->listing_.take(std::move(answer));
      if (!rows) return self->take_.end(std::unexpected(std::move(rows.error())));
      self->take_.rows(std::move(*rows));
      if (self->listing_.is_done()) return self->take_.end({});
      self->go_on();
    });
    gate_->leave();
  }

 private:
  Core& core_;
  const std::shared_ptr<Gate> gate_;
  Listing listing_;
  Take take_;
};

struct TakeKeys {
  Completion<Rows<std::string>> done;
  Rows<std::string> all = {};
  void rows(std::vector<Item> items) { all.append(calls::take_keys(items)); }
  void end(Result<void> outcome) {
    if (!outcome) return done(std::unexpected(std::move(outcome.error())));
    done(std::move(all));
  }
};

struct TakeItems {
  Completion<Rows<Item>> done;
  Rows<Item> all = {};
  void rows(std::vector<Item> items) { all.append(std::move(items)); }
  void end(Result<void> outcome) {
    if (!outcome) return done(std::unexpected(std::move(outcome.error())));
    done(std::move(all));
  }
};

struct TakeCount {
  Completion<std::uint64_t> done;
  std::uint64_t count = 0;
  void rows(std::vector<Item> items) { count += items.size(); }
  void end(Result<void> outcome) {
    if (!outcome) return done(std::unexpected(std::move(outcome.error())));
    done(count);
  }
};

template <class Take>
void walk(Core& core, const std::shared_ptr<Gate>& gate, const Query& query, bool with_entries,
          const ReadOptions& options, Take take) {
  auto listing = Listing::begin(query, with_entries, options, core.options());
  if (!listing) return take.end(std::unexpected(std::move(listing.error())));
  std::make_shared<Walk<Take>>(core, gate, std::move(*listing), std::move(take))->go_on();
}

Result<Request> count_request(const Query& query, const ReadOptions& options, const ClientOptions& client) {
  if (const auto valid = command::select(query); !valid) return std::unexpected(valid.error());
  if (auto valid = client::check_selectors(query); !valid) return std::unexpected(std::move(valid.error()));
  Request request = client::read_request(options, client);
  client::set_query(request, query, "count", query.limit.value_or(0), query.offset, std::nullopt);
  return request;
}

Result<void> check_delete(const Query& query) {
  if (!command::has_selector(query)) return fail(Errc::invalid_request, "delete_where needs at least one selector");
  if (query.offset != 0) return fail(Errc::invalid_request, "delete_where takes no offset");
  if (const auto valid = command::select(query); !valid) return std::unexpected(valid.error());
  return client::check_selectors(query);
}

Request delete_request(const Query& query, const WriteOptions& options, const ClientOptions& client) {
  Request request = client::write_request(options, client);
  client::set_query_delete(request, query);
  return request;
}

}  // namespace

Result<void> Client::visit_matches(const Query& query, bool with_entries, const ReadOptions& options,
                                   const VisitItems& visit) {
  auto listing = Listing::begin(query, with_entries, options, impl_->core.options());
  if (!listing) return std::unexpected(std::move(listing.error()));
  while (!listing->is_done()) {
    auto items = listing->take(impl_->core.wait(listing->next_request()));
    if (!items) return std::unexpected(std::move(items.error()));
    if (items->empty()) continue;
    const auto goes_on = visit(*items);
    if (!goes_on) return std::unexpected(goes_on.error());
    if (!*goes_on) return {};
  }
  return {};
}

Result<Page<Item>> Client::page(const Query& query, bool with_entries, const PageOptions& page,
                                const ReadOptions& options) {
  if (page.size < 1 || page.size > 1000) {
    return fail(Errc::invalid_request, "the page's size is " + std::to_string(page.size) + "; it must be 1 to 1000");
  }
  if (query.filter.is_function()) {
    auto narrowed = NarrowedPage::begin(query, page, options, impl_->core.options());
    if (!narrowed) return std::unexpected(std::move(narrowed.error()));
    while (!narrowed->is_done()) {
      if (auto taken = narrowed->take(impl_->core.wait(narrowed->next_request())); !taken) {
        return std::unexpected(std::move(taken.error()));
      }
    }
    return narrowed->page();
  }
  if (const auto valid = command::select(query); !valid) return std::unexpected(valid.error());
  if (auto valid = client::check_selectors(query); !valid) return std::unexpected(std::move(valid.error()));
  Request request = client::read_request(options, impl_->core.options());
  client::set_query(request, query, with_entries ? "pairs" : "keys", page.size, query.offset, page.cursor);
  return client::page_of(impl_->core.wait(std::move(request)));
}

Result<std::uint64_t> Client::count(const Query& query, const ReadOptions& options) {
  if (query.filter.is_function()) {
    std::uint64_t counted = 0;
    auto done = visit_matches(query, false, options, [&](std::vector<Item>& items) -> Result<bool> {
      counted += items.size();
      return true;
    });
    if (!done) return std::unexpected(std::move(done.error()));
    return counted;
  }
  auto request = count_request(query, options, impl_->core.options());
  if (!request) return std::unexpected(std::move(request.error()));
  return client::count_of(impl_->core.wait(std::move(*request)));
}

Result<std::uint64_t> Client::delete_where(const Query& query, const WriteOptions& options) {
  if (auto valid = check_delete(query); !valid) return std::unexpected(std::move(valid.error()));
  if (query.filter.is_function()) return calls::delete_matching(*this, query, options);
  return client::deleted_of(impl_->core.wait(delete_request(query, options, impl_->core.options())));
}

void Client::async_keys(const Query& query, const ReadOptions& options, Completion<Rows<std::string>> done) {
  walk(impl_->core, impl_->gate, query, false, options, TakeKeys{.done = std::move(done)});
}

void Client::async_where(const Query& query, const ReadOptions& options, Completion<Rows<Item>> done) {
  walk(impl_->core, impl_->gate, query, true, options, TakeItems{.done = std::move(done)});
}

void Client::async_count(const Query& query, const ReadOptions& options, Completion<std::uint64_t> done) {
  if (query.filter.is_function()) {
    return walk(impl_->core, impl_->gate, query, false, options, TakeCount{.done = std::move(done)});
  }
  auto request = count_request(query, options, impl_->core.options());
  if (!request) return done(std::unexpected(std::move(request.error())));
  impl_->core.start(std::move(*request), client::count_of, std::move(done));
}

/// With a C++ predicate all of it runs where completions do, and those behind it wait.
void Client::async_delete_where(const Query& query, const WriteOptions& options, Completion<std::uint64_t> done) {
  if (auto valid = check_delete(query); !valid) return done(std::unexpected(std::move(valid.error())));
  if (query.filter.is_function()) {
    impl_->core.run([this, gate = impl_->gate, query, timeout = options.timeout, token = std::string(options.token),
                     done = std::move(done)]() mutable {
      if (!gate->enter()) return done(calls::store_is_closed());
      auto removed = calls::delete_matching(*this, query, {.timeout = timeout, .token = token});
      gate->leave();
      done(std::move(removed));
    });
    return;
  }
  impl_->core.start(delete_request(query, options, impl_->core.options()), client::deleted_of, std::move(done));
}

}  // namespace concord

// Searches in steps: a page, or a count.
#include <algorithm>
#include <memory>
#include <utility>

#include "command/from_public.hpp"
#include "command/page_cursor.hpp"
#include "database/local_database.hpp"

namespace concord::database {
namespace {

constexpr std::uint64_t max_page = 1000;
/// A page holds one row at least, and no more when its keys and values take more than this.
constexpr std::uint64_t page_bytes = 8U << 20U;

/// Owns its query: what it is made of views that.
class PageSearch final : public Search {
 public:
  PageSearch(const Query& query, acl::Access access, std::uint64_t size)
      : query_(query), access_(std::move(access)), size_(size) {}

  Result<void> begin(store::View view, const compress::Unpacker& unpacker, base::ClusterTimeMs now_ms,
                     const PageOptions& page_options, MatchOptions options) {
    auto selection = command::select(query_);
    if (!selection) return std::unexpected(std::move(selection.error()));
    selection_.emplace(std::move(*selection));
    if (page_options.cursor) {
      auto last = command::decode_cursor(*page_options.cursor, selection_->selector, query_.filter.is_function());
      if (!last) return std::unexpected(std::move(last.error()));
      options.from = *last + '\0';  // the first key behind it
    } else {
      options.offset = query_.offset;
    }
    options.scope = access_.scope(Permission::read);
    options.most = size_ + 1;  // one more than the page holds tells whether there is a next one
    matches_.emplace(std::move(view), selection_->compiled, query_.filter, unpacker, now_ms, std::move(options));
    return {};
  }

  Result<bool> step() override {
    if (!matches_->is_done()) {
      if (auto done = matches_->step(items_); !done) return std::unexpected(std::move(done.error()));
      add_rows();
    }
    if (!matches_->is_done() && page.rows.size() <= size_) return false;
    if (page.rows.size() > size_) {
      page.rows.pop_back();
      page.next_cursor =
          command::encode_cursor(selection_->selector, query_.filter.is_function(), page.rows.back().key);
    }
    return true;
  }

 private:
  /// A page whose values are large ends early, with the row that goes beyond as the one that tells of a next page.
  void add_rows() {
    for (Item& item : items_) {
      if (page.rows.size() > size_) return;
      bytes_ += item.key.size() + item.entry.value.size_bytes();
      page.rows.push_back(std::move(item));
      if (bytes_ > page_bytes && page.rows.size() > 1) size_ = page.rows.size() - 1;
    }
  }

  const Query query_;
  const acl::Access access_;
  std::uint64_t size_;
  std::uint64_t bytes_ = 0;
  std::optional<command::Selection> selection_;
  std::optional<Matches> matches_;
  std::vector<Item> items_;
};

class CountSearch final : public Search {
 public:
  CountSearch(const Query& query, acl::Access access) : query_(query), access_(std::move(access)) {}

  Result<void> begin(const store::StateMachine& state, base::ClusterTimeMs now_ms, const QueryEnd& end) {
    auto selection = command::select(query_);
    if (!selection) return std::unexpected(std::move(selection.error()));
    selection_.emplace(std::move(*selection));
    const acl::Scope* const scope = access_.scope(Permission::read);
    if (command::has_selector(query_) || (scope != nullptr && !scope->is_everything())) {
      counting_.emplace(state.view(), selection_->compiled, scope, now_ms, end);
    } else {
      all_ = state.size();
    }
    return {};
  }

  Result<bool> step() override {
    if (counting_ && !counting_->is_done()) {
      if (auto done = counting_->step(); !done) return std::unexpected(std::move(done.error()));
      if (!counting_->is_done()) return false;
    }
    count = counting_ ? counting_->count() : all_;
    count -= std::min(count, query_.offset);
    count = std::min(count, query_.limit.value_or(count));
    return true;
  }

 private:
  const Query query_;
  const acl::Access access_;
  std::optional<command::Selection> selection_;
  std::optional<MatchCount> counting_;
  std::uint64_t all_ = 0;
};

}  // namespace

Result<std::unique_ptr<Search>> LocalDatabase::search(const Query& query, SearchFor what, const PageOptions& page,
                                                      const acl::Access& access, const ReadOptions& options) const {
  const QueryEnd end = end_of(options.timeout);
  const auto now = readable_by(access, options);
  if (!now) return std::unexpected(now.error());
  if (what == SearchFor::count) {
    auto search = std::make_unique<CountSearch>(query, *now);
    auto begun = search->begin(runtime_->state(), runtime_->now_ms(), end);
    if (!begun) return std::unexpected(std::move(begun.error()));
    return search;
  }
  if (page.size < 1 || page.size > max_page) {
    return fail(Errc::invalid_request, "the page's size is " + std::to_string(page.size) + "; it must be 1 to 1000");
  }
  auto search = std::make_unique<PageSearch>(query, *now, page.size);
  auto begun = search->begin(runtime_->state().view(), *unpacker_, runtime_->now_ms(), page,
                             {.with_entries = what == SearchFor::entries, .end = end});
  if (!begun) return std::unexpected(std::move(begun.error()));
  return search;
}

}  // namespace concord::database

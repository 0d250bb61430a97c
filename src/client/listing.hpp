// The matches of a query, a page of the API at a time. A C++ predicate is run here, over all that the rest of the query matches;
// then offset and limit count here too.
//
//     while (!listing.is_done()) { auto items = listing.take(core.wait(listing.next_request())); ... }
//
// Thread rule: one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concord/client.hpp>

#include "client/request.hpp"

namespace concord::client {

class Listing {
 public:
  /// Errors: invalid_request.
  [[nodiscard]] static Result<Listing> begin(const Query& query, bool with_entries, const ReadOptions& options,
                                             const ClientOptions& client);

  /// No more rows: all were given.
  [[nodiscard]] bool is_done() const noexcept { return is_done_; }
  [[nodiscard]] Request next_request() const;
  /// The rows of the next page that match, perhaps none. Errors: those of the answer, what the predicate throws.
  [[nodiscard]] Result<std::vector<Item>> take(Result<Answer>&& answer);

  /// Goes on behind `key`, as if it had been the last that was given.
  void go_on_behind(std::string_view key);

 private:
  Listing(const Query& query, bool with_entries, const ReadOptions& options, const ClientOptions& client);
  Result<void> choose(std::vector<Item>& rows);

  Query query_;
  bool with_entries_;
  ReadOptions options_;
  std::string token_;
  const ClientOptions* client_;
  std::chrono::steady_clock::time_point deadline_;
  std::optional<std::string> cursor_;
  std::uint64_t offset_;               ///< matches still to skip here
  std::optional<std::uint64_t> left_;  ///< matches still to give
  bool is_done_ = false;
};

/// The page of `page` in a query with a C++ predicate, gathered from pages of the API.
/// `ask(Request) -> Result<Answer>`. Errors: invalid_request for a cursor of another query.
class NarrowedPage {
 public:
  [[nodiscard]] static Result<NarrowedPage> begin(const Query& query, const PageOptions& page,
                                                  const ReadOptions& options, const ClientOptions& client);
  [[nodiscard]] bool is_done() const noexcept { return listing_.is_done() || rows_.size() > size_; }
  [[nodiscard]] Request next_request() const { return listing_.next_request(); }
  [[nodiscard]] Result<void> take(Result<Answer>&& answer);
  [[nodiscard]] Page<Item> page();

 private:
  NarrowedPage(Listing listing, const Query& query, std::uint64_t size)
      : listing_(std::move(listing)), query_(query), size_(size) {}

  Listing listing_;
  Query query_;
  std::uint64_t size_;
  std::vector<Item> rows_;
};

}  // namespace concord::client

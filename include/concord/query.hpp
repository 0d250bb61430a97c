// Which keys a query means, and the forms its answer comes in.
//
//     const auto keys = store.keys({.prefix = "user:"});      // named: `for (... : *store.keys(...))` would outlive its rows
//     for (const std::string& key : *keys) ...
//     const auto dear = store.where({.prefix = "product:", .filter = Filter(R"({"price": {"$gt": 100}})")});
//     for (const Item& item : *dear) ...
//     store.scan({.range = {{"order:2024-01-01", "order:2024-12-31"}}}, [](const Item& item) { ...; return true; });
//
// All selectors are ANDed; one that is not set matches everything; order is that of the keys' bytes. `prefix` and `range` visit
// only what lies between them. The others look at each key in there, and `filter` at its value, so narrow them where you can:
// a query that isn't done at its `timeout` ends with `timeout`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
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
  std::optional<std::string> start = {};                          ///< The first key that counts.
  std::optional<std::string> end = {};                            ///< The last key that counts.
  std::optional<std::pair<std::string, std::string>> range = {};  ///< start and end in one; not together with them
  Predicate filter = {};                                          ///< A filter document, or a C++ predicate.
  std::optional<std::uint64_t> limit = {};                        ///< At most so many; at least 1. None: all.
  std::uint64_t offset = 0;                                       ///< Skips so many matches.
};

/// Rows of an answer, in the pieces they were read in: never one allocation for all. A forward range.
template <class T>
class Rows {
 public:
  template <class Owner, class Row>
  class Iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using reference = Row&;
    using pointer = Row*;
    using iterator_category = std::forward_iterator_tag;

    Iterator() = default;
    Iterator(Owner* rows, std::size_t piece) : rows_(rows), piece_(piece) {}
    Row& operator*() const { return rows_->pieces_[piece_][at_]; }
    Row* operator->() const { return &**this; }
    Iterator& operator++() {
      if (++at_ == rows_->pieces_[piece_].size()) {
        ++piece_;
        at_ = 0;
      }
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.piece_ == b.piece_ && a.at_ == b.at_; }

   private:
    Owner* rows_ = nullptr;
    std::size_t piece_ = 0;
    std::size_t at_ = 0;
  };
  using value_type = T;
  using iterator = Iterator<Rows, T>;
  using const_iterator = Iterator<const Rows, const T>;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] iterator begin() { return {this, 0}; }
  [[nodiscard]] iterator end() { return {this, pieces_.size()}; }
  [[nodiscard]] const_iterator begin() const { return {this, 0}; }
  [[nodiscard]] const_iterator end() const { return {this, pieces_.size()}; }
  /// Precondition: not empty.
  [[nodiscard]] const T& front() const { return pieces_.front().front(); }
  [[nodiscard]] const T& back() const { return pieces_.back().back(); }
  /// Walks the pieces (a few hundred rows each). Precondition: position < size().
  [[nodiscard]] const T& operator[](std::size_t position) const {
    std::size_t piece = 0;
    while (position >= pieces_[piece].size()) position -= pieces_[piece++].size();
    return pieces_[piece][position];
  }

  void append(std::vector<T> piece) {
    size_ += piece.size();
    if (!piece.empty()) pieces_.push_back(std::move(piece));
  }

 private:
  std::vector<std::vector<T>> pieces_;  // none is empty
  std::size_t size_ = 0;
};

/// Part of an answer, and where the next part begins.
template <class T>
struct Page {
  std::vector<T> rows = {};
  /// Give it to the next call with the same query. None: the end. It stays valid while data changes: what is there all the
  /// time is given out once, in order; what comes or goes meanwhile perhaps.
  std::optional<std::string> next_cursor = {};
};

struct PageOptions {
  /// Rows of the page, 1 to 1000; fewer come when their values take more than 8 MiB. `Query::limit` is not looked at.
  std::uint64_t size = 100;
  std::optional<std::string> cursor = {};  ///< Of the page before; `Query::offset` counts for the first page only.
};

}  // namespace concord

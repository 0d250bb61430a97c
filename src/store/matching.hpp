// What a selector matches: the part that applying and reading have in common.
//
// Values are matched as they were given: one that is stored packed (compress/packed.hpp) is unpacked into a scratch first.
// Thread rule: a `PlainValue` belongs to one thread at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <concord/error.hpp>

#include "acl/scope.hpp"
#include "base/ids.hpp"
#include "command/filter.hpp"
#include "command/selector.hpp"
#include "compress/packed.hpp"
#include "store/key_space.hpp"
#include "store/record.hpp"

namespace concord::store {

/// The plain stored form of records' values.
class PlainValue {
 public:
  /// Valid until the next call, and while the record is.
  [[nodiscard]] Result<std::string_view> view(const Record& record) {
    if (!compress::is_packed(record.value())) [[likely]]
      return record.value();
    // It was within its limit when it was written, whatever the limit is now.
    if (auto done = compress::unpack(record.value(), ~std::uint32_t{0}, scratch_); !done) {
      return fail(Errc::storage_failed, "a stored value can't be unpacked: " + done.error().message());
    }
    return scratch_;
  }

 private:
  std::string scratch_;
};

/// What a filter sees of a record, its remaining time counted from `now_ms`.
[[nodiscard]] inline Result<command::FilterSubject> subject_of(const Record& record, base::ClusterTimeMs now_ms,
                                                               PlainValue& plain) {
  const auto value = plain.view(record);
  if (!value) return std::unexpected(value.error());
  command::FilterSubject subject{
      .value = *value, .key = record.key(), .ttl_s = std::nullopt, .revision = record.revision()};
  if (const auto deadline_ms = record.deadline_ms()) {
    subject.ttl_s = *deadline_ms > now_ms ? (*deadline_ms - now_ms + 999) / 1000 : 1;  // it still lives
  }
  return subject;
}

/// Goes over what a selector matches, in key order, slice by slice.
class MatchCursor {
 public:
  /// `selector` and `scope` outlive the cursor. `now_ms`: what remaining times are counted from. Begins at `from`, if that lies
  /// behind the selector's own beginning. `scope`: keys outside are not there; null: all are.
  MatchCursor(const command::CompiledSelector& selector, base::ClusterTimeMs now_ms, std::string_view from = {},
              const acl::Scope* scope = nullptr)
      : selector_(selector),
        scope_(scope == nullptr || scope->is_everything() ? nullptr : scope),
        now_ms_(now_ms),
        next_key_(std::max<std::string_view>(from, selector.bounds().low)) {
    const auto& high = selector.bounds().high;
    is_finished_ = high && next_key_ >= *high;
  }

  [[nodiscard]] bool is_finished() const noexcept { return is_finished_; }

  /// Visits matches, `visit(Record&) -> bool`, until it returns false, `work` is used up, or there are no more. A key that is looked
  /// at is one unit of work, and each 512 bytes of a value that a filter looks at another. `source` has `visit_wanted`.
  /// Errors: storage_failed when a value can't be unpacked.
  template <class Source, class Visit>
  Result<void> slice(const Source& source, std::uint64_t work, Visit visit) {
    std::optional<Error> problem;
    bool is_at_end = true;
    bool is_outside = false;
    std::uint64_t done = 0;
    const auto want = [&](std::string_view key) {
      if (selector_.bounds().high && key >= *selector_.bounds().high) return KeySpace::Want::stop;
      if (done >= work) {
        next_key_.assign(key);
        is_at_end = false;
        return KeySpace::Want::stop;
      }
      if (scope_ != nullptr && !scope_->covers(key)) {
        const auto next = scope_->next_behind(key);
        if (!next) return KeySpace::Want::stop;
        next_key_.assign(*next);
        is_outside = true;
        return KeySpace::Want::stop;
      }
      ++done;
      return selector_.matches_key(key) ? KeySpace::Want::yes : KeySpace::Want::no;
    };
    const auto take = [&](Record& record) {
      if (done > work) {  // the values before took more than was left
        next_key_.assign(record.key());
        is_at_end = false;
        return false;
      }
      if (selector_.has_filter()) {
        const auto subject = subject_of(record, now_ms_, plain_);
        if (!subject) problem = subject.error();
        if (subject) done += subject->value.size() / 512;
        if (!subject || !selector_.matches_filter(*subject)) return !problem;
      }
      if (visit(record)) return true;
      next_key_.assign(record.key());
      next_key_ += '\0';  // the first key behind it
      is_at_end = false;
      return false;
    };
    do {  // from one part of the scope to the next
      is_outside = false;
      const std::string from = std::exchange(next_key_, {});
      source.visit_wanted(from, want, take);
    } while (is_outside && is_at_end);
    if (problem) return std::unexpected(std::move(*problem));
    is_finished_ = is_at_end;
    return {};
  }

 private:
  const command::CompiledSelector& selector_;
  const acl::Scope* const scope_;
  base::ClusterTimeMs now_ms_;
  std::string next_key_;
  PlainValue plain_;
  bool is_finished_ = false;
};

}  // namespace concord::store

// Reads of many keys as of one revision, while the writer goes on.
//
// A `View` keeps the versions it may be asked for: close it soon, each change meanwhile costs a little memory and time.
// Thread rule: one thread at a time; may be opened and destroyed on any. It must not outlive its `StateMachine`.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include <concord/revision.hpp>
#include <concord/value.hpp>

#include "base/ids.hpp"
#include "store/key_space.hpp"
#include "store/state_machine.hpp"

namespace concord::store {

class View {
 public:
  View(const KeySpace& keys, Epoch& epoch);
  View(View&& other) noexcept;
  View& operator=(View&&) = delete;
  ~View();

  [[nodiscard]] Revision revision() const noexcept { return Revision(revision_); }
  [[nodiscard]] bool get(std::string_view key, Value& out) const;
  [[nodiscard]] std::optional<EntrySnapshot> get_entry(std::string_view key) const;

  /// Calls `visit(const Record&) -> bool` in key order from `from` on until it returns false. Nothing is freed meanwhile:
  /// return false after 1 ms at most, and go on with the next key. The record is valid during the call.
  template <class Visit>
  void visit_from(std::string_view from, Visit visit) const {
    const Epoch::Section section(*epoch_);
    keys_->visit_from(from, revision_, visit);
  }
  /// The same, but asks `want(std::string_view key) -> KeySpace::Want` before a key is looked up, a few keys ahead.
  template <class Wants, class Visit>
  void visit_wanted(std::string_view from, Wants want, Visit visit) const {
    const Epoch::Section section(*epoch_);
    keys_->visit_wanted_ahead(from, revision_, want, visit);
  }

 private:
  const KeySpace* keys_;
  Epoch* epoch_;
  std::uint64_t revision_;
};

/// Copies a small value, shares a large one. In a section.
[[nodiscard]] Value value_of(Record& record);
[[nodiscard]] EntrySnapshot entry_of(Record& record);

}  // namespace concord::store

// Which events a subscription wants, and what of them it is shown.
//
// Thread rule: constant once made; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <concord/error.hpp>
#include <concord/events.hpp>

#include "command/pattern.hpp"
#include "store/history.hpp"

namespace concord::events {

/// Whether a subscription may be shown a key, whatever it asks for; none: every key. Called on any thread.
using MayShow = std::function<bool(std::string_view key)>;

class Filter {
 public:
  /// Errors: invalid_request (a pattern that is none, or too long).
  [[nodiscard]] static Result<Filter> make(const SubscribeOptions& options, MayShow may_show);

  [[nodiscard]] bool matches_key(std::string_view key) const;
  /// Whether the change of a key that matches makes the whole event one that is wanted.
  [[nodiscard]] bool wants(EventType event, EventType change) const noexcept {
    return (types_ & (bit(event) | bit(change))) != 0;
  }
  /// Whether the event holds something that is wanted, or comes to everybody.
  [[nodiscard]] bool matches(const store::KeptEvent& kept) const;

  [[nodiscard]] bool wants_reads() const noexcept {
    return (types_ & (bit(EventType::get) | bit(EventType::get_many))) != 0;
  }
  /// Matches everything that may be in a history.
  [[nodiscard]] bool takes_all() const noexcept { return takes_all_; }
  [[nodiscard]] bool keys_only() const noexcept { return keys_only_; }
  [[nodiscard]] bool with_previous() const noexcept { return with_previous_; }
  /// All keys that match begin so.
  [[nodiscard]] const std::string& prefix() const noexcept { return prefix_; }

 private:
  static constexpr std::uint32_t bit(EventType type) noexcept { return 1U << static_cast<unsigned>(type); }

  std::string prefix_;
  std::optional<command::Pattern> pattern_;
  MayShow may_show_;
  std::uint32_t types_ = 0;
  bool takes_all_ = false;
  bool keys_only_ = false;
  bool with_previous_ = false;
};

[[nodiscard]] constexpr EventType type_of(store::ChangeKind op) noexcept {
  switch (op) {
    case store::ChangeKind::put: return EventType::put;
    case store::ChangeKind::remove: return EventType::del;
    case store::ChangeKind::touch: return EventType::touch;
    case store::ChangeKind::expire: return EventType::expire;
  }
  return EventType::txn;
}

}  // namespace concord::events

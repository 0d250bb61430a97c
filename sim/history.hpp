// What clients did and saw, and whether a store that promises what Concord promises can have answered so.
//
// Every change has a revision, one counter for the whole store, so the order of the changes is known and nothing has to be
// searched: a history is right when each operation fits somewhere into that order, between its call and its return.
// Checked for every operation (CONTRACT 2):
//
//   - a value is written at one revision: no write happened twice, none that was refused happened at all;
//   - a write comes behind everything that had been answered or read before it was called;
//   - a strong read is not older than anything that had been answered or read before it was called, one at a leader not older than
//     what had been so long before that call as it may lag;
//   - a guard by revision held: nobody changed the key in between; gets in a transaction are of its own revision;
//   - a key is not gone before its time, and once it was seen to be gone it is not seen again.
//
// An operation whose outcome nobody learnt may have happened at any time after its call, or not at all.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/world.hpp"

namespace concord::sim {

inline constexpr TimeUs never_us = ~TimeUs{0};

enum class Fate : std::uint8_t {
  pending,       ///< not answered yet
  done,          ///< as the answer says
  nothing_done,  ///< refused, for good
  unknown,       ///< may have happened, may still happen
};

/// Why nothing was done, by the state of the store.
enum class Denial : std::uint8_t {
  none,
  unauthorized,  ///< the token is not there, or not valid
  forbidden,     ///< it may not do that
  quota,         ///< a tenant would have more than it may
};

/// One key, as somebody wrote or read it. Values are numbers, each used for one write only; 0: the key is not there.
struct Seen {
  std::string key = {};
  std::uint64_t value = 0;
  std::uint64_t revision = 0;
};

struct Operation {
  enum class Kind : std::uint8_t { write, read } kind = Kind::write;
  std::size_t client = 0;
  TimeUs called_us = 0;
  TimeUs returned_us = never_us;
  Fate fate = Fate::pending;

  std::vector<std::string> gets = {};  ///< keys it asks for
  std::vector<Seen> writes = {};       ///< what it writes if it happens (without revisions)
  std::uint32_t ttl_s = 0;             ///< of what it writes
  std::optional<Seen> guard = {};      ///< happens only while this key has this revision; 0: while it is not there
  std::uint64_t revision = 0;          ///< done: its own if it changed something, else the store's
  bool changed = false;                ///< done: it happened, and was a change
  std::vector<Seen> reads = {};        ///< done: what it saw
  TimeUs may_lag_us = 0;         ///< read: of how long before its call it may be; 0: strong, `never_us`: of any time
  std::size_t machine = 0;       ///< that answered, or was asked last
  std::uint64_t token = 0;       ///< in whose name; 0: nobody's
  Denial denial = Denial::none;  ///< nothing_done: what the state of the store had against it
};

class History {
 public:
  /// The operation's place in the history.
  std::size_t begin(Operation operation) {
    operations_.push_back(std::move(operation));
    return operations_.size() - 1;
  }
  [[nodiscard]] Operation& at(std::size_t place) { return operations_[place]; }
  [[nodiscard]] const std::vector<Operation>& operations() const noexcept { return operations_; }

 private:
  std::vector<Operation> operations_;
};

/// What is known of the clocks that expiry goes by.
struct Clocks {
  std::uint64_t error_ppm = 0;       ///< parts of a million that they may be fast
  TimeUs known_until_us = never_us;  ///< from then on they may be wrong by anything

  /// Of a time to live or longer ones, that has passed by `by_us`: so much of it has, at least.
  [[nodiscard]] TimeUs least_us(std::uint32_t ttl_s, TimeUs by_us) const noexcept;
};

/// What is wrong with it; nothing: it is right.
[[nodiscard]] std::optional<std::string> problem_of(const History& history, const Clocks& clocks = {});

/// One line, for people.
[[nodiscard]] std::string describe(const Operation& operation);

}  // namespace concord::sim

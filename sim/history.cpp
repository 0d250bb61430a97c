#include "sim/history.hpp"

#include <algorithm>

namespace concord::sim {

namespace {

using Place = std::size_t;

/// Between a stamp in whole milliseconds and the true time, twice.
constexpr TimeUs rounding_us = 2 * ms;
/// So long nodes may have gone by their own clocks alone.
constexpr TimeUs longest_apart_us = 20 * second;

std::string text_of(const Seen& seen) {
  if (seen.value == 0) return seen.key + " is not there";
  return seen.key + " = " + std::to_string(seen.value) +
         (seen.revision == 0 ? "" : " @" + std::to_string(seen.revision));
}

std::string text_of(Denial denial) {
  switch (denial) {
    case Denial::none: break;
    case Denial::unauthorized: return ", unauthorized";
    case Denial::forbidden: return ", forbidden";
    case Denial::quota: return " by a quota";
  }
  return {};
}

class Checker {
 public:
  Checker(const History& history, const Clocks& clocks) : operations_(history.operations()), clocks_(clocks) {}

  std::optional<std::string> run() {
    collect_writers();
    for (Place place = 0; place < operations_.size() && !problem_; ++place) collect_changes(place);
    if (!problem_) walk();
    return problem_;
  }

 private:
  struct Change {
    std::uint64_t value = 0;  // 0: removed
    Place writer = 0;
  };
  using Changes = std::map<std::uint64_t, Change>;  // by revision

  void wrong(Place place, const std::string& why) {
    if (!problem_) problem_ = why + "\n    in operation " + std::to_string(place) + ": " + describe(operations_[place]);
  }

  void collect_writers() {
    for (Place place = 0; place < operations_.size(); ++place) {
      for (const Seen& write : operations_[place].writes) {
        if (write.value != 0) writers_[write.value] = place;
        writes_of_[write.key].push_back(place);
      }
    }
  }

  /// What is known of the order of changes, from who made them and who saw them.
  void collect_changes(Place place) {
    const Operation& operation = operations_[place];
    if (operation.fate != Fate::done) return;
    if (operation.changed) {
      const auto [owner, is_new] = owners_.emplace(operation.revision, place);
      if (!is_new && owner->second != place) {
        return wrong(place, "revision " + std::to_string(operation.revision) + " is also that of operation " +
                                std::to_string(owner->second));
      }
      for (const Seen& write : operation.writes) note(place, write.key, operation.revision, write.value, place);
    }
    for (const Seen& seen : operation.reads) {
      if (seen.value == 0) continue;
      const auto writer = writers_.find(seen.value);
      if (writer == writers_.end()) return wrong(place, "nobody ever wrote what was read: " + text_of(seen));
      const Operation& source = operations_[writer->second];
      if (source.fate == Fate::nothing_done || (source.fate == Fate::done && !source.changed)) {
        return wrong(place, "a write that was refused has happened: " + describe(source));
      }
      if (source.called_us > operation.returned_us) return wrong(place, "read before it was written: " + text_of(seen));
      note(place, seen.key, seen.revision, seen.value, writer->second);
    }
  }

  void note(Place place, const std::string& key, std::uint64_t revision, std::uint64_t value, Place writer) {
    if (value != 0) {
      const auto [known, is_new] = revisions_.emplace(value, revision);
      if (!is_new && known->second != revision) {
        return wrong(place, "the write of " + std::to_string(value) + " happened twice, at revisions " +
                                std::to_string(known->second) + " and " + std::to_string(revision) + "\n    it is " +
                                describe(operations_[writer]));
      }
    }
    const auto [known, is_new] = changes_[key].emplace(revision, Change{.value = value, .writer = writer});
    if (!is_new && known->second.value != value) {
      wrong(place, key + " got two values at revision " + std::to_string(revision));
    }
  }

  /// All calls and returns in the order of time. `floor_` is what is known to have happened by then.
  void walk() {
    struct Moment {
      TimeUs when_us;
      bool is_return;
      Place place;
    };
    std::vector<Moment> moments;
    for (Place place = 0; place < operations_.size(); ++place) {
      const Operation& operation = operations_[place];
      if (operation.fate != Fate::done) continue;
      moments.push_back({operation.called_us, false, place});
      moments.push_back({operation.returned_us, true, place});
    }
    // At one time calls come first: they are not ordered with what returns then.
    std::ranges::stable_sort(moments, [](const Moment& a, const Moment& b) {
      return a.when_us != b.when_us ? a.when_us < b.when_us : a.is_return < b.is_return;
    });
    std::map<Place, std::uint64_t> floors;
    for (const Moment& moment : moments) {
      if (problem_) return;
      const Operation& operation = operations_[moment.place];
      if (!moment.is_return) {
        floors[moment.place] = floor_before(operation);
        if (operation.may_lag_us == 0) gone_before_[moment.place] = gone_;
        continue;
      }
      check(moment.place, operation, floors.extract(moment.place).mapped());
      gone_before_.erase(moment.place);
      raise_floor(operation);
      if (floors_.empty() || floors_.back().second != floor_) floors_.emplace_back(moment.when_us, floor_);
    }
  }

  void raise_floor(const Operation& operation) {
    if (operation.kind == Operation::Kind::write) floor_ = std::max(floor_, operation.revision);
    for (const Seen& seen : operation.reads) floor_ = std::max(floor_, seen.revision);
  }

  /// What an operation that is called now has to know of.
  [[nodiscard]] std::uint64_t floor_before(const Operation& operation) const {
    if (operation.may_lag_us == 0) return floor_;
    const TimeUs since_us = operation.called_us - std::min(operation.called_us, operation.may_lag_us);
    const auto behind = std::ranges::upper_bound(floors_, since_us, {}, &std::pair<TimeUs, std::uint64_t>::first);
    return behind == floors_.begin() ? 0 : std::prev(behind)->second;
  }

  void check(Place place, const Operation& operation, std::uint64_t floor) {
    if (operation.kind == Operation::Kind::read) {
      for (const Seen& seen : operation.reads) check_read(place, seen, floor);
      return;
    }
    if (operation.changed ? operation.revision <= floor : operation.revision < floor) {
      return wrong(place, "it is of revision " + std::to_string(operation.revision) + ", but " + std::to_string(floor) +
                              " was known before it was called");
    }
    if (!operation.changed) return;
    if (operation.guard) check_unchanged(place, *operation.guard, operation.revision, "the guard held");
    for (const Seen& seen : operation.reads) check_unchanged(place, seen, operation.revision, "it was read");
  }

  /// The newest change that is known by `floor`, and is not what was read.
  void check_read(Place place, const Seen& seen, std::uint64_t floor) {
    if (const auto before = gone_before_.find(place); before != gone_before_.end()) {
      const auto found = before->second.find(seen.key);
      if (found != before->second.end() && seen.value != 0 && seen.revision <= found->second) {
        return wrong(place, seen.key + " has come back: it was seen to be gone before");
      }
    }
    const auto changes = changes_.find(seen.key);
    if (changes == changes_.end()) return;
    auto newest = changes->second.upper_bound(floor);
    if (newest == changes->second.begin()) return;
    --newest;
    if (newest->first <= seen.revision && seen.value != 0) return;
    const Change& change = newest->second;
    if (seen.value != 0) {
      return wrong(place, "a stale read: " + seen.key + " was changed at revision " + std::to_string(newest->first) +
                              ", which was known before the read was called");
    }
    if (change.value == 0) return;
    check_gone(place, seen, newest->first, change);
  }

  /// A key is not there: its time must have come, or somebody may have removed it since.
  void check_gone(Place place, const Seen& seen, std::uint64_t revision, const Change& change) {
    if (may_be_removed_after(seen.key, revision, operations_[place].returned_us)) return;
    const Operation& writer = operations_[change.writer];
    if (writer.ttl_s == 0) {
      return wrong(place, "a lost write: " + seen.key + " was written at revision " + std::to_string(revision) +
                              " and never removed");
    }
    const TimeUs returned_us = operations_[place].returned_us;
    if (returned_us < writer.called_us + clocks_.least_us(writer.ttl_s, returned_us)) {
      return wrong(place, "it has expired too early: " + describe(writer));
    }
    if (operations_[place].may_lag_us == 0) gone_[seen.key] = std::max(gone_[seen.key], revision);
  }

  /// By a removal, or a write with another time to live, that had been called by then and may have come after `revision`.
  [[nodiscard]] bool may_be_removed_after(const std::string& key, std::uint64_t revision, TimeUs by_us) const {
    const auto writes = writes_of_.find(key);
    return writes != writes_of_.end() && std::ranges::any_of(writes->second, [&](Place writer) {
             const Operation& one = operations_[writer];
             if (one.called_us > by_us || one.fate == Fate::nothing_done) return false;
             const bool is_behind = one.fate != Fate::done || (one.changed && one.revision > revision);
             return is_behind && std::ranges::any_of(one.writes, [&](const Seen& write) {
                      return write.key == key && (write.value == 0 || one.ttl_s != 0);
                    });
           });
  }

  /// Nobody is known to have changed the key between what was seen and `revision`.
  void check_unchanged(Place place, const Seen& seen, std::uint64_t revision, const std::string& what) {
    const auto changes = changes_.find(seen.key);
    if (changes == changes_.end()) return;
    const auto next = changes->second.upper_bound(seen.revision);
    if (next == changes->second.end() || next->first >= revision) return;
    if (seen.revision == 0) {  // not there: the last change before may have been a removal, or its time has passed
      const auto last = std::prev(changes->second.lower_bound(revision));
      const bool may_be_gone = last->second.value == 0 || operations_[last->second.writer].ttl_s != 0 ||
                               may_be_removed_after(seen.key, last->first, operations_[place].returned_us);
      if (may_be_gone) return;
    }
    wrong(place,
          what + " as " + text_of(seen) + ", but the key was changed at revision " + std::to_string(next->first));
  }

  const std::vector<Operation>& operations_;
  const Clocks clocks_;
  std::optional<std::string> problem_;
  std::map<std::uint64_t, Place> writers_;               // by value
  std::map<std::string, std::vector<Place>> writes_of_;  // by key
  std::map<std::uint64_t, Place> owners_;                // by revision
  std::map<std::uint64_t, std::uint64_t> revisions_;     // by value
  std::map<std::string, Changes> changes_;               // by key
  std::uint64_t floor_ = 0;
  std::vector<std::pair<TimeUs, std::uint64_t>> floors_;  // since when it was which
  std::map<std::string, std::uint64_t> gone_;  // keys whose time was seen to have passed, and what they were then
  std::map<Place, std::map<std::string, std::uint64_t>> gone_before_;
};

}  // namespace

TimeUs Clocks::least_us(std::uint32_t ttl_s, TimeUs by_us) const noexcept {
  if (by_us >= known_until_us) return 0;
  constexpr std::uint64_t million = 1'000'000;
  const TimeUs ttl_us = ttl_s * second;
  const TimeUs error_us = (ttl_us + longest_apart_us) * error_ppm / million + rounding_us;
  return ttl_us - std::min(ttl_us, error_us);
}

std::optional<std::string> problem_of(const History& history, const Clocks& clocks) {
  return Checker(history, clocks).run();
}

std::string describe(const Operation& operation) {
  const auto time = [](TimeUs when_us) {
    return when_us == never_us ? std::string("never") : std::to_string(when_us / ms) + " ms";
  };
  std::string text = "client " + std::to_string(operation.client) + " at node " + std::to_string(operation.machine) +
                     ", " + time(operation.called_us) + " to " + time(operation.returned_us) + ": ";
  if (operation.token != 0) text += "with token " + std::to_string(operation.token) + ' ';
  if (operation.kind == Operation::Kind::read) {
    if (operation.may_lag_us == 0) text += "strong ";
    if (operation.may_lag_us != 0 && operation.may_lag_us != never_us) {
      text += "at most " + std::to_string(operation.may_lag_us / ms) + " ms late ";
    }
    text += "read";
    if (operation.fate != Fate::done) {
      for (const std::string& key : operation.gets) text += ' ' + key;
    }
  }
  for (const Seen& write : operation.writes) {
    text += write.value == 0 ? "remove " + write.key + ' ' : "put " + text_of(write) + ' ';
  }
  if (operation.ttl_s != 0) text += "for " + std::to_string(operation.ttl_s) + " s ";
  if (operation.guard) text += "if " + text_of(*operation.guard) + ' ';
  switch (operation.fate) {
    case Fate::pending: text += "(not answered)"; break;
    case Fate::nothing_done: text += "(refused" + text_of(operation.denial) + ')'; break;
    case Fate::unknown: text += "(outcome unknown)"; break;
    case Fate::done:
      if (operation.kind == Operation::Kind::write) {
        text += std::string(operation.changed ? "done" : "no change") + " @" + std::to_string(operation.revision);
      }
      for (const Seen& seen : operation.reads) text += ", saw " + text_of(seen);
      break;
  }
  return text;
}

}  // namespace concord::sim

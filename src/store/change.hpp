// What one command changed, told to whoever listens while it is applied (events, audit).
//
// The views are valid during the call only. A command that changed nothing is not told. A key that one transaction changes twice is
// told twice, in order; one that it creates and removes again too.
// Thread rule: called on the writer's thread; keep it short.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <concord/revision.hpp>

#include "base/ids.hpp"
#include "command/entry.hpp"

namespace concord::store {

class Record;

enum class ChangeKind : std::uint8_t { put, remove, touch, expire };

struct Change {
  ChangeKind kind = ChangeKind::put;
  std::string_view key = {};
  std::string_view value = {};           ///< put, touch: the stored form, packed or not
  Revision previous = {};                ///< of the version that was replaced or removed; 0: there was none
  std::string_view previous_value = {};  ///< stored form of that version; empty: there was none
  std::optional<base::ClusterTimeMs> deadline_ms = {};  ///< put, touch
  // The records of `value` and `previous_value`, for who keeps them (`Record::retain`); null: they are in none.
  Record* record = nullptr;
  Record* previous_record = nullptr;
};

class ChangeListener {
 public:
  virtual ~ChangeListener() = default;
  /// The commands that follow are of an entry with this stamp.
  virtual void on_entry(const command::EntryStamp& /*stamp*/) {}
  virtual void on_change(const Change& change) = 0;
  /// Ends a command; `changed`: all since the last end happened at `revision`, else none did.
  virtual void on_command(command::CommandKind kind, bool changed, Revision revision) = 0;
};

}  // namespace concord::store

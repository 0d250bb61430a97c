// What stands in blocks of a snapshot (store/snapshot.hpp has the grammar), taken apart front to back: for loading one, for backups, for
// the chunks of a restore. Views the block's bytes. Thread rule: pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/wire.hpp"
#include "store/record.hpp"

namespace concord::store {

struct SnapshotItem {
  bool is_behind_entries = false;  ///< an answer or a token, in `value`
  std::string_view key = {};
  std::string_view value = {};
  RecordFields fields = {};
};

/// The next item. What is wrong with it; none: nothing. Precondition: something remains.
[[nodiscard]] std::optional<std::string> read_item(base::Reader& reader, SnapshotItem& item);

}  // namespace concord::store

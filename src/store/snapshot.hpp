// The state at one index, as blocks of bytes: written while the writer goes on, read back at the next start.
//
//   meta   := format:u8(=1|2|3|4|5) index:varint term:varint revision:varint cluster_time_ms:varint wall_offset_ms:zigzag-varint
//             digest:fixed64 entries:varint [format 2 to 5: remembered:varint] [format 3, 4, 5: access:varint]
//             [format 4, 5: restore] conf_state:bytes
//   restore := restored:fixed64 restored_revision:varint staging:bytes staged_access:varint staged_entries:varint
//   block  := entry* answer* access* staged-access* staged-entry*        not empty; keys ascend over all blocks
//   entry  := key:bytes value:bytes revision:varint flags:u8 [create_revision:varint version:varint] [deadline_ms:varint]
//   answer := 0:u8 remembered:bytes                                      after all entries, oldest first (remembered.hpp)
//   access := 0:u8 item:bytes                                            after all answers: tokens, records (acl/registry.hpp)
//   staged-access, staged-entry := 0:u8 bytes                            after all of these (staging.hpp)
//   flags  := 1: create_revision and version follow (else: revision and 1) | 2: deadline_ms follows
//
// Format 2 is that of a state with remembered answers, `remembered` of them, at least 1; without any it is format 1, which
// versions that do not know them can read. Format 3 is that of a state with tokens, `access` of them, at least 1. Format 4 is that of a
// state into which a backup was restored, `restored` at `restored_revision` the last (0: none yet), or is being restored: `staging` is the
// head of what is staged, empty when nothing is. Format 5 is that of a state with roles, users or tenants, in its data or in what is staged:
// they count as `access` too; `restored` and `staging` may both be none. What stands behind the entries begins like an entry with an empty key, which no entry
// has.
//
// log/snapshot_file.hpp puts blocks into a file and checks its bytes; here keys, order, counts and digest are checked, so a
// state that was loaded is the state that was saved. Errors: storage_failed, saying what is wrong.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concord/error.hpp>

#include "acl/registry.hpp"
#include "base/ids.hpp"
#include "command/restore.hpp"
#include "store/remembered.hpp"
#include "store/staging.hpp"
#include "store/state_machine.hpp"
#include "store/view.hpp"

namespace concord::store {

struct SnapshotMeta {
  base::Index index;
  base::Term term;
  Revision revision;
  base::ClusterTimeMs cluster_time_ms = 0;
  std::int64_t wall_offset_ms = 0;
  std::uint64_t digest = 0;
  std::uint64_t entries = 0;
  std::uint64_t remembered = 0;
  std::uint64_t access = 0;          ///< tokens, roles, users and tenants
  bool has_records = false;          ///< some are no tokens, here or in what is staged
  command::RestoreId restored = {};  ///< the last backup that was restored
  Revision restored_revision = {};
  std::string staging = {};  ///< head of a restore under way; empty: none
  std::uint64_t staged_access = 0;
  std::uint64_t staged_entries = 0;
  std::string conf_state;
};

[[nodiscard]] std::string encode_meta(const SnapshotMeta& meta);
[[nodiscard]] Result<SnapshotMeta> decode_meta(std::string_view bytes);

/// Thread rule: one thread at a time, not necessarily the writer's.
class Snapshot {
 public:
  Snapshot(SnapshotMeta meta, View view, Remembered::Items remembered, std::vector<acl::Item> access,
           std::optional<StagedImage> staged)
      : meta_(std::move(meta)),
        view_(std::move(view)),
        remembered_(std::move(remembered)),
        access_(std::move(access)),
        staged_(std::move(staged)) {}

  [[nodiscard]] const SnapshotMeta& meta() const noexcept { return meta_; }
  /// The next block, of about `target_bytes`; false at the end. Looks at the store for well below 1 ms at a time.
  [[nodiscard]] bool next_block(std::string& block, std::size_t target_bytes);
  /// In the blocks that were given out.
  [[nodiscard]] std::uint64_t entries_given() const noexcept { return entries_given_; }
  /// Leaves entries, tokens, roles, users and tenants alone: what belongs to this cluster's log stays behind. Before the first block.
  void keep_data_only();

 private:
  void add_entries(std::string& block, std::size_t target_bytes);
  void add_staged(std::string& block, std::size_t target_bytes);

  SnapshotMeta meta_;
  View view_;
  std::string next_key_;  // the cursor: everything before it was given out
  bool has_all_entries_ = false;
  std::uint64_t entries_given_ = 0;
  Remembered::Items remembered_;
  std::size_t next_remembered_ = 0;
  std::vector<acl::Item> access_;
  std::size_t next_access_ = 0;
  std::optional<StagedImage> staged_;
  std::size_t next_staged_access_ = 0;
  std::string next_staged_key_;
  bool has_all_staged_ = false;
};

/// What was loaded, ready to be installed.
class LoadedState {
 public:
  LoadedState() = default;
  LoadedState(const LoadedState&) = delete;
  LoadedState& operator=(const LoadedState&) = delete;
  ~LoadedState();

  SnapshotMeta meta;
  std::vector<Record*> records;  ///< owned references, in key order
  Remembered remembered;
  acl::Registry registry;
  LoadedStaging staging;  ///< its head is empty: there is none
};

class SnapshotLoader {
 public:
  explicit SnapshotLoader(SnapshotMeta meta);
  [[nodiscard]] Result<void> add_block(std::string_view block);
  [[nodiscard]] Result<std::unique_ptr<LoadedState>> finish();

 private:
  [[nodiscard]] Result<void> add_behind_entries(std::string_view bytes);
  [[nodiscard]] Result<void> add_remembered(std::string_view bytes);
  [[nodiscard]] Result<void> add_access(std::string_view bytes);
  [[nodiscard]] Result<void> add_staged_access(std::string_view bytes);
  [[nodiscard]] Result<void> add_staged_entry(std::string_view bytes);
  [[nodiscard]] Result<void> check_counts() const;

  std::unique_ptr<LoadedState> loaded_;
  std::uint64_t digest_ = 0;
  std::optional<acl::Item> last_access_;
};

}  // namespace concord::store

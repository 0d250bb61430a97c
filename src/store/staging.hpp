// A restore under way: the data that are to replace those there, kept apart from them until its commit. Part of the replicated state:
// it is in the digest and in snapshots, so a leader that dies, or a follower that gets a snapshot in the middle, changes nothing.
//
//   head         := restore:fixed64 deadline_shift_ms:zigzag-varint with_tokens:u8(0|1) now_ms:varint touched_ms:varint
//                   next_number:varint crc:fixed32 count:varint prefix:bytes*
//   staged access := item                                                      a token, role, user or tenant (acl/registry.hpp)
//   staged entry  := key:bytes value:bytes deadline_ms:varint                   0: does not expire; keys ascend
//
// Rules, the same on every machine:
//   - a begin drops what another restore has staged; the begin of a restore that is staged already changes nothing;
//   - chunks count from 0. One that was taken already is taken for done; one that comes too early is not taken: the result's `count`
//     tells which is the next (whoever restores goes on from there). One whose items don't follow the grammar, or whose keys do not
//     ascend, ends the restore;
//   - a deadline is shifted from the cluster time of the backup to that of here, by the wall clocks of then and now: what the wall
//     clock has passed meanwhile counts. What has expired by the time of the begin is left out;
//   - a restore without a step for `restore_idle_ms` of cluster time is dropped with the next entry. It counts as something that is due,
//     so a leader makes that entry;
//   - the commit takes place when it names the number of chunks and the CRC of them all that are here; else the restore ends.
//
// Shape: a key space of its own, filled as chunks come, so that the commit has little left to do: each record gets the
// revision of the commit, in one pass over memory. Until then no reader sees the records; a snapshot of the staged data does not look at
// their revisions, so it goes on meanwhile.
//
// Thread rule: the writer's. What `image` gives may be read on any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "acl/registry.hpp"
#include "acl/scope.hpp"
#include "base/ids.hpp"
#include "command/restore.hpp"
#include "store/key_space.hpp"
#include "store/view.hpp"

namespace concord::store {

/// What a snapshot has of it.
struct StagedImage {
  View view;
  std::string last_key;  ///< behind it the view shows what was staged later
  std::uint64_t entries = 0;
  std::vector<acl::Item> access = {};
};

/// As a snapshot brings it.
struct LoadedStaging {
  std::string head;
  std::vector<Record*> records;  ///< owned references, in key order
  std::vector<acl::Item> access;
};

class Staging {
 public:
  /// `now_ms`, `wall_offset_ms`: of the entry that begins it.
  Staging(const command::RestoreStep& begin, base::ClusterTimeMs now_ms, std::int64_t wall_offset_ms,
          std::unique_ptr<KeySpace> keys);
  /// None: the head does not follow the grammar.
  [[nodiscard]] static std::unique_ptr<Staging> load(LoadedStaging loaded, std::unique_ptr<KeySpace> keys);

  [[nodiscard]] command::RestoreId id() const noexcept { return id_; }
  /// The entries it has replace the keys in there; those that begin otherwise stay.
  [[nodiscard]] const acl::Scope& scope() const noexcept { return scope_; }
  [[nodiscard]] base::ClusterTimeMs drop_at_ms() const noexcept { return touched_ms_ + command::restore_idle_ms; }
  [[nodiscard]] std::uint64_t next_number() const noexcept { return next_number_; }

  /// False: the chunk can't be read, and the restore is over.
  [[nodiscard]] bool add(const command::RestoreStep& chunk, base::ClusterTimeMs now_ms);
  /// All is here that the commit speaks of.
  [[nodiscard]] bool is_complete(const command::RestoreStep& commit) const noexcept {
    return commit.chunks == next_number_ && commit.crc == crc_;
  }

  /// Gives the key space away, with all records at `revision`.
  [[nodiscard]] std::unique_ptr<KeySpace> take_keys(Revision revision);
  [[nodiscard]] std::unique_ptr<KeySpace> drop_keys() { return std::move(keys_); }
  [[nodiscard]] const std::vector<Record*>& records() const noexcept { return records_; }
  [[nodiscard]] const std::vector<acl::Item>& access() const noexcept { return access_; }

  [[nodiscard]] std::string head() const;
  [[nodiscard]] StagedImage image(Epoch& epoch) const;
  [[nodiscard]] std::uint64_t digest() const;
  [[nodiscard]] std::uint64_t memory_bytes() const noexcept;

 private:
  Staging() = default;
  [[nodiscard]] bool add_items(std::string_view items);
  [[nodiscard]] bool read_items(std::string_view items);
  void add_access(acl::Item item);

  command::RestoreId id_;
  std::int64_t deadline_shift_ms_ = 0;
  bool with_tokens_ = false;
  base::ClusterTimeMs now_ms_ = 0;  // of the begin
  base::ClusterTimeMs touched_ms_ = 0;
  std::uint64_t next_number_ = 0;
  std::uint32_t crc_ = 0;
  acl::Scope scope_;
  std::unique_ptr<KeySpace> keys_;
  std::vector<Record*> records_;  // those of `keys_`, in the order they were made
  std::vector<acl::Item> access_;
};

/// What these add to the digest of the state.
[[nodiscard]] std::uint64_t staging_digest(const LoadedStaging& loaded);
[[nodiscard]] std::uint64_t restore_digest(command::RestoreId restored, Revision at);

/// Bytes of a staged entry; does not look at the revision.
void append_staged_entry(std::string& to, const Record& record);

}  // namespace concord::store

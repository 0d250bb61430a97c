// For tests: data to make backups of, in memory.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "backup/backup_file.hpp"
#include "command/entry.hpp"
#include "env/memory_file_system.hpp"
#include "store/state_machine.hpp"

namespace concord::backup {

inline Result<void> go_on(std::uint64_t, std::uint64_t) { return {}; }

class TestingData {
 public:
  void put(std::string_view key, const Value& value, std::uint32_t ttl_s = 0) {
    std::string entry;
    command::begin_entry(entry, {.cluster_time_ms = 5000, .wall_offset_ms = 1'000'000});
    command::append_put(entry, {base::NodeId(1), 1, 1}, key, value.stored(), ttl_s);
    std::vector<store::Applied> applied;
    ASSERT_TRUE(state_.apply(state_.applied_index().next(), base::Term(1), entry, applied));
  }
  [[nodiscard]] std::unique_ptr<store::Snapshot> pin() const {
    auto snapshot = state_.begin_snapshot("");
    snapshot->keep_data_only();
    return snapshot;
  }
  [[nodiscard]] static Manifest manifest(std::int64_t created_at_ms = 1'761'229'852'000,
                                         std::string id = "00000000000000ab") {
    return {.id = std::move(id),
            .created_at_ms = created_at_ms,
            .cluster = "concord",
            .cluster_id = "00000000000000cd",
            .node = "n1",
            .version = "0.1.0"};
  }

 private:
  store::StateMachine state_;
};

/// The bytes of a small backup.
inline std::string small_backup() {
  TestingData data;
  data.put("a", 1);
  data.put("b", "two", 60);
  data.put("c", Value(Bytes("three")));
  env::MemoryFileSystem files;
  EXPECT_TRUE(files.make_directories("/b"));
  const auto snapshot = data.pin();
  EXPECT_TRUE(write(files, "/b/.t", "/b/x.backup", *snapshot, TestingData::manifest(), go_on));
  return files.contents("/b/x.backup");
}

}  // namespace concord::backup

// Backup files: whatever a file holds, looking it through says what was written, or refuses it; nothing else comes of it.
// Input: 0 and a file as it is; 1 and decisions to build one with right sums around anything; 2 and decisions to write one and damage it.
#include "backup/backup_file.hpp"

#include "base/check.hpp"
#include "command/entry.hpp"
#include "env/memory_file_system.hpp"
#include "input.hpp"
#include "log/block_file.hpp"
#include "store/state_machine.hpp"
#include "target.hpp"

namespace concord::fuzz {
namespace {

const std::string path = "/b/x.backup";

Result<void> go_on(std::uint64_t, std::uint64_t) { return {}; }

Result<BackupInfo> look_through(std::string bytes) {
  env::MemoryFileSystem files;
  files.set_contents(path, std::move(bytes));
  auto info = backup::verify(files, path, backup::max_value_bytes, go_on);
  if (!info) CONCORD_CHECK(info.error().code() == Errc::invalid_backup, "a file that can be read is good or refused");
  return info;
}

/// Sums that are right, around a manifest and blocks of anything.
std::string built(Input& input) {
  env::MemoryFileSystem files;
  (void)files.make_directories("/b");
  backup::Manifest manifest{.id = "1"};
  manifest.revision = Revision(input.number());
  manifest.entry_count = input.below(4);
  manifest.tokens = input.below(2);
  const std::string meta = input.flag() ? backup::encode(manifest) : std::string(input.text(200));
  auto writer = log::BlockFileWriter::create(files, "/b/t", {.magic = "CNCRDBKP", .format = 1, .name = "backup"}, meta);
  CONCORD_CHECK(writer.has_value(), "a new file");
  while (!input.empty()) CONCORD_CHECK((*writer)->add_block(input.text(200)).has_value(), "a block is taken");
  CONCORD_CHECK((*writer)->finish("/b/x").has_value(), "it is finished");
  return files.contents("/b/x");
}

void write_and_damage(Input& input) {
  store::StateMachine machine;
  std::vector<store::Applied> applied;
  for (std::size_t left = input.below(6); left > 0; --left) {
    std::string entry;
    command::begin_entry(entry, {.cluster_time_ms = 1, .wall_offset_ms = 2});
    const Value value(Bytes(input.text(100)));
    command::append_put(entry, {}, "k" + std::string(input.text(20)), value.stored(),
                        static_cast<std::uint32_t>(input.below(3)));
    CONCORD_CHECK(machine.apply(machine.applied_index().next(), base::Term(1), entry, applied).has_value(),
                  "it is a good one");
  }
  env::MemoryFileSystem files;
  (void)files.make_directories("/b");
  const auto snapshot = machine.begin_snapshot("");
  snapshot->keep_data_only();
  CONCORD_CHECK(backup::write(files, "/b/.t", path, *snapshot, {.id = "1"}, go_on).has_value(), "it is written");
  const std::string good = files.contents(path);
  const auto info = look_through(good);
  CONCORD_CHECK(info && info->entry_count == machine.size() && info->revision == machine.revision(),
                "and is what it was");
  const auto at = static_cast<std::size_t>(input.number() % good.size());
  std::string bad = good;
  bad[at] = static_cast<char>(bad[at] ^ (1 << input.below(8)));
  CONCORD_CHECK(!look_through(std::move(bad)), "a flipped bit is damage");
  CONCORD_CHECK(!look_through(good.substr(0, at)), "a shorter file is damage");
}

}  // namespace

void run(std::string_view bytes) {
  Input input(bytes);
  switch (input.below(3)) {
    case 0: (void)look_through(std::string(input.rest())); break;
    case 1: (void)look_through(built(input)); break;
    default: write_and_damage(input); break;
  }
}

std::vector<std::string> seeds() {
  std::vector<std::string> inputs;
  for (char way = 0; way < 3; ++way) {
    for (std::string& input : arbitrary_inputs(8, std::string(1, way))) inputs.push_back(std::move(input));
  }
  return inputs;
}

}  // namespace concord::fuzz

// Snapshot files: whatever a file holds, reading it to the end gives what was written or is refused with file and offset, and takes no
// more memory than a block may have.
// Input: 0 and a file as it is; 1 and decisions to build one with right sums of its parts; 2 and decisions to write one and damage it.
#include "log/snapshot_file.hpp"

#include "base/check.hpp"
#include "base/crc32c.hpp"
#include "env/memory_file_system.hpp"
#include "input.hpp"
#include "target.hpp"

namespace concord::fuzz {
namespace {

const std::string directory = "/s";

std::string path() { return log::snapshot_file(directory, base::Index(7), base::Term(2)).path; }

/// Meta and blocks, one behind the other.
Result<std::string> read_all(env::FileSystem& files) {
  auto reader = log::open_snapshot(files, path());
  if (!reader) return std::unexpected(std::move(reader.error()));
  std::string all((*reader)->meta());
  std::string block;
  for (;;) {
    const auto more = (*reader)->next(block);
    if (!more) return std::unexpected(more.error());
    if (!*more) return all;
    CONCORD_CHECK(block.size() <= log::max_block_bytes, "a block keeps its limit");
    all += block;
  }
}

Result<std::string> read_file_of(std::string bytes) {
  env::MemoryFileSystem files;
  files.set_contents(path(), std::move(bytes));
  auto read = read_all(files);
  if (!read) {
    CONCORD_CHECK(read.error().code() == Errc::storage_failed, "damage is an error of the disk");
    CONCORD_CHECK(read.error().message().find(path()) != std::string::npos, "and names the file");
  }
  return read;
}

void add_number(std::string& to, std::uint64_t number, std::size_t size_bytes) {
  for (std::size_t at = 0; at < size_bytes; ++at) to += static_cast<char>(number >> (8 * at) & 0xffU);
}

void add_sum(std::string& to, std::string_view of) { add_number(to, base::crc32c(of), 4); }

/// Parts whose own sums are right, around anything.
std::string built(Input& input) {
  const std::string meta(input.text(50));
  std::string file = "CNCRDSNP";
  add_number(file, input.below(16) == 15 ? input.number() : log::snapshot_format, 4);
  add_number(file, input.below(16) == 15 ? input.number() : meta.size(), 4);
  file += meta;
  add_sum(file, file);
  for (std::size_t left = input.below(4); left > 0; --left) {
    const std::string frame(input.text(200));
    std::string sizes;
    add_number(sizes, input.below(16) == 15 ? input.number() : frame.size(), 4);
    add_number(sizes, input.number(), 4);
    add_number(file, input.below(16) == 15 ? input.number() : 1, 4);
    file += sizes;
    add_sum(file, sizes + frame);
    file += frame;
  }
  return file + std::string(input.rest());
}

void write_and_damage(Input& input) {
  env::MemoryFileSystem files;
  (void)files.make_directories(directory);
  std::string all(input.text(50));
  auto writer = log::SnapshotWriter::create(files, directory, base::Index(7), base::Term(2), all);
  CONCORD_CHECK(writer.has_value(), "a new file");
  for (std::size_t left = input.below(4); left > 0; --left) {
    std::string block(input.text(100));
    const std::size_t times = 1 + input.below(20);
    for (std::size_t at = 1; at < times; ++at) block += block.substr(0, 100);
    CONCORD_CHECK((*writer)->add_block(block).has_value(), "a block is taken");
    all += block;
  }
  CONCORD_CHECK((*writer)->finish().has_value(), "it is finished");
  const std::string good = files.contents(path());
  const auto read = read_file_of(good);
  CONCORD_CHECK(read && *read == all, "what was written is read");
  const auto at = static_cast<std::size_t>(input.number() % good.size());
  std::string bad = good;
  bad[at] = static_cast<char>(bad[at] ^ (1 << input.below(8)));
  CONCORD_CHECK(!read_file_of(std::move(bad)), "a flipped bit is damage");
  CONCORD_CHECK(!read_file_of(good.substr(0, at)), "a shorter file is damage");
}

}  // namespace

void run(std::string_view bytes) {
  Input input(bytes);
  switch (input.below(3)) {
    case 0: (void)read_file_of(std::string(input.rest())); break;
    case 1: (void)read_file_of(built(input)); break;
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

// The audit log's reader: whatever its files hold, looking for entries ends and tells what stands there; a log that was written is
// good, and no byte of it can be changed, removed or put in without being found.
// Input: 0 and a file as it is; 1 and decisions to write a log, and to damage it.
#include <atomic>

#include "audit/search.hpp"
#include "audit/verify.hpp"
#include "base/check.hpp"
#include "env/memory_file_system.hpp"
#include "input.hpp"
#include "target.hpp"

namespace concord::fuzz {
namespace {

const std::string directory = "logs";
const std::string key(audit::hex_size, 'a');
constexpr std::int64_t start_us = 1'770'091'506'789'012;

AuditVerification verified(env::FileSystem& files) {
  auto verification = audit::verify(files, {.directory = directory, .key = key});
  CONCORD_CHECK(verification.has_value(), "files that can be read are judged");
  CONCORD_CHECK(verification->valid == verification->problems.empty(), "what is not valid is told");
  return std::move(*verification);
}

/// The newest lines, found from the end, are those that are found from the beginning.
std::size_t search(env::FileSystem& files, const audit::Filter& filter) {
  const std::atomic<bool> is_stopped = false;
  const audit::Place place = {.files = files, .directory = directory, .is_stopped = is_stopped};
  auto lines = audit::LineSearch::begin(place, filter);
  CONCORD_CHECK(lines.has_value(), "files that can be read are searched");
  std::vector<std::string> found;
  const auto visit = [&found](std::string_view line) {
    (void)audit::entry_of(line);
    found.emplace_back(line);
    return true;
  };
  for (auto more = lines->step(3, visit); more.value_or(false); more = lines->step(3, visit)) {
  }
  const auto newest = audit::find_newest(place, filter, 1);
  CONCORD_CHECK(newest && newest->size() <= 1, "no more than were asked for");
  return found.size();
}

void read_anything(Input& input) {
  env::MemoryFileSystem files;
  CONCORD_CHECK(files.make_directories(directory).has_value(), "a directory is made");
  files.set_contents("logs/audit_2026-02-03_1770091445.jsonl", std::string(input.text(255)));
  files.set_contents("logs/audit.state", std::string(input.text(255)));
  files.set_contents("logs/audit_2026-02-03.jsonl", std::string(input.rest()));
  (void)verified(files);
  (void)search(files, {});
  (void)search(files, {.operation = "put", .user = {}, .result = {}, .from = "2026-02-03T04:05:06.789012Z", .to = {}});
}

/// One of a run of files, as the writer writes it.
class File {
 public:
  File(std::uint64_t number, const audit::Hex& previous) : number_(number), last_(previous) {
    audit::append_mark(text_, {.is_begin = true, .file = number_}, "n1", start_us, last_, key);
    seal(0);
  }

  void add(audit::LineMaker& maker, const audit::Record& record) {
    const std::size_t begin = text_.size();
    maker.append_entry(text_, record);
    seal(begin);
    ++entries_;
  }
  void end() {
    const std::size_t begin = text_.size();
    audit::append_mark(text_, {.is_begin = false, .file = number_, .entries = entries_}, "n1", start_us, last_, key);
    seal(begin);
  }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  [[nodiscard]] const audit::Hex& last() const noexcept { return last_; }
  [[nodiscard]] std::uint64_t entries() const noexcept { return entries_; }

 private:
  void seal(std::size_t begin) { last_ = audit::seal_line(text_, begin, last_, sha256_); }

  std::uint64_t number_;
  audit::Hex last_;
  std::uint64_t entries_ = 0;
  std::string text_;
  audit::Sha256 sha256_;
};

std::string name_of(std::uint64_t number, bool is_newest) {
  const std::string date = audit::date_of(start_us);
  const std::string name =
      is_newest ? audit::day_name(date) : audit::rotated_name(date, 1'770'091'000 + static_cast<std::int64_t>(number));
  return directory + "/" + name;
}

/// How many entries it holds.
std::size_t write_log(env::MemoryFileSystem& files, Input& input) {
  CONCORD_CHECK(files.make_directories(directory).has_value(), "a directory is made");
  audit::LineMaker maker({.node = "n1", .shows_keys = input.flag()}, 7);
  audit::Hex last = audit::no_hash();
  std::size_t entries = 0;
  const std::uint64_t count = 1 + input.below(3);
  for (std::uint64_t number = 1; number <= count; ++number) {
    File file(number, last);
    for (std::size_t left = input.below(4); left > 0; --left, ++entries) {
      const std::string entry_key(input.text(40));
      const std::string client(input.text(20));
      file.add(maker, {.time_us = start_us,
                       .operation = input.flag() ? "put" : "delete",
                       .outcome = static_cast<audit::Outcome>(input.below(5)),
                       .key = entry_key,
                       .client = client,
                       .revision = input.number()});
    }
    file.end();
    last = file.last();
    files.set_contents(name_of(number, number == count), file.text());
    if (number < count) continue;
    auto state = audit::StateFile::open(files, directory, key);
    CONCORD_CHECK(state.has_value(), "the state is made");
    const auto written = state->write({.oldest = 1,
                                       .newest = count,
                                       .entries = file.entries(),
                                       .size_bytes = file.text().size(),
                                       .last = last,
                                       .is_closed = true});
    CONCORD_CHECK(written.has_value(), "the state is written");
  }
  return entries;
}

void write_and_damage(Input& input) {
  env::MemoryFileSystem files;
  const std::size_t entries = write_log(files, input);
  const AuditVerification good = verified(files);
  CONCORD_CHECK(good.valid && good.entries == entries, "a log that was written is good");
  CONCORD_CHECK(search(files, {}) == entries, "every entry is found");
  std::vector<std::string> paths = files.paths();
  std::erase_if(paths, [](const std::string& path) { return !path.ends_with(audit::suffix); });
  const std::string& path = paths[input.below(paths.size())];
  const std::string whole = files.contents(path);
  const std::size_t at = input.number() % whole.size();
  std::string damaged = whole;
  switch (input.below(3)) {
    case 0: damaged[at] = static_cast<char>(input.byte()); break;
    case 1: damaged.erase(at, 1 + input.below(100)); break;
    default: damaged.insert(at, input.text(100)); break;
  }
  files.set_contents(path, damaged);
  CONCORD_CHECK(verified(files).valid == (damaged == whole), "no change stays unseen");
  (void)search(files, {});
}

}  // namespace

void run(std::string_view bytes) {
  Input input(bytes);
  if (input.flag()) {
    write_and_damage(input);
  } else {
    read_anything(input);
  }
}

std::vector<std::string> seeds() {
  std::vector<std::string> inputs = arbitrary_inputs(20, "\x01");
  for (std::string& input : arbitrary_inputs(5, std::string_view("\0", 1))) inputs.push_back(std::move(input));
  return inputs;
}

}  // namespace concord::fuzz

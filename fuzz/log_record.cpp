// The log: whatever a segment's file holds, opening it recovers entries without a gap or refuses and changes nothing; what
// was recovered is there again at the next opening, with what was appended to it.
// Input: 0 and a file as it is, or 1 and decisions to build segments whose checksums are right.
#include <cstring>

#include "base/check.hpp"
#include "base/crc32c.hpp"
#include "env/memory_file_system.hpp"
#include "input.hpp"
#include "log/log.hpp"
#include "log/record.hpp"
#include "target.hpp"

namespace concord::fuzz {
namespace {

using base::EntryView;
using base::HardState;
using base::Index;
using base::NodeId;
using base::Term;
using log::Log;
using log::LogOptions;

constexpr std::size_t segment_bytes = 4096;
const std::string directory = "/log";

LogOptions options() {
  return {.segment_bytes = segment_bytes, .buffered = false, .buffer_limit_bytes = 1024, .salt = 5, .boot_id = 2};
}

std::string path_of(std::uint64_t id) {
  std::string digits = std::to_string(id);
  return directory + "/" + std::string(20 - digits.size(), '0') + digits + ".log";
}

// ---------------------------------------------------------------------------------------------------------------------
// Built from decisions.

class SegmentBuilder {
 public:
  SegmentBuilder(Input& input, std::uint64_t id, Index first, const HardState& hard_state, bool restarts)
      : input_(input), next_(first) {
    header_ = {.restarts = restarts,
               .recycled = input.below(4) == 3,
               .segment_id = id,
               .size_bytes = segment_bytes,
               .salt = input.number(),
               .first_index = first,
               .hard_state = hard_state};
    if (input.below(16) == 15) header_.size_bytes = input.number();
    if (input.below(16) == 15) header_.first_index = Index(input.number());
    if (input.below(16) == 15) header_.segment_id = input.number();
    bytes_ = log::encode_segment_header(header_, previous_);
  }

  /// True when the segment says that it is complete.
  bool build() {
    for (std::size_t left = input_.below(12); left > 0 && bytes_.size() < segment_bytes - 600; --left) {
      if (add_record()) return true;
    }
    const std::string_view behind = input_.below(4) == 3 ? input_.text(200) : std::string_view();
    bytes_ += behind;
    return false;
  }

  [[nodiscard]] std::string bytes() const {
    std::string whole = bytes_;
    whole.resize(segment_bytes, '\0');
    return whole;
  }
  [[nodiscard]] Index next() const noexcept { return next_; }
  [[nodiscard]] const HardState& hard_state() const noexcept { return header_.hard_state; }

 private:
  log::RecordPlace place() {
    const auto offset = static_cast<std::uint32_t>(bytes_.size());
    return {.segment_id = header_.segment_id,
            .salt = header_.salt,
            .offset = offset,
            .previous = previous_,
            .synced = input_.flag() ? offset : 0};
  }

  bool add_record() {
    const std::size_t from = bytes_.size();
    switch (input_.below(8)) {
      case 0: previous_ = add_mark(log::RecordKind::closed); break;
      case 1: previous_ = add_mark(log::RecordKind::opened); break;
      case 2: previous_ = add_mark(log::RecordKind::end_of_segment); return true;
      case 3: add_payload(input_.text(120)); break;
      case 4:
        previous_ = add_batch();
        bytes_[from + input_.below(bytes_.size() - from)] ^= '\1';
        break;
      default: previous_ = add_batch(); break;
    }
    return false;
  }

  std::uint32_t add_mark(log::RecordKind kind) {
    std::string mark;
    const std::uint32_t crc = log::append_mark(mark, place(), kind, 1 + input_.below(2));
    bytes_ += mark;
    return crc;
  }

  std::uint32_t add_batch() {
    if (input_.below(6) == 5) next_ = Index(input_.number());
    std::vector<EntryView> entries;
    for (std::size_t left = input_.below(4); left > 0; --left) {
      entries.push_back({.index = next_,
                         .term = Term(input_.below(4)),
                         .type = static_cast<base::EntryType>(input_.below(3)),
                         .data = input_.text(60)});
      next_ = next_.next();
    }
    std::optional<HardState> hard_state;
    if (input_.flag()) {
      const std::uint64_t last = next_.value() - std::min<std::uint64_t>(next_.value(), 1);
      hard_state =
          HardState{Term(input_.below(4)), NodeId(input_.below(4)), Index(input_.flag() ? last : input_.number())};
      header_.hard_state = *hard_state;
    }
    std::string record;
    const std::uint32_t crc = log::append_batch(record, place(), entries, hard_state);
    bytes_ += record;
    return crc;
  }

  /// A record of a payload that nobody wrote, with a right checksum (its grammar: log/record.hpp).
  void add_payload(std::string_view payload) {
    std::string batch;
    (void)log::append_mark(batch, place(), log::RecordKind::closed);
    batch.resize(log::record_header_bytes);
    batch += payload;
    const auto size = static_cast<std::uint32_t>(payload.size());
    std::memcpy(batch.data() + 4, &size, sizeof size);
    char salt[sizeof header_.salt];
    std::memcpy(salt, &header_.salt, sizeof salt);
    const std::uint32_t crc =
        base::crc32c_extend(base::crc32c({salt, sizeof salt}), std::string_view(batch).substr(sizeof crc));
    std::memcpy(batch.data(), &crc, sizeof crc);
    batch.resize((batch.size() + 7) / 8 * 8, '\0');
    bytes_ += batch;
    previous_ = crc;
  }

  Input& input_;
  Index next_;
  log::SegmentHeader header_;
  std::uint32_t previous_ = 0;
  std::string bytes_;
};

void build_segments(Input& input, env::MemoryFileSystem& files) {
  Index next(1 + input.below(3));
  HardState hard_state{.term = Term(input.below(3)), .vote = NodeId(), .commit = next.previous()};
  bool is_complete = true;
  for (std::uint64_t id = 1; id <= 4; ++id) {
    // After a segment that is not complete only one that begins the log anew may come.
    const bool restarts = input.below(4) == 3;
    if (!is_complete && !restarts) break;
    if (restarts) {
      next = Index(1 + input.below(9));
      hard_state.commit = next.previous();
    }
    SegmentBuilder segment(input, id, next, hard_state, restarts);
    is_complete = segment.build();
    files.set_contents(path_of(id), segment.bytes());
    next = segment.next();
    hard_state = segment.hard_state();
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// What must hold.

struct Entry {
  std::uint64_t term = 0;
  base::EntryType type = base::EntryType::normal;
  std::string data;
  friend bool operator==(const Entry&, const Entry&) = default;
};

std::vector<Entry> replayed(Log& log) {
  std::vector<Entry> entries;
  Index next = log.first_index();
  const auto done = log.replay(Index(0), [&](const EntryView& entry) -> Result<void> {
    CONCORD_CHECK(entry.index == next, "entries come in order, without a gap");
    next = next.next();
    entries.push_back({entry.term.value(), entry.type, std::string(entry.data)});
    return {};
  });
  CONCORD_CHECK(done.has_value(), "what was opened can be replayed");
  CONCORD_CHECK(next == log.last_index().next() || log.last_index() < log.first_index(),
                "replay ends at the last entry");
  return entries;
}

using Contents = std::vector<std::pair<std::string, std::string>>;
Contents contents_of(const env::MemoryFileSystem& files) {
  Contents contents;
  for (const std::string& path : files.paths()) contents.emplace_back(path, files.contents(path));
  return contents;
}

std::unique_ptr<Log> reopened(env::MemoryFileSystem& files, const char* message) {
  auto log = Log::open(files, directory, options());
  CONCORD_CHECK(log.has_value(), message);
  return std::move(*log);
}

void check_goes_on(env::MemoryFileSystem& files, std::unique_ptr<Log> log) {
  std::vector<Entry> entries = replayed(*log);
  const HardState hard_state = log->hard_state();
  const Index last = log->last_index();
  log.reset();
  log = reopened(files, "what was opened once is opened again");
  CONCORD_CHECK(replayed(*log) == entries && log->hard_state() == hard_state, "and says the same");
  const EntryView more{.index = last.next(), .term = Term(9), .type = base::EntryType::normal, .data = "more"};
  CONCORD_CHECK(log->append({&more, 1}, HardState{Term(9), NodeId(1), last}).has_value(), "it takes an entry");
  CONCORD_CHECK(log->sync().has_value(), "and keeps it");
  log.reset();
  log = reopened(files, "what was written is opened");
  if (more.index >= log->first_index()) entries.push_back({9, base::EntryType::normal, "more"});
  CONCORD_CHECK(replayed(*log) == entries && log->last_index() == more.index, "with all that was in it");
}

}  // namespace

void run(std::string_view bytes) {
  Input input(bytes);
  env::MemoryFileSystem files;
  CONCORD_CHECK(files.make_directories(directory).has_value(), "a directory");
  if (input.flag()) {
    build_segments(input, files);
  } else {
    files.set_contents(path_of(1), std::string(input.rest()));
  }
  const Contents before = contents_of(files);
  auto log = Log::open(files, directory, options());
  if (log) return check_goes_on(files, std::move(*log));
  CONCORD_CHECK(log.error().code() == Errc::storage_failed, "damage is named as such");
  CONCORD_CHECK(contents_of(files) == before, ("what is refused is left as it was: " + log.error().message()).c_str());
}

std::vector<std::string> seeds() {
  std::vector<std::string> seeds = arbitrary_inputs(20, "\x01");
  for (const std::string& decisions : arbitrary_inputs(10)) {
    Input input(decisions);
    SegmentBuilder segment(input, 1, Index(1), {}, false);
    (void)segment.build();
    seeds.push_back(std::string(1, '\0') + segment.bytes());
  }
  return seeds;
}

}  // namespace concord::fuzz

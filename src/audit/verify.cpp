#include "audit/verify.hpp"

#include <algorithm>
#include <utility>

#include "audit/catalog.hpp"
#include "audit/line.hpp"

namespace concord::audit {
namespace {

constexpr std::size_t most_problems = 100;
constexpr std::uint64_t lines_of_a_look = 1024;

std::optional<Hex> hex_in(std::string_view text) noexcept {
  if (text.size() != hex_size) return std::nullopt;
  Hex hex;
  std::ranges::copy(text, hex.begin());
  return hex;
}

class Verification {
 public:
  Verification(env::FileSystem& files, const VerifySettings& settings) : files_(files), settings_(settings) {}

  Result<AuditVerification> run() {
    if (auto read = read_beginning(); !read) return std::unexpected(std::move(read.error()));
    std::uint64_t expected = state_ ? state_->oldest : 0;
    for (CatalogFile& file : catalog_) {
      if (state_ && file.number != 0 && file.number < state_->oldest) continue;  // was to be removed
      if (settings_.live && file.number > settings_.live->file) break;           // begun since
      if (file.number == 0) {
        problem(file.name, 1, "it does not begin as a file of a log does");
        continue;
      }
      if (expected != 0 && file.number > expected) report_missing(expected, file.number - 1);
      if (file.number < expected) {
        problem(file.name, 0, "there is another file with its number, " + std::to_string(file.number));
        continue;
      }
      if (expected != file.number) last_.reset();
      if (auto checked = check_file(file); !checked) return std::unexpected(std::move(checked.error()));
      expected = file.number + 1;
    }
    const std::uint64_t newest = settings_.live ? settings_.live->file : state_ ? state_->newest : 0;
    if (expected != 0 && newest >= expected) report_missing(expected, newest);
    result_.valid = result_.problems.empty();
    return std::move(result_);
  }

 private:
  void problem(std::string file, std::uint64_t line, std::string what) {
    if (result_.problems.size() < most_problems) {
      result_.problems.push_back({.file = std::move(file), .line = line, .what = std::move(what)});
    }
  }

  void report_missing(std::uint64_t first, std::uint64_t last) {
    const bool is_one = first == last;
    problem("", 0,
            is_one ? "file number " + std::to_string(first) + " is missing"
                   : "files number " + std::to_string(first) + " to " + std::to_string(last) + " are missing");
  }

  Result<void> read_beginning() {
    auto catalog = read_catalog(files_, settings_.directory);
    if (!catalog) return std::unexpected(std::move(catalog.error()));
    catalog_ = std::move(*catalog);
    auto state = read_state(files_, settings_.directory, settings_.key);
    if (!state && state.error().code() != Errc::not_found) return std::unexpected(std::move(state.error()));
    if (state) state_ = state->state;
    if (!state) {
      problem(std::string(state_name), 0, "is missing: files and lines that are missing at the end can't be told");
    } else if (!state_) {
      problem(std::string(state_name), 0, state->is_signed_by_other_key ? "is not signed with this key" : "is damaged");
    }
    return {};
  }

  Result<void> check_file(CatalogFile& file) {
    auto opened = open_file(files_, settings_.directory, file);
    if (!opened && opened.error().code() == Errc::not_found) {
      const auto now = read_state(files_, settings_.directory, settings_.key);
      const bool was_to_go = now && now->state && file.number < now->state->oldest;
      if (!was_to_go) problem(file.name, 0, "has gone");
      last_.reset();
      return {};
    }
    if (!opened) return std::unexpected(std::move(opened.error()));
    ++result_.files;
    return check_lines(**opened, file);
  }

  struct Progress {
    std::uint64_t line = 0;
    std::uint64_t entries = 0;
    bool has_ended = false;
    bool is_known_to_state = false;  ///< the place that the state vouches for was passed, and is as it says
  };

  Result<void> check_lines(env::File& file, const CatalogFile& at) {
    const bool is_live = settings_.live && settings_.live->file == at.number;
    ForwardLines lines(file, 0, is_live ? settings_.live->size_bytes : UINT64_MAX);
    Progress progress;
    for (;;) {
      const auto text = lines.next();
      if (!text) return std::unexpected(text.error());
      if (!*text) break;
      if (++progress.line % lines_of_a_look == 0 && settings_.is_stopped && settings_.is_stopped()) {
        return fail(Errc::cluster_not_ready, "the node is stopping");
      }
      if (!check_line(**text, at, progress)) return {};  // what comes behind it can't be judged
      if (state_ && state_->newest == at.number && lines.offset() == state_->size_bytes) {
        progress.is_known_to_state = last_ == state_->last && progress.entries == state_->entries;
      }
    }
    return check_end(file, lines.offset(), at, progress);
  }

  /// False: it does not follow.
  bool check_line(std::string_view text, const CatalogFile& at, Progress& progress) {
    const auto line = read_line(text);
    if (!line) {
      problem(at.name, progress.line, "is no line of an audit log");
      last_.reset();
      return false;
    }
    const auto mark = read_mark(*line);
    if (progress.line == 1 && mark && mark->mark.is_begin) check_begin(*mark, at);
    const Hex hash = sha256_.of(last_ ? view_of(*last_) : std::string_view(), line->hashed);
    if (!last_ || view_of(hash) != line->hash) {
      problem(at.name, progress.line,
              "does not follow from the line before it: one of them was changed, removed or put in");
      last_.reset();
      return false;
    }
    if (progress.has_ended) problem(at.name, progress.line, "stands behind the end of the file");
    if (is_mark(*line)) {
      if (!mark || mark->mark.is_begin != (progress.line == 1))
        problem(at.name, progress.line, "is no such mark as may stand here");
      if (mark && !is_signed(*mark)) problem(at.name, progress.line, "is not signed with this log's key");
      if (mark && !mark->mark.is_begin) check_end_mark(*mark, at, progress);
    } else {
      ++progress.entries;
      ++result_.entries;
    }
    last_ = hash;
    return true;
  }

  /// Where the file before is known, it must say the same; else this says it.
  void check_begin(const ReadMark& mark, const CatalogFile& at) {
    const auto previous = hex_in(mark.previous);
    if (last_ && previous != last_) {
      problem(at.name, 1, "does not follow from the file before it: one of them was changed, or lines are missing");
    } else if (last_ && !has_ended_before_ && !mark.mark.is_unsealed) {
      problem(at.name, 1, "the file before it has no end");
    }
    last_ = previous;
  }

  void check_end_mark(const ReadMark& mark, const CatalogFile& at, Progress& progress) {
    progress.has_ended = true;
    if (mark.mark.file != at.number || mark.mark.entries != progress.entries) {
      problem(at.name, progress.line,
              "counts " + std::to_string(mark.mark.entries) + " entries of file " + std::to_string(mark.mark.file));
    }
  }

  [[nodiscard]] bool is_signed(const ReadMark& mark) const {
    if (settings_.key.empty()) return true;
    std::string covered(last_ ? view_of(*last_) : std::string_view());
    covered.append(mark.signed_text);
    return view_of(sign(settings_.key, covered)) == mark.signature;
  }

  Result<void> check_end(env::File& file, std::uint64_t offset, const CatalogFile& at, const Progress& progress) {
    has_ended_before_ = progress.has_ended;
    const auto size = file.size_bytes();
    if (!size) return std::unexpected(size.error());
    if (settings_.live && settings_.live->file == at.number) {
      if (offset != settings_.live->size_bytes || last_ != settings_.live->last) {
        problem(at.name, 0, "is not what was written to it: lines are missing at its end");
      }
      return {};
    }
    if (state_ && at.number == state_->newest && !progress.is_known_to_state) {
      problem(at.name, 0, "is not what the state says of it: lines are missing at its end");
    }
    if (state_ && at.number == state_->newest && state_->is_closed && *size > state_->size_bytes) {
      problem(at.name, 0, "goes on behind the place where it was closed");
    } else if (offset != *size) {
      problem(at.name, progress.line + 1, "is no whole line: a process was killed while it wrote it, or it was put in");
    }
    return {};
  }

  env::FileSystem& files_;
  const VerifySettings& settings_;
  AuditVerification result_;
  std::vector<CatalogFile> catalog_;
  std::optional<State> state_;
  std::optional<Hex> last_;        ///< of the line before; none: it is not known
  bool has_ended_before_ = false;  ///< the file before has an end
  Sha256 sha256_;
};

}  // namespace

Result<AuditVerification> verify(env::FileSystem& files, const VerifySettings& settings) {
  return Verification(files, settings).run();
}

}  // namespace concord::audit

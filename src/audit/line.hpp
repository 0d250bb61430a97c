// The lines of an audit log.
//
//   file      := mark line* [mark]           audit_<date>.jsonl, audit_<date>_<unix seconds>.jsonl
//   line      := "{" text ",\"hash\":\"" hash "\"}" LF
//   hash      := SHA-256 of the hash of the line before (64 digits) and of all of this line before ",\"hash\"", as 64 hexadecimal
//                digits. The line before the first one of a file is the last one of the file before; before the first file: 64 times "0"
//   text of an entry, in this order, [] where it may be missing:
//     "timestamp" "event_id" "operation" ["key" | "key_b64" | "key_hash"] "result" ["error"] "user" "node" ["client"] ["revision"]
//     "metadata" ["trace_id" "span_id"]
//   text of a mark, which begins or ends a file:
//     "timestamp" "audit":"begin" "format":1 "file" "node" ["unsealed":true] "previous" "signature"
//     "timestamp" "audit":"end" "file" "entries" "signature"
//   signature := HMAC-SHA-256 with the log's key over the hash of the line before and all of this line before ",\"signature\""
//
// "file" counts the files of a log, from 1, for good. "previous" is the hash of the line before. "unsealed" says that the file before could not be ended: the node or its disk was
// stopped in the middle of it, or somebody has changed it. A timestamp is UTC with six digits behind the point, so it compares as text.
//
// Thread rule: pure functions; a `LineMaker` one thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "audit/digest.hpp"
#include "audit/record.hpp"
#include "base/random.hpp"

namespace concord::audit {

inline constexpr std::size_t timestamp_size = 27;
inline constexpr int format_number = 1;

/// "2026-02-03T04:05:06.789012Z", appended.
void append_timestamp(std::string& to, std::int64_t time_us);
/// "2026-02-03"
[[nodiscard]] std::string date_of(std::int64_t time_us);

/// How keys are shown.
struct LineStyle {
  std::string node;
  bool shows_keys = false;
};

class LineMaker {
 public:
  LineMaker(LineStyle style, std::uint64_t seed) : style_(std::move(style)), random_(seed) {}

  /// Appends the text of an entry: a line without its hash.
  void append_entry(std::string& to, const Record& record);

 private:
  void append_key(std::string& to, std::string_view name, std::string_view key);
  void append_shown_key(std::string& to, std::string_view key);
  void append_metadata(std::string& to, const Record& record);
  void append_event_id(std::string& to);

  LineStyle style_;
  base::Random random_;
  Sha256 sha256_;
};

struct Mark {
  bool is_begin = true;
  std::uint64_t file = 0;
  bool is_unsealed = false;   ///< begin
  std::uint64_t entries = 0;  ///< end
};

/// Appends the text of a mark, with its signature.
void append_mark(std::string& to, const Mark& mark, std::string_view node, std::int64_t time_us, const Hex& previous,
                 std::string_view key);

/// Completes the text that begins at `begin` to a line, and returns its hash.
Hex seal_line(std::string& to, std::size_t begin, const Hex& previous, Sha256& sha256);

/// A line, without its end, as it was read. Views it. Whatever the text is, nothing outside of it is read.
struct LineView {
  std::string_view text = {};       ///< all of it
  std::string_view hashed = {};     ///< what its hash covers
  std::string_view hash = {};       ///< as written
  std::string_view timestamp = {};  ///< all 27 letters
};

/// None: the text is no line of a log.
[[nodiscard]] std::optional<LineView> read_line(std::string_view text) noexcept;

/// Whether it begins or ends a file.
[[nodiscard]] bool is_mark(const LineView& line) noexcept;

struct ReadMark {
  Mark mark;
  std::string_view previous;  ///< begin
  std::string_view signature;
  std::string_view signed_text;  ///< what it covers, without the hash before it
};

/// None: the line is no mark.
[[nodiscard]] std::optional<ReadMark> read_mark(const LineView& line);

}  // namespace concord::audit

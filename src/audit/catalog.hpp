// The files of a log, by what their first lines say.
//
//   audit_2026-02-03.jsonl               of a day; written to, or the last one of that day
//   audit_2026-02-03_1770091445.jsonl    of a day, followed by another one of that day at that time (unix seconds)
//
// Thread rule: functions over a directory that may change meanwhile: a file that was renamed is found again by its number.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/line.hpp"
#include "env/file_system.hpp"

namespace concord::audit {

inline constexpr std::string_view suffix = ".jsonl";

[[nodiscard]] std::string day_name(std::string_view date);
[[nodiscard]] std::string rotated_name(std::string_view date, std::int64_t unix_s);
/// The day in the name of a file; none: it is none of a log's.
[[nodiscard]] std::optional<std::string_view> date_in(std::string_view name) noexcept;

struct CatalogFile {
  std::string name;
  std::uint64_t number = 0;  ///< 0: its first line is none that begins a file
  std::string first_timestamp = {};
};

/// By their numbers; those without one first. Errors: those of the files.
[[nodiscard]] Result<std::vector<CatalogFile>> read_catalog(env::FileSystem& files, const std::string& directory);

/// Opens it, under the name that it has now. Errors: not_found: it has gone.
[[nodiscard]] Result<std::unique_ptr<env::File>> open_file(env::FileSystem& files, const std::string& directory,
                                                           CatalogFile& file);

/// Lines of a file, from an offset on. An unfinished last line is none.
class ForwardLines {
 public:
  explicit ForwardLines(env::File& file, std::uint64_t offset = 0, std::uint64_t end = UINT64_MAX)
      : file_(file), read_to_(offset), end_(end), line_end_(offset) {}

  /// None at the end. The view is good until the next call.
  [[nodiscard]] Result<std::optional<std::string_view>> next();
  /// Of what `next` has given, with line ends.
  [[nodiscard]] std::uint64_t offset() const noexcept { return line_end_; }

 private:
  env::File& file_;
  std::uint64_t read_to_;
  std::uint64_t end_;
  std::uint64_t line_end_;
  std::string buffer_;
  std::size_t at_ = 0;
};

/// The same from the end to the beginning.
class BackwardLines {
 public:
  BackwardLines(env::File& file, std::uint64_t size_bytes) : file_(file), unread_(size_bytes) {}

  [[nodiscard]] Result<std::optional<std::string_view>> next();

 private:
  [[nodiscard]] Result<void> read_block();

  env::File& file_;
  std::uint64_t unread_;  ///< bytes before those in `buffer_`
  std::string buffer_;
  std::string given_;
  bool is_begun_ = false;
};

}  // namespace concord::audit

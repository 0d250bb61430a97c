// Finds entries in the files of a log.
//
// Lines are looked at as text: their members stand in one order, so most lines are let go after the first two or three. Times never go
// back from line to line, so what lies outside of them is not read at all.
//
// Thread rule: functions; the files may be written to, renamed and removed meanwhile.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <concord/audit_log.hpp>

#include "audit/catalog.hpp"
#include "audit/line.hpp"

namespace concord::audit {

/// What an `AuditQuery` asks for, as it stands in the lines.
struct Filter {
  std::string operation;
  std::string user;
  std::string result;
  std::string from;  ///< timestamps; empty: no bound
  std::string to;

  /// Precondition: the line is no mark, and its timestamp is within the bounds.
  [[nodiscard]] bool matches(const LineView& line) const noexcept;
};

/// Errors: invalid_request: a limit below 1 or above 10 000, a result that there is not.
[[nodiscard]] Result<Filter> filter_of(const AuditQuery& query);

/// Whoever looks for something: where, and whether to go on.
struct Place {
  env::FileSystem& files;
  const std::string& directory;
  const std::atomic<bool>& is_stopped;
};

/// Up to `limit` lines, newest first. Errors: cluster_not_ready (stopped), and those of the files.
[[nodiscard]] Result<std::vector<std::string>> find_newest(const Place& place, const Filter& filter, std::size_t limit);

using VisitLine = std::function<bool(std::string_view)>;

/// Lines, oldest first, piece by piece. Thread rule: one thread at a time; what `Place` refers to outlives it.
class LineSearch {
 public:
  [[nodiscard]] static Result<LineSearch> begin(const Place& place, Filter filter);

  /// Looks at up to `most_lines` more and visits those that match. False: there are no more, or `visit` has had enough.
  [[nodiscard]] Result<bool> step(std::size_t most_lines, const VisitLine& visit);

 private:
  LineSearch(const Place& place, Filter filter, std::vector<CatalogFile> catalog)
      : place_(place), filter_(std::move(filter)), catalog_(std::move(catalog)) {}

  [[nodiscard]] Result<bool> open_next();

  Place place_;
  Filter filter_;
  std::vector<CatalogFile> catalog_;
  std::size_t next_ = 0;
  std::unique_ptr<env::File> file_;
  std::optional<ForwardLines> lines_;
};

/// Errors: internal: it is no entry.
[[nodiscard]] Result<AuditEntry> entry_of(std::string_view line);

}  // namespace concord::audit

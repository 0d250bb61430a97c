// The audit log: who did what, when, from where, and what came of it; a file a day, of one JSON object a line.
//
//     auto node = concord::Node::open({.audit_log = {.enabled = true, .log_dir = "/var/log/concord"}});
//     concord::AuditLog audit(*node);
//     const auto deletions = audit.query({.operation = "delete", .limit = 50});
//     for (const concord::AuditEntry& entry : *deletions)
//       std::cout << entry.timestamp << ' ' << entry.user << ' ' << entry.key_hash << '\n';
//     audit.log({.operation = "data_import", .key = "batch:1", .metadata = {{"records", 5000}}});
//     if (auto checked = audit.verify(); checked && !checked->valid) alarm("somebody has changed the files");
//
// Written is every call that changes something and every call of an administrator, whether it succeeds or not, and every call that is
// refused for its token; calls that only read with `AuditLogOptions::log_reads`. Each node writes what is asked of it, into a directory
// of its own: of a cluster, ask all. The secret of a token is never written, only its id.
//
// Each line holds the SHA-256 of the line before it and of itself, each file begins and ends with a signed line, and a signed state
// beside the files says where the log is: `verify` finds any line or file that was changed, removed or put in between. What the
// signature is worth depends on who can read its key (docs/audit.md).
//
// Entries are written by a thread of their own, some milliseconds after the call, and reach the disk within a fifth of a second. When
// more wait than fit the buffer, calls wait before they begin, up to their timeout; then they are refused and nothing is done.
//
// All calls need the permission `admin`. Errors: not_found when there is no audit log (`AuditLogOptions::enabled`), and those of every
// call. Thread rule: any thread; the store outlives the calls.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include <concord/error.hpp>
#include <concord/export.hpp>
#include <concord/options.hpp>
#include <concord/revision.hpp>

namespace concord {

class Store;

/// One entry as it was written. Texts are empty where there is nothing to tell.
struct AuditEntry {
  std::string timestamp = {};  ///< "2026-02-03T04:05:06.789012Z"; never goes back within a node
  std::string event_id = {};   ///< A UUID.
  std::string operation = {};  ///< "put", "put_if", "put_many", "txn", "token_create", ...
  std::string key = {};        ///< With `AuditLogOptions::sensitive_keys`; of an entry that was logged by hand too.
  std::string key_hash = {};   ///< "sha256:" and 64 hexadecimal digits; else.
  std::string result = {};     ///< "ok", "not_found", "unauthorized", "forbidden", "error"
  std::string error = {};      ///< The name of its code, "CONDITION_FAILED", when it failed.
  std::string user = {};       ///< "token:<id>", "anonymous", "system"
  std::string node = {};
  std::string client = {};           ///< Address of who called over HTTP.
  std::optional<Revision> revision;  ///< Of what it changed.
  std::string trace_id = {};         ///< When it was traced.
  std::string span_id = {};
  boost::json::object metadata = {};  ///< What else there is to say: "has_ttl", "ttl_seconds", "keys", ...
  std::string line = {};              ///< The JSON text that all of this was read from.
};

/// Which entries. All that is given must hold.
struct AuditQuery {
  std::string operation = {};
  std::string user = {};
  std::string result = {};  ///< "error": whatever failed, "unauthorized" and "forbidden" too.
  std::optional<std::chrono::system_clock::time_point> from = {};  ///< Inclusive, as `to`.
  std::optional<std::chrono::system_clock::time_point> to = {};
  std::size_t limit = 100;  ///< 1 to 10 000; of an export: none.
};

/// An entry of the host's own.
struct NewAuditEntry {
  std::string operation = {};         ///< 1 to 64 of a-z, 0-9, "_", "." and "-"; not "audit..."
  std::string key = {};               ///< UTF-8 of at most 1024 bytes; written as other keys are.
  std::string result = "ok";          ///< As those of `AuditEntry`.
  boost::json::object metadata = {};  ///< At most 4096 bytes of JSON text.
};

struct AuditStats {
  bool enabled = false;
  std::uint64_t current_log_size = 0;  ///< Bytes of the file that is written to.
  std::uint64_t total_size = 0;        ///< Bytes of all files.
  std::string log_dir = {};
  std::uint64_t files = 0;
  std::uint64_t entries = 0;  ///< Written since the node was opened.
  std::uint64_t queued = 0;   ///< Bytes that wait to be written.
  std::uint64_t dropped =
      0;  ///< Entries lost since the node was opened: `AuditFull::drop`, or more refusals than are written.
  std::string problem = {};  ///< Why nothing can be written; empty: it can.
};

/// What `verify` has found.
struct AuditProblem {
  std::string file = {};   ///< Its name; empty: of the log as a whole.
  std::uint64_t line = 0;  ///< From 1; 0: of the file as a whole.
  std::string what = {};
};

struct AuditVerification {
  bool valid = false;
  std::uint64_t files = 0;
  std::uint64_t entries = 0;
  std::vector<AuditProblem> problems = {};  ///< At most 100.
};

class CONCORD_API AuditLog {
 public:
  explicit AuditLog(Store& store) noexcept : store_(&store) {}

  /// Those of the node that is asked, newest first.
  Result<std::vector<AuditEntry>> query(const AuditQuery& query = {}, const ReadOptions& options = {});
  /// Writes the lines to a new file, readable by its owner only, oldest first; how many there were. `limit` does not count.
  /// Errors: already_exists; storage_full, storage_failed of that file.
  Result<std::uint64_t> export_to(const std::string& path, const AuditQuery& query = {},
                                  const ReadOptions& options = {});
  /// Adds an entry.
  Result<void> log(const NewAuditEntry& entry, const WriteOptions& options = {});
  /// Begins a new file.
  Result<void> rotate(const WriteOptions& options = {});
  /// Removes files older than `AuditLogOptions::retention`; how many. The node does so by itself once an hour.
  Result<std::uint64_t> cleanup(const WriteOptions& options = {});
  Result<AuditStats> stats(const ReadOptions& options = {});
  /// Reads all files of the node. Takes a second for some hundred megabytes: mind the timeout.
  Result<AuditVerification> verify(const ReadOptions& options = {});

 private:
  Store* store_;
};

}  // namespace concord

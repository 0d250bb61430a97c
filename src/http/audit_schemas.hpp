// The schemas of /api/v1/audit.
#pragma once

#include <array>
#include <string_view>

#include "http/schemas.hpp"

namespace concord::http::schemas {

inline constexpr std::array<std::string_view, 5> audit_results = {"ok", "not_found", "unauthorized", "forbidden",
                                                                  "error"};
inline constexpr Schema audit_result = {.shape = Shape::text, .values = audit_results};
inline constexpr Schema given_time = {
    .shape = Shape::text, .description = "RFC 3339: `2026-02-03T04:05:06Z`; or a day of UTC.", .min_length = 1};
inline constexpr Schema audit_limit = {.shape = Shape::integer, .minimum = 1, .maximum = 10'000};
inline constexpr Schema audit_operation = {.shape = Shape::text, .pattern = "^[a-z0-9_.-]{1,64}$", .min_length = 1};
inline constexpr Schema metadata = {
    .shape = Shape::map, .description = "Whatever else there is to say.", .items = &any_value};

inline constexpr std::array audit_entry_fields = {
    Field{.name = "timestamp", .schema = &timestamp, .required = true},
    Field{.name = "event_id", .schema = &text, .required = true},
    Field{.name = "operation", .schema = &text, .required = true},
    Field{.name = "key", .schema = &text, .description = "With `audit_log.sensitive_keys`."},
    Field{.name = "key_b64", .schema = &text, .description = "The same of a key that is not UTF-8."},
    Field{.name = "key_hash", .schema = &text, .description = "`sha256:` and the SHA-256 of the key; else."},
    Field{.name = "result", .schema = &audit_result, .required = true},
    Field{.name = "error", .schema = &text, .description = "The code of what failed."},
    Field{.name = "user", .schema = &text, .description = "`token:<id>`, `anonymous` or `system`.", .required = true},
    Field{.name = "node", .schema = &text, .required = true},
    Field{.name = "client", .schema = &text, .description = "Address of who called."},
    Field{.name = "revision", .schema = &count, .description = "Of what it changed."},
    Field{.name = "metadata", .schema = &metadata, .required = true},
    Field{.name = "trace_id", .schema = &text},
    Field{.name = "span_id", .schema = &text},
    Field{.name = "hash", .schema = &text, .description = "Of the line before and this one.", .required = true}};
inline constexpr Schema audit_entry = {.shape = Shape::object, .name = "AuditEntry", .fields = audit_entry_fields};
inline constexpr Schema audit_entry_list = {.shape = Shape::array, .items = &audit_entry};
inline constexpr std::array audit_entries_fields = {
    Field{.name = "entries", .schema = &audit_entry_list, .description = "Newest first.", .required = true}};
inline constexpr Schema audit_entries = {
    .shape = Shape::object, .name = "AuditEntries", .fields = audit_entries_fields};

inline constexpr std::array new_audit_entry_fields = {
    Field{.name = "operation",
          .schema = &audit_operation,
          .description = "Not one that begins with `audit`.",
          .required = true},
    Field{.name = "key", .schema = &text},
    Field{.name = "result", .schema = &audit_result, .description = "`ok` unless said."},
    Field{.name = "metadata", .schema = &metadata, .description = "At most 4096 bytes."}};
inline constexpr Schema new_audit_entry = {
    .shape = Shape::object,
    .name = "NewAuditEntry",
    .fields = new_audit_entry_fields,
    .example = R"({"operation": "data_import", "key": "batch:20251023", "metadata": {"records_imported": 5000}})"};

inline constexpr std::array audit_stats_fields = {
    Field{.name = "enabled", .schema = &boolean, .required = true},
    Field{.name = "current_log_size",
          .schema = &count,
          .description = "Bytes of the file that is written to.",
          .required = true},
    Field{.name = "total_size", .schema = &count, .description = "Bytes of all files.", .required = true},
    Field{.name = "log_dir", .schema = &text, .required = true},
    Field{.name = "files", .schema = &count, .required = true},
    Field{.name = "entries", .schema = &count, .description = "Written since the node was started.", .required = true},
    Field{.name = "queued", .schema = &count, .description = "Bytes that wait to be written.", .required = true},
    Field{.name = "dropped", .schema = &count, .description = "Entries that were not written.", .required = true},
    Field{.name = "problem", .schema = &text, .description = "Why nothing can be written."}};
inline constexpr Schema audit_stats = {.shape = Shape::object, .name = "AuditStats", .fields = audit_stats_fields};

inline constexpr std::array audit_problem_fields = {
    Field{.name = "file", .schema = &text, .description = "Empty: of the log as a whole.", .required = true},
    Field{.name = "line", .schema = &count, .description = "From 1; 0: of the file as a whole.", .required = true},
    Field{.name = "problem", .schema = &text, .required = true}};
inline constexpr Schema audit_problem = {.shape = Shape::object, .fields = audit_problem_fields};
inline constexpr Schema audit_problem_list = {.shape = Shape::array, .items = &audit_problem};
inline constexpr std::array audit_verification_fields = {
    Field{.name = "valid", .schema = &boolean, .required = true},
    Field{.name = "files", .schema = &count, .required = true},
    Field{.name = "entries", .schema = &count, .required = true},
    Field{.name = "problems", .schema = &audit_problem_list, .description = "At most 100.", .required = true}};
inline constexpr Schema audit_verification = {
    .shape = Shape::object, .name = "AuditVerification", .fields = audit_verification_fields};
inline constexpr std::array audit_removed_fields = {
    Field{.name = "removed", .schema = &count, .description = "Files.", .required = true}};
inline constexpr Schema audit_removed = {.shape = Shape::object, .fields = audit_removed_fields};

}  // namespace concord::http::schemas

// The schemas of /api/v1/backups: constants, as in schemas.hpp.
#pragma once

#include <array>

#include "http/schemas.hpp"

namespace concord::http::schemas {

inline constexpr Schema backup_name = {.shape = Shape::text,
                                       .description = "A plain file name that ends with `.backup`.",
                                       .pattern = R"(^[A-Za-z0-9_-][A-Za-z0-9._-]{0,191}\.backup$)",
                                       .min_length = 8};
inline constexpr std::array backup_fields = {
    Field{.name = "name", .schema = &text, .required = true},
    Field{.name = "path", .schema = &text, .description = "On the node that has it.", .required = true},
    Field{.name = "size", .schema = &count, .description = "Bytes.", .required = true},
    Field{.name = "entry_count", .schema = &count, .required = true},
    Field{.name = "revision", .schema = &count, .description = "Whose state it is.", .required = true},
    Field{.name = "created_at", .schema = &text, .required = true},
    Field{.name = "sha256", .schema = &text, .description = "Of the file, in hexadecimal digits.", .required = true},
    Field{.name = "node", .schema = &text, .description = "That made it.", .required = true},
    Field{.name = "version", .schema = &text, .description = "Of the program that made it.", .required = true},
    Field{.name = "id", .schema = &text, .required = true},
    Field{.name = "cluster", .schema = &text, .required = true}};
inline constexpr Schema backup = {.shape = Shape::object, .name = "Backup", .fields = backup_fields};
inline constexpr Schema backup_list = {.shape = Shape::array, .items = &backup};
inline constexpr Schema text_list = {.shape = Shape::array, .items = &text};
inline constexpr std::array backups_fields = {
    Field{.name = "backups", .schema = &backup_list, .description = "The newest first.", .required = true},
    Field{.name = "damaged", .schema = &text_list, .description = "Files that should be backups and can't be read."}};
inline constexpr Schema backups = {.shape = Shape::object, .name = "Backups", .fields = backups_fields};
inline constexpr std::array verdict_fields = {
    Field{.name = "valid", .schema = &boolean, .required = true},
    Field{.name = "reason", .schema = &text, .description = "When it is not."}};
inline constexpr Schema verdict = {.shape = Shape::object, .name = "BackupVerdict", .fields = verdict_fields};
inline constexpr Schema restore_prefixes = {
    .shape = Shape::array,
    .description = "Only keys that begin with one of these are replaced, at most 64; none: all keys.",
    .items = &token_prefix};
inline constexpr std::array new_restore_fields = {
    Field{.name = "confirm", .schema = &boolean, .description = "Must be true.", .required = true},
    Field{.name = "prefixes", .schema = &restore_prefixes},
    Field{.name = "with_tokens",
          .schema = &boolean,
          .description = "Adds the tokens of the backup that are not there; else tokens stay as they are."}};
inline constexpr Schema new_restore = {
    .shape = Shape::object, .name = "NewRestore", .fields = new_restore_fields, .example = R"({"confirm": true})"};
inline constexpr std::array restored_fields = {
    Field{.name = "entry_count", .schema = &count, .description = "Keys that were restored.", .required = true}};
inline constexpr Schema restored = {.shape = Shape::object, .name = "Restored", .fields = restored_fields};
inline constexpr Schema kept_number = {.shape = Shape::integer, .maximum = 1'000'000'000};
inline constexpr std::array new_cleanup_fields = {
    Field{.name = "keep_count", .schema = &kept_number, .description = "So many of the newest are kept."},
    Field{.name = "keep_days", .schema = &kept_number, .description = "Those no older than so many days are kept."}};
inline constexpr Schema new_cleanup = {.shape = Shape::object,
                                       .name = "NewCleanup",
                                       .fields = new_cleanup_fields,
                                       .example = R"({"keep_count": 5, "keep_days": 7})"};
inline constexpr std::array cleaned_fields = {Field{.name = "deleted", .schema = &count, .required = true}};
inline constexpr Schema cleaned = {.shape = Shape::object, .name = "Cleaned", .fields = cleaned_fields};

}  // namespace concord::http::schemas

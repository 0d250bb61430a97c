// The schemas of the API's bodies, answers and parameters: constants, shared by the routes that use them.
#pragma once

#include <array>
#include <string_view>

#include "command/limits.hpp"
#include "command/token.hpp"
#include "http/page_limit.hpp"
#include "http/schema.hpp"

namespace concord::http::schemas {

// Single values ------------------------------------------------------------------------------------------------------

inline constexpr Schema any_value = {.description = "Any JSON value; a string of base64 when `encoding` says so."};
inline constexpr Schema text = {.shape = Shape::text};
inline constexpr Schema boolean = {.shape = Shape::boolean};
inline constexpr Schema count = {.shape = Shape::integer};
inline constexpr Schema positive = {.shape = Shape::integer, .minimum = 1};
inline constexpr Schema regular_expression = {.shape = Shape::text, .format = "regex"};
/// Padded base64 of at least one byte.
inline constexpr std::string_view base64_pattern =
    "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{4}|[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)$";
inline constexpr std::array<std::string_view, 1> base64_only = {"base64"};
/// Padded base64, also of nothing.
inline constexpr std::string_view encoded_pattern =
    "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$";
inline constexpr Schema encoding = {.shape = Shape::text, .values = base64_only};
inline constexpr Schema key = {.shape = Shape::text, .description = "1 to 1024 bytes of UTF-8.", .min_length = 1};
inline constexpr Schema key_b64 = {.shape = Shape::text,
                                   .description = "The key's bytes as base64, for a key that is not UTF-8.",
                                   .pattern = base64_pattern,
                                   .min_length = 4};
inline constexpr Schema ttl = {
    .shape = Shape::integer, .description = "Seconds.", .minimum = 1, .maximum = command::max_ttl_s};
inline constexpr Schema ttl_or_null = {.shape = Shape::integer,
                                       .description = "Seconds; null: it does not expire.",
                                       .nullable = true,
                                       .minimum = 1,
                                       .maximum = command::max_ttl_s};
inline constexpr Schema page_limit = {.shape = Shape::integer, .minimum = 1, .maximum = max_page_limit};
inline constexpr Schema filter = {.shape = Shape::map,
                                  .name = "Filter",
                                  .description = "A filter document: a predicate on the value, see docs/queries.md.",
                                  .items = &any_value,
                                  .example = R"({"age": {"$gte": 18}})"};
inline constexpr Schema cursor = {
    .shape = Shape::text, .description = "Where the next page begins; null at the end.", .nullable = true};
inline constexpr Schema given_cursor = {.shape = Shape::text, .min_length = 1};
inline constexpr std::array<std::string_view, 2> key_choice = {"key", "key_b64"};
inline constexpr std::array only_one_condition = {ExclusiveFields{"expected", "condition"}};
inline constexpr std::array only_one_ttl = {ExclusiveFields{"ttl", "keep_ttl"}};
inline constexpr std::array only_one_ttl_and_condition = {ExclusiveFields{"ttl", "keep_ttl"},
                                                          ExclusiveFields{"expected", "condition"}};
inline constexpr std::array only_one_range = {ExclusiveFields{"range", "start"}, ExclusiveFields{"range", "end"}};

inline constexpr Field key_field = {.name = "key", .schema = &key};
inline constexpr Field key_b64_field = {.name = "key_b64", .schema = &key_b64};
inline constexpr Field value_field = {.name = "value", .schema = &any_value, .required = true};
inline constexpr Field encoding_field = {
    .name = "encoding", .schema = &encoding, .description = "The value is given as base64 and stored as bytes."};
inline constexpr Field ttl_field = {.name = "ttl", .schema = &ttl_or_null};
inline constexpr Field keep_ttl_field = {
    .name = "keep_ttl", .schema = &boolean, .description = "Keeps the remaining time the key has. Not beside `ttl`."};
inline constexpr Field compress_field = {
    .name = "compress", .schema = &boolean, .description = "Whether to compress the value; else its size decides."};
inline constexpr Field expected_field = {.name = "expected",
                                         .schema = &any_value,
                                         .description = "The value must be equal to this. Not beside `condition`."};
inline constexpr Field expected_encoding_field = {
    .name = "expected_encoding", .schema = &encoding, .description = "`expected` is given as base64."};
inline constexpr Field condition_field = {
    .name = "condition", .schema = &filter, .description = "The value must match. Not beside `expected`."};

// One key ------------------------------------------------------------------------------------------------------------

inline constexpr std::array put_fields = {
    value_field,    encoding_field,          ttl_field,      keep_ttl_field, compress_field,
    expected_field, expected_encoding_field, condition_field};
inline constexpr Schema put = {.shape = Shape::object,
                               .name = "Put",
                               .fields = put_fields,
                               .exclusive = only_one_ttl_and_condition,
                               .example = R"({"value": {"name": "Ada"}, "ttl": 3600})"};

inline constexpr std::array delete_fields = {expected_field, expected_encoding_field, condition_field};
inline constexpr Schema remove = {.shape = Shape::object,
                                  .name = "Delete",
                                  .fields = delete_fields,
                                  .exclusive = only_one_condition,
                                  .example = R"({"expected": {"name": "Ada"}})"};

inline constexpr Field required_ttl_field = {.name = "ttl", .schema = &ttl, .required = true};
inline constexpr std::array touch_fields = {required_ttl_field};
inline constexpr Schema touch = {
    .shape = Shape::object, .name = "Touch", .fields = touch_fields, .example = R"({"ttl": 60})"};

inline constexpr Field revision_field = {.name = "revision", .schema = &count, .description = "Of the last change."};
inline constexpr Field create_revision_field = {.name = "create_revision", .schema = &count};
inline constexpr Field version_field = {
    .name = "version", .schema = &count, .description = "Changes since it was created."};
inline constexpr std::array got_fields = {value_field,    encoding_field,        ttl_field,
                                          revision_field, create_revision_field, version_field};
inline constexpr Schema got = {.shape = Shape::object, .name = "Got", .fields = got_fields};

inline constexpr Field shown_ttl_field = {.name = "ttl", .schema = &ttl_or_null, .required = true};
inline constexpr std::array shown_ttl_fields = {shown_ttl_field};
inline constexpr Schema shown_ttl = {.shape = Shape::object, .name = "Ttl", .fields = shown_ttl_fields};

// Many keys ----------------------------------------------------------------------------------------------------------

inline constexpr std::array bulk_put_fields = {key_field, key_b64_field,  value_field,   encoding_field,
                                               ttl_field, keep_ttl_field, compress_field};
inline constexpr Schema bulk_put_item = {.shape = Shape::object,
                                         .name = "BulkPutOperation",
                                         .fields = bulk_put_fields,
                                         .one_of = key_choice,
                                         .exclusive = only_one_ttl};
inline constexpr Schema bulk_put_list = {
    .shape = Shape::array, .items = &bulk_put_item, .min_items = 1, .max_items = command::max_batch};
inline constexpr std::array bulk_put_body_fields = {
    Field{.name = "operations", .schema = &bulk_put_list, .required = true}};
inline constexpr Schema bulk_put = {
    .shape = Shape::object,
    .name = "BulkPut",
    .fields = bulk_put_body_fields,
    .example = R"({"operations": [{"key": "a", "value": 1}, {"key": "b", "value": 2}]})"};

inline constexpr std::array bulk_touch_fields = {key_field, key_b64_field, required_ttl_field};
inline constexpr Schema bulk_touch_item = {
    .shape = Shape::object, .name = "BulkTouchOperation", .fields = bulk_touch_fields, .one_of = key_choice};
inline constexpr Schema bulk_touch_list = {
    .shape = Shape::array, .items = &bulk_touch_item, .min_items = 1, .max_items = command::max_batch};
inline constexpr std::array bulk_touch_body_fields = {
    Field{.name = "operations", .schema = &bulk_touch_list, .required = true}};
inline constexpr Schema bulk_touch = {.shape = Shape::object,
                                      .name = "BulkTouch",
                                      .fields = bulk_touch_body_fields,
                                      .example = R"({"operations": [{"key": "a", "ttl": 60}]})"};

inline constexpr Schema keys = {.shape = Shape::array, .items = &key, .min_items = 1, .max_items = command::max_batch};
inline constexpr Schema keys_b64 = {
    .shape = Shape::array, .items = &key_b64, .min_items = 1, .max_items = command::max_batch};
inline constexpr Field keys_field = {.name = "keys", .schema = &keys};
inline constexpr Field keys_b64_field = {.name = "keys_b64", .schema = &keys_b64};
inline constexpr std::array<std::string_view, 2> keys_choice = {"keys", "keys_b64"};
inline constexpr std::array bulk_delete_fields = {keys_field, keys_b64_field};
inline constexpr Schema bulk_delete = {.shape = Shape::object,
                                       .name = "BulkDelete",
                                       .fields = bulk_delete_fields,
                                       .one_of = keys_choice,
                                       .example = R"({"keys": ["a", "b"]})"};
inline constexpr std::array bulk_get_fields = {keys_field, keys_b64_field,
                                               Field{.name = "with_ttl", .schema = &boolean}};
inline constexpr Schema bulk_get = {.shape = Shape::object,
                                    .name = "BulkGet",
                                    .fields = bulk_get_fields,
                                    .one_of = keys_choice,
                                    .example = R"({"keys": ["a", "b"], "with_ttl": true})"};

inline constexpr std::array<std::string_view, 2> item_statuses = {"ok", "error"};
inline constexpr Schema item_status = {.shape = Shape::text, .values = item_statuses};
inline constexpr std::array<std::string_view, 1> item_errors = {"not_found"};
inline constexpr Schema item_error = {.shape = Shape::text, .values = item_errors};
inline constexpr Field item_status_field = {.name = "status", .schema = &item_status, .required = true};
inline constexpr Field item_error_field = {.name = "error", .schema = &item_error};
inline constexpr std::array bulk_result_fields = {key_field, key_b64_field, item_status_field, item_error_field};
inline constexpr Schema bulk_result = {
    .shape = Shape::object, .name = "BulkResult", .fields = bulk_result_fields, .one_of = key_choice};
inline constexpr Schema bulk_results = {.shape = Shape::array, .items = &bulk_result};

inline constexpr Field some_value_field = {.name = "value", .schema = &any_value};
inline constexpr std::array bulk_got_fields = {item_status_field,     item_error_field, some_value_field,
                                               encoding_field,        ttl_field,        revision_field,
                                               create_revision_field, version_field};
inline constexpr Schema bulk_got = {.shape = Shape::object, .name = "BulkGot", .fields = bulk_got_fields};
inline constexpr Schema bulk_gots = {
    .shape = Shape::map, .description = "By key; when the keys were given as base64, by that.", .items = &bulk_got};

// Lists and queries --------------------------------------------------------------------------------------------------

inline constexpr std::array listed_fields = {key_field, key_b64_field,  some_value_field,      encoding_field,
                                             ttl_field, revision_field, create_revision_field, version_field};
inline constexpr Schema listed = {
    .shape = Shape::object, .name = "Listed", .fields = listed_fields, .one_of = key_choice};
inline constexpr Schema listed_page = {.shape = Shape::array, .items = &listed};

inline constexpr std::array<std::string_view, 3> selects = {"keys", "pairs", "count"};
inline constexpr Schema select = {.shape = Shape::text, .values = selects};
inline constexpr Schema range = {.shape = Shape::array, .items = &text, .min_items = 2, .max_items = 2};
inline constexpr Field prefix_field = {.name = "prefix", .schema = &text};
inline constexpr Field suffix_field = {.name = "suffix", .schema = &text};
inline constexpr Field contains_field = {.name = "contains", .schema = &text};
inline constexpr Field pattern_field = {.name = "pattern",
                                        .schema = &regular_expression,
                                        .description = "A regular expression (RE2), searched in the key."};
inline constexpr Field range_field = {
    .name = "range", .schema = &range, .description = "The first and the last key, both included."};
inline constexpr Field start_field = {.name = "start", .schema = &text, .description = "The first key, included."};
inline constexpr Field end_field = {.name = "end", .schema = &text, .description = "The last key, included."};
inline constexpr Field filter_field = {.name = "filter", .schema = &filter};
/// Which keys are meant, in every query.
inline constexpr std::array selector_fields = {prefix_field, suffix_field, contains_field, pattern_field,
                                               range_field,  start_field,  end_field,      filter_field};
inline constexpr auto selectors = names_of(selector_fields);
inline constexpr auto query_fields = joined(
    selector_fields,
    std::array{
        Field{.name = "limit", .schema = &positive, .description = "100 unless said; a page holds at most 1000."},
        Field{.name = "offset", .schema = &count},
        Field{.name = "cursor", .schema = &given_cursor, .description = "`next_cursor` of the page before."},
        Field{.name = "select", .schema = &select, .description = "`pairs` unless said."}});
inline constexpr Schema query = {.shape = Shape::object,
                                 .name = "Query",
                                 .fields = query_fields,
                                 .exclusive = only_one_range,
                                 .example = R"({"prefix": "user:", "filter": {"age": {"$gte": 18}}, "limit": 10})"};
inline constexpr auto query_delete_fields = joined(
    selector_fields,
    std::array{Field{.name = "limit", .schema = &positive, .description = "Removes that many, in the order of keys."}});
inline constexpr Schema query_delete = {.shape = Shape::object,
                                        .name = "QueryDelete",
                                        .description = "At least one selector.",
                                        .fields = query_delete_fields,
                                        .some_of = selectors,
                                        .exclusive = only_one_range,
                                        .example = R"({"prefix": "session:"})"};

inline constexpr Schema shown_key = {.description = "The key; an object `{\"key_b64\"}` for one that is not UTF-8."};
inline constexpr Schema shown_keys = {.shape = Shape::array, .items = &shown_key};
inline constexpr Field next_cursor_field = {.name = "next_cursor", .schema = &cursor};
inline constexpr std::array query_result_fields = {Field{.name = "keys", .schema = &shown_keys},
                                                   Field{.name = "pairs", .schema = &listed_page},
                                                   Field{.name = "count", .schema = &count}, next_cursor_field};
inline constexpr Schema query_result = {.shape = Shape::object,
                                        .name = "QueryResult",
                                        .description = "Of `keys`, `pairs`, `count` that which was selected.",
                                        .fields = query_result_fields};
inline constexpr std::array deleted_fields = {Field{.name = "deleted", .schema = &count, .required = true}};
inline constexpr Schema deleted = {.shape = Shape::object, .name = "Deleted", .fields = deleted_fields};

// Transactions -------------------------------------------------------------------------------------------------------

inline constexpr std::array<std::string_view, 4> guard_choice = {"expected", "revision", "exists", "condition"};
inline constexpr std::array guard_fields = {
    key_field,
    key_b64_field,
    expected_field,
    expected_encoding_field,
    Field{.name = "revision", .schema = &count, .description = "The key's last change had this revision."},
    Field{.name = "exists", .schema = &boolean},
    condition_field};
inline constexpr Schema guard = {.shape = Shape::object,
                                 .name = "Guard",
                                 .description =
                                     "Besides the key exactly one of `expected`, `revision`, `exists` and "
                                     "`condition`. Of a missing key only `\"exists\": false` holds.",
                                 .fields = guard_fields,
                                 .one_of = key_choice,
                                 .one_condition_of = guard_choice};
inline constexpr Schema guards = {.shape = Shape::array, .items = &guard, .max_items = command::max_batch};

inline constexpr std::array<std::string_view, 4> operation_kinds = {"put", "delete", "touch", "get"};
inline constexpr Schema operation_kind = {.shape = Shape::text, .values = operation_kinds};
inline constexpr Field operation_kind_field = {.name = "op", .schema = &operation_kind, .required = true};
inline constexpr std::array operation_fields = {
    operation_kind_field, key_field,
    key_b64_field,        Field{.name = "value", .schema = &any_value, .description = "put"},
    encoding_field,       Field{.name = "ttl", .schema = &ttl_or_null, .description = "put, touch"},
    keep_ttl_field,       compress_field};
inline constexpr std::array<std::string_view, 1> of_a_put = {"value"};
inline constexpr std::array<std::string_view, 1> of_a_touch = {"ttl"};
inline constexpr std::array<std::string_view, 4> not_of_a_touch = {"value", "encoding", "keep_ttl", "compress"};
inline constexpr std::array<std::string_view, 5> not_of_a_key_alone = {"value", "encoding", "keep_ttl", "compress",
                                                                       "ttl"};
inline constexpr std::array operation_variants = {
    Variant{.field = "op", .value = "put", .required = of_a_put},
    Variant{
        .field = "op", .value = "touch", .required = of_a_touch, .forbidden = not_of_a_touch, .not_null = of_a_touch},
    Variant{.field = "op", .value = "delete", .forbidden = not_of_a_key_alone},
    Variant{.field = "op", .value = "get", .forbidden = not_of_a_key_alone}};
inline constexpr Schema operation = {.shape = Shape::object,
                                     .name = "Operation",
                                     .description = "A put has a value, a touch a ttl; delete and get have a key only.",
                                     .fields = operation_fields,
                                     .one_of = key_choice,
                                     .variants = operation_variants,
                                     .exclusive = only_one_ttl};
inline constexpr Schema operations = {.shape = Shape::array, .items = &operation, .max_items = command::max_batch};
inline constexpr std::array transaction_fields = {
    Field{.name = "guards", .schema = &guards},
    Field{.name = "then", .schema = &operations, .description = "Runs when all guards hold."},
    Field{.name = "else", .schema = &operations, .description = "Runs when one does not."}};
inline constexpr Schema transaction = {
    .shape = Shape::object,
    .name = "Transaction",
    .fields = transaction_fields,
    .example = R"({"guards": [{"key": "acct:1", "expected": 100}], )"
               R"("then": [{"op": "put", "key": "acct:1", "value": 60}, {"op": "put", "key": "acct:2", "value": 40}], )"
               R"("else": [{"op": "get", "key": "acct:1"}]})"};

inline constexpr std::array<std::string_view, 2> operation_statuses = {"ok", "not_found"};
inline constexpr Schema operation_status = {.shape = Shape::text, .values = operation_statuses};
inline constexpr std::array operation_result_fields = {
    operation_kind_field, key_field,
    key_b64_field,        Field{.name = "status", .schema = &operation_status, .required = true},
    some_value_field,     encoding_field,
    revision_field};
inline constexpr Schema operation_result = {
    .shape = Shape::object, .name = "OperationResult", .fields = operation_result_fields, .one_of = key_choice};
inline constexpr Schema operation_results = {.shape = Shape::array, .items = &operation_result};
inline constexpr std::array transaction_result_fields = {
    Field{.name = "succeeded", .schema = &boolean, .required = true},
    Field{.name = "results", .schema = &operation_results, .required = true},
    Field{.name = "revision", .schema = &count, .description = "With `meta`: the store's."},
    Field{.name = "failed_guard",
          .schema = &count,
          .description = "With `meta`: position of the first guard that did not hold."},
    Field{.name = "key_missing", .schema = &boolean, .description = "With `meta`: because its key is missing."}};
inline constexpr Schema transaction_result = {
    .shape = Shape::object, .name = "TransactionResult", .fields = transaction_result_fields};

// Events -------------------------------------------------------------------------------------------------------------

inline constexpr Schema event_types = {
    .shape = Shape::text,
    .pattern =
        "^(put|delete|touch|expire|put_many|delete_many|touch_many|txn|restored|get|get_many)"
        "(,(put|delete|touch|expire|put_many|delete_many|touch_many|txn|restored|get|get_many))*$",
    .min_length = 3};
inline constexpr std::array event_stats_fields = {
    Field{.name = "enabled", .schema = &boolean, .required = true},
    Field{.name = "queue_size",
          .schema = &count,
          .description = "Events ready for subscribers that have not taken them.",
          .required = true},
    Field{.name = "pending_demand",
          .schema = &count,
          .description = "So many more may be made ready before back-pressure sets in.",
          .required = true},
    Field{.name = "events_published", .schema = &count, .description = "Since the start.", .required = true},
    Field{.name = "subscribers", .schema = &count, .required = true},
    Field{.name = "oldest_revision",
          .schema = &count,
          .description = "Of the oldest event that is kept; when there is none, the next one.",
          .required = true}};
inline constexpr Schema event_stats = {.shape = Shape::object, .name = "EventStats", .fields = event_stats_fields};

// The node -----------------------------------------------------------------------------------------------------------

inline constexpr std::array<std::string_view, 2> roles = {"voter", "learner"};
inline constexpr Schema role = {.shape = Shape::text, .values = roles};
inline constexpr std::array member_fields = {
    Field{.name = "name", .schema = &text, .required = true},
    Field{.name = "id", .schema = &text, .required = true},
    Field{.name = "peer", .schema = &text, .required = true},
    Field{.name = "api", .schema = &text, .required = true},
    Field{.name = "role", .schema = &role, .required = true},
    Field{.name = "healthy", .schema = &boolean, .required = true},
    Field{.name = "match_index", .schema = &count, .required = true},
    Field{.name = "silent_ms", .schema = &count, .description = "Since this node heard of it; not of itself."},
    Field{.name = "snapshot_sent_bytes",
          .schema = &count,
          .description = "Of a snapshot that this node is sending to it."},
    Field{.name = "snapshot_bytes", .schema = &count, .description = "The size of that snapshot."}};
inline constexpr Schema member = {.shape = Shape::object, .name = "Member", .fields = member_fields};
inline constexpr Schema member_list = {.shape = Shape::array, .items = &member};
inline constexpr std::array members_fields = {Field{.name = "members", .schema = &member_list, .required = true}};
inline constexpr Schema members = {.shape = Shape::object, .name = "Members", .fields = members_fields};

inline constexpr Schema member_name = {
    .shape = Shape::text, .description = "As in the configuration of the node (node.name).", .min_length = 1};
inline constexpr Schema peer_address = {
    .shape = Shape::text, .description = "host:port of its peer port.", .min_length = 1};
inline constexpr std::array new_member_fields = {Field{.name = "name", .schema = &member_name, .required = true},
                                                 Field{.name = "peer", .schema = &peer_address, .required = true}};
inline constexpr Schema new_member = {.shape = Shape::object,
                                      .name = "NewMember",
                                      .fields = new_member_fields,
                                      .example = R"({"name": "n4", "peer": "10.0.0.4:9100"})"};
inline constexpr std::array new_leader_fields = {
    Field{.name = "name", .schema = &member_name, .description = "None: the voter that knows most of the log."}};
inline constexpr Schema new_leader = {
    .shape = Shape::object, .name = "NewLeader", .fields = new_leader_fields, .example = R"({"name": "n2"})"};

// Tokens -------------------------------------------------------------------------------------------------------------

inline constexpr std::array<std::string_view, 3> permission_names = {"read", "write", "admin"};
inline constexpr Schema permission = {.shape = Shape::text, .values = permission_names};
inline constexpr Schema permissions = {.shape = Shape::array, .items = &permission, .min_items = 1};
inline constexpr Schema token_prefix = {.shape = Shape::text, .min_length = 1};
inline constexpr Schema token_prefixes = {
    .shape = Shape::array,
    .description = "Keys it may touch begin with one of these, at most 64; none: all keys.",
    .items = &token_prefix};
/// Of a role, user or tenant.
inline constexpr Schema access_name = {.shape = Shape::text, .pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", .min_length = 1};
inline constexpr Schema expires_in = {.shape = Shape::integer,
                                      .description = "Seconds; null: it does not expire.",
                                      .nullable = true,
                                      .minimum = 1,
                                      .maximum = command::max_ttl_s};
inline constexpr std::array new_token_fields = {
    Field{.name = "permissions", .schema = &permissions, .required = true},
    Field{.name = "prefixes", .schema = &token_prefixes},
    Field{.name = "description", .schema = &text},
    Field{.name = "expires_in", .schema = &expires_in},
    Field{.name = "user", .schema = &access_name, .description = "Whose it is: it may do no more than he may."},
    Field{.name = "tenant", .schema = &access_name, .description = "The tenant it is of, when it has no user."}};
inline constexpr Schema new_token = {.shape = Shape::object,
                                     .name = "NewToken",
                                     .fields = new_token_fields,
                                     .example = R"({"permissions": ["read", "write"], "prefixes": ["app/"]})"};
inline constexpr std::array revoked_token_fields = {
    Field{.name = "token", .schema = &text, .description = "The secret.", .required = true}};
inline constexpr Schema revoked_token = {
    .shape = Shape::object,
    .name = "RevokedToken",
    .fields = revoked_token_fields,
    .example = R"({"token": "sk_concord_0000000000000000000000000000000000000000000"})"};
inline constexpr Schema token_id = {.shape = Shape::text, .description = "16 hexadecimal digits.", .min_length = 1};
inline constexpr Schema shown_prefixes = {.shape = Shape::array, .items = &any_value};
inline constexpr Schema shown_expiry = {
    .shape = Shape::integer, .description = "Seconds that are left, 0 once it has expired.", .nullable = true};
inline constexpr Schema shown_time = {.shape = Shape::text, .nullable = true};
inline constexpr Schema shown_owner = {.shape = Shape::text, .description = "null: none.", .nullable = true};
inline constexpr std::array token_fields = {Field{.name = "id", .schema = &text, .required = true},
                                            Field{.name = "permissions", .schema = &permissions, .required = true},
                                            Field{.name = "prefixes", .schema = &shown_prefixes, .required = true},
                                            Field{.name = "description", .schema = &text, .required = true},
                                            Field{.name = "created_at", .schema = &shown_time, .required = true},
                                            Field{.name = "expires_in", .schema = &shown_expiry, .required = true},
                                            Field{.name = "last_used_at", .schema = &shown_time, .required = true},
                                            Field{.name = "user", .schema = &shown_owner, .required = true},
                                            Field{.name = "tenant", .schema = &shown_owner, .required = true}};
inline constexpr Schema token = {.shape = Shape::object, .name = "Token", .fields = token_fields};
inline constexpr std::array secret_field = {
    Field{.name = "token", .schema = &text, .description = "The secret, shown this once.", .required = true}};
inline constexpr auto created_token_fields = joined(token_fields, secret_field);
inline constexpr Schema created_token = {
    .shape = Shape::object, .name = "CreatedToken", .fields = created_token_fields};
inline constexpr Schema token_list = {.shape = Shape::array, .items = &token};
inline constexpr std::array tokens_fields = {Field{.name = "tokens", .schema = &token_list, .required = true}};
inline constexpr Schema tokens = {.shape = Shape::object, .name = "Tokens", .fields = tokens_fields};

inline constexpr Schema leader = {
    .shape = Shape::text, .description = "The leader's name, null when none is known.", .nullable = true};
inline constexpr std::array cluster_fields = {Field{.name = "id", .schema = &text, .required = true},
                                              Field{.name = "name", .schema = &text, .required = true},
                                              Field{.name = "leader", .schema = &leader, .required = true},
                                              Field{.name = "state", .schema = &text, .required = true},
                                              Field{.name = "term", .schema = &count, .required = true},
                                              Field{.name = "commit_index", .schema = &count, .required = true},
                                              Field{.name = "applied_index", .schema = &count, .required = true},
                                              Field{.name = "members", .schema = &member_list, .required = true}};
inline constexpr Schema cluster = {.shape = Shape::object, .name = "Cluster", .fields = cluster_fields};
inline constexpr std::array storage_fields = {
    Field{.name = "size", .schema = &count, .description = "Keys.", .required = true},
    Field{.name = "memory", .schema = &count, .description = "Bytes.", .required = true},
    Field{.name = "revision", .schema = &count, .required = true},
    Field{.name = "snapshot_index", .schema = &count, .required = true},
    Field{.name = "log_bytes", .schema = &count, .required = true},
    Field{.name = "data_dir_free_bytes", .schema = &count, .required = true},
    Field{.name = "writable", .schema = &boolean, .required = true},
    Field{.name = "reason", .schema = &text, .description = "Why it is not writable."}};
inline constexpr Schema storage = {.shape = Shape::object, .name = "Storage", .fields = storage_fields};
inline constexpr std::array status_fields = {Field{.name = "node", .schema = &text, .required = true},
                                             Field{.name = "version", .schema = &text, .required = true},
                                             Field{.name = "uptime_seconds", .schema = &count, .required = true},
                                             Field{.name = "cluster", .schema = &cluster, .required = true},
                                             Field{.name = "storage", .schema = &storage, .required = true}};
inline constexpr Schema status = {.shape = Shape::object, .name = "Status", .fields = status_fields};

inline constexpr Schema timestamp = {.shape = Shape::text, .format = "date-time"};
inline constexpr std::array health_fields = {Field{.name = "status", .schema = &text, .required = true},
                                             Field{.name = "timestamp", .schema = &timestamp, .required = true},
                                             Field{.name = "service", .schema = &text, .required = true}};
inline constexpr Schema health = {.shape = Shape::object, .name = "Health", .fields = health_fields};
inline constexpr std::array ready_fields = {Field{.name = "status", .schema = &text, .required = true}};
inline constexpr Schema ready = {.shape = Shape::object, .name = "Ready", .fields = ready_fields};

}  // namespace concord::http::schemas

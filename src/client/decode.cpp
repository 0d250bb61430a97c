#include "client/decode.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <utility>

#include "base/base64.hpp"
#include "client/json_walk.hpp"
#include "value/json.hpp"

namespace concord::client {
namespace {

/// An answer that was no error, in stored form.
struct Told {
  std::unique_ptr<const std::string> text;
  std::string_view data = {};  ///< views the text; empty: there is none
  std::optional<Revision> revision = {};
};

std::unexpected<Error> strange(unsigned status) {
  return fail(Errc::internal, "the endpoint answered " + std::to_string(status) +
                                  " with what is no answer of Concord: is it a node's API?");
}

/// A node that fails in the middle of a write does not know itself what becomes of it.
bool leaves_in_doubt(Errc code) {
  return code == Errc::timeout || code == Errc::internal || code == Errc::storage_failed;
}

std::unexpected<Error> error_of(std::string_view text, unsigned status, bool is_write) {
  std::string code;
  std::string message;
  each_member(text, [&](std::string_view name, std::string_view error) {
    if (name != "error") return;
    each_member(error, [&](std::string_view part, std::string_view json) {
      if (part == "code") code = text_of(json);
      if (part == "message") message = text_of(json);
    });
  });
  if (code.empty()) return strange(status);
  const Errc kind = code_named(code, status);
  return fail(kind, std::move(message), is_write && leaves_in_doubt(kind));
}

Result<Told> told(Result<Answer>&& answer, bool is_write) {
  if (!answer) return std::unexpected(std::move(answer.error()));
  auto text = value::compact_json(answer->body, max_depth);
  if (!text) return strange(answer->status);
  if (answer->status < 200 || answer->status > 299) return error_of(*text, answer->status, is_write);
  Told told{.text = std::make_unique<const std::string>(std::move(*text))};
  bool is_ok = false;
  each_member(*told.text, [&](std::string_view name, std::string_view json) {
    if (name == "status") is_ok = json == R"("ok")";
    if (name == "data") told.data = json;
    if (name == "revision") told.revision = Revision(number_of(json));
  });
  if (!is_ok) return strange(answer->status);
  return told;
}

/// What stands beside a value, wherever one stands.
struct Shown {
  std::string key = {};
  Entry entry = {};
  bool has_value = false;
  bool is_ok = true;
};

Shown shown_in(std::string_view object) {
  Shown shown;
  std::string_view value_json;
  bool is_base64 = false;
  each_member(object, [&](std::string_view name, std::string_view json) {
    if (name == "key") {
      shown.key = text_of(json);
    } else if (name == "key_b64") {
      shown.key = base::decode_base64(text_of(json)).value_or(std::string());
    } else if (name == "value") {
      value_json = json;
    } else if (name == "encoding") {
      is_base64 = true;
    } else if (name == "status") {
      shown.is_ok = json == R"("ok")";
    } else if (name == "ttl") {
      if (json != "null") shown.entry.ttl = std::chrono::seconds(number_of(json));
    } else if (name == "revision") {
      shown.entry.revision = Revision(number_of(json));
    } else if (name == "create_revision") {
      shown.entry.create_revision = Revision(number_of(json));
    } else if (name == "version") {
      shown.entry.version = number_of(json);
    }
  });
  shown.has_value = !value_json.empty();
  if (shown.has_value) shown.entry.value = value_from(value_json, is_base64);
  return shown;
}

std::uint64_t id_of(std::string_view json) {
  const std::string text = text_of(json);
  std::uint64_t id = 0;
  std::from_chars(text.data(), text.data() + text.size(), id, 16);
  return id;
}

NodeState state_named(std::string_view name) {
  for (const NodeState state : {NodeState::follower, NodeState::candidate, NodeState::leader, NodeState::learner}) {
    if (node_state_name(state) == name) return state;
  }
  return NodeState::failed;
}

MemberStatus member_of(std::string_view object) {
  MemberStatus member;
  each_member(object, [&](std::string_view name, std::string_view json) {
    if (name == "name") member.name = text_of(json);
    if (name == "id") member.id = id_of(json);
    if (name == "peer") member.peer = text_of(json);
    if (name == "api") member.api = text_of(json);
    if (name == "role") member.voter = text_of(json) == "voter";
    if (name == "healthy") member.healthy = is_true(json);
    if (name == "match_index") member.match_index = number_of(json);
    if (name == "silent_ms") member.silent = std::chrono::milliseconds(number_of(json));
    if (name == "snapshot_sent_bytes") member.snapshot_sent_bytes = number_of(json);
    if (name == "snapshot_bytes") member.snapshot_bytes = number_of(json);
  });
  return member;
}

ClusterStatus cluster_of(std::string_view object) {
  ClusterStatus cluster;
  each_member(object, [&](std::string_view name, std::string_view json) {
    if (name == "id") cluster.id = id_of(json);
    if (name == "name") cluster.name = text_of(json);
    if (name == "leader" && json != "null") cluster.leader = text_of(json);
    if (name == "state") cluster.state = state_named(text_of(json));
    if (name == "term") cluster.term = number_of(json);
    if (name == "commit_index") cluster.commit_index = number_of(json);
    if (name == "applied_index") cluster.applied_index = number_of(json);
    if (name == "members") {
      each_item(json, [&](std::string_view member) { cluster.members.push_back(member_of(member)); });
    }
  });
  return cluster;
}

StorageStatus storage_of(std::string_view object) {
  StorageStatus storage;
  each_member(object, [&](std::string_view name, std::string_view json) {
    if (name == "size") storage.size = number_of(json);
    if (name == "memory") storage.memory_bytes = number_of(json);
    if (name == "revision") storage.revision = Revision(number_of(json));
    if (name == "snapshot_index") storage.snapshot_index = number_of(json);
    if (name == "log_bytes") storage.log_bytes = number_of(json);
    if (name == "data_dir_free_bytes") storage.data_dir_free_bytes = number_of(json);
    if (name == "writable") storage.writable = is_true(json);
    if (name == "reason") storage.reason = text_of(json);
  });
  return storage;
}

/// The number `name` of the answer's data.
Result<std::uint64_t> number_in(Result<Answer>&& answer, std::string_view name, bool is_write) {
  const auto text = told(std::move(answer), is_write);
  if (!text) return std::unexpected(text.error());
  std::uint64_t number = 0;
  each_member(text->data, [&](std::string_view member, std::string_view json) {
    if (member == name) number = number_of(json);
  });
  return number;
}

/// "2026-02-03T04:05:06.789Z", as nodes write it.
std::optional<std::chrono::system_clock::time_point> time_of(std::string_view json) {
  using namespace std::chrono;
  const std::string text = text_of(json);
  if (text.size() < 19) return std::nullopt;
  const auto part = [&](std::size_t at, std::size_t size) {
    return static_cast<int>(number_of(std::string_view(text).substr(at, size)));
  };
  const year_month_day day{year(part(0, 4)), month(static_cast<unsigned>(part(5, 2))),
                           std::chrono::day(static_cast<unsigned>(part(8, 2)))};
  if (!day.ok()) return std::nullopt;
  const int parsed_ms = text.size() >= 23 && text[19] == '.' ? part(20, 3) : 0;
  return sys_days(day) + hours(part(11, 2)) + minutes(part(14, 2)) + seconds(part(17, 2)) + milliseconds(parsed_ms);
}

BackupInfo backup_in(std::string_view object) {
  BackupInfo backup;
  each_member(object, [&](std::string_view name, std::string_view json) {
    if (name == "name") backup.name = text_of(json);
    if (name == "path") backup.path = text_of(json);
    if (name == "size") backup.size_bytes = number_of(json);
    if (name == "entry_count") backup.entry_count = number_of(json);
    if (name == "revision") backup.revision = Revision(number_of(json));
    if (name == "created_at") backup.created_at = time_of(json).value_or(backup.created_at);
    if (name == "sha256") backup.sha256 = text_of(json);
    if (name == "id") backup.id = text_of(json);
    if (name == "cluster") backup.cluster = text_of(json);
    if (name == "node") backup.node = text_of(json);
    if (name == "version") backup.version = text_of(json);
  });
  return backup;
}

TokenInfo token_of(std::string_view object) {
  TokenInfo token;
  each_member(object, [&](std::string_view name, std::string_view json) {
    if (name == "id") token.id = text_of(json);
    if (name == "description") token.description = text_of(json);
    if (name == "created_at") token.created_at = time_of(json).value_or(token.created_at);
    if (name == "last_used_at") token.last_used_at = time_of(json);
    if (name == "user") token.user = text_of(json);
    if (name == "tenant") token.tenant = text_of(json);
    if (name == "expires_in" && json != "null") token.expires_in = std::chrono::seconds(number_of(json));
    if (name == "prefixes") each_item(json, [&](std::string_view item) { token.prefixes.push_back(prefix_of(item)); });
    if (name != "permissions") return;
    each_item(json, [&](std::string_view item) {
      if (const auto permission = parse_permission(text_of(item))) token.permissions.push_back(*permission);
    });
  });
  return token;
}

}  // namespace

Result<Revision> revision_of(Result<Answer>&& answer) {
  const auto text = told(std::move(answer), true);
  if (!text) return std::unexpected(text.error());
  return text->revision.value_or(Revision());
}

Result<Value> value_of(Result<Answer>&& answer) {
  auto entry = entry_of(std::move(answer));
  if (!entry) return std::unexpected(std::move(entry.error()));
  return std::move(entry->value);
}

Result<Entry> entry_of(Result<Answer>&& answer) {
  const auto text = told(std::move(answer), false);
  if (!text) return std::unexpected(text.error());
  Shown shown = shown_in(text->data);
  if (!shown.has_value) return strange(200);
  return std::move(shown.entry);
}

Result<std::vector<std::optional<Entry>>> entries_of(Result<Answer>&& answer, const std::vector<std::string>& keys) {
  const auto text = told(std::move(answer), false);
  if (!text) return std::unexpected(text.error());
  const bool is_text = std::ranges::all_of(keys, [](const std::string& key) { return value::is_utf8(key); });
  std::map<std::string, std::string_view, std::less<>> found;
  each_member(text->data, [&](std::string_view name, std::string_view json) {
    std::string key = value::unescape(name);
    if (!is_text) key = base::decode_base64(key).value_or(std::string());
    found.emplace(std::move(key), json);
  });
  std::vector<std::optional<Entry>> entries(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto at = found.find(keys[i]);
    if (at == found.end()) return strange(200);
    Shown shown = shown_in(at->second);
    if (shown.is_ok) entries[i] = std::move(shown.entry);
  }
  return entries;
}

Result<TransactionResult> transaction_of(Result<Answer>&& answer) {
  const auto text = told(std::move(answer), true);
  if (!text) return std::unexpected(text.error());
  TransactionResult result{.changed = text->revision.has_value(), .revision = text->revision.value_or(Revision())};
  each_member(text->data, [&](std::string_view name, std::string_view json) {
    if (name == "succeeded") result.succeeded = is_true(json);
    if (name == "revision") result.revision = Revision(number_of(json));
    if (name == "failed_guard") result.failed_guard = number_of(json);
    if (name == "key_missing") result.key_missing = is_true(json);
    if (name != "results") return;
    each_item(json, [&](std::string_view item) {
      Shown shown = shown_in(item);
      OperationResult& one = result.results.emplace_back();
      one.status = shown.is_ok ? OperationStatus::ok : OperationStatus::not_found;
      one.revision = shown.entry.revision;
      if (shown.has_value) one.value = std::move(shown.entry.value);
    });
  });
  return result;
}

Result<Page<Item>> page_of(Result<Answer>&& answer) {
  const auto text = told(std::move(answer), false);
  if (!text) return std::unexpected(text.error());
  Page<Item> page;
  each_member(text->data, [&](std::string_view name, std::string_view json) {
    if (name == "next_cursor" && json != "null") page.next_cursor = text_of(json);
    if (name == "pairs") {
      each_item(json, [&](std::string_view item) {
        Shown shown = shown_in(item);
        page.rows.push_back({.key = std::move(shown.key), .entry = std::move(shown.entry)});
      });
    }
    if (name == "keys") {
      each_item(json, [&](std::string_view item) {
        const bool is_text = value::kind_of(item) == value::JsonKind::string;
        page.rows.push_back({.key = is_text ? text_of(item) : shown_in(item).key});
      });
    }
  });
  return page;
}

Result<std::uint64_t> count_of(Result<Answer>&& answer) { return number_in(std::move(answer), "count", false); }

Result<std::uint64_t> deleted_of(Result<Answer>&& answer) { return number_in(std::move(answer), "deleted", true); }

Result<Status> status_of(Result<Answer>&& answer) {
  const auto text = told(std::move(answer), false);
  if (!text) return std::unexpected(text.error());
  Status status;
  each_member(text->data, [&](std::string_view name, std::string_view json) {
    if (name == "node") status.node = text_of(json);
    if (name == "version") status.version = text_of(json);
    if (name == "uptime_seconds") status.uptime = std::chrono::seconds(number_of(json));
    if (name == "cluster") status.cluster = cluster_of(json);
    if (name == "storage") status.storage = storage_of(json);
  });
  return status;
}

Result<CreatedToken> created_token_of(Result<Answer>&& answer) {
  const auto text = told(std::move(answer), true);
  if (!text) return std::unexpected(text.error());
  CreatedToken created{.info = token_of(text->data)};
  each_member(text->data, [&](std::string_view name, std::string_view json) {
    if (name == "token") created.secret = text_of(json);
  });
  return created;
}

Result<std::vector<TokenInfo>> tokens_of(Result<Answer>&& answer) {
  const auto text = told(std::move(answer), false);
  if (!text) return std::unexpected(text.error());
  std::vector<TokenInfo> tokens;
  each_member(text->data, [&](std::string_view name, std::string_view json) {
    if (name == "tokens") each_item(json, [&](std::string_view token) { tokens.push_back(token_of(token)); });
  });
  return tokens;
}

Result<BackupInfo> backup_of(Result<Answer>&& answer) {
  const auto text = told(std::move(answer), false);
  if (!text) return std::unexpected(text.error());
  return backup_in(text->data);
}

Result<BackupList> backups_of(Result<Answer>&& answer) {
  const auto text = told(std::move(answer), false);
  if (!text) return std::unexpected(text.error());
  BackupList list;
  each_member(text->data, [&](std::string_view name, std::string_view json) {
    if (name == "backups") each_item(json, [&](std::string_view each) { list.backups.push_back(backup_in(each)); });
    if (name == "damaged") each_item(json, [&](std::string_view each) { list.damaged.push_back(text_of(each)); });
  });
  return list;
}

Result<BackupVerdict> verdict_of(Result<Answer>&& answer) {
  const auto text = told(std::move(answer), false);
  if (!text) return std::unexpected(text.error());
  BackupVerdict verdict;
  each_member(text->data, [&](std::string_view name, std::string_view json) {
    if (name == "valid") verdict.valid = is_true(json);
    if (name == "reason") verdict.reason = text_of(json);
  });
  return verdict;
}

Result<RestoredBackup> restored_of(Result<Answer>&& answer) {
  const auto text = told(std::move(answer), true);
  if (!text) return std::unexpected(text.error());
  RestoredBackup restored{.revision = text->revision.value_or(Revision())};
  each_member(text->data, [&](std::string_view name, std::string_view json) {
    if (name == "entry_count") restored.entry_count = number_of(json);
  });
  return restored;
}

Result<EventStats> event_stats_of(Result<Answer>&& answer) {
  const auto text = told(std::move(answer), false);
  if (!text) return std::unexpected(text.error());
  EventStats stats;
  each_member(text->data, [&](std::string_view name, std::string_view json) {
    if (name == "enabled") stats.enabled = is_true(json);
    if (name == "queue_size") stats.queue_size = number_of(json);
    if (name == "pending_demand") stats.pending_demand = number_of(json);
    if (name == "events_published") stats.events_published = number_of(json);
    if (name == "subscribers") stats.subscribers = number_of(json);
    if (name == "oldest_revision") stats.oldest_revision = Revision(number_of(json));
  });
  return stats;
}

Result<void> visit_data(Result<Answer>&& answer,
                        const std::function<void(std::string_view name, std::string_view json)>& visit) {
  const auto text = told(std::move(answer), false);
  if (!text) return std::unexpected(text.error());
  each_member(text->data, visit);
  return {};
}

Result<void> done_of(Result<Answer>&& answer) {
  const auto text = told(std::move(answer), true);
  if (!text) return std::unexpected(text.error());
  return {};
}

}  // namespace concord::client

// GET /api/v1/status, /api/v1/cluster/members: what the node knows about itself and its cluster.
#include <utility>

#include "http/routes/routes.hpp"
#include "http/schemas.hpp"
#include "value/json_string.hpp"

namespace concord::http::routes {
namespace {

/// Writes members of an object one behind the other.
class Members {
 public:
  explicit Members(std::string& to) noexcept : to_(to) { to_ += '{'; }
  ~Members() { to_ += '}'; }
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;

  std::string& name(std::string_view name) {
    if (!first_) to_ += ',';
    first_ = false;
    value::append_json_string(to_, name);
    to_ += ':';
    return to_;
  }
  void text(std::string_view name_of, std::string_view text) { value::append_json_string(name(name_of), text); }
  void number(std::string_view name_of, std::uint64_t number) { append_number(name(name_of), number); }
  void boolean(std::string_view name_of, bool value) { name(name_of) += value ? "true" : "false"; }

 private:
  std::string& to_;
  bool first_ = true;
};

/// Ids are shown as text: many readers of JSON lose bits of a 64-bit number.
std::string hex_id(std::uint64_t id) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = 16; i-- > 0; id >>= 4U) text[i] = digits[id & 15U];
  return text;
}

void append_member(std::string& to, const MemberStatus& member, const Status& status, const std::string& own_api) {
  Members members(to);
  members.text("name", member.name);
  members.text("id", hex_id(member.id));
  members.text("peer", member.peer);
  members.text("api", member.api.empty() && member.name == status.node ? own_api : member.api);
  members.text("role", member.voter ? "voter" : "learner");
  members.boolean("healthy", member.healthy);
  members.number("match_index", member.match_index);
  if (member.silent) members.number("silent_ms", static_cast<std::uint64_t>(member.silent->count()));
  if (member.snapshot_bytes != 0) {
    members.number("snapshot_sent_bytes", member.snapshot_sent_bytes);
    members.number("snapshot_bytes", member.snapshot_bytes);
  }
}

void append_member_list(std::string& to, const Status& status, const std::string& own_api) {
  to += '[';
  bool first = true;
  for (const MemberStatus& member : status.cluster.members) {
    if (!std::exchange(first, false)) to += ',';
    append_member(to, member, status, own_api);
  }
  to += ']';
}

void append_cluster(std::string& to, const Status& status, const std::string& own_api) {
  const ClusterStatus& cluster = status.cluster;
  Members members(to);
  members.text("id", hex_id(cluster.id));
  members.text("name", cluster.name);
  if (cluster.leader) {
    members.text("leader", *cluster.leader);
  } else {
    members.name("leader") += "null";
  }
  members.text("state", node_state_name(cluster.state));
  members.number("term", cluster.term);
  members.number("commit_index", cluster.commit_index);
  members.number("applied_index", cluster.applied_index);
  append_member_list(members.name("members"), status, own_api);
}

void append_storage(std::string& to, const StorageStatus& storage) {
  Members members(to);
  members.number("size", storage.size);
  members.number("memory", storage.memory_bytes);
  members.number("revision", storage.revision.value());
  members.number("snapshot_index", storage.snapshot_index);
  members.number("log_bytes", storage.log_bytes);
  members.number("data_dir_free_bytes", storage.data_dir_free_bytes);
  members.boolean("writable", storage.writable);
  if (!storage.writable) members.text("reason", storage.reason);
}

void get_status(Call& call) {
  const auto status = call.site.database.status();
  if (!status) return call.refuse(status.error());
  std::string& body = call.reply.body;
  call.reply.begin_data();
  {
    Members members(body);
    members.text("node", status->node);
    members.text("version", status->version);
    members.number("uptime_seconds", static_cast<std::uint64_t>(status->uptime.count()));
    append_cluster(members.name("cluster"), *status, call.site.api_url);
    append_storage(members.name("storage"), status->storage);
  }
  call.reply.end_data();
}

void get_members(Call& call) {
  const auto status = call.site.database.status();
  if (!status) return call.refuse(status.error());
  std::string& body = call.reply.body;
  call.reply.begin_data();
  {
    Members members(body);
    append_member_list(members.name("members"), *status, call.site.api_url);
  }
  call.reply.end_data();
}

}  // namespace

void add_status(std::vector<Route>& routes) {
  constexpr std::string_view tag = "Cluster";
  routes.push_back({.method = Method::get,
                    .path = "/api/v1/status",
                    .operation = "status",
                    .handler = get_status,
                    .tag = tag,
                    .summary = "The node, its cluster and its storage",
                    .needs = Needs::read,
                    .is_read = true,
                    .waits_for_data = false,
                    .answer = {.kind = AnswerKind::data, .schema = &schemas::status}});
  routes.push_back({.method = Method::get,
                    .path = "/api/v1/cluster/members",
                    .operation = "members",
                    .handler = get_members,
                    .tag = tag,
                    .summary = "The members of the cluster",
                    .needs = Needs::read,
                    .is_read = true,
                    .waits_for_data = false,
                    .answer = {.kind = AnswerKind::data, .schema = &schemas::members}});
}

}  // namespace concord::http::routes

// /api/v1/cluster/...: the members of the cluster, its leader, snapshots.
#include <string>
#include <utility>

#include "http/envelope.hpp"
#include "http/routes/routes.hpp"
#include "http/schemas.hpp"

namespace concord::http::routes {
namespace {

using database::MemberChange;

void change(Call& call, MemberChange kind, std::string name, std::string peer = {}) {
  database::Database& database = call.site.database;
  const std::chrono::milliseconds timeout = call.timeout;
  if (call.room) call.notes.target = name;
  call.await(
      [&](Completion<command::Outcome> done) {
        database.change_members(kind, std::move(name), std::move(peer), timeout,
                                [done = std::move(done)](Result<void> changed) mutable {
                                  if (!changed) return done(std::unexpected(std::move(changed.error())));
                                  done(command::Outcome());
                                });
      },
      [](Call& answered, const Result<command::Outcome>& outcome) {
        if (!outcome) return answered.refuse(outcome.error());
        answered.reply.set_done(false, {});
      });
}

/// The text members of a body, by the names of its schema; false after the call was refused.
bool read_texts(Call& call, const Schema& schema, std::string& name, std::string& peer) {
  if (call.request.body.empty() && !schema.fields.front().required) return true;
  BodyText text(call.request.body);
  ObjectReader reader(text, schema);
  while (const Field* const field = reader.next()) {
    auto read = read_string(reader.value(), field->name, {});
    if (!read || read->empty()) {
      call.refuse(read ? invalid_request("the field \"" + std::string(field->name) + "\" is empty") : read.error());
      return false;
    }
    (field->name == "name" ? name : peer) = std::move(*read);
  }
  if (!text.problem()) return true;
  call.refuse(*text.problem());
  return false;
}

void add_member(Call& call) {
  std::string name;
  std::string peer;
  if (read_texts(call, schemas::new_member, name, peer))
    change(call, MemberChange::add, std::move(name), std::move(peer));
}

void remove_member(Call& call) { change(call, MemberChange::remove, call.key); }

void promote_member(Call& call) { change(call, MemberChange::promote, call.key); }

void transfer_leadership(Call& call) {
  std::string name;
  std::string peer;
  if (read_texts(call, schemas::new_leader, name, peer))
    change(call, MemberChange::transfer_leadership, std::move(name));
}

void trigger_snapshot(Call& call) {
  call.site.database.trigger_snapshot();
  call.reply.set_done(false, {});
}

}  // namespace

void add_cluster(std::vector<Route>& routes) {
  constexpr std::string_view tag = "Cluster";
  routes.push_back({.method = Method::post,
                    .path = "/api/v1/cluster/members",
                    .operation = "member_add",
                    .handler = add_member,
                    .tag = tag,
                    .summary = "Adds a member",
                    .description =
                        "It is a learner: it gets the data and has no vote until it is promoted. Start its node with "
                        "`cluster.join` then. Answers when the cluster knows it.",
                    .needs = Needs::admin,
                    .body = BodyKind::json,
                    .body_schema = &schemas::new_member,
                    .may_conflict = true,
                    .answer = {.kind = AnswerKind::done}});
  routes.push_back({.method = Method::del,
                    .path = "/api/v1/cluster/members/{name}",
                    .operation = "member_remove",
                    .handler = remove_member,
                    .tag = tag,
                    .summary = "Removes a member",
                    .description = "A leader hands over first. Refused when the others would have no quorum.",
                    .needs = Needs::admin,
                    .may_miss = true,
                    .may_conflict = true,
                    .answer = {.kind = AnswerKind::done}});
  routes.push_back({.method = Method::post,
                    .path = "/api/v1/cluster/members/{name}/promote",
                    .operation = "member_promote",
                    .handler = promote_member,
                    .tag = tag,
                    .summary = "Gives a learner a vote",
                    .description = "Waits, up to the timeout, until it has caught up.",
                    .needs = Needs::admin,
                    .may_miss = true,
                    .may_conflict = true,
                    .answer = {.kind = AnswerKind::done}});
  routes.push_back({.method = Method::post,
                    .path = "/api/v1/cluster/leader",
                    .operation = "leader_transfer",
                    .handler = transfer_leadership,
                    .tag = tag,
                    .summary = "Makes another voter the leader",
                    .needs = Needs::admin,
                    .body = BodyKind::json,
                    .body_schema = &schemas::new_leader,
                    .body_required = false,
                    .may_miss = true,
                    .may_conflict = true,
                    .answer = {.kind = AnswerKind::done}});
  routes.push_back({.method = Method::post,
                    .path = "/api/v1/cluster/snapshot",
                    .operation = "snapshot_trigger",
                    .handler = trigger_snapshot,
                    .tag = tag,
                    .summary = "Takes a snapshot of this node's data",
                    .description = "Answers at once; `snapshot_index` in the status tells when it is there.",
                    .needs = Needs::admin,
                    .answer = {.kind = AnswerKind::done}});
}

}  // namespace concord::http::routes

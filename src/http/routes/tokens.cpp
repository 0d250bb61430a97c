// /api/v1/tokens: who may do what.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "http/envelope.hpp"
#include "http/routes/access_fields.hpp"
#include "http/routes/routes.hpp"
#include "http/schemas.hpp"
#include "http/time_text.hpp"
#include "value/json_string.hpp"

namespace concord::http::routes {
namespace {

void append_time(std::string& to, std::string_view name,
                 const std::optional<std::chrono::system_clock::time_point>& time) {
  (to += ",\"").append(name) += "\":";
  if (time) {
    value::append_json_string(to, rfc3339(*time));
  } else {
    to += "null";
  }
}

/// Null: it has none.
void append_owner(std::string& to, std::string_view name, const std::string& owner) {
  (to += ",\"").append(name) += "\":";
  if (owner.empty()) {
    to += "null";
  } else {
    value::append_json_string(to, owner);
  }
}

/// Without the braces.
void append_info(std::string& to, const TokenInfo& token) {
  to += "\"id\":";
  value::append_json_string(to, token.id);
  append_permissions(to, token.permissions);
  append_prefixes(to, token.prefixes);
  to += ",\"description\":";
  value::append_json_string(to, token.description);
  append_time(to, "created_at", token.created_at);
  to += ",\"expires_in\":";
  if (token.expires_in) {
    append_number(to, static_cast<std::uint64_t>(token.expires_in->count()));
  } else {
    to += "null";
  }
  append_time(to, "last_used_at", token.last_used_at);
  append_owner(to, "user", token.user);
  append_owner(to, "tenant", token.tenant);
}

void list(Call& call) {
  const auto tokens = call.site.database.list_tokens();
  if (!tokens) return call.refuse(tokens.error());
  std::string& body = call.reply.body;
  call.reply.begin_data();
  body += "{\"tokens\":[";
  for (std::size_t i = 0; i < tokens->size(); ++i) {
    body += i == 0 ? "{" : ",{";
    append_info(body, (*tokens)[i]);
    body += '}';
  }
  body += "]}";
  call.reply.end_data();
}

std::expected<void, Problem> read_field(BodyText& text, ObjectReader& reader, const Field& field, NewToken& token) {
  if (field.name == "permissions") return read_permissions(text, field, token.permissions);
  if (field.name == "prefixes") return read_texts(text, field, token.prefixes);
  const bool is_owner = field.name == "user" || field.name == "tenant";
  if (is_owner || field.name == "description") {
    auto read = is_owner ? read_access_name(reader.value(), field.name) : read_string(reader.value(), field.name, {});
    if (!read) return std::unexpected(std::move(read.error()));
    (field.name == "user" ? token.user : is_owner ? token.tenant : token.description) = std::move(*read);
    return {};
  }
  const auto ttl_s = read_ttl(reader.value(), field.name, {});
  if (!ttl_s) return std::unexpected(ttl_s.error());
  if (*ttl_s) token.expires_in = std::chrono::seconds(**ttl_s);
  return {};
}

void create(Call& call) {
  NewToken token;
  BodyText text(call.request.body);
  ObjectReader reader(text, schemas::new_token);
  while (const Field* const field = reader.next()) {
    if (auto done = read_field(text, reader, *field, token); !done && !text.problem()) {
      return call.refuse(done.error());
    }
  }
  if (text.problem()) return call.refuse(*text.problem());
  const auto created = std::make_shared<CreatedToken>();
  call.await(
      [&](Completion<command::Outcome> done) {
        call.site.database.create_token(token, call.access, call.timeout,
                                        [created, done = std::move(done)](Result<CreatedToken> made) mutable {
                                          if (!made) return done(std::unexpected(std::move(made.error())));
                                          *created = std::move(*made);
                                          done(command::Outcome());
                                        });
      },
      [created](Call& answered, const Result<command::Outcome>& outcome) {
        if (!outcome) return answered.refuse(outcome.error());
        if (answered.room) answered.notes.target = created->info.id;
        answered.reply.status = 201;
        answered.reply.add_header("Cache-Control", "no-store");
        std::string& body = answered.reply.body;
        answered.reply.begin_data();
        body += '{';
        append_info(body, created->info);
        body += ",\"token\":";
        value::append_json_string(body, created->secret);
        body += '}';
        answered.reply.end_data();
      });
}

using Revoked = std::move_only_function<void(Result<void>)>;

/// `start(done)`.
template <class StartRevoking>
void revoke(Call& call, const StartRevoking& start) {
  call.await(
      [&](Completion<command::Outcome> done) {
        start([done = std::move(done)](Result<void> revoked) mutable {
          if (!revoked) return done(std::unexpected(std::move(revoked.error())));
          done(command::Outcome());
        });
      },
      [](Call& answered, const Result<command::Outcome>& outcome) {
        if (!outcome) return answered.refuse(outcome.error());
        answered.reply.set_done(false, {});
      });
}

void revoke_by_id(Call& call) {
  revoke(call,
         [&](Revoked done) { call.site.database.revoke_token(call.key, call.access, call.timeout, std::move(done)); });
}

void revoke_by_secret(Call& call) {
  std::string secret;
  BodyText text(call.request.body);
  ObjectReader reader(text, schemas::revoked_token);
  while (const Field* const field = reader.next()) {
    auto read = read_string(reader.value(), field->name, {});
    if (!read) return call.refuse(read.error());
    secret = std::move(*read);
  }
  if (text.problem()) return call.refuse(*text.problem());
  revoke(call,
         [&](Revoked done) { call.site.database.revoke_secret(secret, call.access, call.timeout, std::move(done)); });
}

}  // namespace

void add_tokens(std::vector<Route>& routes) {
  constexpr std::string_view tag = "Tokens";
  routes.push_back({.method = Method::get,
                    .path = "/api/v1/tokens",
                    .operation = "token_list",
                    .handler = list,
                    .tag = tag,
                    .summary = "All tokens, without their secrets",
                    .description = "`last_used_at` is that of the node that is asked, since it was started.",
                    .needs = Needs::admin,
                    .is_read = true,
                    .answer = {.kind = AnswerKind::data, .schema = &schemas::tokens}});
  routes.push_back({.method = Method::post,
                    .path = "/api/v1/tokens",
                    .operation = "token_create",
                    .handler = create,
                    .tag = tag,
                    .summary = "Makes a token",
                    .description = "The answer has its secret, which is shown this once.",
                    .needs = Needs::admin,
                    .body = BodyKind::json,
                    .body_schema = &schemas::new_token,
                    .may_conflict = true,
                    .may_wait = true,
                    .answer = {.kind = AnswerKind::data, .schema = &schemas::created_token, .status = 201}});
  routes.push_back({.method = Method::del,
                    .path = "/api/v1/tokens/{id}",
                    .operation = "token_revoke",
                    .handler = revoke_by_id,
                    .tag = tag,
                    .summary = "Revokes a token, on all nodes at once",
                    .needs = Needs::admin,
                    .may_miss = true,
                    .may_wait = true});
  routes.push_back({.method = Method::post,
                    .path = "/api/v1/tokens/revoke",
                    .operation = "token_revoke_secret",
                    .handler = revoke_by_secret,
                    .tag = tag,
                    .summary = "Revokes a token that is given itself",
                    .description = "In the body, so that it stands in no URL and no log of one.",
                    .needs = Needs::admin,
                    .body = BodyKind::json,
                    .body_schema = &schemas::revoked_token,
                    .may_miss = true,
                    .may_wait = true});
}

}  // namespace concord::http::routes

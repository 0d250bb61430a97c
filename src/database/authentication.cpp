#include "database/authentication.hpp"

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

#include "acl/record.hpp"
#include "acl/token.hpp"
#include "base/timeout.hpp"
#include "command/limits.hpp"
#include "database/conversions.hpp"
#include "security/secret.hpp"
#include "value/json_string.hpp"

namespace concord::database {

using acl::Access;
using acl::TokenPointer;
using command::CommandKind;
using command::OperationStatus;
using command::Outcome;
using command::Refusal;
using command::SecretHash;
using command::TokenId;
using command::TokenRecord;
using std::chrono::milliseconds;
using std::chrono::system_clock;

namespace {

constexpr milliseconds first_token_timeout{5000};

system_clock::time_point time_of(std::uint64_t wall_ms) {
  return system_clock::time_point(milliseconds(static_cast<std::int64_t>(wall_ms)));
}

std::unexpected<Error> not_valid() { return fail(Errc::unauthorized, "the token is not valid"); }

std::unexpected<Error> no_such_token() { return fail(Errc::not_found, "there is no such token"); }

Result<command::Permissions> permissions_of(const std::vector<Permission>& wanted) {
  command::Permissions permissions = 0;
  for (const Permission permission : wanted) permissions |= static_cast<command::Permissions>(permission);
  if (permissions == 0 || permissions > command::all_permissions) {
    return fail(Errc::invalid_request, "a token needs at least one of the permissions read, write and admin");
  }
  return permissions;
}

Result<void> check_prefixes(const NewToken& wanted, command::Permissions permissions) {
  const auto is_admin = (permissions & static_cast<command::Permissions>(Permission::admin)) != 0;
  if (is_admin && !wanted.prefixes.empty()) {
    return fail(Errc::invalid_request, "an admin token can't be limited to prefixes: it may make any other token");
  }
  if (wanted.prefixes.size() > command::max_token_prefixes) {
    return fail(Errc::invalid_request, std::to_string(wanted.prefixes.size()) + " prefixes, the limit is " +
                                           std::to_string(command::max_token_prefixes));
  }
  for (const std::string& prefix : wanted.prefixes) {
    if (!prefix.empty() && prefix.size() <= command::max_token_prefix_bytes) continue;
    return fail(Errc::invalid_request, "a prefix of a token has 1 to " +
                                           std::to_string(command::max_token_prefix_bytes) + " bytes, not " +
                                           std::to_string(prefix.size()));
  }
  return {};
}

Result<void> check_owner(const NewToken& wanted) {
  if (!wanted.user.empty() && !wanted.tenant.empty()) {
    return fail(Errc::invalid_request, "a token has a user or a tenant: that of a user is of the user's tenant");
  }
  for (const std::string& name : {wanted.user, wanted.tenant}) {
    if (!name.empty() && !acl::is_name(name)) {
      return fail(Errc::invalid_request, "the user or the tenant of a token is no name of one");
    }
  }
  return {};
}

/// Views `wanted`; id and hash are not set.
Result<TokenRecord> record_of(const NewToken& wanted) {
  const auto permissions = permissions_of(wanted.permissions);
  if (!permissions) return std::unexpected(permissions.error());
  if (auto valid = check_prefixes(wanted, *permissions); !valid) return std::unexpected(std::move(valid.error()));
  if (auto valid = check_owner(wanted); !valid) return std::unexpected(std::move(valid.error()));
  if (wanted.description.size() > command::max_token_description_bytes || !value::is_utf8(wanted.description)) {
    return fail(Errc::invalid_request, "the description of a token is UTF-8 of at most " +
                                           std::to_string(command::max_token_description_bytes) + " bytes");
  }
  TokenRecord record{.permissions = *permissions, .description = wanted.description};
  if (wanted.expires_in) {
    const std::int64_t seconds = wanted.expires_in->count();
    if (seconds < 1 || seconds > std::int64_t{command::max_ttl_s}) {
      return fail(Errc::invalid_request, "expires_in is " + std::to_string(seconds) + "; it must be 1 to " +
                                             std::to_string(command::max_ttl_s) + " seconds");
    }
    record.expires_in_s = static_cast<std::uint32_t>(seconds);
  }
  record.prefixes.assign(wanted.prefixes.begin(), wanted.prefixes.end());
  record.user = wanted.user;
  record.tenant = wanted.tenant;
  return record;
}

}  // namespace

Result<void> allowed(Refusal refusal) {
  switch (refusal) {
    case Refusal::none: break;
    case Refusal::unauthorized: return fail(Errc::unauthorized, "the call needs a token");
    case Refusal::forbidden: return fail(Errc::forbidden, "the token may not do that");
    case Refusal::quota: return fail(Errc::storage_full, "the quota of a tenant is reached");
  }
  return {};
}

Error error_of(const command::OperationResult& result, std::string_view what) {
  switch (result.status) {
    case OperationStatus::not_found: return Error(Errc::not_found, "there is no such " + std::string(what));
    case OperationStatus::conflict: return Error(Errc::condition_failed, command::text_of(result));
    case OperationStatus::too_large: return Error(Errc::overloaded, command::text_of(result));
    case OperationStatus::ok:
    case OperationStatus::already_exists: break;
  }
  return Error(Errc::internal, "the " + std::string(what) + " was not made");
}

Authentication::Authentication(node::Runtime& runtime)
    : runtime_(runtime), is_on_(runtime.options().auth.enabled), has_first_(!runtime.options().auth.token.empty()) {
  if (has_first_) first_hash_ = security::hash_of(runtime.options().auth.token);
}

Result<void> Authentication::begin() {
  if (!is_on_) return {};
  if (has_first_ && !security::is_well_formed(runtime_.options().auth.token)) {
    return fail(Errc::invalid_request, "auth.token must start with sk_concord_, and have printable letters behind");
  }
  const bool is_alone = runtime_.peer_address().empty();
  const bool forms_a_cluster = !runtime_.options().cluster.initial.empty() && !runtime_.has_place();
  if (!has_first_ && ((is_alone && !has_admin()) || forms_a_cluster)) {
    return fail(
        Errc::invalid_request,
        "auth.enabled is set, but nobody could get in: the data hold no admin token, and auth.token gives none");
  }
  if (!is_alone || !has_first_ || has_admin()) return {};
  const TokenRecord record = first_record();
  const auto made = runtime_.write({.kind = CommandKind::token_create, .token = &record}, first_token_timeout);
  if (!made) return std::unexpected(made.error());
  if (!has_admin()) {
    return fail(Errc::invalid_request, "the token of auth.token was revoked, and the data hold no other admin token");
  }
  return {};
}

// ---------------------------------------------------------------------------------------------------------------------
// Who calls.

TokenPointer Authentication::known(const SecretHash& hash) const {
  return runtime_.has_place() ? runtime_.state().find_token(hash) : nullptr;
}

Access Authentication::access_of(TokenPointer token) {
  if (!token || !token->is_valid(runtime_.now_ms())) return {};
  last_use_.note(token->id, runtime_.wall_ms());
  return Access(std::move(token));
}

Access Authentication::find(std::string_view secret) {
  if (!is_on_) return Access::everything();
  if (!security::is_well_formed(secret)) return {};
  return access_of(known(security::hash_of(secret)));
}

void Authentication::when_found(std::string_view secret, milliseconds timeout, Completion<Access> done) {
  if (!is_on_) return done(Access::everything());
  if (!security::is_well_formed(secret)) return done(not_valid());
  const SecretHash hash = security::hash_of(secret);
  TokenPointer token = known(hash);
  if (token && !token->rights.is_locked()) {  // all that the leader knows beyond is that it was revoked
    Access access = access_of(std::move(token));
    if (access.token() == nullptr) return done(not_valid());
    return done(std::move(access));
  }
  runtime_.when_readable(ReadConsistency::strong, timeout,
                         [this, hash, timeout, done = std::move(done)](Result<void> readable) mutable {
                           if (!readable) return done(std::unexpected(std::move(readable.error())));
                           Access access = access_of(known(hash));
                           if (access.token() != nullptr) return done(std::move(access));
                           if (may_be_made(hash)) return make_first(timeout, std::move(done));
                           done(not_valid());
                         });
}

Result<Access> Authentication::wait_found(std::string_view secret, milliseconds timeout) {
  Access access = find(secret);
  if (access.is_everything() || access.token() != nullptr) return access;
  if (!security::is_well_formed(secret)) {
    return fail(Errc::unauthorized, secret.empty() ? "the call needs a token" : "the token is not valid");
  }
  const SecretHash hash = security::hash_of(secret);
  if (auto readable = runtime_.wait_readable(ReadConsistency::strong, timeout); !readable) {
    return std::unexpected(std::move(readable.error()));
  }
  if (may_be_made(hash)) {
    const TokenRecord record = first_record();
    const auto made = runtime_.write({.kind = CommandKind::token_create, .token = &record}, timeout);
    if (!made) return std::unexpected(made.error());
  }
  access = access_of(known(hash));
  if (access.token() == nullptr) return not_valid();
  return access;
}

Result<Access> Authentication::renewed(const Access& access) const {
  if (access.is_everything()) return access;
  TokenPointer token =
      access.token() != nullptr && runtime_.has_place() ? runtime_.state().find_token(access.id()) : nullptr;
  if (!token || !token->is_valid(runtime_.now_ms())) return not_valid();
  return Access(std::move(token));
}

Result<void> Authentication::confirm(const Access& access) const {
  const auto now = renewed(access);
  if (!now) return std::unexpected(now.error());
  const bool is_the_same =
      now->token() == access.token() || now->token()->rights.reach_the_same_as(access.token()->rights);
  if (!is_the_same) return fail(Errc::forbidden, "what the token may do has changed; begin again");
  return {};
}

// ---------------------------------------------------------------------------------------------------------------------
// The token of the configuration.

bool Authentication::has_admin() const {
  if (!runtime_.has_place()) return false;
  return std::ranges::any_of(runtime_.state().tokens(), [&](const TokenPointer& token) {
    return token->rights.has(Permission::admin) && !token->is_revoked && token->is_valid(runtime_.now_ms());
  });
}

bool Authentication::may_be_made(const SecretHash& hash) const {
  return has_first_ && hash == first_hash_ && runtime_.has_place() && !has_admin();
}

TokenRecord Authentication::first_record() const {
  return {.id = security::first_id_of(first_hash_),
          .hash = first_hash_,
          .permissions = static_cast<command::Permissions>(Permission::admin),
          .only_as_first = true,
          .description = "auth.token"};
}

void Authentication::make_first(milliseconds timeout, Completion<Access> done) {
  const TokenRecord record = first_record();
  runtime_.write_async({.kind = CommandKind::token_create, .token = &record}, timeout,
                       [this, done = std::move(done)](Result<Outcome> outcome) mutable {
                         if (!outcome) return done(std::unexpected(std::move(outcome.error())));
                         Access access = access_of(known(first_hash_));
                         if (access.token() == nullptr) return done(not_valid());
                         done(std::move(access));
                       });
}

// ---------------------------------------------------------------------------------------------------------------------
// Changing and showing tokens.

void Authentication::create(const NewToken& wanted, const Access& access, milliseconds timeout,
                            Completion<CreatedToken> done) {
  if (auto may = allowed(access.judge(Permission::admin)); !may) return done(std::unexpected(std::move(may.error())));
  auto record = record_of(wanted);
  if (!record) return done(std::unexpected(std::move(record.error())));
  auto secret = security::generate_secret();
  const auto id = security::generate_id();
  if (!secret || !id) return done(std::unexpected(secret ? id.error() : secret.error()));
  record->id = *id;
  record->hash = security::hash_of(*secret);
  runtime_.write_async(
      {.kind = CommandKind::token_create, .token = &*record, .as_token = access.id()}, timeout,
      [this, id = *id, secret = std::move(*secret), as_asked = info_of(*record, runtime_.wall_ms()),
       done = std::move(done)](Result<Outcome> outcome) mutable {
        if (!outcome) return done(std::unexpected(std::move(outcome.error())));
        const OperationStatus status = outcome->results.front().status;
        if (status == OperationStatus::conflict)
          return done(std::unexpected(error_of(outcome->results.front(), "token")));
        if (status == OperationStatus::too_large) {
          return done(fail(Errc::overloaded, "there are " + std::to_string(command::max_tokens) +
                                                 " tokens, which is the limit; revoke some"));
        }
        if (status != OperationStatus::ok) return done(fail(Errc::internal, "the token was not made"));
        // A node whose disk is full learns from its leader what became of the command, and applies it later.
        const TokenPointer token = runtime_.state().find_token(id);
        done(CreatedToken{.info = token ? info_of(*token) : std::move(as_asked), .secret = std::move(secret)});
      });
}

void Authentication::revoke(std::string_view id, const Access& access, milliseconds timeout, Done done) {
  const auto parsed = acl::parse_id(id);
  if (!parsed) return done(no_such_token());
  revoke_known(*parsed, access, timeout, std::move(done));
}

void Authentication::revoke_secret(std::string_view secret, const Access& access, milliseconds timeout, Done done) {
  if (!security::is_well_formed(secret)) return done(no_such_token());
  const SecretHash hash = security::hash_of(secret);
  runtime_.when_readable(ReadConsistency::strong, timeout,
                         [this, hash, access, timeout, done = std::move(done)](Result<void> readable) mutable {
                           if (!readable) return done(std::unexpected(std::move(readable.error())));
                           const TokenPointer token = known(hash);
                           if (!token) return done(no_such_token());
                           revoke_known(token->id, access, timeout, std::move(done));
                         });
}

void Authentication::revoke_known(TokenId id, const Access& access, milliseconds timeout, Done done) {
  if (auto may = allowed(access.judge(Permission::admin)); !may) return done(std::unexpected(std::move(may.error())));
  const TokenRecord record{.id = id};
  runtime_.write_async({.kind = CommandKind::token_revoke, .token = &record, .as_token = access.id()}, timeout,
                       [this, id, done = std::move(done)](Result<Outcome> outcome) mutable {
                         if (!outcome) return done(std::unexpected(std::move(outcome.error())));
                         const bool is_done = outcome->results.front().status == OperationStatus::ok;
                         if (is_done && on_revoked_) on_revoked_(id);
                         done(is_done ? Result<void>() : no_such_token());
                       });
}

Result<std::vector<TokenInfo>> Authentication::list() const {
  if (!runtime_.has_place()) return fail(Errc::cluster_not_ready, "the node has no place in a cluster yet");
  std::vector<TokenInfo> tokens;
  for (const TokenPointer& token : runtime_.state().tokens()) {
    if (!token->is_revoked) tokens.push_back(info_of(*token));
  }
  return tokens;
}

TokenInfo Authentication::info_of(const TokenRecord& record, std::uint64_t wall_ms) {
  TokenInfo info{.id = acl::id_text(record.id),
                 .prefixes = {record.prefixes.begin(), record.prefixes.end()},
                 .description = std::string(record.description),
                 .created_at = time_of(wall_ms),
                 .user = std::string(record.user),
                 .tenant = std::string(record.tenant)};
  info.permissions = acl::permissions_of(record.permissions);
  if (record.expires_in_s != 0) info.expires_in = std::chrono::seconds(record.expires_in_s);
  return info;
}

TokenInfo Authentication::info_of(const acl::Token& token) const {
  TokenInfo info{.id = acl::id_text(token.id),
                 .prefixes = token.scope.prefixes(),
                 .description = token.description,
                 .created_at = time_of(token.created_wall_ms),
                 .user = token.user,
                 .tenant = token.tenant};
  info.permissions = acl::permissions_of(token.permissions);
  info.expires_in = remaining(token.deadline_ms, runtime_.now_ms());
  if (token.has_expired(runtime_.now_ms())) info.expires_in = std::chrono::seconds(0);
  if (const auto used_ms = last_use_.of(token.id)) info.last_used_at = time_of(*used_ms);
  return info;
}

}  // namespace concord::database

#include "http/admission.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "http/reply.hpp"
#include "security/secret.hpp"

namespace concord::http {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

/// A stranger may hold up its own call for so long, while the leader is asked.
constexpr std::chrono::milliseconds longest_search{2000};

Problem too_many(const std::string& of_what, seconds wait) {
  Problem problem(429, "TOO_MANY_REQUESTS", "too many " + of_what + "; nothing was done");
  problem.retry_after_s = static_cast<unsigned>(wait.count());
  return problem;
}

Problem unauthorized(std::string message) { return {401, error_name(Errc::unauthorized), std::move(message)}; }

bool is_bearer(std::string_view scheme) noexcept {
  constexpr std::string_view bearer = "bearer ";
  if (scheme.size() < bearer.size()) return false;
  for (std::size_t i = 0; i < bearer.size(); ++i) {
    if ((scheme[i] | 0x20) != bearer[i]) return false;
  }
  return true;
}

/// None: the call brings no token. Empty: one that can't be read.
std::optional<std::string_view> token_of(const Request& request) noexcept {
  if (!request.has(Header::authorization)) {
    return request.has(Header::api_key) ? std::optional(request.header(Header::api_key)) : std::nullopt;
  }
  std::string_view text = request.header(Header::authorization);
  if (!is_bearer(text)) return std::string_view();
  text.remove_prefix(std::string_view("bearer ").size());
  while (text.starts_with(' ')) text.remove_prefix(1);
  return text;
}

/// What a wrong token is answered with.
void refuse_token(Call& call) {
  const auto wait = call.site.rate_limits.take_failure(call.caller.address, steady_clock::now());
  call.refuse(wait ? too_many("wrong tokens came from this address", *wait) : unauthorized("the token is not valid"));
}

bool has_needed(Needs needs, const acl::Access& access) noexcept {
  switch (needs) {
    case Needs::nobody_may: return false;
    case Needs::nothing: return true;
    case Needs::read: return access.judge(Permission::read) == command::Refusal::none;
    case Needs::write: return access.judge(Permission::write) == command::Refusal::none;
    case Needs::read_or_write: return has_needed(Needs::read, access) || has_needed(Needs::write, access);
    case Needs::admin: return access.judge(Permission::admin) == command::Refusal::none;
  }
  return false;
}

std::string_view name_of(Needs needs) noexcept {
  switch (needs) {
    case Needs::read: return "read";
    case Needs::write: return "write";
    case Needs::read_or_write: return "read or write";
    default: return "admin";
  }
}

/// Of the token and of its tenant. False after the call was refused.
bool is_within_limits(Call& call, const acl::Access& access) {
  security::RateLimits& limits = call.site.rate_limits;
  const auto now = steady_clock::now();
  if (const auto wait = limits.take_request(access.id(), now)) {
    call.refuse(too_many("calls with this token", *wait));
    return false;
  }
  const Tenant* const tenant = access.tenant();
  if (tenant == nullptr || tenant->quotas.max_operations_per_s == 0) return true;
  if (const auto wait = limits.take_request_of_tenant(tenant->name, tenant->quotas.max_operations_per_s, now)) {
    call.refuse(too_many("calls of the tenant " + tenant->name, *wait));
    return false;
  }
  return true;
}

/// False after the call was refused.
bool has_permission(const Route& route, Call& call, const acl::Access& access) {
  if (has_needed(route.needs, access)) return true;
  call.refuse({403, error_name(Errc::forbidden),
               "the token lacks the permission " + std::string(name_of(route.needs)) + ", which this call needs"});
  return false;
}

/// Whose token it is, is known. False after the call was refused.
bool enter(const Route& route, Call& call, acl::Access access) {
  call.caller.proved = access.id();
  if (!is_within_limits(call, access) || !has_permission(route, call, access)) return false;
  call.access = std::move(access);
  return true;
}

void search(const RouteTable& table, std::size_t position, Call& call, Admitted then, std::string_view token) {
  const auto found = std::make_shared<acl::Access>();
  database::Database& database = call.site.database;
  call.await(
      [&](Completion<command::Outcome> done) {
        database.when_access(token, longest_search,
                             [found, done = std::move(done)](Result<acl::Access> access) mutable {
                               if (!access) return done(std::unexpected(std::move(access.error())));
                               *found = std::move(*access);
                               done(command::Outcome());
                             });
      },
      [&table, position, then, found](Call& searched, const Result<command::Outcome>& outcome) {
        if (!outcome && outcome.error().code() == Errc::unauthorized) return refuse_token(searched);
        if (!outcome) return searched.refuse(outcome.error());
        if (enter(table.routes()[position], searched, std::move(*found))) then(table, position, searched);
      });
}

}  // namespace

bool admit(const RouteTable& table, std::size_t position, Call& call, Admitted then) {
  const Route& route = table.routes()[position];
  call.access = acl::Access();
  if (route.needs == Needs::nothing) return true;
  const auto now = steady_clock::now();
  if (const auto wait = call.site.rate_limits.take_request(call.caller.address, now)) {
    call.refuse(too_many("calls from this address", *wait));
    return false;
  }
  if (!call.site.database.options().auth.enabled) {
    call.access = acl::Access::everything();
    return true;
  }
  const auto token = token_of(call.request);
  if (!token) {
    call.refuse(unauthorized("the call needs a token: Authorization: Bearer sk_concord_..., or X-API-Key"));
    return false;
  }
  acl::Access access = call.site.database.find_access(*token);
  const bool is_proved = !access.id().is_zero() && access.id() == call.caller.proved;
  if (!is_proved) {
    if (const auto wait = call.site.rate_limits.is_blocked(call.caller.address, now)) {
      call.refuse(too_many("wrong tokens came from this address", *wait));
      return false;
    }
  }
  if (access.token() != nullptr) return enter(route, call, std::move(access));
  if (!security::is_well_formed(*token)) {
    refuse_token(call);
    return false;
  }
  search(table, position, call, then, *token);
  return false;
}

bool is_still_admitted(const Route& route, Call& call) {
  if (call.access.token() == nullptr) return true;  // nobody is asked, or the route needs nothing
  auto now = call.site.database.renewed(call.access);
  if (!now) {
    call.refuse(now.error());
    return false;
  }
  if (!has_permission(route, call, *now)) return false;
  call.access = std::move(*now);
  return true;
}

}  // namespace concord::http

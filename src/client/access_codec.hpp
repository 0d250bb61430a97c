// Tokens, roles, users and tenants as requests and answers of the HTTP API. What is given was checked before.
//
// Errors as in decode.hpp. Thread rule: pure functions.
#pragma once

#include <string_view>
#include <vector>

#include <concord/auth.hpp>
#include <concord/error.hpp>

#include "client/request.hpp"

namespace concord::client {

void set_create_token(Request& request, const NewToken& token);
void set_revoke_token(Request& request, std::string_view id);
void set_revoke_secret(Request& request, std::string_view secret);

void set_access(Request& request, const AccessRecord& record);
void set_remove_access(Request& request, AccessKind kind, std::string_view name);
/// Keeps the parameters that are there.
void set_list_access(Request& request, AccessKind kind);
[[nodiscard]] Result<std::vector<AccessRecord>> access_of(Result<Answer>&& answer, AccessKind kind);

}  // namespace concord::client

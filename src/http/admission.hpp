// Whether a call may reach its route: the one place of HTTP that asks who calls. A route says what it needs (`Route::needs`); one
// that says nothing is reached by nobody while authentication is on. What a handler then does with keys is judged below, in the name of
// `Call::access` (database/database.hpp).
//
//   token     Authorization: Bearer <token>, or X-API-Key: <token>; the first one counts when both are sent
//   401       none, or one that is not valid; counted against the address, but for none
//   403       a token that lacks what the route needs
//   429       too many calls, those of a tenant counted together, or too many wrong tokens from the address (security/rate_limits.hpp)
//
// A token that this node does not know is looked for again once the node knows all that the leader does: then the call waits.
#pragma once

#include <cstddef>
#include <string_view>

#include "http/call.hpp"
#include "http/route.hpp"

namespace concord::http {

/// Where a call goes on that was admitted later.
using Admitted = void (*)(const RouteTable&, std::size_t position, Call&);

/// True: go on at once. False: the call was refused, or goes on in `then`.
[[nodiscard]] bool admit(const RouteTable& table, std::size_t position, Call& call, Admitted then);

/// The same question again once the state is as fresh as the call asks for: false after the call was refused. What the call may do is
/// then as of now.
[[nodiscard]] bool is_still_admitted(const Route& route, Call& call);

}  // namespace concord::http

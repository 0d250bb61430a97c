// What requests tell the audit log (room audit): one entry each, of whatever changes something or is an administrator's, and of whatever
// is refused for its token; of what only reads, when the log wants that too. It follows from the route, so no route is left out.
//
// A request takes room in the log before it is served, and waits for it when there is none; what came of it is recorded when the answer
// is known, also when the client has gone by then.
//
// Thread rule: as `Call`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concord/revision.hpp>

#include "audit/log.hpp"
#include "command/transaction.hpp"
#include "security/rate_limits.hpp"

namespace concord::database {
class Database;
}

namespace concord::http {

class Call;
struct Route;

/// What there is to say of a call, beside its answer. Filled as it becomes known.
struct AuditNotes {
  bool is_conditional = false;
  std::optional<bool> has_ttl = {};
  std::uint32_t ttl_s = 0;
  std::optional<bool> is_compressed = {};
  std::optional<std::uint64_t> count = {};
  std::optional<bool> has_succeeded = {};  ///< of a transaction with guards
  std::string target = {};                 ///< a member, a token, a backup
  std::vector<std::string> keys = {};      ///< of a call on many
  Revision revision = {};                  ///< of what it has changed
};

enum class Audited : std::uint8_t {
  never,  ///< it tells everybody the same
  reads,  ///< it changes nothing
  always,
};

/// "10.0.0.1", "2001:db8::1"
[[nodiscard]] std::string text_of(const security::Address& address);

[[nodiscard]] Audited audited(const Route& route) noexcept;

/// Of a transaction that a call submits.
void note_transaction(AuditNotes& notes, const command::Transaction& transaction, const database::Database& database);
void note_outcome(AuditNotes& notes, const command::Outcome& outcome);

/// Whether a call that was admitted may not be served before it has room in the log.
[[nodiscard]] bool needs_audit_room(const Route& route, const Call& call) noexcept;

/// The call's reply is complete: records it, if it is to be.
void audit_answer(const Route& route, Call& call);

}  // namespace concord::http

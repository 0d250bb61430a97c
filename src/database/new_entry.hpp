// An entry of the host's own, or an operator's: checked, and made a record.
#pragma once

#include <string>

#include <concord/audit_log.hpp>

#include "acl/access.hpp"
#include "audit/record.hpp"

namespace concord::database {

/// The record views `entry` and `metadata`, which gets the text of its metadata. Errors: invalid_request.
[[nodiscard]] Result<audit::Record> record_of(const NewAuditEntry& entry, command::TokenId user, std::string& metadata);

}  // namespace concord::database

#include "database/new_entry.hpp"

#include <algorithm>
#include <string_view>

#include <boost/json/serialize.hpp>

#include "value/json.hpp"
#include "value/json_string.hpp"

namespace concord::database {
namespace {

constexpr std::size_t max_operation_bytes = 64;
constexpr std::size_t max_key_bytes = 1024;
constexpr std::size_t max_metadata_bytes = 4096;
constexpr std::string_view own_prefix = "audit";

bool is_operation(std::string_view name) noexcept {
  return !name.empty() && name.size() <= max_operation_bytes && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
  });
}

}  // namespace

Result<audit::Record> record_of(const NewAuditEntry& entry, command::TokenId user, std::string& metadata) {
  if (!is_operation(entry.operation)) {
    return fail(Errc::invalid_request, "the operation of an audit entry is 1 to 64 of a-z, 0-9, _, . and -");
  }
  if (entry.operation.starts_with(own_prefix)) {
    return fail(Errc::invalid_request, "operations that begin with \"audit\" are the log's own");
  }
  if (entry.key.size() > max_key_bytes || !value::is_utf8(entry.key)) {
    return fail(Errc::invalid_request, "the key of an audit entry is UTF-8 of at most 1024 bytes");
  }
  const auto outcome = audit::outcome_named(entry.result);
  if (!outcome) {
    return fail(Errc::invalid_request,
                "the result of an audit entry is one of ok, not_found, unauthorized, forbidden, error");
  }
  auto text = value::compact_json(boost::json::serialize(entry.metadata));
  if (!text || text->size() > max_metadata_bytes) {
    return fail(Errc::invalid_request, text ? "the metadata of an audit entry has " + std::to_string(text->size()) +
                                                  " bytes, the limit is 4096"
                                            : "metadata: " + text.error().message());
  }
  metadata = text->substr(1, text->size() - 2);
  return audit::Record{
      .operation = entry.operation, .outcome = *outcome, .user = user, .key = entry.key, .metadata = metadata};
}

}  // namespace concord::database

// Fields that tokens, roles, users and tenants share: permissions, and lists of texts.
//
// Thread rule: pure functions.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include <concord/auth.hpp>

#include "http/envelope.hpp"

namespace concord::http::routes {

// Each appends `,"name":[...]`.
void append_permissions(std::string& to, const std::vector<Permission>& permissions);
/// Prefixes may be any bytes; those that are no text are shown as keys are.
void append_prefixes(std::string& to, const std::vector<std::string>& prefixes);
void append_texts(std::string& to, std::string_view name, const std::vector<std::string>& texts);

// Each reads the list that was come to, and appends.
[[nodiscard]] std::expected<void, Problem> read_permissions(BodyText& text, const Field& field,
                                                            std::vector<Permission>& permissions);
[[nodiscard]] std::expected<void, Problem> read_texts(BodyText& text, const Field& field,
                                                      std::vector<std::string>& texts);

/// Of a role, user or tenant. In C++ an empty one means none; here that is a field that is not there.
[[nodiscard]] std::expected<std::string, Problem> read_access_name(std::string_view raw, std::string_view field);

}  // namespace concord::http::routes

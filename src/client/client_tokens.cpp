// Tokens, roles, users and tenants, over HTTP.
#include <concord/client.hpp>

#include <algorithm>
#include <utility>

#include "client/access_codec.hpp"
#include "client/client_impl.hpp"
#include "client/decode.hpp"
#include "client/encode.hpp"
#include "value/json_string.hpp"

namespace concord {

using client::Request;

namespace {

bool is_text(const AccessRecord& record) {
  const auto are_texts = [](const std::vector<std::string>& texts) {
    return std::ranges::all_of(texts, value::is_utf8);
  };
  const auto grants_are = [&](const Role& role) {
    return std::ranges::all_of(role.grants, [&](const Grant& grant) { return are_texts(grant.prefixes); });
  };
  if (const Role* role = std::get_if<Role>(&record)) return value::is_utf8(role->description) && grants_are(*role);
  if (const User* user = std::get_if<User>(&record)) return value::is_utf8(user->description) && are_texts(user->roles);
  const auto& tenant = std::get<Tenant>(record);
  return value::is_utf8(tenant.description) && value::is_utf8(tenant.prefix);
}

/// Else it would be another path.
bool is_name(std::string_view name) { return !name.empty() && value::is_utf8(name) && name != "." && name != ".."; }

}  // namespace

Result<CreatedToken> Client::create_token(const NewToken& token, const WriteOptions& options) {
  const bool is_text = value::is_utf8(token.description) && std::ranges::all_of(token.prefixes, value::is_utf8) &&
                       value::is_utf8(token.user) && value::is_utf8(token.tenant);
  if (!is_text) return fail(Errc::invalid_request, "the description and the prefixes of a token are UTF-8 over HTTP");
  Request request = client::write_request(options, impl_->core.options());
  client::set_create_token(request, token);
  return client::created_token_of(impl_->core.wait(std::move(request)));
}

Result<std::vector<TokenInfo>> Client::list_tokens(const ReadOptions& options) {
  Request request = client::read_request(options, impl_->core.options());
  request.target = "/api/v1/tokens";
  return client::tokens_of(impl_->core.wait(std::move(request)));
}

Result<void> Client::revoke_token(std::string_view id, const WriteOptions& options) {
  if (id.empty() || !value::is_utf8(id)) return fail(Errc::not_found, "there is no such token");
  Request request = client::write_request(options, impl_->core.options());
  client::set_revoke_token(request, id);
  return client::done_of(impl_->core.wait(std::move(request)));
}

Result<void> Client::revoke_secret(std::string_view secret, const WriteOptions& options) {
  if (!value::is_utf8(secret)) return fail(Errc::not_found, "there is no such token");
  Request request = client::write_request(options, impl_->core.options());
  client::set_revoke_secret(request, secret);
  return client::done_of(impl_->core.wait(std::move(request)));
}

Result<void> Client::set_access(const AccessRecord& record, const WriteOptions& options) {
  const std::string& name = std::visit([](const auto& each) -> const std::string& { return each.name; }, record);
  if (!is_name(name)) return fail(Errc::invalid_request, "the name of a role, user or tenant is empty, or no name");
  if (!is_text(record)) return fail(Errc::invalid_request, "descriptions and prefixes are UTF-8 over HTTP");
  Request request = client::write_request(options, impl_->core.options());
  client::set_access(request, record);
  return client::done_of(impl_->core.wait(std::move(request)));
}

Result<void> Client::remove_access(AccessKind kind, std::string_view name, const WriteOptions& options) {
  if (!is_name(name)) return fail(Errc::not_found, "there is no such name");
  Request request = client::write_request(options, impl_->core.options());
  client::set_remove_access(request, kind, name);
  return client::done_of(impl_->core.wait(std::move(request)));
}

Result<std::vector<AccessRecord>> Client::list_access(AccessKind kind, const ReadOptions& options) {
  Request request = client::read_request(options, impl_->core.options());
  client::set_list_access(request, kind);
  return client::access_of(impl_->core.wait(std::move(request)), kind);
}

}  // namespace concord

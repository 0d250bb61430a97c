// Tokens, over HTTP.
#include <concord/client.hpp>

#include <algorithm>
#include <utility>

#include "client/client_impl.hpp"
#include "client/decode.hpp"
#include "client/encode.hpp"
#include "value/json_string.hpp"

namespace concord {

using client::Request;

Result<CreatedToken> Client::create_token(const NewToken& token, const WriteOptions& options) {
  const bool is_text = value::is_utf8(token.description) && std::ranges::all_of(token.prefixes, value::is_utf8);
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

}  // namespace concord

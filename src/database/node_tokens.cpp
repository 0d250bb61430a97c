// Tokens, roles, users and tenants of the embedded node.
#include <concord/node.hpp>

#include <array>
#include <future>
#include <memory>
#include <utility>

#include "acl/record.hpp"
#include "acl/token.hpp"
#include "base/timeout.hpp"
#include "database/node_impl.hpp"

namespace concord {

using observe::ApiOperation;

namespace {

/// The node answers by its own clock at the deadline; whoever waits allows for some more.
constexpr std::chrono::milliseconds answer_grace{1000};

constexpr observe::CallDetails long_call = {.is_long = true};

/// `start(access, done)`.
template <class T, class Start>
Result<T> wait_for(const database::LocalDatabase& database, const WriteOptions& options, const Start& start) {
  const auto access = database.access_of(options.token, options.timeout);
  if (!access) return std::unexpected(access.error());
  const auto answer = std::make_shared<std::promise<Result<T>>>();
  auto answered = answer->get_future();
  start(*access, [answer](Result<T> result) { answer->set_value(std::move(result)); });
  if (answered.wait_for(base::bounded(options.timeout) + answer_grace) != std::future_status::ready) {
    return fail(Errc::timeout, "the change was not answered in time; whether it happens is unknown", true);
  }
  return answered.get();
}

/// In the order of `AccessKind`.
constexpr std::array set_operations = {ApiOperation::role_set, ApiOperation::user_set, ApiOperation::tenant_set};
constexpr std::array remove_operations = {ApiOperation::role_delete, ApiOperation::user_delete,
                                          ApiOperation::tenant_delete};
constexpr std::array list_operations = {ApiOperation::role_list, ApiOperation::user_list, ApiOperation::tenant_list};

ApiOperation operation_of(const std::array<ApiOperation, 3>& operations, AccessKind kind) {
  return operations.at(static_cast<std::size_t>(kind) - 1);
}

}  // namespace

Result<CreatedToken> Node::create_token(const NewToken& token, const WriteOptions& options) {
  return impl_->observed(ApiOperation::token_create, long_call, Impl::writing(options), [&] {
    return wait_for<CreatedToken>(*impl_->database, options, [&](const acl::Access& access, auto done) {
      impl_->database->create_token(token, access, options.timeout, std::move(done));
    });
  });
}

Result<void> Node::revoke_token(std::string_view id, const WriteOptions& options) {
  // Who gives a secret for an id does not find it in the audit log.
  const std::string_view target = acl::parse_id(id) ? id : std::string_view();
  return impl_->observed(ApiOperation::token_revoke, long_call, Impl::writing(options, {}, target), [&] {
    return wait_for<void>(*impl_->database, options, [&](const acl::Access& access, auto done) {
      impl_->database->revoke_token(id, access, options.timeout, std::move(done));
    });
  });
}

Result<void> Node::revoke_secret(std::string_view secret, const WriteOptions& options) {
  return impl_->observed(ApiOperation::token_revoke_secret, observe::operation_name(ApiOperation::token_revoke),
                         long_call, Impl::writing(options), [&] {
                           return wait_for<void>(*impl_->database, options, [&](const acl::Access& access, auto done) {
                             impl_->database->revoke_secret(secret, access, options.timeout, std::move(done));
                           });
                         });
}

Result<std::vector<TokenInfo>> Node::list_tokens(const ReadOptions& options) {
  const WriteOptions as_write{.timeout = options.timeout,
                              .token = options.token};  // an administrator's: always recorded
  return impl_->observed(ApiOperation::token_list, long_call, Impl::writing(as_write),
                         [&]() -> Result<std::vector<TokenInfo>> {
                           const auto access = impl_->database->readable_access(options);
                           if (!access) return std::unexpected(access.error());
                           if (auto may = database::allowed(access->judge(Permission::admin)); !may) {
                             return std::unexpected(std::move(may.error()));
                           }
                           return impl_->database->list_tokens();
                         });
}

Result<void> Node::set_access(const AccessRecord& record, const WriteOptions& options) {
  return impl_->observed(operation_of(set_operations, acl::kind_of(record)), long_call,
                         Impl::writing(options, {}, acl::name_of(record)), [&] {
                           return wait_for<void>(*impl_->database, options, [&](const acl::Access& access, auto done) {
                             impl_->database->set_access(record, access, options.timeout, std::move(done));
                           });
                         });
}

Result<void> Node::remove_access(AccessKind kind, std::string_view name, const WriteOptions& options) {
  return impl_->observed(operation_of(remove_operations, kind), long_call, Impl::writing(options, {}, name), [&] {
    return wait_for<void>(*impl_->database, options, [&](const acl::Access& access, auto done) {
      impl_->database->remove_access(kind, name, access, options.timeout, std::move(done));
    });
  });
}

Result<std::vector<AccessRecord>> Node::list_access(AccessKind kind, const ReadOptions& options) {
  const WriteOptions as_write{.timeout = options.timeout, .token = options.token};  // as `list_tokens`
  return impl_->observed(operation_of(list_operations, kind), long_call, Impl::writing(as_write),
                         [&]() -> Result<std::vector<AccessRecord>> {
                           const auto access = impl_->database->readable_access(options);
                           if (!access) return std::unexpected(access.error());
                           if (auto may = database::allowed(access->judge(Permission::admin)); !may) {
                             return std::unexpected(std::move(may.error()));
                           }
                           return impl_->database->list_access(kind);
                         });
}

}  // namespace concord

// The cluster group of the embedded node.
#include <concord/node.hpp>

#include <algorithm>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/timeout.hpp"
#include "database/node_impl.hpp"

namespace concord {
namespace {

using database::MemberChange;
using observe::ApiOperation;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr observe::CallDetails long_call = {.is_long = true};

/// How often readiness is looked at.
constexpr milliseconds look_interval{5};
/// The node answers by its own clock at the deadline; whoever waits allows for some more.
constexpr milliseconds answer_grace{1000};

Result<void> check_admin(const database::LocalDatabase& database, const WriteOptions& options) {
  const auto access = database.access_of(options.token, options.timeout);
  if (!access) return std::unexpected(access.error());
  return database::allowed(access->judge(Permission::admin));
}

Result<void> change(database::LocalDatabase& database, MemberChange kind, std::string_view name, std::string_view peer,
                    const WriteOptions& options) {
  if (auto may = check_admin(database, options); !may) return may;
  const auto answer = std::make_shared<std::promise<Result<void>>>();
  auto answered = answer->get_future();
  database.change_members(kind, std::string(name), std::string(peer), options.timeout,
                          [answer](Result<void> changed) { answer->set_value(std::move(changed)); });
  if (answered.wait_for(base::bounded(options.timeout) + answer_grace) != std::future_status::ready) {
    return fail(Errc::timeout, "the change was not answered in time; whether it happens is unknown", true);
  }
  return answered.get();
}

/// What a node waits for, as one line; nothing when it is ready.
std::string missing_of(const std::vector<database::ReadyCheck>& checks) {
  std::string missing;
  for (const database::ReadyCheck& check : checks) {
    if (!check.ok && missing.find(check.why) == std::string::npos) missing += (missing.empty() ? "" : "; ") + check.why;
  }
  return missing;
}

}  // namespace

Result<Status> Node::status() {
  return impl_->observed(ApiOperation::status, long_call, {.is_read = true}, [&] { return impl_->database->status(); });
}

Result<void> Node::wait_ready(milliseconds timeout) {
  database::LocalDatabase& database = *impl_->database;
  const auto end = steady_clock::now() + base::bounded(timeout);
  for (;;) {
    const std::string missing = missing_of(database.ready());
    if (missing.empty()) return {};
    if (auto failure = database.failure()) return std::unexpected(std::move(*failure));
    if (database.is_removed()) return fail(Errc::cluster_not_ready, missing);
    const auto left = end - steady_clock::now();
    if (left <= steady_clock::duration::zero()) {
      return fail(Errc::cluster_not_ready, "not ready after " + std::to_string(timeout.count()) + " ms: " + missing);
    }
    std::this_thread::sleep_for(std::min<steady_clock::duration>(left, look_interval));
  }
}

Result<void> Node::add_member(std::string_view name, std::string_view peer, const WriteOptions& options) {
  return impl_->observed(ApiOperation::member_add, long_call, Impl::writing(options, {}, name),
                         [&] { return change(*impl_->database, MemberChange::add, name, peer, options); });
}

Result<void> Node::remove_member(std::string_view name, const WriteOptions& options) {
  return impl_->observed(ApiOperation::member_remove, long_call, Impl::writing(options, {}, name),
                         [&] { return change(*impl_->database, MemberChange::remove, name, {}, options); });
}

Result<void> Node::promote(std::string_view name, const WriteOptions& options) {
  return impl_->observed(ApiOperation::member_promote, long_call, Impl::writing(options, {}, name),
                         [&] { return change(*impl_->database, MemberChange::promote, name, {}, options); });
}

Result<void> Node::transfer_leadership(std::string_view name, const WriteOptions& options) {
  return impl_->observed(ApiOperation::leader_transfer, long_call, Impl::writing(options, {}, name), [&] {
    return change(*impl_->database, MemberChange::transfer_leadership, name, {}, options);
  });
}

Result<void> Node::trigger_snapshot(const WriteOptions& options) {
  return impl_->observed(ApiOperation::snapshot_trigger, long_call, Impl::writing(options), [&]() -> Result<void> {
    if (auto may = check_admin(*impl_->database, options); !may) return may;
    if (auto failure = impl_->database->failure()) return std::unexpected(std::move(*failure));
    impl_->database->trigger_snapshot();
    return {};
  });
}

}  // namespace concord

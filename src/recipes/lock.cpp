#include <concord/recipes/lock.hpp>

#include <utility>

#include "recipes/attempts.hpp"
#include "recipes/lease.hpp"

namespace concord {

using recipes::Lease;

namespace {

recipes::LeaseTerms terms_of(const LockOptions& options) {
  return {
      .ttl = options.ttl, .timeout = options.timeout, .longest_pause = options.longest_pause, .token = options.token};
}

void give_back(const std::unique_ptr<Lease>& lease) noexcept {
  if (lease && !lease->is_borrowed()) (void)lease->release();
}

}  // namespace

LockHold::LockHold(std::unique_ptr<Lease> lease) noexcept : lease_(std::move(lease)) {}
LockHold::LockHold(LockHold&&) noexcept = default;
LockHold& LockHold::operator=(LockHold&& other) noexcept {
  if (this != &other) give_back(lease_);
  lease_ = std::move(other.lease_);
  return *this;
}
LockHold::~LockHold() { give_back(lease_); }

Revision LockHold::fencing_token() const noexcept { return lease_->created(); }
bool LockHold::is_held() const noexcept { return remaining().count() > 0; }
std::chrono::milliseconds LockHold::remaining() const noexcept { return lease_->remaining(); }
bool LockHold::already_owned() const noexcept { return lease_->is_borrowed(); }
Result<void> LockHold::renew() { return lease_->renew(); }
Result<void> LockHold::release() { return lease_->release(); }
Guard LockHold::guard() const { return lease_->guard(); }

Lock::Lock(Store& store, std::string_view name, LockOptions options)
    : store_(&store), key_(options.prefix + std::string(name)), options_(std::move(options)) {}

Result<LockHold> Lock::try_acquire(std::string_view owner) { return acquire(owner, std::chrono::milliseconds(0)); }

Result<LockHold> Lock::acquire(std::string_view owner, std::chrono::milliseconds wait) {
  auto lease = Lease::acquire(*store_, key_, owner, terms_of(options_), wait);
  if (!lease) return std::unexpected(std::move(lease.error()));
  return LockHold(std::move(*lease));
}

Result<void> Lock::release(std::string_view owner) {
  const Value mine(owner);
  const auto done = recipes::compare_and_set(*store_, key_, terms_of(options_).call(),
                                             [&](const Entry* entry) -> Result<std::optional<Operation>> {
                                               if (entry == nullptr) return fail(Errc::not_found, "nobody holds it");
                                               if (entry->value != mine)
                                                 return fail(Errc::condition_failed, "another holds it");
                                               return Operation::del(key_);
                                             });
  if (!done) return std::unexpected(done.error());
  return {};
}

Result<LockHolder> Lock::holder() const {
  auto found = recipes::lease_holder(
      *store_, key_, {.consistency = ReadConsistency::strong, .timeout = options_.timeout, .token = options_.token});
  if (!found) return std::unexpected(std::move(found.error()));
  return LockHolder{.owner = std::move(found->owner), .fencing_token = found->created, .ttl = found->ttl};
}

}  // namespace concord

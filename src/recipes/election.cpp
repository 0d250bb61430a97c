#include <concord/recipes/election.hpp>

#include <utility>

#include "recipes/lease.hpp"

namespace concord {

using recipes::Lease;

namespace {

/// Also when the candidate led already: its earlier life ended, and with it whoever might have resigned.
void give_up(const std::unique_ptr<Lease>& lease) noexcept {
  if (lease) (void)lease->release();
}

}  // namespace

Leadership::Leadership(std::unique_ptr<Lease> lease) noexcept : lease_(std::move(lease)) {}
Leadership::Leadership(Leadership&&) noexcept = default;
Leadership& Leadership::operator=(Leadership&& other) noexcept {
  if (this != &other) give_up(lease_);
  lease_ = std::move(other.lease_);
  return *this;
}
Leadership::~Leadership() { give_up(lease_); }

Revision Leadership::term() const noexcept { return lease_->created(); }
bool Leadership::is_leader() const noexcept { return remaining().count() > 0; }
std::chrono::milliseconds Leadership::remaining() const noexcept { return lease_->remaining(); }
Result<void> Leadership::renew() { return lease_->renew(); }
Result<void> Leadership::resign() { return lease_->release(); }
Guard Leadership::guard() const { return lease_->guard(); }

Election::Election(Store& store, std::string_view name, ElectionOptions options)
    : store_(&store), key_(options.prefix + std::string(name)), options_(std::move(options)) {}

Result<Leadership> Election::try_campaign(std::string_view candidate) {
  return campaign(candidate, std::chrono::milliseconds(0));
}

Result<Leadership> Election::campaign(std::string_view candidate, std::chrono::milliseconds wait) {
  auto lease = Lease::acquire(*store_, key_, candidate,
                              {.ttl = options_.ttl,
                               .timeout = options_.timeout,
                               .longest_pause = options_.longest_pause,
                               .token = options_.token},
                              wait);
  if (!lease) return std::unexpected(std::move(lease.error()));
  return Leadership(std::move(*lease));
}

Result<Leader> Election::leader(const ReadOptions& options) const {
  ReadOptions read = options;
  if (read.token.empty()) read.token = options_.token;
  auto found = recipes::lease_holder(*store_, key_, read);
  if (!found) return std::unexpected(std::move(found.error()));
  return Leader{.candidate = std::move(found->owner), .term = found->created, .ttl = found->ttl};
}

}  // namespace concord

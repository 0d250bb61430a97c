#include "store/restore.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/mutant.hpp"

namespace concord::store {

using base::ClusterTimeMs;
using command::OperationResult;
using command::OperationStatus;
using command::RestoreId;
using command::RestoreStep;

Restores::Unused Restores::begin(const RestoreStep& step, const command::EntryStamp& stamp, const MakeKeys& make) {
  if (staging_ && staging_->id() == step.id) return nullptr;
  Unused before = drop();
  staging_ = std::make_unique<Staging>(step, stamp.cluster_time_ms, stamp.wall_offset_ms, make());
  return before;
}

Restores::Unused Restores::add(const RestoreStep& step, ClusterTimeMs now_ms, OperationResult& result) {
  if (!staging_ || staging_->id() != step.id) {
    result.status = OperationStatus::not_found;
    return nullptr;
  }
  if (!staging_->add(step, now_ms)) {
    result.status = OperationStatus::not_found;
    return drop();
  }
  result.count = staging_->next_number();
  return nullptr;
}

std::unique_ptr<Staging> Restores::take(const RestoreStep& step, OperationResult& result) {
  result.status = OperationStatus::not_found;
  if (!staging_ || staging_->id() != step.id) return nullptr;
  if (staging_->is_complete(step)) result.status = OperationStatus::ok;
  return std::move(staging_);
}

Restores::Unused Restores::abort(RestoreId id) { return staging_ && staging_->id() == id ? drop() : nullptr; }

Restores::Unused Restores::drop_idle(ClusterTimeMs now_ms) {
  return staging_ && now_ms >= staging_->drop_at_ms() ? drop() : nullptr;
}

Restores::Unused Restores::drop() {
  if (!staging_) return nullptr;
  Unused unused = staging_->drop_keys();
  staging_.reset();
  return unused;
}

std::optional<ClusterTimeMs> Restores::drop_at_ms() const {
  if (!staging_) return std::nullopt;
  return staging_->drop_at_ms();
}

std::uint64_t Restores::digest() const {
  return restore_digest(committed_, committed_at_) + (staging_ ? staging_->digest() : 0);
}

void Restores::describe(SnapshotMeta& meta) const {
  meta.restored = committed_;
  meta.restored_revision = committed_at_;
  if (!staging_ || CONCORD_MUTANT("a-snapshot-forgets-a-restore-under-way")) return;
  meta.staging = staging_->head();
  meta.staged_access = staging_->access().size();
  meta.has_records = meta.has_records || std::ranges::any_of(staging_->access(), [](const acl::Item& item) {
                       return std::holds_alternative<acl::RecordPointer>(item);
                     });
  meta.staged_entries = staging_->records().size();
}

std::optional<StagedImage> Restores::image(Epoch& epoch) const {
  if (!staging_ || CONCORD_MUTANT("a-snapshot-forgets-a-restore-under-way")) return std::nullopt;
  return staging_->image(epoch);
}

Restores::Unused Restores::load(LoadedState& loaded, const MakeKeys& make) {
  Unused before = drop();
  committed_ = loaded.meta.restored;
  committed_at_ = loaded.meta.restored_revision;
  if (!loaded.staging.head.empty()) staging_ = Staging::load(std::move(loaded.staging), make());
  return before;
}

namespace {

/// Puts what a backup says of access beside what is there. What is there stays, so of a user, a role or a tenant which is another one here
/// than in the backup nothing is added that goes by its name: else a token of the backup would reach what it never could.
class AccessOfBackup {
 public:
  AccessOfBackup(const std::vector<acl::Item>& items, const acl::Registry& known)
      : items_(items), known_(known.directory()), registry_(std::make_unique<acl::Registry>(known)) {}

  [[nodiscard]] std::unique_ptr<acl::Registry> added() && {
    for (const AccessKind kind : {AccessKind::role, AccessKind::tenant, AccessKind::user}) {
      for (const acl::Item& item : items_) {
        const auto* record = std::get_if<acl::RecordPointer>(&item);
        if (record != nullptr && acl::kind_of(**record) == kind) add(item, **record);
      }
    }
    for (const acl::Item& item : items_) {
      if (const auto* token = std::get_if<acl::TokenPointer>(&item)) add(item, **token);
    }
    registry_->settle();
    return std::move(registry_);
  }

 private:
  using Name = std::pair<AccessKind, std::string>;

  /// It is here as the backup knows it.
  [[nodiscard]] bool is_alike(AccessKind kind, const std::string& name) const { return alike_.contains({kind, name}); }
  void add(const acl::Item& item, const AccessRecord& record) {
    const AccessKind kind = acl::kind_of(record);
    const std::string& name = acl::name_of(record);
    if (const auto* user = std::get_if<User>(&record)) {
      const bool has_others = std::ranges::any_of(
          user->roles, [this](const std::string& role) { return !is_alike(AccessKind::role, role); });
      if (has_others || (!user->tenant.empty() && !is_alike(AccessKind::tenant, user->tenant))) return;
    }
    const acl::RecordPointer here = known_.find(kind, name);
    if (here ? acl::encode(*here) == acl::encode(record) : registry_->add(item)) alike_.emplace(kind, name);
  }
  void add(const acl::Item& item, const acl::Token& token) {
    const bool has_user = token.user.empty() || is_alike(AccessKind::user, token.user);
    const bool has_tenant = token.tenant.empty() || is_alike(AccessKind::tenant, token.tenant);
    if (!has_user || !has_tenant || registry_->tokens().count() >= command::max_tokens) return;
    (void)registry_->add(item);  // one whose id or secret is there stays as it is there
  }

  const std::vector<acl::Item>& items_;
  const acl::Directory& known_;
  std::unique_ptr<acl::Registry> registry_;
  std::set<Name> alike_;
};

}  // namespace

std::unique_ptr<acl::Registry> with_access_of(const Staging& staged, const acl::Registry& known) {
  return AccessOfBackup(staged.access(), known).added();
}

bool replace_within(KeySpace& keys, const Staging& staged, Revision revision) {
  std::vector<std::string> replaced;
  for (const std::string& prefix : staged.scope().prefixes()) {
    keys.visit_from(prefix, keys.visible(), [&](const Record& record) {
      if (!record.key().starts_with(prefix)) return false;
      replaced.emplace_back(record.key());
      return true;
    });
  }
  keys.begin(revision, false);
  for (const std::string& key : replaced) keys.remove(keys.locate(key));
  for (const Record* record : staged.records()) {
    const KeySpace::Place place = keys.locate(record->key());
    keys.put(place, record->key(), keys.make_record(place, record->key(), record->value(), record->deadline_ms()));
  }
  return keys.commit();
}

}  // namespace concord::store

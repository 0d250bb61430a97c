#include "store/restore.hpp"

#include <algorithm>
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

std::unique_ptr<acl::Registry> with_access_of(const Staging& staged, const acl::Registry& known) {
  auto registry = std::make_unique<acl::Registry>(known);
  for (const acl::Item& item : staged.access()) {
    const bool is_token = std::holds_alternative<acl::TokenPointer>(item);
    if (is_token && registry->tokens().count() >= command::max_tokens) continue;
    (void)registry->add(item);  // one whose id, secret or name is there stays as it is there
  }
  registry->settle();
  return registry;
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
    keys.put(keys.locate(record->key()), record->key(), record->value(), record->deadline_ms());
  }
  return keys.commit();
}

}  // namespace concord::store

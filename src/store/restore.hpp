// The restore under way, and the last that was committed: its steps as the state machine takes them. staging.hpp says the rules.
//
// Key spaces that are no longer needed are given back: whoever has the epoch lets them go. Thread rule: the writer's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "base/ids.hpp"
#include "command/entry.hpp"
#include "command/restore.hpp"
#include "command/transaction.hpp"
#include "store/key_space.hpp"
#include "store/snapshot.hpp"
#include "store/staging.hpp"

namespace concord::store {

class Restores {
 public:
  using MakeKeys = std::function<std::unique_ptr<KeySpace>()>;
  using Unused = std::unique_ptr<KeySpace>;

  [[nodiscard]] Unused begin(const command::RestoreStep& step, const command::EntryStamp& stamp, const MakeKeys& make);
  [[nodiscard]] Unused add(const command::RestoreStep& step, base::ClusterTimeMs now_ms,
                           command::OperationResult& result);
  /// What is to take the place of what is there. When the result is no longer `ok`, it ends here without.
  [[nodiscard]] std::unique_ptr<Staging> take(const command::RestoreStep& step, command::OperationResult& result);
  [[nodiscard]] Unused abort(command::RestoreId id);
  [[nodiscard]] Unused drop_idle(base::ClusterTimeMs now_ms);

  /// Whoever has lost the answer of a commit asks again.
  [[nodiscard]] bool is_committed(command::RestoreId id) const noexcept { return id == committed_; }
  [[nodiscard]] Revision committed_at() const noexcept { return committed_at_; }
  void note_committed(command::RestoreId id, Revision at) noexcept {
    committed_ = id;
    committed_at_ = at;
  }

  [[nodiscard]] std::optional<base::ClusterTimeMs> drop_at_ms() const;
  [[nodiscard]] std::uint64_t digest() const;
  [[nodiscard]] std::uint64_t memory_bytes() const { return staging_ ? staging_->memory_bytes() : 0; }
  void describe(SnapshotMeta& meta) const;
  [[nodiscard]] std::optional<StagedImage> image(Epoch& epoch) const;
  /// Takes over what a snapshot has.
  [[nodiscard]] Unused load(LoadedState& loaded, const MakeKeys& make);

 private:
  [[nodiscard]] Unused drop();

  std::unique_ptr<Staging> staging_;
  command::RestoreId committed_;
  Revision committed_at_;
};

/// Those there are, and what was staged beside them.
[[nodiscard]] std::unique_ptr<acl::Registry> with_access_of(const Staging& staged, const acl::Registry& known);
/// Replaces the keys within the scope of `staged`, at `revision`. False: there was nothing to do.
[[nodiscard]] bool replace_within(KeySpace& keys, const Staging& staged, Revision revision);

}  // namespace concord::store

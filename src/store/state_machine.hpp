// The deterministic state machine: log entries go in, the state of the store comes out.
//
// Shape. The same entries in the same order give the same state, outcomes and digest on every machine: nothing here reads a
// clock, a random number, or an order of hashes or pointers. Time is the stamp of the entries, and never goes back.
//
//     writer (one thread at a time)                 readers (any thread, any time)
//       apply(index, term, entry, applied)            get, get_entry, get_many, view
//       next_due, begin_snapshot, install
//
// Readers take no lock and never wait for the writer (DESIGN 6); a transaction with many changes becomes visible at once. A
// reader that needs several keys or a range as of one revision opens a `View`. A read returns a key until the `expire`
// command that removed it; it never asks a clock.
//
// Meaning of a transaction (CONTRACT 2, 10):
//   - all guards hold: `then` runs, else `otherwise`; each operation sees the earlier ones; all of it is one revision;
//   - a transaction that changed nothing takes no revision; an identical put and a touch are changes; a key that was only
//     created and removed again inside the transaction is not one;
//   - remove or touch of a missing key is the result `not_found`, not a failure;
//   - put without ttl removes an earlier ttl; touch keeps the value; deadline = stamp's cluster time + ttl;
//   - Outcome::results: none for a plain put and for a plain remove that removed; else one an operation that ran;
//   - a transaction once: when its name was used in the last 10 minutes nothing is done, and the answer is the one of then,
//     or a conflict when the request is another one (store/remembered.hpp);
//   - a command in the name of a token is done when that token may do it, by the tokens of then (acl/rules.hpp); else its outcome
//     is a refusal, and nothing was done;
//   - token create and revoke, access set and remove change no key and take no revision: `results` has one, which tells what became of
//     it; what it changes counts from the next command on (acl/registry.hpp);
//   - a command that would leave a tenant with more than its quota, and with more than before, is refused as a whole (store/quotas.hpp);
//   - a restore comes in steps (store/staging.hpp): what was staged takes the place of all keys, or of those with the prefixes it was begun
//     with, at one revision, which all of it has then. Remembered answers and tokens stay, and so do roles, users and tenants; those of the backup are added when it was asked for. The
//     result's `count`: of a chunk the number that comes next, of a commit the entries there; `not_found`: it is not, or no longer, staged;
//   - expire(due_ms, limit): removes what is due at `due_ms`, at most `limit` keys, earliest (deadline, revision, key) first,
//     at one revision. `due_ms` never makes time go on beyond the entry's stamp.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <concord/error.hpp>
#include <concord/revision.hpp>
#include <concord/value.hpp>

#include "acl/registry.hpp"
#include "base/ids.hpp"
#include "command/entry.hpp"
#include "command/transaction.hpp"
#include "store/change.hpp"

namespace concord::store {

/// What one command of an entry did.
struct Applied {
  base::RequestId request;
  command::CommandKind kind = command::CommandKind::put;
  command::Outcome outcome;
};

/// A value with everything the store knows about it.
struct EntrySnapshot {
  Value value;
  Revision revision;
  Revision create_revision;
  std::uint64_t version = 0;
  std::optional<base::ClusterTimeMs> deadline_ms;
};

struct Options {
  /// Seed of the key table's hash: drawn by the node, so that nobody can choose keys that collide. Decides nothing.
  std::uint64_t hash_seed = 0;
};

class View;
class Snapshot;
class LoadedState;

class StateMachine {
 public:
  explicit StateMachine(const Options& options = {});
  StateMachine(const StateMachine&) = delete;
  StateMachine& operator=(const StateMachine&) = delete;
  /// Precondition: no reader is inside a call, no `View` or `Snapshot` is left. `Value`s that were read may live on.
  ~StateMachine();

  // --- writer ----------------------------------------------------------------------------------------------------------

  /// Applies one entry (command/entry.hpp) and appends what each of its commands did, in order. An empty entry only moves
  /// the index. Errors: storage_failed when the entry can't be decoded; the state is then good for nothing but reads.
  /// Precondition: index == applied_index().next().
  Result<void> apply(base::Index index, base::Term term, std::string_view entry, std::vector<Applied>& out);

  /// A command on this key will be applied: asks the memory for what that looks at first, so that nobody waits for it then. Changes nothing.
  void look_ahead(std::string_view key) noexcept;
  /// A little later: for the record behind it.
  void look_further() noexcept;

  /// Tells `listener` what commands change from now on; null: nobody. It outlives this, or the next call.
  void set_listener(ChangeListener* listener) noexcept;

  /// Gives memory back that closed views and readers have let go. Applying entries does so too; call it when there are none.
  void tidy();

  [[nodiscard]] base::Index applied_index() const noexcept;
  [[nodiscard]] base::Term applied_term() const noexcept;
  /// Of the newest entry; 0 before the first. Never goes back.
  [[nodiscard]] base::ClusterTimeMs cluster_time_ms() const noexcept;
  /// Wall clock minus cluster time, as the newest entry says.
  [[nodiscard]] std::int64_t wall_offset_ms() const noexcept;
  /// Earliest deadline of any key, or of a restore that nobody goes on with.
  [[nodiscard]] std::optional<base::ClusterTimeMs> next_due() const;
  /// Of keys, values, revisions, deadlines, remembered answers, tokens, roles, users and tenants: equal states have equal digests, however they were reached.
  [[nodiscard]] std::uint64_t digest() const noexcept;

  /// Fixes a snapshot of the state as of now (store/snapshot.hpp); costs no more than a read. `conf_state` are bytes the
  /// store does not look into. The snapshot may be read on another thread while the writer goes on.
  [[nodiscard]] std::unique_ptr<Snapshot> begin_snapshot(std::string_view conf_state) const;

  /// Replaces everything by what a `SnapshotLoader` has read. Readers see the old state or the new one, never a mix;
  /// views opened before go on reading the old one.
  void install(std::unique_ptr<LoadedState> loaded);

  // --- readers ---------------------------------------------------------------------------------------------------------

  /// The value of a key, or false. Copies up to `Value::inline_capacity` bytes, shares longer ones. No lock; no allocation.
  [[nodiscard]] bool get(std::string_view key, Value& out) const;
  [[nodiscard]] std::optional<EntrySnapshot> get_entry(std::string_view key) const;
  /// All keys as of one revision: `out[i]` is that of `keys[i]`; what `out` held before is dropped.
  void get_many(std::span<const std::string_view> keys, std::vector<std::optional<Value>>& out) const;
  /// Reads of many keys, ranges and queries as of one revision (store/view.hpp).
  [[nodiscard]] View view() const;

  /// Null: there is none with this secret, or of this id. It may have expired.
  [[nodiscard]] acl::TokenPointer find_token(const command::SecretHash& hash) const;
  [[nodiscard]] acl::TokenPointer find_token(command::TokenId id) const;
  /// All, by id.
  [[nodiscard]] std::vector<acl::TokenPointer> tokens() const;
  /// All of a kind, by name; tenants with what they have.
  [[nodiscard]] std::vector<AccessRecord> access_records(AccessKind kind) const;

  /// Of the newest visible transaction.
  [[nodiscard]] Revision revision() const noexcept;
  /// Number of keys.
  [[nodiscard]] std::uint64_t size() const noexcept;
  /// Held by keys, values, remembered answers, what a restore has staged, and their indexes, with the allocator's own overhead; falls when values go.
  [[nodiscard]] std::uint64_t memory_bytes() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace concord::store

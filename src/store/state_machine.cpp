#include "store/state_machine.hpp"

#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "acl/rules.hpp"
#include "base/check.hpp"
#include "base/mutant.hpp"
#include "store/access_digest.hpp"
#include "store/apply.hpp"
#include "store/key_space.hpp"
#include "store/quotas.hpp"
#include "store/remembered.hpp"
#include "store/restore.hpp"
#include "store/snapshot.hpp"
#include "store/view.hpp"

namespace concord::store {

using base::ClusterTimeMs;
using base::Index;
using base::Term;

namespace {

/// So many answers that are too old are freed by one entry.
constexpr std::size_t forgotten_an_entry = 64;

bool is_of_access(command::CommandKind kind) {
  switch (kind) {
    case command::CommandKind::token_create:
    case command::CommandKind::token_revoke:
    case command::CommandKind::access_set:
    case command::CommandKind::access_remove: return true;
    default: return false;
  }
}

std::uint64_t digest_of(const std::vector<acl::Item>& items) {
  std::uint64_t digest = 0;
  for (const acl::Item& item : items) digest += access_digest(item);
  return digest;
}

}  // namespace

struct StateMachine::State {
  explicit State(const Options& given) : options(given), keys(new KeySpace(given.hash_seed, epoch)) {}
  ~State() {
    delete keys.load(std::memory_order_relaxed);
    delete registry.load(std::memory_order_relaxed);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  const Options options;
  const acl::Rights everything = acl::Rights::everything();
  Epoch epoch;
  // Replaced as a whole by `install`; readers load it in a section.
  std::atomic<KeySpace*> keys;
  std::vector<std::unique_ptr<KeySpace>> replaced;  // until their last view is closed
  // Never changed, replaced as a whole; readers load it in a section. Never null.
  std::atomic<const acl::Registry*> registry{new acl::Registry};
  std::uint64_t registry_digest = 0;
  Quotas quotas{epoch};
  Index applied_index;
  Term applied_term;
  command::EntryStamp stamp;
  Remembered remembered;
  std::atomic<std::uint64_t> remembered_bytes{0};  // its size, for readers
  Restores restores;
  std::atomic<std::uint64_t> staged_bytes{0};  // likewise
  command::Command command;                    // reused from command to command
  ChangeListener* listener = nullptr;
  std::optional<std::uint64_t> ahead;  // the hash of a key that will be asked for

  [[nodiscard]] KeySpace& space() const noexcept { return *keys.load(std::memory_order_relaxed); }
  [[nodiscard]] const acl::Registry& known() const noexcept { return *registry.load(std::memory_order_relaxed); }
  void drop_replaced();
  Result<command::Outcome> apply_one();
  Result<command::Outcome> apply_access_command();
  Result<acl::Verdict> change(acl::Registry& newer) const;
  command::Outcome apply_restore_step();
  bool commit_restore(const command::RestoreStep& step, command::OperationResult& result);
  void replace_keys(std::unique_ptr<KeySpace> newer);
  void let_go(std::unique_ptr<KeySpace> keys);
  [[nodiscard]] std::unique_ptr<KeySpace> new_keys() { return std::make_unique<KeySpace>(options.hash_seed, epoch); }
  void publish(std::unique_ptr<acl::Registry> newer, bool is_whole = false);
  void publish_sizes() noexcept {
    staged_bytes.store(restores.memory_bytes(), std::memory_order_relaxed);
    remembered_bytes.store(remembered.size_bytes(), std::memory_order_relaxed);
  }
};

void StateMachine::State::drop_replaced() {
  std::erase_if(replaced, [this](std::unique_ptr<KeySpace>& old) {
    if (old->has_views()) return false;
    const auto size_bytes = static_cast<std::size_t>(old->memory_bytes());
    epoch.retire(old.release(), [](void* space) noexcept { delete static_cast<KeySpace*>(space); }, size_bytes);
    return true;
  });
}

Result<command::Outcome> StateMachine::State::apply_one() {
  const ClusterTimeMs now_ms = stamp.cluster_time_ms;
  acl::TokenPointer token;
  if (!command.as_token.is_zero() && !CONCORD_MUTANT("a-token-is-judged-only-where-it-is-taken")) {
    token = known().tokens().find(command.as_token);
    const command::Refusal refusal = acl::judge(token.get(), now_ms, command);
    if (refusal != command::Refusal::none) {
      command::Outcome outcome;
      outcome.refusal = refusal;
      outcome.revision = Revision(space().visible());
      return outcome;
    }
  }
  if (is_of_access(command.kind)) return apply_access_command();
  if (command::is_of_restore(command.kind)) return apply_restore_step();
  const ApplyTo to{.keys = space(), .remembered = remembered, .quotas = quotas, .listener = listener};
  return apply_command(to, command, token ? token->rights : everything, now_ms);
}

Result<command::Outcome> StateMachine::State::apply_access_command() {
  auto newer = std::make_unique<acl::Registry>(known());
  auto verdict = change(*newer);
  if (!verdict) return std::unexpected(std::move(verdict.error()));
  command::OperationResult result;
  result.status = verdict->status;
  if (!verdict->why.empty()) result.value = Value(Bytes(verdict->why));
  command::Outcome outcome;
  outcome.changed = result.status == command::OperationStatus::ok;
  outcome.revision = Revision(space().visible());
  outcome.results.push_back(std::move(result));
  if (outcome.changed) publish(std::move(newer));
  return outcome;
}

/// Errors: storage_failed, when a record does not follow its format: whoever proposed it had to check it.
Result<acl::Verdict> StateMachine::State::change(acl::Registry& newer) const {
  switch (command.kind) {
    case command::CommandKind::token_create: {
      const std::int64_t wall_ms = static_cast<std::int64_t>(stamp.cluster_time_ms) + stamp.wall_offset_ms;
      return newer.create(command.token, stamp.cluster_time_ms, static_cast<std::uint64_t>(wall_ms));
    }
    case command::CommandKind::token_revoke: return newer.revoke(command.token.id);
    case command::CommandKind::access_remove: return newer.remove(command.access.kind, command.access.name);
    default: break;
  }
  auto record = acl::decode_record(command.access.record);
  if (!record) return fail(Errc::storage_failed, "a role, user or tenant of the log does not follow its format");
  return newer.set(std::make_shared<const AccessRecord>(std::move(*record)));
}

command::Outcome StateMachine::State::apply_restore_step() {
  command::Outcome outcome;
  command::OperationResult result;
  const command::RestoreStep& step = command.restore;
  switch (command.kind) {
    case command::CommandKind::restore_begin: let_go(restores.begin(step, stamp, [this] { return new_keys(); })); break;
    case command::CommandKind::restore_chunk: let_go(restores.add(step, stamp.cluster_time_ms, result)); break;
    case command::CommandKind::restore_commit: outcome.changed = commit_restore(step, result); break;
    default: let_go(restores.abort(step.id)); break;
  }
  outcome.revision = outcome.changed ? restores.committed_at() : Revision(space().visible());
  outcome.results.push_back(std::move(result));
  return outcome;
}

/// False: nothing has changed.
bool StateMachine::State::commit_restore(const command::RestoreStep& step, command::OperationResult& result) {
  if (restores.is_committed(step.id)) return true;
  const std::unique_ptr<Staging> staged = restores.take(step, result);
  if (!staged) return false;
  if (result.status != command::OperationStatus::ok) {
    let_go(staged->drop_keys());
    return false;
  }
  const Revision revision(space().visible() + 1);
  result.count = staged->records().size();
  publish(with_access_of(*staged, known()));
  bool changed = true;
  if (staged->scope().is_everything()) {
    replace_keys(staged->take_keys(revision));
  } else {
    changed = replace_within(space(), *staged, revision);
    let_go(staged->drop_keys());
  }
  quotas.recount(space());
  restores.note_committed(step.id, Revision(space().visible()));
  if (listener != nullptr) listener->on_command(command.kind, changed, revision);
  return changed;
}

void StateMachine::State::replace_keys(std::unique_ptr<KeySpace> newer) {
  replaced.emplace_back(keys.exchange(newer.release(), std::memory_order_acq_rel));
  drop_replaced();
}

/// Nobody reads it but views of snapshots.
void StateMachine::State::let_go(std::unique_ptr<KeySpace> unused) {
  if (!unused) return;
  replaced.push_back(std::move(unused));
  drop_replaced();
}

/// `is_whole`: nothing of what was there before stays.
void StateMachine::State::publish(std::unique_ptr<acl::Registry> newer, bool is_whole) {
  if (is_whole) registry_digest = 0;
  registry_digest += digest_of(newer->changes().come) - digest_of(newer->changes().gone);
  const bool touches_tenants = newer->changes().has_tenant();
  newer->forget_changes();
  const std::size_t size_bytes = 256 * (newer->count() + 1);
  if (touches_tenants || is_whole) quotas.set_tenants(newer->directory(), space());
  const acl::Registry* const older = registry.exchange(newer.release(), std::memory_order_acq_rel);
  epoch.retire(
      const_cast<acl::Registry*>(older), [](void* old) noexcept { delete static_cast<acl::Registry*>(old); },
      size_bytes);
}

StateMachine::StateMachine(const Options& options) : state_(std::make_unique<State>(options)) {}
StateMachine::~StateMachine() = default;

// ---------------------------------------------------------------------------------------------------------------------
// Writer.

Result<void> StateMachine::apply(Index index, Term term, std::string_view entry, std::vector<Applied>& out) {
  State& state = *state_;
  CONCORD_CHECK(index == state.applied_index.next(), "entries are applied in order");
  if (!entry.empty()) {
    command::EntryReader reader(entry);
    // Every leader stamps at least what it has applied. Did one not, time stands still here, on every replica alike: going back
    // would let an expired key live again, and to refuse a committed entry would end the whole cluster.
    if (reader.ok()) {
      state.stamp.cluster_time_ms = std::max(state.stamp.cluster_time_ms, reader.stamp().cluster_time_ms);
      state.stamp.wall_offset_ms = reader.stamp().wall_offset_ms;
    }
    const ClusterTimeMs now_ms = state.stamp.cluster_time_ms;
    if (state.listener != nullptr) state.listener->on_entry(state.stamp);
    if (!state.remembered.is_empty()) state.remembered.forget_old(now_ms, forgotten_an_entry);
    state.let_go(state.restores.drop_idle(now_ms));
    while (reader.next(state.command)) {
      auto outcome = state.apply_one();
      if (!outcome) return std::unexpected(std::move(outcome.error()));
      out.push_back({.request = state.command.request, .kind = state.command.kind, .outcome = std::move(*outcome)});
    }
    if (!reader.ok()) {
      const auto format = static_cast<std::uint8_t>(entry.front());
      const bool is_known = format == command::entry_format;
      return fail(Errc::storage_failed,
                  "entry " + std::to_string(index.value()) +
                      (is_known ? " of the log can't be decoded: it is damaged, or holds a command of a newer version"
                                : " of the log has format " + std::to_string(format) +
                                      ", which is not known to this version (it knows " +
                                      std::to_string(command::entry_format) + ")"));
    }
  }
  state.applied_index = index;
  state.applied_term = term;
  state.publish_sizes();
  if (!state.replaced.empty()) state.drop_replaced();
  return {};
}

void StateMachine::look_ahead(std::string_view key) noexcept { state_->ahead = state_->space().look_for_slot(key); }

void StateMachine::look_further() noexcept {
  if (const auto hash = std::exchange(state_->ahead, std::nullopt)) state_->space().look_for_record(*hash);
}

void StateMachine::set_listener(ChangeListener* listener) noexcept { state_->listener = listener; }

void StateMachine::tidy() {
  state_->space().tidy();
  if (!state_->replaced.empty()) state_->drop_replaced();
}

Index StateMachine::applied_index() const noexcept { return state_->applied_index; }
Term StateMachine::applied_term() const noexcept { return state_->applied_term; }
ClusterTimeMs StateMachine::cluster_time_ms() const noexcept { return state_->stamp.cluster_time_ms; }
std::int64_t StateMachine::wall_offset_ms() const noexcept { return state_->stamp.wall_offset_ms; }
std::optional<ClusterTimeMs> StateMachine::next_due() const {
  const auto of_keys = state_->space().expiry().next_due();
  const auto of_restore = state_->restores.drop_at_ms();
  return of_keys && of_restore ? std::min(*of_keys, *of_restore) : of_keys ? of_keys : of_restore;
}
std::uint64_t StateMachine::digest() const noexcept {
  return state_->space().digest() + state_->remembered.digest() + state_->registry_digest + state_->restores.digest();
}

std::unique_ptr<Snapshot> StateMachine::begin_snapshot(std::string_view conf_state) const {
  State& state = *state_;
  KeySpace& keys = state.space();
  const bool is_behind = CONCORD_MUTANT("a-snapshot-is-newer-than-its-index") && state.applied_index.value() > 1;
  SnapshotMeta meta{.index = is_behind ? state.applied_index.previous() : state.applied_index,
                    .term = state.applied_term,
                    .revision = Revision(keys.visible()),
                    .cluster_time_ms = state.stamp.cluster_time_ms,
                    .wall_offset_ms = state.stamp.wall_offset_ms,
                    .digest = digest(),
                    .entries = keys.size(),
                    .remembered = state.remembered.count(),
                    .access = state.known().count(),
                    .conf_state = std::string(conf_state)};
  meta.has_records = state.known().directory().count() > 0;
  state.restores.describe(meta);
  return std::make_unique<Snapshot>(std::move(meta), View(keys, state.epoch), state.remembered.pin(),
                                    state.known().items(), state.restores.image(state.epoch));
}

void StateMachine::install(std::unique_ptr<LoadedState> loaded) {
  State& state = *state_;
  auto keys = state.new_keys();
  keys->build(loaded->records, loaded->meta.revision);
  loaded->records.clear();  // their references went along
  state.applied_index = loaded->meta.index;
  state.applied_term = loaded->meta.term;
  state.remembered = std::move(loaded->remembered);
  state.let_go(state.restores.load(*loaded, [&state] { return state.new_keys(); }));
  state.publish_sizes();
  auto registry = std::make_unique<acl::Registry>(std::move(loaded->registry));
  if (CONCORD_MUTANT("a-revoked-token-outlives-a-snapshot")) {
    for (const acl::Item& item : state.known().items()) (void)registry->add(item);
  }
  state.publish(std::move(registry), true);
  state.stamp = {.cluster_time_ms = loaded->meta.cluster_time_ms, .wall_offset_ms = loaded->meta.wall_offset_ms};
  state.replace_keys(std::move(keys));
  if (!CONCORD_MUTANT("usage-is-not-counted-behind-a-snapshot")) state.quotas.recount(state.space());
}

// ---------------------------------------------------------------------------------------------------------------------
// Readers.

bool StateMachine::get(std::string_view key, Value& out) const {
  const Epoch::Section section(state_->epoch);
  const KeySpace& keys = *state_->keys.load(std::memory_order_acquire);
  Record* record = keys.find_newest(key);
  if (record == nullptr) return false;
  // Made in its place: an assignment would copy the bytes a second time. Nothing throws in between.
  std::destroy_at(&out);
  ::new (static_cast<void*>(&out)) Value(value_of(*record));
  return true;
}

std::optional<EntrySnapshot> StateMachine::get_entry(std::string_view key) const {
  const Epoch::Section section(state_->epoch);
  const KeySpace& keys = *state_->keys.load(std::memory_order_acquire);
  Record* record = keys.find_newest(key);
  if (record == nullptr) return std::nullopt;
  return entry_of(*record);
}

void StateMachine::get_many(std::span<const std::string_view> keys, std::vector<std::optional<Value>>& out) const {
  // First without a view, which would make writers keep versions. A transaction appears with one store of `visible`, or
  // changes one key only: what was read between two equal looks at it is the state of one revision.
  constexpr int attempts = 2;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    const Epoch::Section section(state_->epoch);
    const KeySpace& space = *state_->keys.load(std::memory_order_acquire);
    const std::uint64_t visible = space.visible();
    out.assign(keys.size(), std::nullopt);
    for (std::size_t at = 0; at < keys.size(); ++at) {
      if (Record* record = space.find(keys[at], visible)) out[at] = value_of(*record);
    }
    // The looks at the table are acquire loads: this one does not come before them.
    if (space.visible() == visible) return;
  }
  const View at_one_revision = view();
  out.assign(keys.size(), std::nullopt);
  for (std::size_t at = 0; at < keys.size(); ++at) {
    Value value;
    if (at_one_revision.get(keys[at], value)) out[at] = std::move(value);
  }
}

View StateMachine::view() const {
  const Epoch::Section section(state_->epoch);
  return View(*state_->keys.load(std::memory_order_acquire), state_->epoch);
}

acl::TokenPointer StateMachine::find_token(const command::SecretHash& hash) const {
  const Epoch::Section section(state_->epoch);
  return state_->registry.load(std::memory_order_acquire)->tokens().find(hash);
}

acl::TokenPointer StateMachine::find_token(command::TokenId id) const {
  const Epoch::Section section(state_->epoch);
  return state_->registry.load(std::memory_order_acquire)->tokens().find(id);
}

std::vector<acl::TokenPointer> StateMachine::tokens() const {
  const Epoch::Section section(state_->epoch);
  return state_->registry.load(std::memory_order_acquire)->tokens().all();
}

std::vector<AccessRecord> StateMachine::access_records(AccessKind kind) const {
  const Epoch::Section section(state_->epoch);
  std::vector<AccessRecord> records;
  for (const acl::RecordPointer& record : state_->registry.load(std::memory_order_acquire)->directory().all(kind)) {
    records.push_back(*record);
    if (Tenant* tenant = std::get_if<Tenant>(&records.back())) state_->quotas.show(*tenant);
  }
  return records;
}

Revision StateMachine::revision() const noexcept {
  const Epoch::Section section(state_->epoch);
  return Revision(state_->keys.load(std::memory_order_acquire)->visible());
}

std::uint64_t StateMachine::size() const noexcept {
  const Epoch::Section section(state_->epoch);
  return state_->keys.load(std::memory_order_acquire)->size();
}

std::uint64_t StateMachine::memory_bytes() const noexcept {
  const Epoch::Section section(state_->epoch);
  return state_->keys.load(std::memory_order_acquire)->memory_bytes() +
         state_->remembered_bytes.load(std::memory_order_relaxed) +
         state_->staged_bytes.load(std::memory_order_relaxed);
}

}  // namespace concord::store

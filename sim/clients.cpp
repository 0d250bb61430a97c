#include "sim/clients.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "acl/rules.hpp"
#include "base/check.hpp"
#include "base/crc32c.hpp"
#include "base/wire.hpp"
#include "command/restore.hpp"

namespace concord::sim {

using command::Guard;
using command::GuardKind;
using command::OperationKind;
using std::chrono::milliseconds;

namespace {

constexpr TimeUs patience_us = 8 * second;
constexpr milliseconds node_timeout{3000};
constexpr std::uint64_t fingerprint = 1;
constexpr std::string_view base_prefix = "k";
constexpr int once_attempts = 20;
constexpr int restore_attempts = 40;

/// How old what a node answers may be (CONTRACT 2): a leader's word counts for an election timeout after it has heard of a quorum. What it
/// hears late, because it stood still or the network did, makes that longer (docs/ROADMAP.md).
TimeUs lag_of(ReadConsistency consistency, const Machine& machine) {
  if (consistency == ReadConsistency::strong) return 0;
  if (consistency == ReadConsistency::eventual) return never_us;
  const auto lease_us = static_cast<TimeUs>(machine.options().election_timeout.count()) * ms;
  return lease_us + lease_us / 10 + machine.worst_delay_us(2 * lease_us);
}

Denial denial_of(const Error& error) {
  switch (error.code()) {
    case Errc::unauthorized: return Denial::unauthorized;
    case Errc::forbidden: return Denial::forbidden;
    case Errc::storage_full: return error.message().find("quota") == std::string::npos ? Denial::none : Denial::quota;
    default: return Denial::none;
  }
}

/// As the door of the node does behind each read (database/local_database.cpp); nothing: it may.
std::optional<Error> refusal_of_read(const node::Runtime& node, command::TokenId id,
                                     const std::vector<std::string>& keys) {
  const acl::TokenPointer token = node.state().find_token(id);
  if (!token || !token->is_valid(node.now_ms())) return Error(Errc::unauthorized, "the token is not valid");
  const auto may = [&](const std::string& key) {
    return acl::judge_key(token->rights, Permission::read, key) == command::Refusal::none;
  };
  if (!std::ranges::all_of(keys, may)) return Error(Errc::forbidden, "the token may not do that");
  return std::nullopt;
}

std::uint64_t number_in(std::string_view stored) {
  std::uint64_t number = 0;
  const auto from = stored.find_first_of("0123456789");
  CONCORD_CHECK(from != std::string_view::npos, "values of the simulation are numbers");
  std::from_chars(stored.data() + from, stored.data() + stored.size(), number);
  return number;
}

}  // namespace

/// One operation of a client, at one machine at a time.
struct Clients::Call {
  std::size_t place = 0;
  Client* client = nullptr;  // null: not of the workload
  Done done = {};
  std::string error = {};  // the last
  Machine* machine = nullptr;
  std::uint64_t attempt = 0;  // what belongs to an earlier one is void
  int attempts_left = 1;
  bool is_over = false;
  bool may_have_happened = false;  // by an earlier attempt

  // What is asked for.
  bool is_write = true;
  ReadConsistency consistency = ReadConsistency::strong;
  std::string once_key = {};
  std::vector<std::string> keys = {};    // read, or got inside a transaction
  std::vector<std::string> values = {};  // stored forms of the writes

  command::TokenId token = {};  // in whose name; 0: nobody's

  // Of a restore.
  command::RestoreId restore = {};  // 0: it is none
  std::vector<std::string> chunks = {};
  std::size_t next_step = 0;  // 0: begin; then the chunks; then the commit
  [[nodiscard]] bool is_at_commit() const noexcept { return next_step == chunks.size() + 1; }
};

Clients::Clients(World& world, const Workload& workload, History& history, std::function<Machine*()> pick)
    : world_(world), workload_(workload), history_(history), pick_(std::move(pick)) {
  for (std::size_t number = 0; number < workload.clients; ++number) {
    clients_.push_back(std::make_unique<Client>(Client{.number = number}));
  }
}

Clients::~Clients() = default;

void Clients::start() {
  for (auto& client : clients_) pause(*client);
}

std::vector<std::string> Clients::keys() const {
  std::vector<std::string> all;
  for (std::size_t number = 0; number < workload_.keys; ++number) all.push_back("k" + std::to_string(number));
  return all;
}

std::string Clients::any_key() { return "k" + std::to_string(world_.random().below(workload_.keys)); }

std::string Clients::stored_value(std::uint64_t value) {
  std::string text = std::to_string(value);
  if (workload_.padding_bytes != 0 && world_.random().one_in(10)) {
    text += '|' + std::string(world_.random().below(workload_.padding_bytes), 'x');
  }
  return std::string(1, '\0') + '"' + text + '"';
}

void Clients::pause(Client& client) {
  if (is_stopped_) return;
  world_.after(world_.between(workload_.least_pause_us, workload_.most_pause_us), [this, &client] { act(client); });
}

void Clients::act(Client& client) {
  if (is_stopped_) return;
  auto call = std::make_shared<Call>();
  call->client = &client;
  Operation operation = draw(client, call);
  operation.client = client.number;
  operation.called_us = world_.now_us();
  operation.gets = call->keys;
  call->place = history_.begin(std::move(operation));
  begin(call);
}

Operation Clients::draw(Client& client, CallPtr& call) {
  base::Random& random = world_.random();
  std::uint64_t share = random.below(100);
  const auto is = [&share](std::uint64_t part) {
    const bool chosen = share < part;
    share -= std::min(share, part);
    if (chosen) share = 100;
    return chosen;
  };
  Operation operation;
  if (administrators_ != nullptr && is(workload_.with_tokens)) {
    draw_errand(operation, *call);
    return operation;
  }
  const auto writes = [&](const std::string& key) { add_write(operation, *call, key); };
  const bool reads_strongly = is(workload_.strong_reads);
  const bool asks_a_leader = is(workload_.leader_reads);
  if (reads_strongly || asks_a_leader || is(workload_.eventual_reads)) {
    operation.kind = Operation::Kind::read;
    operation.may_lag_us = reads_strongly ? 0 : never_us;  // at a leader: what that node may, once it answers
    call->is_write = false;
    call->consistency = reads_strongly  ? ReadConsistency::strong
                        : asks_a_leader ? ReadConsistency::leader
                                        : ReadConsistency::eventual;
    call->keys.push_back(any_key());
    if (random.one_in(4)) {
      const std::string second_key = any_key();
      if (second_key != call->keys[0]) call->keys.push_back(second_key);
    }
    return operation;
  }
  const std::string key = any_key();
  if (is(workload_.removes)) {
    operation.writes.push_back({.key = key});
    call->values.emplace_back();
  } else if (is(workload_.guarded)) {
    const auto known = client.revisions.find(key);
    operation.guard = Seen{.key = key, .value = 1, .revision = known == client.revisions.end() ? 0 : known->second};
    if (operation.guard->revision == 0) operation.guard->value = 0;
    writes(key);
  } else if (is(workload_.transactions)) {
    call->keys.push_back(key);
    writes(any_key());
    const std::string second_key = any_key();
    if (second_key != operation.writes[0].key) writes(second_key);
  } else if (is(workload_.expiring)) {
    operation.ttl_s = static_cast<std::uint32_t>(1 + random.below(workload_.longest_ttl_s));
    writes(key);
  } else if (is(workload_.restores)) {
    draw_restore(operation, *call);
  } else {
    if (is(workload_.once)) {
      call->once_key = "once" + std::to_string(last_value_ + 1);
      call->attempts_left = once_attempts;
    }
    writes(key);
  }
  return operation;
}

void Clients::add_write(Operation& operation, Call& call, const std::string& key) {
  operation.writes.push_back({.key = key, .value = ++last_value_});
  call.values.push_back(stored_value(last_value_));
}

/// With a token, or in nobody's name while there is none.
void Clients::draw_errand(Operation& operation, Call& call) {
  base::Random& random = world_.random();
  const auto errand = administrators_->draw_errand();
  if (!errand) return add_write(operation, call, any_key());
  operation.token = errand->token;
  call.token = command::TokenId(errand->token);
  if (random.one_in(3)) {
    operation.kind = Operation::Kind::read;
    call.is_write = false;
    call.consistency = random.one_in(2) ? ReadConsistency::strong : ReadConsistency::eventual;
    operation.may_lag_us = call.consistency == ReadConsistency::strong ? 0 : never_us;
    call.keys = errand->keys;
  } else if (random.one_in(5)) {
    operation.writes.push_back({.key = errand->keys.front()});
    call.values.emplace_back();
  } else {
    if (random.one_in(5)) operation.ttl_s = static_cast<std::uint32_t>(1 + random.below(workload_.longest_ttl_s));
    if (workload_.expiring == 0) operation.ttl_s = 0;
    for (const std::string& key : errand->keys) add_write(operation, call, key);
    if (random.one_in(8)) call.keys.push_back(errand->keys.front());
  }
}

/// Some of the keys with new values, in one chunk or in several; the others are gone.
void Clients::draw_restore(Operation& operation, Call& call) {
  // All keys but those of tenants, whose number it does not know.
  call.restore = command::RestoreId(++last_value_);
  call.attempts_left = restore_attempts;
  call.chunks.emplace_back();
  for (const std::string& key : keys()) {
    const bool is_there = world_.random().one_in(2);
    operation.writes.push_back({.key = key, .value = is_there ? ++last_value_ : 0});
    if (!is_there) continue;
    if (!call.chunks.back().empty() && world_.random().one_in(3)) call.chunks.emplace_back();
    std::string& items = call.chunks.back();
    base::append_bytes(items, key);
    base::append_bytes(items, stored_value(last_value_));
    base::append_varint(items, 1);  // the revision it had once
    items.push_back('\0');
  }
}

void Clients::begin(const CallPtr& call) {
  ++under_way_;
  calls_.push_back(call);
  ask(call);
}

void Clients::ask(const CallPtr& call) {
  if (call->client != nullptr) call->machine = pick_();
  Machine* const machine = call->machine;
  const std::uint64_t attempt = ++call->attempt;
  --call->attempts_left;
  history_.at(call->place).machine = machine == nullptr ? 0 : machine->number();
  if (machine == nullptr || !machine->is_up()) {  // refused by the machine's kernel
    world_.after(1 * ms, [this, call] { take_error(call, Error(Errc::cluster_not_ready, "nobody listens")); });
    return;
  }
  world_.after(world_.between(50, 500), [this, call, machine, attempt] {
    if (call->attempt != attempt || call->is_over) return;
    if (!machine->is_up()) return take_error(call, Error(Errc::timeout, "the connection was lost", true));
    machine->deliver(world_.now_us(), [this, call, attempt] {
      if (call->attempt == attempt && !call->is_over) submit(call);
    });
  });
  patience_.push_back({.ends_us = world_.now_us() + patience_us, .call = call, .attempt = attempt});
  if (patience_.size() == 1) watch_patience();
}

/// All have the same, so the oldest attempt is the first to be given up; most are answered long before.
void Clients::watch_patience() {
  world_.at(patience_.front().ends_us, [this] {
    const auto is_void = [](const Attempt& one) { return one.call->is_over || one.call->attempt != one.attempt; };
    while (!patience_.empty() && (is_void(patience_.front()) || patience_.front().ends_us <= world_.now_us())) {
      const Attempt oldest = std::move(patience_.front());
      patience_.pop_front();
      if (!is_void(oldest)) take_error(oldest.call, Error(Errc::timeout, "no answer", true));
    }
    if (!patience_.empty()) watch_patience();
  });
}

void Clients::machine_ended(const Machine& machine) {
  for (const CallPtr& call : std::vector(calls_)) {
    if (call->machine != &machine || call->is_over) continue;
    const std::uint64_t attempt = call->attempt;
    world_.after(world_.between(50, 500), [this, call, attempt] {
      if (call->attempt == attempt && !call->is_over) take_error(call, Error(Errc::timeout, "connection lost", true));
    });
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Inside the node's process.

void Clients::submit(const CallPtr& call) {
  if (!call->restore.is_zero()) return submit_restore(call);
  call->is_write ? submit_write(call) : submit_read(call);
}

void Clients::submit_write(const CallPtr& call) {
  const Operation& operation = history_.at(call->place);
  command::Transaction transaction;
  if (operation.guard) {
    const bool is_absent = operation.guard->revision == 0;
    transaction.guards.push_back({.kind = is_absent ? GuardKind::absent : GuardKind::revision,
                                  .key = operation.guard->key,
                                  .revision = Revision(operation.guard->revision)});
  }
  for (const std::string& key : call->keys) transaction.then.push_back({.kind = OperationKind::get, .key = key});
  for (std::size_t at = 0; at < operation.writes.size(); ++at) {
    const Seen& write = operation.writes[at];
    transaction.then.push_back({.kind = write.value == 0 ? OperationKind::remove : OperationKind::put,
                                .key = write.key,
                                .value = call->values[at],
                                .ttl_s = write.value == 0 ? 0 : operation.ttl_s});
  }
  const command::Once once{.scope = "sim", .key = call->once_key, .fingerprint = fingerprint};
  node::Write write{.kind = command::CommandKind::transaction, .transaction = &transaction};
  const bool is_single = transaction.guards.empty() && transaction.then.size() == 1;
  if (!call->once_key.empty()) {
    write.kind = command::CommandKind::once;
    write.once = &once;
  } else if (is_single) {
    const command::Operation& only = transaction.then[0];
    write = {.kind = only.kind == OperationKind::put ? command::CommandKind::put : command::CommandKind::remove,
             .key = only.key,
             .value = only.value,
             .ttl_s = only.ttl_s};
  }
  write.as_token = call->token;
  const std::uint64_t attempt = call->attempt;
  call->machine->runtime().write_async(write, node_timeout,
                                       [this, call, attempt](const Result<command::Outcome>& result) {
                                         if (call->attempt == attempt) answer_write(call, result);
                                       });
}

void Clients::submit_restore(const CallPtr& call) {
  command::RestoreStep step{.id = call->restore};
  if (administrators_ != nullptr) step.prefixes.push_back(base_prefix);
  node::Write write{.kind = command::CommandKind::restore_begin, .restore = &step};
  if (call->is_at_commit()) {
    write.kind = command::CommandKind::restore_commit;
    step.chunks = call->chunks.size();
    for (const std::string& items : call->chunks) step.crc = base::crc32c_extend(step.crc, items);
  } else if (call->next_step > 0) {
    write.kind = command::CommandKind::restore_chunk;
    step.number = call->next_step - 1;
    step.items = call->chunks[call->next_step - 1];
  }
  const std::uint64_t attempt = call->attempt;
  call->machine->runtime().write_async(write, node_timeout,
                                       [this, call, attempt](const Result<command::Outcome>& result) {
                                         if (call->attempt == attempt) answer_restore(call, result);
                                       });
}

void Clients::submit_read(const CallPtr& call) {
  const std::uint64_t attempt = call->attempt;
  call->machine->runtime().when_readable(call->consistency, node_timeout,
                                         [this, call, attempt](const Result<void>& readable) {
                                           if (call->attempt != attempt || call->is_over) return;
                                           if (readable) return read_now(call);
                                           const Error error = readable.error();
                                           give(call, [this, call, error](Operation&) { take_error(call, error); });
                                         });
}

void Clients::read_now(const CallPtr& call) {
  const node::Runtime& node = call->machine->runtime();
  const TimeUs may_lag_us = lag_of(call->consistency, *call->machine);
  const auto refusal = call->token.is_zero() ? std::nullopt : refusal_of_read(node, call->token, call->keys);
  if (refusal) return give(call, [this, call, refusal](Operation&) { take_error(call, *refusal); });
  std::vector<Seen> reads;
  for (const std::string& key : call->keys) {
    Seen seen{.key = key};
    if (const auto entry = node.state().get_entry(key)) {
      seen.value = number_in(entry->value.stored());
      seen.revision = entry->revision.value();
    }
    reads.push_back(std::move(seen));
  }
  give(call, [this, call, reads, may_lag_us](Operation& operation) {
    operation.reads = reads;
    operation.may_lag_us = may_lag_us;
    end(call, Fate::done);
  });
}

void Clients::answer_write(const CallPtr& call, const Result<command::Outcome>& result) {
  if (!result) {
    const Error error = result.error();
    return give(call, [this, call, error](Operation&) { take_error(call, error); });
  }
  std::vector<Seen> reads;
  const bool ran = result->guard_failure == command::GuardFailure::none && result->results.size() >= call->keys.size();
  for (std::size_t at = 0; ran && at < call->keys.size(); ++at) {
    const command::OperationResult& got = result->results[at];
    Seen seen{.key = call->keys[at]};
    if (got.value) {
      seen.value = number_in(got.value->stored());
      seen.revision = got.revision.value();
    }
    reads.push_back(std::move(seen));
  }
  give(call, [this, call, reads, changed = result->changed, revision = result->revision.value()](Operation& operation) {
    operation.reads = reads;
    operation.changed = changed;
    operation.revision = revision;
    end(call, Fate::done);
  });
}

void Clients::answer_restore(const CallPtr& call, const Result<command::Outcome>& result) {
  if (!result) {
    const Error error = result.error();
    return give(call, [this, call, error](Operation&) { take_error(call, error); });
  }
  const bool was_taken = result->results.front().status == command::OperationStatus::ok;
  give(call, [this, call, was_taken, revision = result->revision.value()](Operation& operation) {
    if (!was_taken) return end(call, call->may_have_happened ? Fate::unknown : Fate::nothing_done);
    if (!call->is_at_commit()) {
      ++call->next_step;
      ++call->attempts_left;
      return ask(call);
    }
    operation.changed = true;
    operation.revision = revision;
    end(call, Fate::done);
  });
}

// ---------------------------------------------------------------------------------------------------------------------
// Back at the client.

/// An answer on its way.
void Clients::give(const CallPtr& call, const std::function<void(Operation&)>& fill) {
  const std::uint64_t attempt = call->attempt;
  world_.at(call->machine->local_now_us() + world_.between(50, 500), [this, call, attempt, fill] {
    if (call->attempt == attempt && !call->is_over) fill(history_.at(call->place));
  });
}

void Clients::take_error(const CallPtr& call, const Error& error) {
  if (call->is_over) return;
  world_.trace(static_cast<std::uint64_t>(error.code()));
  call->error = error.message();
  const bool is_decisive = call->restore.is_zero() || call->is_at_commit();
  if (error.maybe_committed() && is_decisive) call->may_have_happened = true;
  if (call->attempts_left > 0 && !is_stopped_) {
    ++call->attempt;
    world_.after(world_.between(1 * ms, 200 * ms), [this, call] { ask(call); });
    return;
  }
  if (!call->may_have_happened) history_.at(call->place).denial = denial_of(error);
  end(call, call->may_have_happened ? Fate::unknown : Fate::nothing_done);
}

void Clients::end(const CallPtr& call, Fate fate) {
  Operation& operation = history_.at(call->place);
  operation.fate = fate;
  operation.returned_us = fate == Fate::unknown ? never_us : world_.now_us();
  call->is_over = true;
  std::erase(calls_, call);
  --under_way_;
  if (fate == Fate::done) ++answered_;
  world_.trace(operation.revision);
  if (call->done) return call->done(fate == Fate::done ? std::string() : call->error);
  if (fate == Fate::done) {
    for (const Seen& seen : operation.reads) call->client->revisions[seen.key] = seen.revision;
    if (operation.changed) {
      for (const Seen& write : operation.writes) {
        call->client->revisions[write.key] = write.value == 0 ? 0 : operation.revision;
      }
    }
  }
  pause(*call->client);
}

void Clients::put_at(Machine& machine, const std::string& key, Done done) {
  auto call = std::make_shared<Call>();
  call->machine = &machine;
  call->done = std::move(done);
  call->values.push_back(stored_value(++last_value_));
  call->place = history_.begin({.client = workload_.clients + history_.operations().size(),
                                .called_us = world_.now_us(),
                                .writes = {{.key = key, .value = last_value_}}});
  begin(call);
}

void Clients::read_at(Machine& machine, const std::string& key, Done done) {
  auto call = std::make_shared<Call>();
  call->machine = &machine;
  call->done = std::move(done);
  call->is_write = false;
  call->keys.push_back(key);
  call->place = history_.begin({.kind = Operation::Kind::read,
                                .client = workload_.clients + history_.operations().size(),
                                .called_us = world_.now_us(),
                                .gets = call->keys});
  begin(call);
}

}  // namespace concord::sim

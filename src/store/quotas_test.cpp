// Goal: what a tenant has is at every moment what a count of its keys says, no command makes that pass a quota, and one that is refused
// has changed nothing. Method: random histories of everything that changes keys, against a plain map, on two machines, one of
// which goes through a snapshot now and then; then single stories.
#include "store/quotas.hpp"

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "acl/record.hpp"
#include "base/crc32c.hpp"
#include "base/random.hpp"
#include "store/snapshot.hpp"
#include "store/state_machine.hpp"
#include "store/testing_model.hpp"

namespace concord::store {
namespace {

using base::Index;
using base::Term;
using command::CommandKind;
using command::Refusal;
using command::RestoreId;

constexpr base::RequestId request{base::NodeId(1), 1, 1};

std::string entry_of(ClusterTimeMs now_ms, const auto& append) {
  std::string entry;
  command::begin_entry(entry, {.cluster_time_ms = now_ms, .wall_offset_ms = 1'000'000});
  append(entry);
  return entry;
}

Outcome apply_entry(StateMachine& state, const std::string& entry) {
  std::vector<Applied> applied;
  EXPECT_TRUE(state.apply(state.applied_index().next(), Term(1), entry, applied));
  return applied.empty() ? Outcome() : std::move(applied.back().outcome);
}

std::unique_ptr<StateMachine> copy_of(const StateMachine& state) {
  const auto snapshot = state.begin_snapshot("");
  SnapshotLoader loader(*decode_meta(encode_meta(snapshot->meta())));
  for (std::string block; snapshot->next_block(block, 200);) EXPECT_TRUE(loader.add_block(block));
  auto loaded = loader.finish();
  EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().message());
  auto copy = std::make_unique<StateMachine>(Options{99});
  if (loaded) copy->install(std::move(*loaded));
  return copy;
}

/// A machine that is told one command an entry.
class Machine {
 public:
  template <class Append>
  Outcome run(const Append& append) {
    return apply_entry(*state, entry_of(now_ms, append));
  }
  Outcome put(std::string_view key, std::string_view json) {
    return run([&](std::string& entry) { command::append_put(entry, request, key, stored(json), 0); });
  }
  Outcome remove(std::string_view key) {
    return run([&](std::string& entry) { command::append_remove(entry, request, key); });
  }
  Outcome commit(const Transaction& transaction) {
    return run([&](std::string& entry) { command::append_transaction(entry, request, transaction); });
  }
  Outcome set(Tenant tenant) {
    const std::string record = acl::encode(*acl::normalized(std::move(tenant)));
    return run([&](std::string& entry) { command::append_access_set(entry, request, record); });
  }
  [[nodiscard]] TenantUsage usage(std::string_view name) const {
    for (const AccessRecord& record : state->access_records(AccessKind::tenant)) {
      if (acl::name_of(record) == name) return std::get<Tenant>(record).usage;
    }
    return {};
  }

  ClusterTimeMs now_ms = 5000;
  std::unique_ptr<StateMachine> state = std::make_unique<StateMachine>();
};

bool is_refused(const Outcome& outcome) { return outcome.refusal == Refusal::quota; }

// ---------------------------------------------------------------------------------------------------------------------
// Random histories.

class History {
 public:
  explicit History(std::uint64_t seed) : random_(seed) {}

  void step() {
    now_ms_ += random_.below(2000);
    switch (random_.below(12)) {
      case 0: set_tenant(); break;
      case 1:
        tell([&](std::string& entry) {
          command::append_access_remove(entry, request, {.kind = AccessKind::tenant, .name = name()});
        });
        break;
      case 2: tell([&](std::string& entry) { command::append_remove(entry, request, key()); }); break;
      case 3: tell([&](std::string& entry) { command::append_touch(entry, request, key(), 3); }); break;
      case 4: tell([&](std::string& entry) { command::append_expire(entry, request, now_ms_, 3); }); break;
      case 5: restore(); break;
      case 6:
      case 7:
      case 8: transaction(); break;
      default: put(); break;
    }
    if (random_.one_in(10)) {
      view_ = std::make_unique<View>(one_->view());
      at_opening_ = contents(*view_);
    }
    if (random_.one_in(10)) view_.reset();
    if (random_.one_in(25)) other_ = copy_of(*one_);
  }

  void expect_right() {
    ASSERT_EQ(one_->digest(), other_->digest());
    ASSERT_EQ(one_->revision(), other_->revision());
    if (view_) {
      ASSERT_EQ(contents(*view_), at_opening_) << "an open view shows what was there at its opening";
    }
    for (StateMachine* state : {one_.get(), other_.get()}) {
      const ModelMap keys = contents(state->view());
      for (const AccessRecord& record : state->access_records(AccessKind::tenant)) {
        const auto& tenant = std::get<Tenant>(record);
        TenantUsage counted;
        for (const auto& [key, entry] : keys) {
          if (!key.starts_with(tenant.prefix)) continue;
          ++counted.keys;
          counted.bytes += key.size() + entry.value.size();
        }
        ASSERT_EQ(tenant.usage, counted) << tenant.name;
      }
    }
  }

 private:
  std::string_view keep(std::string text) { return kept_.emplace_back(std::move(text)); }
  std::string_view name() { return keep(std::string(1, static_cast<char>('a' + random_.below(3)))); }
  std::string_view key() {
    return keep(std::string(1, static_cast<char>('a' + random_.below(4))) + std::to_string(random_.below(4)));
  }
  std::string_view value() { return keep(stored(std::string(1 + random_.below(12), '1'))); }
  std::uint32_t ttl() { return random_.one_in(3) ? static_cast<std::uint32_t>(1 + random_.below(5)) : 0; }

  void set_tenant() {
    const Tenant tenant{.name = std::string(name()),
                        .prefix = std::string(name()),
                        .quotas = {.max_keys = random_.below(4), .max_bytes = random_.below(3) * 15}};
    const std::string record = acl::encode(*acl::normalized(tenant));
    tell([&](std::string& entry) { command::append_access_set(entry, request, record); });
  }
  void put() {
    const std::string_view where = key();
    const std::string_view what = value();
    const std::uint32_t ttl_s = ttl();
    tell_and_compare({.then = {{.kind = OperationKind::put, .key = where, .value = what, .ttl_s = ttl_s}}},
                     [&](std::string& entry) { command::append_put(entry, request, where, what, ttl_s); });
  }
  void transaction() {
    Transaction wanted;
    if (random_.one_in(4)) wanted.guards.push_back({.kind = GuardKind::exists, .key = key()});
    for (auto* operations : {&wanted.then, &wanted.otherwise}) {
      for (std::uint64_t left = 1 + random_.below(4); left > 0; --left) operations->push_back(operation());
    }
    if (random_.one_in(5)) {
      Operation where{.kind = OperationKind::delete_where};
      where.selector->prefix = name();
      wanted.then.insert(wanted.then.begin() + static_cast<std::ptrdiff_t>(random_.below(wanted.then.size() + 1)),
                         where);
    }
    const bool is_once = random_.one_in(4);
    const std::uint64_t fingerprint = ++requests_;
    const std::string once_key = std::to_string(fingerprint);
    tell_and_compare(wanted, [&](std::string& entry) {
      if (!is_once) return command::append_transaction(entry, request, wanted);
      command::append_once(entry, request, {.key = once_key, .fingerprint = fingerprint}, wanted);
    });
  }
  Operation operation() {
    switch (random_.below(5)) {
      case 0: return {.kind = OperationKind::remove, .key = key()};
      case 1: return {.kind = OperationKind::touch, .key = key(), .ttl_s = 4};
      default: return {.kind = OperationKind::put, .key = key(), .value = value(), .ttl_s = ttl()};
    }
  }
  /// Of everything, or of some keys: what another store has.
  void restore() {
    StateMachine source;
    for (std::uint64_t left = random_.below(12); left > 0; --left) {
      (void)apply_entry(
          source, entry_of(1, [&](std::string& entry) { command::append_put(entry, request, key(), value(), 0); }));
    }
    const auto snapshot = source.begin_snapshot("");
    std::string items;
    const bool has_any = snapshot->next_block(items, 1U << 20U);
    command::RestoreStep step{.id = RestoreId(++requests_)};
    if (random_.one_in(2)) step.prefixes = {name()};
    tell([&](std::string& entry) { command::append_restore(entry, request, CommandKind::restore_begin, step); });
    step.items = items;
    step.chunks = has_any ? 1 : 0;
    step.crc = base::crc32c_extend(0, items);
    if (has_any) {
      tell([&](std::string& entry) { command::append_restore(entry, request, CommandKind::restore_chunk, step); });
    }
    tell([&](std::string& entry) { command::append_restore(entry, request, CommandKind::restore_commit, step); });
  }

  template <class Append>
  Outcome tell(const Append& append) {
    const std::string entry = entry_of(now_ms_, append);
    Outcome outcome = apply_entry(*one_, entry);
    const Outcome again = apply_entry(*other_, entry);
    EXPECT_EQ(outcome.refusal, again.refusal);
    EXPECT_EQ(outcome.changed, again.changed);
    kept_.clear();
    return outcome;
  }

  /// The plain rule: done on a map, then looked at.
  template <class Append>
  void tell_and_compare(const Transaction& wanted, const Append& append) {
    Model model;
    model.map = contents(one_->view());
    model.revision = one_->revision().value();
    const ModelMap before = model.map;
    (void)model.apply(wanted, now_ms_);
    bool passes = false;
    for (const AccessRecord& record : one_->access_records(AccessKind::tenant)) {
      const auto& tenant = std::get<Tenant>(record);
      const TenantUsage had = count(before, tenant.prefix);
      const TenantUsage would = count(model.map, tenant.prefix);
      const auto is_over = [](std::uint64_t quota, std::uint64_t was, std::uint64_t is) {
        return quota != 0 && is > quota && is > was;
      };
      passes = passes || is_over(tenant.quotas.max_keys, had.keys, would.keys) ||
               is_over(tenant.quotas.max_bytes, had.bytes, would.bytes);
    }
    const std::uint64_t digest = one_->digest();
    const Outcome outcome = tell(append);
    EXPECT_EQ(is_refused(outcome), passes);
    if (!is_refused(outcome)) {
      EXPECT_EQ(contents(one_->view()), model.map);
      return;
    }
    ++refused;
    EXPECT_EQ(one_->digest(), digest);
    EXPECT_EQ(contents(one_->view()), before);
    EXPECT_EQ(one_->revision(), outcome.revision);
  }
  static TenantUsage count(const ModelMap& map, std::string_view prefix) {
    TenantUsage counted;
    for (const auto& [key, entry] : map) {
      if (!key.starts_with(prefix)) continue;
      ++counted.keys;
      counted.bytes += key.size() + entry.value.size();
    }
    return counted;
  }

  base::Random random_;
  ClusterTimeMs now_ms_ = 1000;
  std::uint64_t requests_ = 0;
  std::unique_ptr<StateMachine> one_ = std::make_unique<StateMachine>(Options{1});
  std::unique_ptr<StateMachine> other_ = std::make_unique<StateMachine>(Options{2});
  std::unique_ptr<View> view_;  // of `one_`: changes are made beside it
  ModelMap at_opening_;         // what `view_` has shown first
  std::deque<std::string> kept_;

 public:
  std::uint64_t refused = 0;
};

TEST(Quotas, UsageIsWhatACountSaysAndNothingPassesAQuota) {
  std::uint64_t refused = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    History history(seed);
    for (int i = 0; i < 200; ++i) {
      history.step();
      history.expect_right();
      if (testing::Test::HasFailure()) return;
    }
    refused += history.refused;
  }
  EXPECT_GT(refused, 500U) << "the histories have met quotas";
}

// ---------------------------------------------------------------------------------------------------------------------
// Stories.

TEST(Quotas, WhoIsOverMayDeleteAndReplaceByLess) {
  Machine machine;
  for (const std::string_view key : {"acme/1", "acme/2", "acme/3"}) (void)machine.put(key, "12345");
  ASSERT_TRUE(machine.set({.name = "acme", .quotas = {.max_keys = 2, .max_bytes = 20}}).changed);
  EXPECT_EQ(machine.usage("acme"), (TenantUsage{.keys = 3, .bytes = 36}));
  EXPECT_TRUE(is_refused(machine.put("acme/4", "1")));
  EXPECT_TRUE(is_refused(machine.put("acme/1", "123456")));
  EXPECT_TRUE(machine.put("acme/1", "54321").changed);
  EXPECT_TRUE(machine.put("acme/1", "1").changed);
  EXPECT_TRUE(machine.put("elsewhere", "1").changed);
  EXPECT_TRUE(machine.remove("acme/2").changed);
  EXPECT_TRUE(is_refused(machine.put("acme/2", "1"))) << "two keys of two are there";
  EXPECT_TRUE(machine.remove("acme/3").changed);
  EXPECT_EQ(machine.usage("acme"), (TenantUsage{.keys = 1, .bytes = 8}));
  EXPECT_TRUE(machine.put("acme/2", "1").changed);
}

/// Who may only write could else learn the size of a value that he may not read.
TEST(Quotas, ARefusalNamesTenantAndQuotaAndNoUsage) {
  Machine machine;
  ASSERT_TRUE(machine.set({.name = "acme", .prefix = "a", .quotas = {.max_keys = 1, .max_bytes = 10}}).changed);
  ASSERT_TRUE(machine.put("a1", "1").changed);
  const auto text_of = [](const Outcome& refused) { return command::text_of(refused.results.at(0)); };
  const Outcome refused = machine.put("a2", "1");
  EXPECT_EQ(text_of(refused), "the tenant acme has reached its quota max_keys; nothing was done");
  EXPECT_EQ(refused.revision, Revision(1));
  EXPECT_EQ(text_of(machine.put("a1", "123456789")),
            "the tenant acme has reached its quota max_bytes; nothing was done");
}

TEST(Quotas, ATransactionIsRefusedAsAWhole) {
  Machine machine;
  ASSERT_TRUE(machine.set({.name = "acme", .quotas = {.max_keys = 2}}).changed);
  ASSERT_TRUE(machine.put("acme/1", "1").changed);
  const std::string value = stored("2");
  Transaction transaction;
  for (const std::string_view key : {"other", "acme/1", "acme/2", "acme/3"}) {
    transaction.then.push_back({.kind = OperationKind::put, .key = key, .value = value});
  }
  EXPECT_TRUE(is_refused(machine.commit(transaction)));
  Value read;
  EXPECT_FALSE(machine.state->get("other", read));
  EXPECT_TRUE(machine.state->get("acme/1", read));
  EXPECT_EQ(read.json_text(), "1");
  transaction.then.push_back({.kind = OperationKind::remove, .key = "acme/1"});
  EXPECT_TRUE(machine.commit(transaction).changed) << "what counts is how it ends";
  EXPECT_EQ(machine.usage("acme").keys, 2U);
}

/// Else a client that repeats it after somebody made room would be told for ten minutes that there is none.
TEST(Quotas, ARefusalIsNotRemembered) {
  Machine machine;
  ASSERT_TRUE(machine.set({.name = "acme", .quotas = {.max_keys = 1}}).changed);
  ASSERT_TRUE(machine.put("acme/1", "1").changed);
  const std::string value = stored("2");
  const Transaction transaction{.then = {{.kind = OperationKind::put, .key = "acme/2", .value = value}}};
  const auto again = [&] {
    return machine.run([&](std::string& entry) { command::append_once(entry, request, {.key = "o"}, transaction); });
  };
  EXPECT_TRUE(is_refused(again()));
  ASSERT_TRUE(machine.remove("acme/1").changed);
  EXPECT_TRUE(again().changed);
  EXPECT_EQ(again().repeat, command::Repeat::replayed);
}

TEST(Quotas, AStateWithTenantsIsWrittenAsFormat5) {
  Machine machine;
  ASSERT_TRUE(machine.set({.name = "acme", .quotas = {.max_keys = 1}}).changed);
  ASSERT_TRUE(machine.put("acme/1", "1").changed);
  EXPECT_EQ(encode_meta(machine.state->begin_snapshot("")->meta()).front(), '\5');
  machine.state = copy_of(*machine.state);
  EXPECT_TRUE(is_refused(machine.put("acme/2", "1")));
  EXPECT_EQ(machine.usage("acme").keys, 1U);
}

/// A view keeps the slots linked; refused changes go out of the chains without it noticing.
TEST(Quotas, RefusedChangesLeaveNothingBehindBesideAnOpenView) {
  Machine machine;
  ASSERT_TRUE(machine.set({.name = "acme", .quotas = {.max_keys = 1}}).changed);
  ASSERT_TRUE(machine.put("acme/1", "1").changed);
  const std::string value = stored("2");
  const Transaction transaction{.then = {{.kind = OperationKind::put, .key = "acme/1", .value = value},
                                         {.kind = OperationKind::put, .key = "acme/2", .value = value}}};
  {
    const View view = machine.state->view();
    (void)machine.put("acme/1", "3");
    const std::uint64_t before_bytes = machine.state->memory_bytes();
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(is_refused(machine.commit(transaction)));
    EXPECT_LE(machine.state->memory_bytes(), before_bytes + 4096);
    EXPECT_EQ(contents(view).at("acme/1").value, stored("1"));
  }
  machine.state->tidy();
  EXPECT_EQ(contents(machine.state->view()).size(), 1U);
  EXPECT_EQ(contents(machine.state->view()).at("acme/1").value, stored("3"));
}

}  // namespace
}  // namespace concord::store

// Tokens in the state machine: whether a command is done is decided where it stands in the log, by the tokens of there; and tokens
// go through snapshots.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "acl/record.hpp"
#include "base/random.hpp"
#include "store/snapshot.hpp"
#include "store/state_machine.hpp"
#include "store/testing_model.hpp"
#include "store/view.hpp"

namespace concord::store {
namespace {

using base::Index;
using base::Term;
using command::Permissions;
using command::Refusal;
using command::TokenId;
using command::TokenRecord;

constexpr base::RequestId request{base::NodeId(1), 1, 1};
constexpr TokenId nobody;
constexpr TokenId admin(1);

TokenRecord record_of(std::uint64_t id, Permissions permissions, std::vector<std::string_view> prefixes = {}) {
  TokenRecord record{.id = TokenId(id), .permissions = permissions};
  record.hash.fill(static_cast<char>(id));
  record.prefixes = std::move(prefixes);
  return record;
}

/// A machine that is told one command an entry.
class Machine {
 public:
  Outcome create(TokenId as, const TokenRecord& record) {
    return run(as, [&](std::string& entry) { command::append_token_create(entry, request, record); });
  }
  Outcome revoke(TokenId as, TokenId token) {
    return run(as, [&](std::string& entry) { command::append_token_revoke(entry, request, token); });
  }
  Outcome set(TokenId as, AccessRecord wanted) {
    const std::string bytes = acl::encode(*acl::normalized(std::move(wanted)));
    return run(as, [&](std::string& entry) { command::append_access_set(entry, request, bytes); });
  }
  Outcome remove(TokenId as, AccessKind kind, std::string_view name) {
    return run(
        as, [&](std::string& entry) { command::append_access_remove(entry, request, {.kind = kind, .name = name}); });
  }
  Outcome put(TokenId as, std::string_view key) {
    return run(as, [&](std::string& entry) { command::append_put(entry, request, key, stored("1"), 0); });
  }
  Outcome commit(TokenId as, const Transaction& transaction) {
    return run(as, [&](std::string& entry) { command::append_transaction(entry, request, transaction); });
  }
  Outcome once(TokenId as, const Transaction& transaction) {
    return run(as, [&](std::string& entry) { command::append_once(entry, request, {.key = "o"}, transaction); });
  }
  [[nodiscard]] std::vector<std::string> keys() const {
    std::vector<std::string> keys;
    state->view().visit_from("", [&](const Record& record) {
      keys.emplace_back(record.key());
      return true;
    });
    return keys;
  }

  ClusterTimeMs now_ms = 5000;
  std::unique_ptr<StateMachine> state = std::make_unique<StateMachine>();
  std::vector<std::string> log;

 private:
  template <class Append>
  Outcome run(TokenId as, const Append& append) {
    std::string entry;
    command::begin_entry(entry, {.cluster_time_ms = now_ms, .wall_offset_ms = 1'000'000});
    if (!as.is_zero()) command::append_with_token(entry, as);
    append(entry);
    log.push_back(entry);
    std::vector<Applied> applied;
    EXPECT_TRUE(state->apply(state->applied_index().next(), Term(1), entry, applied));
    return applied.empty() ? Outcome() : std::move(applied.back().outcome);
  }
};

Result<std::unique_ptr<LoadedState>> through_a_snapshot(const StateMachine& state, std::size_t block_bytes) {
  const auto snapshot = state.begin_snapshot("members");
  auto meta = decode_meta(encode_meta(snapshot->meta()));
  if (!meta) return std::unexpected(std::move(meta.error()));
  SnapshotLoader loader(std::move(*meta));
  for (std::string block; snapshot->next_block(block, block_bytes);) {
    if (auto added = loader.add_block(block); !added) return std::unexpected(std::move(added.error()));
  }
  return loader.finish();
}

void install_in(StateMachine& to, const StateMachine& from) {
  auto loaded = through_a_snapshot(from, 100);
  ASSERT_TRUE(loaded) << loaded.error().message();
  to.install(std::move(*loaded));
}

Result<std::unique_ptr<StateMachine>> copy_of(const StateMachine& state, std::size_t block_bytes = 100) {
  auto loaded = through_a_snapshot(state, block_bytes);
  if (!loaded) return std::unexpected(std::move(loaded.error()));
  auto copy = std::make_unique<StateMachine>(Options{99});
  copy->install(std::move(*loaded));
  return copy;
}

TEST(TokensOfTheState, ARefusedWriteChangesNothing) {
  Machine machine;
  ASSERT_TRUE(machine.create(nobody, record_of(1, 4)).changed);
  ASSERT_TRUE(machine.create(admin, record_of(2, 1)).changed);
  ASSERT_TRUE(machine.create(admin, record_of(3, 2, {"mine/"})).changed);
  const std::uint64_t digest = machine.state->digest();
  EXPECT_EQ(machine.put(TokenId(77), "k").refusal, Refusal::unauthorized);
  EXPECT_EQ(machine.put(TokenId(2), "k").refusal, Refusal::forbidden);
  EXPECT_EQ(machine.put(TokenId(3), "k").refusal, Refusal::forbidden);
  EXPECT_EQ(machine.create(TokenId(3), record_of(4, 4)).refusal, Refusal::forbidden);
  EXPECT_EQ(machine.revoke(TokenId(3), admin).refusal, Refusal::forbidden);
  EXPECT_EQ(machine.state->digest(), digest);
  EXPECT_EQ(machine.state->revision(), Revision(0));
  EXPECT_EQ(machine.put(TokenId(3), "mine/k").refusal, Refusal::none);
  EXPECT_EQ(machine.put(admin, "k").refusal, Refusal::none);
  EXPECT_EQ(machine.keys(), (std::vector<std::string>{"k", "mine/k"}));
}

TEST(TokensOfTheState, ARevokedTokenIsGoneFromTheNextCommandOn) {
  Machine machine;
  (void)machine.create(nobody, record_of(1, 4));
  (void)machine.create(admin, record_of(2, 2));
  std::string entry;  // all of one batch: what stands before the revocation is done, what stands behind is not
  command::begin_entry(entry, {.cluster_time_ms = machine.now_ms, .wall_offset_ms = 0});
  command::append_with_token(entry, TokenId(2));
  command::append_put(entry, request, "before", stored("1"), 0);
  command::append_with_token(entry, admin);
  command::append_token_revoke(entry, request, TokenId(2));
  command::append_with_token(entry, TokenId(2));
  command::append_put(entry, request, "behind", stored("1"), 0);
  std::vector<Applied> applied;
  ASSERT_TRUE(machine.state->apply(machine.state->applied_index().next(), Term(1), entry, applied));
  EXPECT_EQ(applied.at(2).outcome.refusal, Refusal::unauthorized);
  EXPECT_EQ(machine.keys(), (std::vector<std::string>{"before"}));
  EXPECT_EQ(machine.state->find_token(TokenId(2)), nullptr);
}

TEST(TokensOfTheState, AnAnswerOnceIsNotForARevokedToken) {
  Machine machine;
  (void)machine.create(nobody, record_of(1, 4));
  (void)machine.create(admin, record_of(2, 3));
  const Transaction read{.then = {{.kind = OperationKind::put, .key = "k", .value = "1"}}};
  const std::string value = stored("1");
  Transaction transaction = read;
  transaction.then.front().value = value;
  EXPECT_TRUE(machine.once(TokenId(2), transaction).changed);
  EXPECT_EQ(machine.once(TokenId(2), transaction).repeat, command::Repeat::replayed);
  (void)machine.revoke(admin, TokenId(2));
  const Outcome outcome = machine.once(TokenId(2), transaction);
  EXPECT_EQ(outcome.refusal, Refusal::unauthorized);
  EXPECT_EQ(outcome.repeat, command::Repeat::none);
}

TEST(TokensOfTheState, ATokenExpiresByTheTimeOfEntries) {
  Machine machine;
  TokenRecord record = record_of(2, 2);
  record.expires_in_s = 10;
  (void)machine.create(nobody, record);
  machine.now_ms += 9'999;
  EXPECT_TRUE(machine.put(TokenId(2), "k").changed);
  machine.now_ms += 1;
  EXPECT_EQ(machine.put(TokenId(2), "k").refusal, Refusal::unauthorized);
}

TEST(TokensOfTheState, TokensTakeNoRevisionAndTellNoChange) {
  Machine machine;
  (void)machine.create(nobody, record_of(1, 4));
  EXPECT_EQ(machine.state->revision(), Revision(0));
  EXPECT_EQ(machine.create(nobody, record_of(1, 4)).results.at(0).status, OperationStatus::already_exists);
  EXPECT_EQ(machine.revoke(nobody, TokenId(5)).results.at(0).status, OperationStatus::not_found);
  EXPECT_EQ(machine.state->find_token(admin)->created_wall_ms, 1'005'000U);
}

TEST(TokensOfTheState, DeletingByASelectorSeesWhatIsInScopeOnly) {
  constexpr std::uint64_t seed = 21;
  base::Random random(seed);
  const auto draw_key = [&] {
    std::string key;
    for (std::uint64_t n = 1 + random.below(4); n > 0; --n) key += static_cast<char>('a' + random.below(3));
    return key;
  };
  for (int round = 0; round < 200; ++round) {
    Machine machine;
    std::vector<std::string> prefixes;
    for (std::uint64_t n = 1 + random.below(4); n > 0; --n) prefixes.push_back(draw_key());
    (void)machine.create(nobody, record_of(2, 2, {prefixes.begin(), prefixes.end()}));
    for (int i = 0; i < 40; ++i) (void)machine.put(nobody, draw_key());
    const std::string prefix = draw_key();
    const std::string end = draw_key();
    Operation operation{.kind = OperationKind::delete_where};
    if (random.one_in(2)) operation.selector->prefix = prefix;
    if (random.one_in(2)) operation.selector->end = end;
    operation.selector->limit = random.one_in(2) ? 1 + random.below(5) : 0;
    std::vector<std::string> left;
    std::uint64_t removed = 0;
    for (const std::string& key : machine.keys()) {
      const bool is_mine = std::ranges::any_of(prefixes, [&](const auto& each) { return key.starts_with(each); });
      const bool matches = (!operation.selector->prefix || key.starts_with(prefix)) &&
                           (!operation.selector->end || key <= end) &&
                           (operation.selector->limit == 0 || removed < operation.selector->limit);
      if (is_mine && matches) {
        ++removed;
      } else {
        left.push_back(key);
      }
    }
    const Outcome outcome = machine.commit(TokenId(2), {.then = {operation}});
    ASSERT_EQ(outcome.results.at(0).count, removed) << "seed " << seed << " round " << round;
    ASSERT_EQ(machine.keys(), left) << "seed " << seed << " round " << round;
  }
}

TEST(TokensOfTheState, ASnapshotCarriesThem) {
  Machine machine;
  (void)machine.create(nobody, record_of(1, 4));
  for (std::uint64_t id = 2; id < 60; ++id) {
    TokenRecord record = record_of(id, 1, {"a/", "b/"});
    record.description = "token of a test";
    record.expires_in_s = static_cast<std::uint32_t>(id);
    ASSERT_TRUE(machine.create(admin, record).changed);
    (void)machine.put(admin, "key" + std::to_string(id));
  }
  for (const bool remembers : {false, true}) {
    const std::string value = stored("2");
    if (remembers) (void)machine.once(admin, {.then = {{.kind = OperationKind::put, .key = "o", .value = value}}});
    const auto copy = copy_of(*machine.state);
    ASSERT_TRUE(copy) << copy.error().message();
    EXPECT_EQ((*copy)->digest(), machine.state->digest());
    EXPECT_EQ((*copy)->tokens().size(), 59U);
    EXPECT_EQ(encode_meta((*copy)->begin_snapshot("")->meta()).front(), '\3');
    EXPECT_EQ((*copy)->find_token(TokenId(7))->scope.prefixes().size(), 2U);
  }
}

TEST(TokensOfTheState, ASnapshotTakesThePlaceOfAllThereWere) {
  Machine machine;
  (void)machine.create(nobody, record_of(1, 4));
  ASSERT_TRUE(machine.create(admin, record_of(2, 2)).changed);
  auto behind = copy_of(*machine.state);
  ASSERT_TRUE(behind) << behind.error().message();
  ASSERT_TRUE(machine.revoke(admin, TokenId(2)).changed);
  install_in(**behind, *machine.state);
  EXPECT_EQ((*behind)->find_token(TokenId(2)), nullptr);
  EXPECT_EQ((*behind)->tokens().size(), 1U);
  EXPECT_EQ((*behind)->digest(), machine.state->digest());
}

/// A role, a user and a tenant, and a token of that user: id 2.
void add_ada(Machine& machine) {
  (void)machine.create(nobody, record_of(1, 4));
  const Grant grant{.permissions = {Permission::read, Permission::write}, .prefixes = {"acme/", "other/"}};
  EXPECT_TRUE(machine.set(admin, Role{.name = "editor", .grants = {grant}}).changed);
  EXPECT_TRUE(machine.set(admin, Tenant{.name = "acme"}).changed);
  EXPECT_TRUE(machine.set(admin, User{.name = "ada", .roles = {"editor"}, .tenant = "acme"}).changed);
  TokenRecord hers = record_of(2, 3);
  hers.user = "ada";
  EXPECT_TRUE(machine.create(admin, hers).changed);
}

TEST(TokensOfTheState, AWriteIsJudgedByTheRolesOfItsPlaceInTheLog) {
  Machine machine;
  add_ada(machine);
  EXPECT_TRUE(machine.put(TokenId(2), "acme/k").changed);
  EXPECT_EQ(machine.put(TokenId(2), "other/k").refusal, Refusal::forbidden);
  EXPECT_EQ(machine.set(TokenId(2), Role{.name = "mine"}).refusal, Refusal::forbidden);
  EXPECT_EQ(machine.remove(TokenId(2), AccessKind::role, "editor").refusal, Refusal::forbidden);
  const Revision revision = machine.state->revision();
  EXPECT_EQ(command::text_of(machine.remove(admin, AccessKind::role, "editor").results.at(0)), "the user ada has it");
  EXPECT_TRUE(machine.set(admin, Role{.name = "editor"}).changed);
  EXPECT_EQ(machine.put(TokenId(2), "acme/k").refusal, Refusal::forbidden);
  EXPECT_TRUE(machine.set(admin, User{.name = "ada", .roles = {"editor"}, .disabled = true}).changed);
  EXPECT_EQ(machine.put(TokenId(2), "acme/k").refusal, Refusal::unauthorized);
  EXPECT_EQ(machine.state->revision(), revision) << "they take no revision";
}

TEST(TokensOfTheState, ARecordThatCanNotBeReadIsNoRecordOfAnyVersion) {
  Machine machine;
  std::string entry;
  command::begin_entry(entry, {.cluster_time_ms = 1, .wall_offset_ms = 0});
  command::append_access_set(entry, request, "no record");
  std::vector<Applied> applied;
  const auto done = machine.state->apply(Index(1), Term(1), entry, applied);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), Errc::storage_failed);
}

TEST(TokensOfTheState, ASnapshotCarriesRolesUsersAndTenantsAndNoDamageOfThem) {
  Machine machine;
  add_ada(machine);
  const auto copy = copy_of(*machine.state);
  ASSERT_TRUE(copy) << copy.error().message();
  EXPECT_EQ((*copy)->digest(), machine.state->digest());
  EXPECT_EQ((*copy)->access_records(AccessKind::user).size(), 1U);
  EXPECT_TRUE((*copy)->find_token(TokenId(2))->rights.covers(Permission::write, "acme/k"));
  EXPECT_FALSE((*copy)->find_token(TokenId(2))->rights.covers(Permission::write, "other/k"));
  const auto snapshot = machine.state->begin_snapshot("");
  EXPECT_EQ(encode_meta(snapshot->meta()).front(), '\5');
  std::string intact;
  ASSERT_TRUE(snapshot->next_block(intact, 1U << 20U));
  for (std::size_t bit = 0; bit < intact.size() * 8; ++bit) {
    std::string damaged = intact;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1U << bit % 8));
    SnapshotLoader loader(snapshot->meta());
    EXPECT_FALSE(loader.add_block(damaged) && loader.finish()) << bit;
  }
}

TEST(TokensOfTheState, WithoutRecordsAStateIsWrittenAsBefore) {
  Machine machine;
  add_ada(machine);
  (void)machine.revoke(admin, TokenId(2));
  const std::uint64_t digest = machine.state->digest();
  EXPECT_TRUE(machine.remove(admin, AccessKind::user, "ada").changed);
  EXPECT_NE(machine.state->digest(), digest);
  EXPECT_TRUE(machine.remove(admin, AccessKind::role, "editor").changed);
  EXPECT_TRUE(machine.remove(admin, AccessKind::tenant, "acme").changed);
  EXPECT_EQ(encode_meta(machine.state->begin_snapshot("")->meta()).front(), '\3');
  Machine other;
  (void)other.create(nobody, record_of(1, 4));
  EXPECT_EQ(machine.state->digest(), other.state->digest());
}

TEST(TokensOfTheState, AStateWithoutTokensIsWrittenAsBefore) {
  Machine machine;
  (void)machine.create(nobody, record_of(1, 4));
  (void)machine.put(admin, "k");
  (void)machine.revoke(admin, admin);
  EXPECT_EQ(encode_meta(machine.state->begin_snapshot("")->meta()).front(), '\1');
}

TEST(TokensOfTheState, ADamagedTokenInASnapshotIsRefused) {
  Machine machine;
  (void)machine.create(nobody, record_of(1, 4, {}));
  (void)machine.create(nobody, record_of(2, 3, {"p/"}));
  const auto snapshot = machine.state->begin_snapshot("");
  std::string intact;
  ASSERT_TRUE(snapshot->next_block(intact, 1U << 20U));
  const auto loads = [&](const std::string& block) {
    SnapshotLoader loader(snapshot->meta());
    return loader.add_block(block) && loader.finish();
  };
  ASSERT_TRUE(loads(intact));
  for (std::size_t at = 0; at < intact.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string damaged = intact;
      damaged[at] = static_cast<char>(damaged[at] ^ (1U << bit));
      EXPECT_FALSE(loads(damaged)) << at << ' ' << bit;
    }
  }
  EXPECT_FALSE(loads(intact + intact));
  EXPECT_FALSE(loads(intact.substr(0, intact.size() / 2)));
}

TEST(TokensOfTheState, ALogAppliedAgainGivesTheSameState) {
  constexpr std::uint64_t seed = 31;
  base::Random random(seed);
  Machine machine;
  for (int i = 0; i < 600; ++i) {
    const TokenId as(random.below(6));
    TokenRecord record = record_of(1 + random.below(5), static_cast<Permissions>(1 + random.below(7)));
    record.expires_in_s = static_cast<std::uint32_t>(random.below(20));
    switch (random.below(4)) {
      case 0: (void)machine.create(as, record); break;
      case 1: (void)machine.revoke(as, record.id); break;
      default: (void)machine.put(as, std::to_string(random.below(20)));
    }
    machine.now_ms += random.below(3000);
    if (i % 100 != 99) continue;
    StateMachine again(Options{12345});
    std::vector<Applied> applied;
    for (const std::string& entry : machine.log) {
      ASSERT_TRUE(again.apply(again.applied_index().next(), Term(1), entry, applied));
    }
    ASSERT_EQ(again.digest(), machine.state->digest()) << "seed " << seed;
    ASSERT_EQ(again.revision(), machine.state->revision());
    auto copy = copy_of(*machine.state);
    ASSERT_TRUE(copy) << copy.error().message();
    ASSERT_EQ((*copy)->digest(), machine.state->digest());
  }
}

}  // namespace
}  // namespace concord::store

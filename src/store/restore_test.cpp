// Restores in the state machine: all at one revision or nothing, the same on every replica, whatever comes between the steps.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "acl/record.hpp"
#include "base/crc32c.hpp"
#include "store/history.hpp"
#include "store/snapshot.hpp"
#include "store/state_machine.hpp"
#include "store/testing_model.hpp"
#include "store/view.hpp"

namespace concord::store {
namespace {

using base::Index;
using base::Term;
using command::CommandKind;
using command::OperationStatus;
using command::RestoreId;
using command::RestoreStep;
using command::TokenId;

constexpr base::RequestId request{base::NodeId(1), 1, 1};
constexpr RestoreId first(7);

/// A machine that is told one command an entry, and keeps its log.
class Machine {
 public:
  Outcome put(std::string_view key, std::string_view json, std::uint32_t ttl_s = 0) {
    return run([&](std::string& entry) { command::append_put(entry, request, key, stored(json), ttl_s); });
  }
  Outcome step(CommandKind kind, const RestoreStep& step) {
    return run([&](std::string& entry) { command::append_restore(entry, request, kind, step); });
  }
  Outcome begin(RestoreId id = first, std::vector<std::string_view> prefixes = {}, bool with_tokens = false) {
    return step(CommandKind::restore_begin, {.id = id,
                                             .wall_offset_ms = backup_wall_offset_ms,
                                             .with_tokens = with_tokens,
                                             .prefixes = std::move(prefixes)});
  }
  Outcome chunk(std::uint64_t number, std::string_view items, RestoreId id = first) {
    return step(CommandKind::restore_chunk, {.id = id, .number = number, .items = items});
  }
  Outcome commit(const std::vector<std::string>& chunks, RestoreId id = first) {
    std::uint32_t crc = 0;
    for (const std::string& each : chunks) crc = base::crc32c_extend(crc, each);
    return step(CommandKind::restore_commit, {.id = id, .chunks = chunks.size(), .crc = crc});
  }
  Outcome tick() {
    return run([&](std::string& entry) { command::append_expire(entry, request, now_ms, 500); });
  }
  template <class Append>
  Outcome run(const Append& append) {
    std::string entry;
    command::begin_entry(entry, {.cluster_time_ms = now_ms, .wall_offset_ms = wall_offset_ms});
    append(entry);
    log.push_back(entry);
    std::vector<Applied> applied;
    EXPECT_TRUE(state->apply(state->applied_index().next(), Term(1), entry, applied));
    return applied.empty() ? Outcome() : std::move(applied.back().outcome);
  }
  /// "key=json" of each, in order.
  [[nodiscard]] std::vector<std::string> contents() const { return contents_of(state->view()); }
  [[nodiscard]] static std::vector<std::string> contents_of(const View& view) {
    std::vector<std::string> contents;
    view.visit_from("", [&](const Record& record) {
      contents.push_back(std::string(record.key()) + "=" + std::string(record.value().substr(1)));
      return true;
    });
    return contents;
  }
  [[nodiscard]] std::vector<std::string> backup(std::size_t block_bytes = 30) const {
    const auto snapshot = state->begin_snapshot("");
    snapshot->keep_data_only();
    std::vector<std::string> blocks;
    for (std::string block; snapshot->next_block(block, block_bytes);) blocks.push_back(block);
    return blocks;
  }

  ClusterTimeMs now_ms = 5000;
  std::int64_t wall_offset_ms = 1'000'000;
  std::int64_t backup_wall_offset_ms = 1'000'000;
  std::unique_ptr<StateMachine> state = std::make_unique<StateMachine>();
  std::vector<std::string> log;
};

std::unique_ptr<StateMachine> copy_of(const StateMachine& state, std::size_t block_bytes = 50) {
  const auto snapshot = state.begin_snapshot("members");
  auto meta = decode_meta(encode_meta(snapshot->meta()));
  EXPECT_TRUE(meta);
  SnapshotLoader loader(std::move(*meta));
  for (std::string block; snapshot->next_block(block, block_bytes);) EXPECT_TRUE(loader.add_block(block));
  auto loaded = loader.finish();
  EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().message());
  auto copy = std::make_unique<StateMachine>(Options{99});
  if (loaded) copy->install(std::move(*loaded));
  return copy;
}

/// What a backup of three keys is.
std::vector<std::string> three_keys() {
  Machine source;
  (void)source.put("a", "1");
  (void)source.put("b", "2");
  (void)source.put("a", "3");
  (void)source.put("c", "4");
  return source.backup(1);
}

const std::vector<std::string> restored_contents = {"a=3", "b=2", "c=4"};

TEST(RestoreOfTheState, TakesThePlaceOfEverythingAtOneRevision) {
  const auto chunks = three_keys();
  ASSERT_GE(chunks.size(), 1U);
  Machine machine;
  (void)machine.put("old", "0");
  (void)machine.put("a", "0");
  (void)machine.begin();
  for (std::size_t at = 0; at < chunks.size(); ++at) {
    EXPECT_EQ(machine.chunk(at, chunks[at]).results.front().count, at + 1);
    EXPECT_EQ(machine.contents(), (std::vector<std::string>{"a=0", "old=0"}));
  }
  (void)machine.put("between", "0");
  const Outcome done = machine.commit(chunks);
  EXPECT_TRUE(done.changed);
  EXPECT_EQ(done.revision, Revision(4));
  EXPECT_EQ(done.results.front().count, 3U);
  EXPECT_EQ(machine.contents(), restored_contents);
  EXPECT_EQ(machine.state->size(), 3U);
  EXPECT_EQ(machine.state->revision(), Revision(4));
  for (const char* const key : {"a", "b", "c"}) {
    const auto entry = machine.state->get_entry(key);
    ASSERT_TRUE(entry);
    EXPECT_EQ(entry->revision, Revision(4));
    EXPECT_EQ(entry->create_revision, Revision(4));
    EXPECT_EQ(entry->version, 1U);
  }
  EXPECT_EQ(machine.put("a", "9").revision, Revision(5));
  EXPECT_EQ(machine.state->get_entry("a")->version, 2U);
}

TEST(RestoreOfTheState, IsTheSameOnEveryReplicaWhereverASnapshotCame) {
  const auto chunks = three_keys();
  Machine machine;
  (void)machine.put("old", "0", 3);
  (void)machine.begin();
  for (std::size_t at = 0; at < chunks.size(); ++at) {
    (void)machine.chunk(at, chunks[at]);
    (void)machine.put("x" + std::to_string(at), "0");
  }
  (void)machine.commit(chunks);
  (void)machine.put("b", "8");
  const std::uint64_t digest = machine.state->digest();
  for (std::size_t snapshot_at = 0; snapshot_at <= machine.log.size(); ++snapshot_at) {
    auto replica = std::make_unique<StateMachine>(Options{5});
    std::vector<Applied> applied;
    for (std::size_t at = 0; at < machine.log.size(); ++at) {
      if (at == snapshot_at) {
        auto copy = copy_of(*replica);
        EXPECT_EQ(copy->digest(), replica->digest()) << at;
        EXPECT_EQ(copy->next_due(), replica->next_due()) << at;
        replica = std::move(copy);
      }
      ASSERT_TRUE(replica->apply(replica->applied_index().next(), Term(1), machine.log[at], applied));
    }
    if (snapshot_at == machine.log.size()) replica = copy_of(*replica);
    EXPECT_EQ(replica->digest(), digest) << snapshot_at;
    EXPECT_EQ(Machine::contents_of(replica->view()), machine.contents()) << snapshot_at;
    EXPECT_EQ(replica->revision(), machine.state->revision());
  }
}

TEST(RestoreOfTheState, ASnapshotGoesOnWhileItIsStagedAndCommitted) {
  const auto chunks = three_keys();
  Machine machine;
  (void)machine.begin();
  (void)machine.chunk(0, chunks[0]);
  const std::uint64_t digest = machine.state->digest();
  const auto snapshot = machine.state->begin_snapshot("m");
  for (std::size_t at = 1; at < chunks.size(); ++at) (void)machine.chunk(at, chunks[at]);
  (void)machine.commit(chunks);
  (void)machine.put("a", "7");
  (void)machine.run([](std::string& entry) { command::append_remove(entry, request, "b"); });
  SnapshotLoader loader(snapshot->meta());
  for (std::string block; snapshot->next_block(block, 1);) ASSERT_TRUE(loader.add_block(block));
  auto loaded = loader.finish();
  ASSERT_TRUE(loaded) << loaded.error().message();
  StateMachine copy;
  copy.install(std::move(*loaded));
  EXPECT_EQ(copy.digest(), digest);
}

TEST(RestoreOfTheState, AChunkThatComesAgainOrTooEarlyIsNotTaken) {
  const auto chunks = three_keys();
  ASSERT_GE(chunks.size(), 2U);
  Machine machine;
  (void)machine.begin();
  EXPECT_EQ(machine.chunk(1, chunks[1]).results.front().count, 0U);
  EXPECT_EQ(machine.chunk(0, chunks[0]).results.front().count, 1U);
  EXPECT_EQ(machine.chunk(0, chunks[0]).results.front().count, 1U);
  (void)machine.begin();  // repeated too
  for (std::size_t at = 1; at < chunks.size(); ++at) (void)machine.chunk(at, chunks[at]);
  const Outcome done = machine.commit(chunks);
  EXPECT_TRUE(done.changed);
  (void)machine.put("d", "5");
  const Outcome again = machine.commit(chunks);
  EXPECT_TRUE(again.changed);
  EXPECT_EQ(again.revision, done.revision);
  EXPECT_EQ(machine.contents().back(), "d=5");
}

TEST(RestoreOfTheState, ACommitOfAnythingElseChangesNothing) {
  auto chunks = three_keys();
  Machine machine;
  (void)machine.put("old", "0");
  EXPECT_EQ(machine.commit(chunks).results.front().status, OperationStatus::not_found);
  (void)machine.begin();
  for (std::size_t at = 0; at + 1 < chunks.size(); ++at) (void)machine.chunk(at, chunks[at]);
  EXPECT_EQ(machine.commit(chunks).results.front().status, OperationStatus::not_found);
  EXPECT_EQ(machine.contents(), std::vector<std::string>{"old=0"});
  EXPECT_EQ(machine.state->revision(), Revision(1));
  EXPECT_EQ(machine.chunk(0, chunks[0]).results.front().status, OperationStatus::not_found);
}

TEST(RestoreOfTheState, AChunkThatCannotBeReadEndsIt) {
  const auto chunks = three_keys();
  for (const std::string& bad : {chunks[0].substr(1), chunks[0] + chunks[0], std::string("\0\0", 2)}) {
    Machine machine;
    (void)machine.put("old", "0");
    const std::uint64_t digest = machine.state->digest();
    (void)machine.begin();
    EXPECT_EQ(machine.chunk(0, bad).results.front().status, OperationStatus::not_found);
    EXPECT_EQ(machine.state->digest(), digest);
    EXPECT_EQ(machine.contents(), std::vector<std::string>{"old=0"});
  }
}

TEST(RestoreOfTheState, AnotherOneAnAbortOrALongSilenceDropsWhatWasStaged) {
  const auto chunks = three_keys();
  Machine machine;
  (void)machine.put("old", "0");
  const std::uint64_t digest = machine.state->digest();
  (void)machine.begin();
  (void)machine.chunk(0, chunks[0]);
  EXPECT_NE(machine.state->digest(), digest);
  (void)machine.begin(RestoreId(8));
  EXPECT_EQ(machine.chunk(1, chunks[1]).results.front().status, OperationStatus::not_found);
  (void)machine.step(CommandKind::restore_abort, {.id = first});  // of another one: nothing
  EXPECT_EQ(machine.chunk(0, chunks[0], RestoreId(8)).results.front().count, 1U);
  (void)machine.step(CommandKind::restore_abort, {.id = RestoreId(8)});
  EXPECT_EQ(machine.state->digest(), digest);
  EXPECT_FALSE(machine.state->next_due());

  (void)machine.begin();
  EXPECT_EQ(machine.state->next_due(), machine.now_ms + command::restore_idle_ms);
  machine.now_ms += command::restore_idle_ms;
  (void)machine.tick();
  EXPECT_EQ(machine.state->digest(), digest);
  EXPECT_EQ(machine.chunk(0, chunks[0]).results.front().status, OperationStatus::not_found);
}

TEST(RestoreOfTheState, DeadlinesCountByTheWallClockAndWhatHasExpiredStaysAway) {
  Machine source;
  (void)source.put("long", "1", 100);
  (void)source.put("short", "1", 10);
  (void)source.put("none", "1");
  const auto chunks = source.backup();
  Machine machine;
  machine.now_ms = 2000;  // the backup was made at wall time 1 005 000; now it is 1 035 000
  machine.wall_offset_ms = 1'033'000;
  (void)machine.begin();
  for (std::size_t at = 0; at < chunks.size(); ++at) (void)machine.chunk(at, chunks[at]);
  (void)machine.commit(chunks);
  EXPECT_EQ(machine.contents(), (std::vector<std::string>{"long=1", "none=1"}));
  EXPECT_EQ(machine.state->get_entry("long")->deadline_ms, 72'000U);
  EXPECT_EQ(machine.state->next_due(), 72'000U);
  machine.now_ms = 72'000;
  (void)machine.tick();
  EXPECT_EQ(machine.contents(), std::vector<std::string>{"none=1"});
  EXPECT_FALSE(machine.state->next_due());
}

TEST(RestoreOfTheState, OfPrefixesLeavesOtherKeysAlone) {
  Machine source;
  for (const char* const key : {"app/1", "app/2", "sys/1", "web/1"}) (void)source.put(key, "1");
  const auto chunks = source.backup();
  Machine machine;
  for (const char* const key : {"app/2", "app/3", "sys/9", "zoo"}) (void)machine.put(key, "0");
  (void)machine.begin(first, {"app/", "web/"});
  for (std::size_t at = 0; at < chunks.size(); ++at) (void)machine.chunk(at, chunks[at]);
  auto copy = copy_of(*machine.state);
  EXPECT_EQ(copy->digest(), machine.state->digest());
  const Outcome done = machine.commit(chunks);
  EXPECT_EQ(machine.contents(), (std::vector<std::string>{"app/1=1", "app/2=1", "sys/9=0", "web/1=1", "zoo=0"}));
  EXPECT_EQ(done.revision, Revision(5));
  EXPECT_EQ(machine.state->get_entry("app/2")->version, 1U);
  EXPECT_EQ(machine.state->get_entry("sys/9")->revision, Revision(3));
  std::vector<Applied> applied;
  ASSERT_TRUE(copy->apply(copy->applied_index().next(), Term(1), machine.log.back(), applied));
  EXPECT_EQ(copy->digest(), machine.state->digest());
}

TEST(RestoreOfTheState, AViewOfBeforeGoesOnReadingWhatWasThere) {
  const auto chunks = three_keys();
  Machine machine;
  (void)machine.put("old", "0");
  {
    const View before = machine.state->view();
    (void)machine.begin();
    for (std::size_t at = 0; at < chunks.size(); ++at) (void)machine.chunk(at, chunks[at]);
    (void)machine.commit(chunks);
    EXPECT_EQ(Machine::contents_of(before), std::vector<std::string>{"old=0"});
  }
  machine.state->tidy();
  EXPECT_EQ(machine.contents(), restored_contents);
}

TEST(RestoreOfTheState, RolesUsersAndTenantsComeAlongWithTokens) {
  const auto set = [](Machine& machine, AccessRecord wanted) {
    const std::string bytes = acl::encode(*acl::normalized(std::move(wanted)));
    (void)machine.run([&](std::string& entry) { command::append_access_set(entry, request, bytes); });
  };
  Machine source;
  set(source, Role{.name = "r", .grants = {{.permissions = {Permission::read}}}});
  set(source, Tenant{.name = "acme", .prefix = "a", .quotas = {.max_keys = 2}});
  set(source, User{.name = "ada", .roles = {"r"}, .tenant = "acme"});
  command::TokenRecord hers{.id = TokenId(2), .permissions = 1, .user = "ada"};
  (void)source.run([&](std::string& entry) { command::append_token_create(entry, request, hers); });
  for (const std::string_view key : {"a1", "a2", "a3"}) (void)source.put(key, "1");  // the last is refused
  const auto chunks = source.backup();
  for (const bool with_tokens : {false, true}) {
    Machine machine;
    set(machine, Role{.name = "r", .grants = {{.permissions = {Permission::read}}}});
    (void)machine.begin(first, {}, with_tokens);
    for (std::size_t at = 0; at < chunks.size(); ++at) (void)machine.chunk(at, chunks[at]);
    auto copy = copy_of(*machine.state);
    (void)machine.commit(chunks);
    EXPECT_EQ(machine.contents(), (std::vector<std::string>{"a1=1", "a2=1"}));
    const auto tenants = machine.state->access_records(AccessKind::tenant);
    ASSERT_EQ(tenants.size(), with_tokens ? 1U : 0U);
    if (with_tokens) {
      EXPECT_EQ(std::get<Tenant>(tenants[0]).usage, (TenantUsage{.keys = 2, .bytes = 8}));
      EXPECT_EQ(machine.put("a3", "1").refusal, command::Refusal::quota);
      EXPECT_TRUE(machine.state->find_token(TokenId(2))->rights.covers(Permission::read, "a1"));
      machine.log.pop_back();
    }
    std::vector<Applied> applied;
    ASSERT_TRUE(copy->apply(copy->applied_index().next(), Term(1), machine.log.back(), applied));
    EXPECT_EQ(copy->digest(), machine.state->digest());
  }
}

/// Else a token of the backup would reach what it never could.
TEST(RestoreOfTheState, WhatIsAnotherOneHereBringsNothingThatGoesByItsName) {
  const auto set = [](Machine& machine, AccessRecord wanted) {
    const std::string bytes = acl::encode(*acl::normalized(std::move(wanted)));
    (void)machine.run([&](std::string& entry) { command::append_access_set(entry, request, bytes); });
  };
  const auto create = [](Machine& machine, std::uint64_t id, std::string_view user, std::string_view tenant) {
    command::TokenRecord record{.id = TokenId(id), .permissions = 1, .user = user, .tenant = tenant};
    record.hash.fill(static_cast<char>(id));
    (void)machine.run([&](std::string& entry) { command::append_token_create(entry, request, record); });
  };
  const std::vector<Grant> grants = {{.permissions = {Permission::read}, .prefixes = {"a/"}}};
  Machine source;
  for (const char* name : {"same", "other"}) {
    set(source, Role{.name = name, .grants = grants});
    set(source, Tenant{.name = name});
  }
  set(source, User{.name = "ada", .roles = {"same"}, .tenant = "same"});
  set(source, User{.name = "bob", .roles = {"same", "other"}});
  set(source, User{.name = "eve", .roles = {"same"}, .tenant = "other"});
  set(source, User{.name = "dan", .roles = {"same"}});
  create(source, 2, "ada", "");
  create(source, 3, "bob", "");
  create(source, 4, "eve", "");
  create(source, 5, "dan", "");
  create(source, 6, "", "same");
  create(source, 7, "", "other");
  create(source, 8, "", "");
  (void)source.put("k", "1");
  const auto chunks = source.backup();
  Machine machine;
  set(machine, Role{.name = "same", .grants = grants});
  set(machine, Role{.name = "other", .grants = {{.permissions = {Permission::read, Permission::write}}}});
  set(machine, Tenant{.name = "same"});
  set(machine, Tenant{.name = "other", .prefix = "hr/"});
  set(machine, User{.name = "dan", .roles = {"other"}});
  (void)machine.begin(first, {}, true);
  for (std::size_t at = 0; at < chunks.size(); ++at) (void)machine.chunk(at, chunks[at]);
  auto copy = copy_of(*machine.state);
  (void)machine.commit(chunks);
  std::vector<std::uint64_t> added;
  for (const acl::TokenPointer& token : machine.state->tokens()) added.push_back(token->id.value());
  EXPECT_EQ(added, (std::vector<std::uint64_t>{2, 6, 8}));
  const auto users = machine.state->access_records(AccessKind::user);
  ASSERT_EQ(users.size(), 2U);
  EXPECT_EQ(std::get<User>(users[0]).name, "ada");
  EXPECT_EQ(std::get<User>(users[1]).roles, std::vector<std::string>{"other"}) << "what is there stays";
  std::vector<Applied> applied;
  ASSERT_TRUE(copy->apply(copy->applied_index().next(), Term(1), machine.log.back(), applied));
  EXPECT_EQ(copy->digest(), machine.state->digest());
  EXPECT_EQ(copy_of(*machine.state)->digest(), machine.state->digest()) << "a sum that was kept is that of all items";
}

TEST(RestoreOfTheState, TokensStayAndAreAddedOnlyWhenAsked) {
  const auto create = [](Machine& machine, std::uint64_t id) {
    command::TokenRecord record{.id = TokenId(id), .permissions = 4, .only_as_first = id == 1};
    record.hash.fill(static_cast<char>(id));
    (void)machine.run([&](std::string& entry) { command::append_token_create(entry, request, record); });
  };
  Machine source;
  create(source, 1);
  create(source, 2);
  (void)source.put("k", "1");
  const auto chunks = source.backup();
  for (const bool with_tokens : {false, true}) {
    Machine machine;
    create(machine, 9);
    (void)machine.begin(first, {}, with_tokens);
    for (std::size_t at = 0; at < chunks.size(); ++at) (void)machine.chunk(at, chunks[at]);
    auto copy = copy_of(*machine.state);
    (void)machine.commit(chunks);
    EXPECT_TRUE(machine.state->find_token(TokenId(9)));
    EXPECT_EQ(machine.state->find_token(TokenId(2)) != nullptr, with_tokens);
    EXPECT_EQ(machine.state->tokens().size(), with_tokens ? 3U : 1U);
    std::vector<Applied> applied;
    ASSERT_TRUE(copy->apply(copy->applied_index().next(), Term(1), machine.log.back(), applied));
    EXPECT_EQ(copy->digest(), machine.state->digest());
  }
}

TEST(RestoreOfTheState, NeedsAnAdminAndRememberedAnswersSurviveIt) {
  const auto chunks = three_keys();
  Machine machine;
  const command::Transaction transaction{.then = {{.kind = command::OperationKind::put, .key = "x"}}};
  const std::string value = stored("1");
  auto with_value = transaction;
  with_value.then.front().value = value;
  const auto once = [&] {
    return machine.run([&](std::string& entry) { command::append_once(entry, request, {.key = "o"}, with_value); });
  };
  const Revision revision = once().revision;
  const Outcome refused = machine.run([&](std::string& entry) {
    command::append_with_token(entry, TokenId(5));
    command::append_restore(entry, request, CommandKind::restore_begin, {.id = first});
  });
  EXPECT_EQ(refused.refusal, command::Refusal::unauthorized);
  (void)machine.begin();
  for (std::size_t at = 0; at < chunks.size(); ++at) (void)machine.chunk(at, chunks[at]);
  (void)machine.commit(chunks);
  const Outcome again = once();
  EXPECT_EQ(again.repeat, command::Repeat::replayed);
  EXPECT_EQ(again.revision, revision);
  EXPECT_EQ(machine.contents(), restored_contents);
}

TEST(RestoreOfTheState, IsOneEvent) {
  const auto chunks = three_keys();
  History history;
  Machine machine;
  machine.state->set_listener(&history);
  (void)machine.put("old", "0");
  (void)machine.begin();
  for (std::size_t at = 0; at < chunks.size(); ++at) (void)machine.chunk(at, chunks[at]);
  EXPECT_EQ(history.newest(), Revision(1));
  (void)machine.commit(chunks);
  (void)machine.put("new", "0");
  EXPECT_EQ(history.newest(), Revision(3));
  const auto block = history.find(Revision(2));
  ASSERT_TRUE(block);
  const HistoryEvent event(block->event(2 - block->first().value()));
  EXPECT_EQ(event.type(), EventType::restored);
  EXPECT_EQ(event.count(), 0U);
}

}  // namespace
}  // namespace concord::store

// Goal: what was encoded is read back, nothing else is, and the bytes never change unnoticed. Method: golden bytes, random
// entries read back field by field, every truncation, and damaged bytes.
#include "command/entry.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "base/random.hpp"
#include "command/limits.hpp"

namespace concord::command {
namespace {

using base::NodeId;
using base::RequestId;

std::string hex(std::string_view bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += digits[static_cast<unsigned char>(c) >> 4U];
    text += digits[static_cast<unsigned char>(c) & 15U];
  }
  return text;
}

std::string stored(std::string_view json) { return std::string(1, '\0').append(json); }

const RequestId request{NodeId(300), 2, 7};

/// A transaction with every kind of guard and operation, over texts it keeps alive.
struct EveryKind {
  std::string value = stored("1");
  Transaction transaction;

  EveryKind() {
    transaction.guards = {{.kind = GuardKind::value_equals, .key = "a", .value = value},
                          {.kind = GuardKind::revision, .key = "b", .revision = Revision(130)},
                          {.kind = GuardKind::exists, .key = "c"},
                          {.kind = GuardKind::absent, .key = "d"},
                          {.kind = GuardKind::filter, .key = "e", .filter = "{}"}};
    transaction.then = {{.kind = OperationKind::put, .key = "f", .value = value, .ttl_s = 60},
                        {.kind = OperationKind::remove, .key = "g"},
                        {.kind = OperationKind::touch, .key = "h", .ttl_s = 1}};
    Operation where{.kind = OperationKind::delete_where};
    where.selector = Selector{"p", "s", "c", "x", "l", "m", "{}", 9};
    transaction.otherwise = {{.kind = OperationKind::get, .key = "i"}, where};
    where.selector = {};
    where.selector->suffix = "z";
    transaction.otherwise.push_back(where);
  }
};

TEST(Entry, BytesAreThoseOfFormat1) {
  std::string entry;
  begin_entry(entry, {1000, -5});
  append_put(entry, request, "key", stored("true"), 3600);
  append_remove(entry, request, "key");
  append_expire(entry, request, 2000, 100);
  append_touch(entry, request, "key", 60);
  EXPECT_EQ(hex(entry),
            "01e80709"
            "01ac02020703"
            "6b6579"
            "0500"
            "74727565"
            "901c"
            "02ac02020703"
            "6b6579"
            "04ac020207d00f64"
            "05ac02020703"
            "6b6579"
            "3c");
  std::string transaction;
  append_transaction(transaction, request, EveryKind().transaction);
  EXPECT_EQ(hex(transaction),
            "03ac0202074e"
            "05"
            "010161020031"
            "0201628201"
            "030163"
            "040164"
            "050165027b7d"
            "03"
            "01016602"
            "0031"
            "3c"
            "020167"
            "03016801"
            "03"
            "040169"
            "057f"
            "0170"
            "0173"
            "0163"
            "0178"
            "016c"
            "016d"
            "027b7d"
            "09"
            "a08d06"
            "c0843d"
            "0502"
            "017a"
            "00"
            "a08d06"
            "c0843d");
}

TEST(Entry, BytesOfTokensAreThoseOfFormat1) {
  TokenRecord token{.id = TokenId(0x0102030405060708U), .permissions = 3, .expires_in_s = 300, .description = "d"};
  token.hash.fill('\x5a');
  token.prefixes = {"a/", "b"};
  std::string bytes;
  append_token_create(bytes, request, token);
  append_with_token(bytes, TokenId(9));
  append_token_revoke(bytes, request, token.id);
  EXPECT_EQ(hex(bytes),
            "07ac020207"
            "0807060504030201"
            "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
            "03"
            "ac02"
            "00"
            "0164"
            "02"
            "02612f"
            "0162"
            "090900000000000000"
            "08ac020207"
            "0807060504030201");
}

TEST(Entry, BytesOfRolesUsersAndTenantsAreThoseOfFormat1) {
  TokenRecord token{.id = TokenId(1), .permissions = 1};
  token.user = "u";
  std::string bytes;
  append_token_create(bytes, request, token);
  EXPECT_EQ(hex(bytes.substr(bytes.size() - 7)),
            "01"
            "00"
            "02"
            "0175"
            "00"
            "00");
  bytes.clear();
  append_access_set(bytes, request, "bytes");
  append_access_remove(bytes, request, {.kind = AccessKind::tenant, .name = "acme"});
  EXPECT_EQ(hex(bytes),
            "0eac020207"
            "056279746573"
            "0fac020207"
            "03"
            "0461636d65");
}

bool same(const Selector& a, const Selector& b) {
  return a.prefix == b.prefix && a.suffix == b.suffix && a.contains == b.contains && a.pattern == b.pattern &&
         a.start == b.start && a.end == b.end && a.filter == b.filter && a.limit == b.limit &&
         a.max_removed == b.max_removed && a.max_visited == b.max_visited;
}
bool same(const Operation& a, const Operation& b) {
  return a.kind == b.kind && a.key == b.key && a.value == b.value && a.ttl_s == b.ttl_s &&
         same(*a.selector, *b.selector);
}
bool same(const Guard& a, const Guard& b) {
  return a.kind == b.kind && a.key == b.key && a.value == b.value && a.revision == b.revision && a.filter == b.filter;
}
bool same(const Transaction& a, const Transaction& b) {
  const auto equal = [](const auto& x, const auto& y) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end(), [](const auto& i, const auto& j) { return same(i, j); });
  };
  return equal(a.guards, b.guards) && equal(a.then, b.then) && equal(a.otherwise, b.otherwise);
}
bool same(const Command& a, const Command& b) {
  if (a.kind != b.kind || a.request != b.request || a.as_token != b.as_token) return false;
  switch (a.kind) {
    case CommandKind::put: return a.key == b.key && a.value == b.value && a.ttl_s == b.ttl_s;
    case CommandKind::remove: return a.key == b.key;
    case CommandKind::touch: return a.key == b.key && a.ttl_s == b.ttl_s;
    case CommandKind::transaction: return same(a.transaction, b.transaction);
    case CommandKind::once:
      return a.once.scope == b.once.scope && a.once.key == b.once.key && a.once.fingerprint == b.once.fingerprint &&
             same(a.transaction, b.transaction);
    case CommandKind::expire: return a.due_ms == b.due_ms && a.limit == b.limit;
    case CommandKind::token_create:
      return a.token.id == b.token.id && a.token.hash == b.token.hash && a.token.permissions == b.token.permissions &&
             a.token.expires_in_s == b.token.expires_in_s && a.token.only_as_first == b.token.only_as_first &&
             a.token.description == b.token.description && a.token.prefixes == b.token.prefixes &&
             a.token.user == b.token.user && a.token.tenant == b.token.tenant;
    case CommandKind::token_revoke: return a.token.id == b.token.id;
    case CommandKind::restore_begin:
      return a.restore.id == b.restore.id && a.restore.wall_offset_ms == b.restore.wall_offset_ms &&
             a.restore.with_tokens == b.restore.with_tokens && a.restore.prefixes == b.restore.prefixes;
    case CommandKind::restore_chunk:
      return a.restore.id == b.restore.id && a.restore.number == b.restore.number && a.restore.items == b.restore.items;
    case CommandKind::restore_commit:
      return a.restore.id == b.restore.id && a.restore.chunks == b.restore.chunks && a.restore.crc == b.restore.crc;
    case CommandKind::restore_abort: return a.restore.id == b.restore.id;
    case CommandKind::access_set: return a.access.record == b.access.record;
    case CommandKind::access_remove: return a.access.kind == b.access.kind && a.access.name == b.access.name;
  }
  return false;
}

/// Draws commands and keeps the texts they view.
class RandomCommands {
 public:
  explicit RandomCommands(base::Random& random) : random_(random) {}

  Command command() {
    Command command;
    constexpr std::uint64_t before_a_command = 9;
    const std::uint64_t kind = 1 + random_.below(14);
    command.kind = static_cast<CommandKind>(kind < before_a_command ? kind : kind + 1);
    command.request = {NodeId(number()), number(), number()};
    command.key = key();
    command.value = value();
    command.ttl_s = command.kind == CommandKind::touch ? ttl(1) : put_ttl();
    command.due_ms = number();
    command.limit = number();
    command.once = {text(random_.below(129)), text(1 + random_.below(128)), number()};
    command.token = token();
    command.restore = restore();
    command.access = {.record = text(1 + random_.below(200)),
                      .kind = static_cast<AccessKind>(1 + random_.below(3)),
                      .name = text(1 + random_.below(max_access_name_bytes))};
    if (command.kind != CommandKind::expire && random_.one_in(3)) command.as_token = TokenId(number() | 1U);
    for (std::uint64_t n = random_.below(4); n > 0; --n) command.transaction.guards.push_back(guard());
    for (std::uint64_t n = random_.below(4); n > 0; --n) command.transaction.then.push_back(operation());
    for (std::uint64_t n = random_.below(4); n > 0; --n) command.transaction.otherwise.push_back(operation());
    return command;
  }

 private:
  std::uint64_t number() { return random_.next() >> random_.below(64); }
  std::uint32_t ttl(std::uint32_t low) { return static_cast<std::uint32_t>(low + random_.below(max_ttl_s - low + 1)); }
  std::uint32_t put_ttl() { return random_.one_in(5) ? keep_ttl : ttl(0); }
  std::string_view text(std::size_t size) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random_.next());
    return texts_.emplace_back(std::move(bytes));
  }
  std::string_view key() { return text(1 + random_.below(random_.one_in(20) ? max_key_bytes : 20)); }
  std::string_view value() {
    return texts_.emplace_back(std::string(1, random_.one_in(2) ? '\0' : '\1').append(text(random_.below(200))));
  }
  RestoreStep restore() {
    RestoreStep step{.id = RestoreId(number() | 1U),
                     .wall_offset_ms = static_cast<std::int64_t>(number()),
                     .with_tokens = random_.one_in(2),
                     .number = number(),
                     .items = text(random_.below(300)),
                     .chunks = number(),
                     .crc = static_cast<std::uint32_t>(number())};
    for (std::uint64_t n = random_.below(4); n > 0; --n) step.prefixes.push_back(text(1 + random_.below(9)));
    return step;
  }
  TokenRecord token() {
    TokenRecord token{.id = TokenId(number() | 1U),
                      .permissions = static_cast<Permissions>(1 + random_.below(all_permissions)),
                      .expires_in_s = ttl(0),
                      .only_as_first = random_.one_in(2),
                      .description = text(random_.below(40))};
    for (char& c : token.hash) c = static_cast<char>(random_.next());
    for (std::uint64_t n = random_.below(4); n > 0; --n) token.prefixes.push_back(text(1 + random_.below(9)));
    if (random_.one_in(2)) token.user = text(1 + random_.below(max_access_name_bytes));
    if (random_.one_in(2)) token.tenant = text(1 + random_.below(max_access_name_bytes));
    return token;
  }
  Guard guard() {
    Guard guard{.kind = static_cast<GuardKind>(1 + random_.below(5)), .key = key()};
    if (guard.kind == GuardKind::value_equals) guard.value = value();
    if (guard.kind == GuardKind::revision) guard.revision = Revision(number());
    if (guard.kind == GuardKind::filter) guard.filter = text(1 + random_.below(100));
    return guard;
  }
  std::optional<std::string_view> part() {
    return random_.one_in(2) ? std::optional(text(random_.below(10))) : std::optional<std::string_view>();
  }
  Operation operation() {
    Operation operation{.kind = static_cast<OperationKind>(1 + random_.below(5))};
    if (operation.kind == OperationKind::delete_where) {
      operation.selector =
          Selector{part(), part(), part(), part(), part(), part(), part(), number(), number(), number()};
      return operation;
    }
    operation.key = key();
    if (operation.kind == OperationKind::put) {
      operation.value = value();
      operation.ttl_s = put_ttl();
    }
    if (operation.kind == OperationKind::touch) operation.ttl_s = ttl(1);
    return operation;
  }

  base::Random& random_;
  std::deque<std::string> texts_;
};

void append(std::string& to, const Command& command) {
  if (!command.as_token.is_zero()) append_with_token(to, command.as_token);
  switch (command.kind) {
    case CommandKind::put: return append_put(to, command.request, command.key, command.value, command.ttl_s);
    case CommandKind::remove: return append_remove(to, command.request, command.key);
    case CommandKind::touch: return append_touch(to, command.request, command.key, command.ttl_s);
    case CommandKind::transaction: return append_transaction(to, command.request, command.transaction);
    case CommandKind::once: return append_once(to, command.request, command.once, command.transaction);
    case CommandKind::expire: return append_expire(to, command.request, command.due_ms, command.limit);
    case CommandKind::token_create: return append_token_create(to, command.request, command.token);
    case CommandKind::token_revoke: return append_token_revoke(to, command.request, command.token.id);
    case CommandKind::restore_begin:
    case CommandKind::restore_chunk:
    case CommandKind::restore_commit:
    case CommandKind::restore_abort: return append_restore(to, command.request, command.kind, command.restore);
    case CommandKind::access_set: return append_access_set(to, command.request, command.access.record);
    case CommandKind::access_remove: return append_access_remove(to, command.request, command.access);
  }
}

TEST(Entry, WhatIsWrittenIsReadBackAndEveryTruncationIsAPrefixOrRefused) {
  constexpr std::uint64_t seed = 60;
  base::Random random(seed);
  for (int round = 0; round < 60; ++round) {
    RandomCommands draw(random);
    const EntryStamp stamp{random.next(), static_cast<std::int64_t>(random.next())};
    std::vector<Command> commands(random.below(6));
    std::string entry;
    begin_entry(entry, stamp);
    std::vector<std::size_t> ends = {entry.size()};
    for (Command& command : commands) {
      command = draw.command();
      append(entry, command);
      ends.push_back(entry.size());
    }
    for (std::size_t size = 0; size <= entry.size(); ++size) {
      const std::string cut = entry.substr(0, size);  // of its own, so that reading past it is seen
      EntryReader reader(cut);
      Command command;
      std::size_t read = 0;
      while (reader.next(command)) {
        ASSERT_LT(read, commands.size());
        ASSERT_TRUE(same(command, commands[read])) << "seed " << seed << " round " << round;
        ++read;
      }
      const auto end = std::find(ends.begin(), ends.end(), size);
      ASSERT_EQ(reader.ok(), end != ends.end()) << "seed " << seed << " round " << round << " size " << size;
      if (reader.ok()) {
        ASSERT_EQ(read, static_cast<std::size_t>(end - ends.begin()));
        ASSERT_EQ(reader.stamp().cluster_time_ms, stamp.cluster_time_ms);
        ASSERT_EQ(reader.stamp().wall_offset_ms, stamp.wall_offset_ms);
      }
      ASSERT_FALSE(reader.next(command));  // the end stays the end
    }
  }
}

/// Whether an entry of these bytes behind its stamp is read to its end.
bool readable(std::string_view commands) {
  std::string entry;
  begin_entry(entry, {1, 1});
  entry += commands;
  EntryReader reader(entry);
  Command command;
  while (reader.next(command)) {
  }
  return reader.ok();
}

TEST(Entry, WhatBreaksALimitIsRefused) {
  const auto put = [](std::string_view key, std::string_view value, std::uint32_t ttl_s) {
    std::string bytes;
    append_put(bytes, request, key, value, ttl_s);
    return readable(bytes);
  };
  EXPECT_TRUE(put(std::string(1024, 'k'), stored("1"), max_ttl_s));
  EXPECT_FALSE(put(std::string(1025, 'k'), stored("1"), 0));
  EXPECT_FALSE(put("", stored("1"), 0));
  EXPECT_FALSE(put("k", "", 0));
  EXPECT_FALSE(put("k", "\xffinvalid", 0));
  EXPECT_FALSE(put("k", "\2", 0));
  EXPECT_FALSE(put("k", stored("1"), max_ttl_s + 1));

  const auto transaction = [](const Transaction& wanted) {
    std::string bytes;
    append_transaction(bytes, request, wanted);
    return readable(bytes);
  };
  EXPECT_TRUE(transaction(EveryKind().transaction));
  EXPECT_TRUE(transaction({.then = std::vector<Operation>(500, {.kind = OperationKind::get, .key = "k"})}));
  EXPECT_FALSE(transaction({.then = std::vector<Operation>(501, {.kind = OperationKind::get, .key = "k"})}));
  EXPECT_FALSE(transaction({.guards = std::vector<Guard>(501, {.kind = GuardKind::exists, .key = "k"})}));
  EXPECT_FALSE(transaction({.then = {{.kind = OperationKind::touch, .key = "k", .ttl_s = 0}}}));
  EXPECT_FALSE(transaction({.then = {{.kind = static_cast<OperationKind>(6), .key = "k"}}}));
  EXPECT_FALSE(transaction({.guards = {{.kind = static_cast<GuardKind>(0), .key = "k"}}}));
  EXPECT_FALSE(transaction({.guards = {{.kind = GuardKind::filter, .key = "k", .filter = ""}}}));
}

TEST(Entry, ATokenThatBreaksALimitIsRefused) {
  const auto create = [](const TokenRecord& token) {
    std::string bytes;
    append_token_create(bytes, request, token);
    return readable(bytes);
  };
  const TokenRecord good{.id = TokenId(1), .permissions = 7};
  EXPECT_TRUE(create(good));
  const auto with = [&](auto change) {
    TokenRecord token = good;
    change(token);
    return create(token);
  };
  const std::string long_text(1025, 'x');
  EXPECT_FALSE(with([](TokenRecord& token) { token.id = {}; }));
  EXPECT_FALSE(with([](TokenRecord& token) { token.permissions = 0; }));
  EXPECT_FALSE(with([](TokenRecord& token) { token.permissions = 8; }));
  EXPECT_FALSE(with([](TokenRecord& token) { token.expires_in_s = max_ttl_s + 1; }));
  EXPECT_FALSE(with([&](TokenRecord& token) { token.description = long_text; }));
  EXPECT_FALSE(with([](TokenRecord& token) { token.prefixes = {""}; }));
  EXPECT_FALSE(with([&](TokenRecord& token) { token.prefixes = {long_text}; }));
  EXPECT_TRUE(with([](TokenRecord& token) { token.prefixes.assign(64, "p"); }));
  EXPECT_FALSE(with([](TokenRecord& token) { token.prefixes.assign(65, "p"); }));
}

TEST(Entry, ACommandHasOneTokenAndExpiryHasNone) {
  std::string nobody;
  append_with_token(nobody, TokenId());
  append_remove(nobody, request, "k");
  EXPECT_FALSE(readable(nobody));
  std::string two;
  append_with_token(two, TokenId(1));
  append_with_token(two, TokenId(2));
  append_remove(two, request, "k");
  EXPECT_FALSE(readable(two));
  std::string expiry;
  append_with_token(expiry, TokenId(1));
  append_expire(expiry, request, 1, 1);
  EXPECT_FALSE(readable(expiry));
}

TEST(Entry, UnknownFormatAndKindAreRefused) {
  Command command;
  for (int format = 0; format < 256; ++format) {
    const std::string entry = {static_cast<char>(format), 1, 1};
    EntryReader reader(entry);
    EXPECT_FALSE(reader.next(command));
    EXPECT_EQ(reader.ok(), format == 1);
  }
  for (int kind = 0; kind < 256; ++kind) {
    if (kind < 1 || kind > 13) {
      EXPECT_FALSE(readable(std::string(1, static_cast<char>(kind)) + std::string(20, '\1'))) << kind;
    }
  }
}

TEST(Entry, DamagedBytesNeverReadOutsideTheEntry) {
  base::Random random(61);
  std::string intact;
  begin_entry(intact, {1000, 5});
  append_transaction(intact, request, EveryKind().transaction);
  append_put(intact, request, "key", stored("true"), 1);
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = round % 2 == 0 ? intact : std::string(random.below(40), '\0');
    for (std::uint64_t n = 1 + random.below(4); n > 0 && !bytes.empty(); --n) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.one_in(2) ? random.next() : random.below(8));
    }
    const char* const begin = bytes.data();
    const auto inside = [&](std::string_view view) {
      return view.empty() || (view.data() >= begin && view.data() + view.size() <= begin + bytes.size());
    };
    EntryReader reader(bytes);
    Command command;
    while (reader.next(command)) {
      if (command.kind == CommandKind::put) {
        EXPECT_TRUE(inside(command.key) && inside(command.value));
      }
      if (command.kind == CommandKind::transaction) {
        for (const Guard& guard : command.transaction.guards) EXPECT_TRUE(inside(guard.key) && inside(guard.filter));
      }
    }
    refused += reader.ok() ? 0 : 1;
  }
  EXPECT_GT(refused, 10000);
}

TEST(Entry, ATransactionOnceIsItsNameThenTheTransaction) {
  const Transaction transaction = {.then = {{.kind = OperationKind::get, .key = "k"}}};
  std::string entry;
  begin_entry(entry, {1, 1});
  append_once(entry, request, {.scope = "t1", .key = "order 7", .fingerprint = 0x0102030405060708U}, transaction);
  EXPECT_EQ(hex(entry),
            "010102"
            "06ac02020702"
            "743107"
            "6f726465722037"
            "0807060504030201"
            "06000104016b00");
  EntryReader reader(entry);
  Command command;
  ASSERT_TRUE(reader.next(command));
  EXPECT_EQ(command.kind, CommandKind::once);
  EXPECT_EQ(command.request, request);
  EXPECT_EQ(command.once.scope, "t1");
  EXPECT_EQ(command.once.key, "order 7");
  EXPECT_EQ(command.once.fingerprint, 0x0102030405060708U);
  ASSERT_EQ(command.transaction.then.size(), 1U);
  EXPECT_TRUE(same(command.transaction.then[0], transaction.then[0]));
  EXPECT_FALSE(reader.next(command));
  EXPECT_TRUE(reader.ok());
  for (std::size_t size = 4; size < entry.size(); ++size) {
    EntryReader cut(std::string_view(entry).substr(0, size));
    EXPECT_FALSE(cut.next(command)) << size;
    EXPECT_FALSE(cut.ok()) << size;
  }
}

TEST(Entry, ANameOfATransactionOnceHas1To128Bytes) {
  const auto once = [](std::size_t scope_bytes, std::size_t key_bytes) {
    const std::string scope(scope_bytes, 's');
    const std::string key(key_bytes, 'k');
    std::string bytes;
    append_once(bytes, request, {.scope = scope, .key = key}, EveryKind().transaction);
    return readable(bytes);
  };
  EXPECT_TRUE(once(0, 1));
  EXPECT_TRUE(once(128, 128));
  EXPECT_FALSE(once(0, 0));
  EXPECT_FALSE(once(0, 129));
  EXPECT_FALSE(once(129, 1));
}

TEST(Entry, ACommandIsReusedWithoutLeftovers) {
  std::string entry;
  begin_entry(entry, {1, 1});
  append_transaction(entry, request, EveryKind().transaction);
  append_transaction(entry, request, {.then = {{.kind = OperationKind::get, .key = "k"}}});
  EntryReader reader(entry);
  Command command;
  ASSERT_TRUE(reader.next(command));
  ASSERT_TRUE(reader.next(command));
  EXPECT_TRUE(command.transaction.guards.empty());
  EXPECT_TRUE(command.transaction.otherwise.empty());
  ASSERT_EQ(command.transaction.then.size(), 1U);
  EXPECT_TRUE(same(command.transaction.then[0], Operation{.kind = OperationKind::get, .key = "k"}));
}

}  // namespace
}  // namespace concord::command

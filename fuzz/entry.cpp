// Entries of the log: what decodes is what was encoded, byte for byte, and whatever decodes can be applied, with the same
// outcome on machines that differ in all that may differ. Input: 0 and the bytes of an entry, or 1 and decisions to build one.
#include "command/entry.hpp"

#include <deque>

#include "acl/record.hpp"
#include "base/check.hpp"
#include "command/limits.hpp"
#include "input.hpp"
#include "store/state_machine.hpp"
#include "target.hpp"

namespace concord::fuzz {
namespace {

using command::Command;
using command::CommandKind;
using command::Guard;
using command::GuardKind;
using command::Operation;
using command::OperationKind;
using command::Selector;
using command::Transaction;

constexpr std::size_t most_commands = 12;

// ---------------------------------------------------------------------------------------------------------------------
// Built from decisions.

/// Views point into the input or into texts kept here.
class Builder {
 public:
  explicit Builder(Input& input) : input_(input) {}

  Command command() {
    Command built;
    constexpr std::uint8_t before_a_command = 9;
    const auto kind = static_cast<std::uint8_t>(1 + input_.below(14));
    built.kind = static_cast<CommandKind>(kind < before_a_command ? kind : kind + 1);
    built.request = {base::NodeId(input_.number()), input_.number(), input_.number()};
    const bool is_single = built.kind == CommandKind::put || built.kind == CommandKind::remove;
    if (is_single || built.kind == CommandKind::touch) built.key = key();
    if (built.kind == CommandKind::put) {
      built.value = value();
      built.ttl_s = put_ttl();
    }
    if (built.kind == CommandKind::touch) built.ttl_s = ttl(1);
    if (built.kind == CommandKind::expire) {
      built.due_ms = input_.number();
      built.limit = input_.number();
    }
    if (built.kind == CommandKind::once) built.once = once();
    if (built.kind == CommandKind::token_create) built.token = token();
    if (built.kind == CommandKind::token_revoke) built.token.id = token_id();
    if (built.kind == CommandKind::access_set) built.access.record = keep(acl::encode(record()));
    if (built.kind == CommandKind::access_remove) built.access = {.kind = access_kind(), .name = name()};
    if (command::is_of_restore(built.kind)) built.restore = restore(built.kind);
    if (built.kind != CommandKind::expire && input_.below(4) == 0) built.as_token = token_id();
    if (built.kind == CommandKind::transaction || built.kind == CommandKind::once) built.transaction = transaction();
    return built;
  }

 private:
  command::RestoreStep restore(CommandKind kind) {
    command::RestoreStep step{.id = command::RestoreId(input_.number() | 1U)};
    if (kind == CommandKind::restore_begin) {
      step.wall_offset_ms = static_cast<std::int64_t>(input_.number());
      step.with_tokens = input_.flag();
      for (std::size_t left = input_.below(3); left > 0; --left) step.prefixes.push_back(key());
    } else if (kind == CommandKind::restore_chunk) {
      step.number = input_.number();
      step.items = keep(std::string(input_.text(100)));
    } else if (kind == CommandKind::restore_commit) {
      step.chunks = input_.number();
      step.crc = static_cast<std::uint32_t>(input_.number());
    }
    return step;
  }

  std::string_view keep(std::string text) { return kept_.emplace_back(std::move(text)); }

  /// Few different ones, so that commands meet.
  std::string_view key() {
    if (input_.below(8) != 0) return keep(std::string(1 + input_.below(2), static_cast<char>('a' + input_.below(3))));
    const std::string_view text = input_.text(40);
    return text.empty() ? "k" : text;
  }

  std::string_view value() {
    static constexpr std::string_view texts[] = {"1", "1.0", "{\"a\":1,\"b\":[2]}", "{\"b\":[2],\"a\":1}", "\"x\""};
    std::string stored(1, static_cast<char>(Value::json_tag));
    if (const std::size_t which = input_.below(7); which < std::size(texts)) return keep(stored.append(texts[which]));
    if (input_.flag()) stored.front() = static_cast<char>(Value::bytes_tag);
    return keep(stored.append(input_.text(200)));
  }

  std::uint32_t put_ttl() { return input_.below(6) == 0 ? command::keep_ttl : ttl(0); }
  std::uint32_t ttl(std::uint32_t low) {
    return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(input_.number(), low, command::max_ttl_s));
  }

  std::string_view filter() {
    static constexpr std::string_view texts[] = {"{}", "{\"a\":1}", "{\"$value\":{\"$gt\":0}}", "{\"$ttl\":null}"};
    if (const std::size_t which = input_.below(5); which < std::size(texts)) return texts[which];
    const std::string_view text = input_.text(60);
    return text.empty() ? "{}" : text;
  }

  Selector selector() {
    Selector built;
    const unsigned present = input_.byte();
    const auto part = [&](unsigned bit) {
      return (present >> bit & 1U) != 0 ? std::optional(input_.text(4)) : std::nullopt;
    };
    built.prefix = part(0);
    built.suffix = part(1);
    built.contains = part(2);
    built.pattern = part(3);
    built.start = part(4);
    built.end = part(5);
    if ((present >> 6U & 1U) != 0) built.filter = filter();
    built.limit = input_.number();
    if (input_.flag()) built.max_removed = input_.below(4);
    if (input_.flag()) built.max_visited = input_.below(8);
    return built;
  }

  /// Few different ones, so that commands meet.
  command::TokenId token_id() { return command::TokenId(1 + input_.below(4)); }

  command::TokenRecord token() {
    command::TokenRecord built{.id = token_id(),
                               .permissions = static_cast<command::Permissions>(1 + input_.below(7)),
                               .expires_in_s = ttl(0),
                               .only_as_first = input_.flag(),
                               .description = input_.text(20)};
    built.hash.fill(static_cast<char>(input_.below(4)));
    for (std::size_t left = input_.below(3); left > 0; --left) built.prefixes.push_back(key());
    if (input_.below(3) == 0) built.user = name();
    if (input_.below(3) == 0) built.tenant = name();
    return built;
  }

  /// Few different ones, as above.
  std::string_view name() { return keep(std::string(1, static_cast<char>('a' + input_.below(3)))); }
  AccessKind access_kind() { return static_cast<AccessKind>(1 + input_.below(3)); }

  AccessRecord record() {
    AccessRecord built;
    switch (access_kind()) {
      case AccessKind::role: {
        Role role{.name = std::string(name())};
        for (std::size_t left = input_.below(3); left > 0; --left) {
          role.grants.push_back({.permissions = {input_.flag() ? Permission::read : Permission::write},
                                 .prefixes = {std::string(key())}});
        }
        built = std::move(role);
        break;
      }
      case AccessKind::user:
        built = User{.name = std::string(name()),
                     .roles = {std::string(name())},
                     .tenant = input_.flag() ? std::string(name()) : std::string(),
                     .disabled = input_.below(4) == 0};
        break;
      case AccessKind::tenant:
        built = Tenant{.name = std::string(name()),
                       .prefix = std::string(key()),
                       .quotas = {.max_keys = input_.below(4), .max_bytes = input_.below(40)}};
        break;
    }
    auto record = acl::normalized(std::move(built));
    CONCORD_CHECK(record.has_value(), "a record is sound");
    return std::move(*record);
  }

  Guard guard() {
    Guard built{.kind = static_cast<GuardKind>(1 + input_.below(5)), .key = key()};
    if (built.kind == GuardKind::value_equals) built.value = value();
    if (built.kind == GuardKind::revision) built.revision = Revision(input_.number());
    if (built.kind == GuardKind::filter) built.filter = filter();
    return built;
  }

  Operation operation() {
    Operation built{.kind = static_cast<OperationKind>(1 + input_.below(5))};
    if (built.kind == OperationKind::delete_where) {
      built.selector = selector();
      return built;
    }
    built.key = key();
    if (built.kind == OperationKind::put) built.value = value();
    if (built.kind == OperationKind::put) built.ttl_s = put_ttl();
    if (built.kind == OperationKind::touch) built.ttl_s = ttl(1);
    return built;
  }

  /// Few different names and requests, so that some are repeats.
  command::Once once() {
    if (input_.below(8) != 0) return {.scope = input_.flag() ? "t" : "", .key = "o", .fingerprint = input_.below(2)};
    const std::string_view scope = input_.text(command::max_once_bytes);
    const std::string_view key = input_.text(command::max_once_bytes);
    return {.scope = scope, .key = key.empty() ? "o" : key, .fingerprint = input_.number()};
  }

  Transaction transaction() {
    Transaction built;
    for (std::size_t left = input_.below(4); left > 0; --left) built.guards.push_back(guard());
    for (std::size_t left = input_.below(6); left > 0; --left) built.then.push_back(operation());
    for (std::size_t left = input_.below(4); left > 0; --left) built.otherwise.push_back(operation());
    return built;
  }

  Input& input_;
  std::deque<std::string> kept_;
};

// ---------------------------------------------------------------------------------------------------------------------
// Encoding and comparing.

void append(std::string& to, const Command& command) {
  if (!command.as_token.is_zero()) command::append_with_token(to, command.as_token);
  switch (command.kind) {
    case CommandKind::put: return command::append_put(to, command.request, command.key, command.value, command.ttl_s);
    case CommandKind::remove: return command::append_remove(to, command.request, command.key);
    case CommandKind::touch: return command::append_touch(to, command.request, command.key, command.ttl_s);
    case CommandKind::transaction: return command::append_transaction(to, command.request, command.transaction);
    case CommandKind::once: return command::append_once(to, command.request, command.once, command.transaction);
    case CommandKind::expire: return command::append_expire(to, command.request, command.due_ms, command.limit);
    case CommandKind::token_create: return command::append_token_create(to, command.request, command.token);
    case CommandKind::token_revoke: return command::append_token_revoke(to, command.request, command.token.id);
    case CommandKind::restore_begin:
    case CommandKind::restore_chunk:
    case CommandKind::restore_commit:
    case CommandKind::restore_abort: return command::append_restore(to, command.request, command.kind, command.restore);
    case CommandKind::access_set: return command::append_access_set(to, command.request, command.access.record);
    case CommandKind::access_remove: return command::append_access_remove(to, command.request, command.access);
  }
}

bool same(const Guard& a, const Guard& b) {
  return a.kind == b.kind && a.key == b.key && a.value == b.value && a.revision == b.revision && a.filter == b.filter;
}

bool same(const Operation& a, const Operation& b) {
  const Selector& x = *a.selector;
  const Selector& y = *b.selector;
  return a.kind == b.kind && a.key == b.key && a.value == b.value && a.ttl_s == b.ttl_s && x.prefix == y.prefix &&
         x.suffix == y.suffix && x.contains == y.contains && x.pattern == y.pattern && x.start == y.start &&
         x.end == y.end && x.filter == y.filter && x.limit == y.limit && x.max_removed == y.max_removed &&
         x.max_visited == y.max_visited;
}

bool same(const Command& a, const Command& b) {
  const auto same_items = [](const auto& x, const auto& y) { return same(x, y); };
  const bool same_head = a.kind == b.kind && a.request == b.request && a.as_token == b.as_token;
  switch (a.kind) {
    case CommandKind::put: return same_head && a.key == b.key && a.value == b.value && a.ttl_s == b.ttl_s;
    case CommandKind::remove: return same_head && a.key == b.key;
    case CommandKind::touch: return same_head && a.key == b.key && a.ttl_s == b.ttl_s;
    case CommandKind::expire: return same_head && a.due_ms == b.due_ms && a.limit == b.limit;
    case CommandKind::token_create:
      return same_head && a.token.id == b.token.id && a.token.hash == b.token.hash &&
             a.token.permissions == b.token.permissions && a.token.expires_in_s == b.token.expires_in_s &&
             a.token.only_as_first == b.token.only_as_first && a.token.description == b.token.description &&
             a.token.prefixes == b.token.prefixes && a.token.user == b.token.user && a.token.tenant == b.token.tenant;
    case CommandKind::token_revoke: return same_head && a.token.id == b.token.id;
    case CommandKind::restore_begin:
      return same_head && a.restore.id == b.restore.id && a.restore.wall_offset_ms == b.restore.wall_offset_ms &&
             a.restore.with_tokens == b.restore.with_tokens && a.restore.prefixes == b.restore.prefixes;
    case CommandKind::restore_chunk:
      return same_head && a.restore.id == b.restore.id && a.restore.number == b.restore.number &&
             a.restore.items == b.restore.items;
    case CommandKind::restore_commit:
      return same_head && a.restore.id == b.restore.id && a.restore.chunks == b.restore.chunks &&
             a.restore.crc == b.restore.crc;
    case CommandKind::restore_abort: return same_head && a.restore.id == b.restore.id;
    case CommandKind::access_set: return same_head && a.access.record == b.access.record;
    case CommandKind::access_remove:
      return same_head && a.access.kind == b.access.kind && a.access.name == b.access.name;
    case CommandKind::once:
      if (a.once.scope != b.once.scope || a.once.key != b.once.key || a.once.fingerprint != b.once.fingerprint)
        return false;
      break;
    case CommandKind::transaction: break;
  }
  return same_head && std::ranges::equal(a.transaction.guards, b.transaction.guards, same_items) &&
         std::ranges::equal(a.transaction.then, b.transaction.then, same_items) &&
         std::ranges::equal(a.transaction.otherwise, b.transaction.otherwise, same_items);
}

/// The entry that was built, after it was seen to come back.
std::string built_entry(Input& input) {
  Builder builder(input);
  std::string entry;
  const command::EntryStamp stamp{.cluster_time_ms = input.number(), .wall_offset_ms = base::unzigzag(input.number())};
  command::begin_entry(entry, stamp);
  std::vector<Command> commands;
  while (!input.empty() && commands.size() < most_commands) append(entry, commands.emplace_back(builder.command()));
  command::EntryReader reader(entry);
  CONCORD_CHECK(reader.stamp().cluster_time_ms == stamp.cluster_time_ms, "the stamp comes back");
  CONCORD_CHECK(reader.stamp().wall_offset_ms == stamp.wall_offset_ms, "the stamp comes back");
  Command decoded;
  for (const Command& command : commands) {
    CONCORD_CHECK(reader.next(decoded) && same(decoded, command), "a command comes back as it was");
  }
  CONCORD_CHECK(!reader.next(decoded) && reader.ok(), "an entry ends where it was ended");
  return entry;
}

/// Bytes that decode are those that encoding makes: there is one way to say a thing.
bool decodes(std::string_view entry) {
  command::EntryReader reader(entry);
  std::string encoded;
  command::begin_entry(encoded, reader.stamp());
  Command command;
  while (reader.next(command)) append(encoded, command);
  CONCORD_CHECK(!reader.ok() || encoded == entry, "an entry has one spelling");
  return reader.ok();
}

// ---------------------------------------------------------------------------------------------------------------------
// Applying.

/// Keys for the entry to meet, at cluster time 0.
std::string first_entry() {
  std::string entry;
  command::begin_entry(entry, {});
  const auto put = [&](std::string_view key, std::string_view json, std::uint32_t ttl_s) {
    command::append_put(entry, {}, key, std::string(1, static_cast<char>(Value::json_tag)).append(json), ttl_s);
  };
  put("a", "1", 0);
  put("b", R"({"a":1,"b":[2]})", 5);
  put("cc", R"("x")", 9);
  return entry;
}

bool same_outcome(const command::Outcome& a, const command::Outcome& b) {
  const auto same_result = [](const command::OperationResult& x, const command::OperationResult& y) {
    const bool same_value =
        x.value.has_value() == y.value.has_value() && (!x.value || x.value->stored() == y.value->stored());
    return x.status == y.status && x.revision == y.revision && x.count == y.count && same_value;
  };
  return a.refusal == b.refusal && a.guard_failure == b.guard_failure && a.failed_guard == b.failed_guard &&
         a.changed == b.changed && a.repeat == b.repeat && a.revision == b.revision &&
         std::ranges::equal(a.results, b.results, same_result);
}

void apply_twice(std::string_view entry, bool is_decodable) {
  static const std::string first = first_entry();
  store::StateMachine machines[2] = {store::StateMachine({.hash_seed = 0}),
                                     store::StateMachine({.hash_seed = 0x9e3779b97f4a7c15U})};
  std::vector<store::Applied> applied[2];
  bool succeeded[2];
  for (int i = 0; i < 2; ++i) {
    CONCORD_CHECK(machines[i].apply(base::Index(1), base::Term(1), first, applied[i]).has_value(), "keys to meet");
    succeeded[i] = machines[i].apply(base::Index(2), base::Term(1), entry, applied[i]).has_value();
  }
  CONCORD_CHECK(succeeded[0] == succeeded[1], "both machines take an entry or refuse it");
  CONCORD_CHECK(!succeeded[0] || is_decodable, "what does not decode is not applied");
  CONCORD_CHECK(machines[0].digest() == machines[1].digest(), "the seed of a hash decides nothing");
  CONCORD_CHECK(machines[0].revision() == machines[1].revision() && machines[0].size() == machines[1].size() &&
                    machines[0].next_due() == machines[1].next_due(),
                "the seed of a hash decides nothing");
  CONCORD_CHECK(std::ranges::equal(applied[0], applied[1],
                                   [](const store::Applied& x, const store::Applied& y) {
                                     return x.request == y.request && same_outcome(x.outcome, y.outcome);
                                   }),
                "both machines answer the same");
}

}  // namespace

void run(std::string_view bytes) {
  Input input(bytes);
  if (input.flag()) {
    apply_twice(built_entry(input), true);
  } else if (const std::string_view entry = input.rest(); !entry.empty()) {
    apply_twice(entry, decodes(entry));
  }
}

std::vector<std::string> seeds() {
  std::vector<std::string> seeds = arbitrary_inputs(10, "\x01");
  for (const std::string& decisions : arbitrary_inputs(10)) {
    Input input(decisions);
    seeds.push_back(std::string(1, '\0') + built_entry(input));
  }
  return seeds;
}

}  // namespace concord::fuzz

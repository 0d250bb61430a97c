#include "command/entry.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "base/wire_writing.hpp"
#include "command/limits.hpp"
#include "compress/packed.hpp"

namespace concord::command {
namespace {

using base::append_bytes;
using base::append_varint;
using base::Reader;

/// The parts of a selector, in the order of their bits in `present`.
constexpr std::array<std::optional<std::string_view> Selector::*, 7> selector_parts = {
    &Selector::prefix, &Selector::suffix, &Selector::contains, &Selector::pattern,
    &Selector::start,  &Selector::end,    &Selector::filter};

// Of a new token.
constexpr std::uint8_t first_flag = 1;
constexpr std::uint8_t user_flag = 2;
constexpr std::uint8_t tenant_flag = 4;

/// Stands before the command that is done in the name of a token.
constexpr std::uint8_t with_token = 9;

void append_kind(std::string& to, auto kind) { to.push_back(static_cast<char>(kind)); }

constexpr std::size_t max_head_bytes = 1 + 3 * base::max_varint_bytes;

char* write_head(char* at, CommandKind kind, const base::RequestId& request) noexcept {
  *at++ = static_cast<char>(kind);
  at = base::write_varint(at, request.node.value());
  at = base::write_varint(at, request.incarnation);
  return base::write_varint(at, request.sequence);
}

void append_head(std::string& to, CommandKind kind, const base::RequestId& request) {
  base::append_at_most(to, max_head_bytes, [&](char* at) { return write_head(at, kind, request); });
}

void append_guard(std::string& to, const Guard& guard) {
  append_kind(to, guard.kind);
  append_bytes(to, guard.key);
  switch (guard.kind) {
    case GuardKind::value_equals: append_bytes(to, guard.value); break;
    case GuardKind::revision: append_varint(to, guard.revision.value()); break;
    case GuardKind::filter: append_bytes(to, guard.filter); break;
    case GuardKind::exists:
    case GuardKind::absent: break;
  }
}

void append_selector(std::string& to, const Selector& selector) {
  unsigned present = 0;
  for (std::size_t i = 0; i < selector_parts.size(); ++i) {
    if (selector.*selector_parts[i]) present |= 1U << i;
  }
  to.push_back(static_cast<char>(present));
  for (const auto part : selector_parts) {
    if (selector.*part) append_bytes(to, *(selector.*part));
  }
  append_varint(to, selector.limit);
  append_varint(to, selector.max_removed);
  append_varint(to, selector.max_visited);
}

void append_operation(std::string& to, const Operation& operation) {
  if (operation.kind == OperationKind::delete_where) {
    append_kind(to, operation.kind);
    return append_selector(to, *operation.selector);
  }
  const std::size_t most_bytes = 1 + 3 * base::max_varint_bytes + operation.key.size() + operation.value.size();
  base::append_at_most(to, most_bytes, [&](char* at) {
    *at++ = static_cast<char>(operation.kind);
    at = base::write_bytes(at, operation.key);
    if (operation.kind == OperationKind::put) at = base::write_bytes(at, operation.value);
    const bool has_ttl = operation.kind == OperationKind::put || operation.kind == OperationKind::touch;
    return has_ttl ? base::write_varint(at, operation.ttl_s) : at;
  });
}

void append_operations(std::string& to, const std::vector<Operation>& operations) {
  append_varint(to, operations.size());
  for (const Operation& operation : operations) append_operation(to, operation);
}

std::string_view read_key(Reader& reader) {
  const std::string_view key = reader.bytes();
  if (key.empty() || key.size() > max_key_bytes) reader.fail();
  return key;
}

/// A stored form: its tag is known. Its JSON text was made by whoever proposed it and is not read again.
std::string_view read_value(Reader& reader) {
  const std::string_view value = reader.bytes();
  const bool known =
      !value.empty() && (value.front() == static_cast<char>(Value::json_tag) ||
                         value.front() == static_cast<char>(Value::bytes_tag) || compress::is_packed(value));
  if (!known) reader.fail();
  return value;
}

std::uint32_t read_put_ttl(Reader& reader) {
  const std::uint64_t ttl_s = reader.varint();
  if (ttl_s > max_ttl_s && ttl_s != keep_ttl) return reader.fail();
  return static_cast<std::uint32_t>(ttl_s);
}

std::uint32_t read_touch_ttl(Reader& reader) {
  const std::uint64_t ttl_s = reader.varint();
  if (ttl_s < 1 || ttl_s > max_ttl_s) return reader.fail();
  return static_cast<std::uint32_t>(ttl_s);
}

std::string_view read_filter(Reader& reader) {
  const std::string_view filter = reader.bytes();
  if (filter.empty() || filter.size() > max_filter_bytes) reader.fail();
  return filter;
}

base::RequestId read_request(Reader& reader) {
  base::RequestId request;
  request.node = base::NodeId(reader.varint());
  request.incarnation = reader.varint();
  request.sequence = reader.varint();
  return request;
}

void read_guard(Reader& reader, Guard& guard) {
  guard.kind = static_cast<GuardKind>(reader.byte());
  guard.key = read_key(reader);
  switch (guard.kind) {
    case GuardKind::value_equals: guard.value = read_value(reader); break;
    case GuardKind::revision: guard.revision = Revision(reader.varint()); break;
    case GuardKind::filter: guard.filter = read_filter(reader); break;
    case GuardKind::exists:
    case GuardKind::absent: break;
    default: reader.fail();
  }
}

void read_selector(Reader& reader, Selector& selector) {
  const unsigned present = reader.byte();
  if (present >= 1U << selector_parts.size()) reader.fail();
  for (std::size_t i = 0; i < selector_parts.size(); ++i) {
    if ((present >> i & 1U) != 0) selector.*selector_parts[i] = reader.bytes();
  }
  selector.limit = reader.varint();
  selector.max_removed = reader.varint();
  selector.max_visited = reader.varint();
}

void read_operation(Reader& reader, Operation& operation) {
  operation.kind = static_cast<OperationKind>(reader.byte());
  switch (operation.kind) {
    case OperationKind::put:
      operation.key = read_key(reader);
      operation.value = read_value(reader);
      operation.ttl_s = read_put_ttl(reader);
      break;
    case OperationKind::touch:
      operation.key = read_key(reader);
      operation.ttl_s = read_touch_ttl(reader);
      break;
    case OperationKind::remove:
    case OperationKind::get: operation.key = read_key(reader); break;
    case OperationKind::delete_where: read_selector(reader, *operation.selector); break;
    default: reader.fail();
  }
}

template <class Item>
void read_list(Reader& reader, std::vector<Item>& items, void (*read)(Reader&, Item&)) {
  items.clear();
  const std::uint64_t count = reader.varint();
  if (count > max_batch) reader.fail();
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) read(reader, items.emplace_back());
}

void read_once(Reader& reader, Once& once) {
  once.scope = reader.bytes();
  once.key = reader.bytes();
  once.fingerprint = reader.fixed64();
  if (once.scope.size() > max_once_bytes || once.key.empty() || once.key.size() > max_once_bytes) reader.fail();
}

std::string_view read_name(Reader& reader) {
  const std::string_view name = reader.bytes();
  if (name.empty() || name.size() > max_access_name_bytes) reader.fail();
  return name;
}

void read_token(Reader& reader, TokenRecord& token) {
  token.id = TokenId(reader.fixed64());
  const std::string_view hash = reader.take(token.hash.size());
  std::ranges::copy(hash, token.hash.begin());
  token.permissions = reader.byte();
  const std::uint64_t expires_in_s = reader.varint();
  const std::uint8_t flags = reader.byte();
  token.user = (flags & user_flag) != 0 ? read_name(reader) : std::string_view();
  token.tenant = (flags & tenant_flag) != 0 ? read_name(reader) : std::string_view();
  token.description = reader.bytes();
  const std::uint64_t count = reader.varint();
  if (token.id.is_zero() || token.permissions == 0 || token.permissions > all_permissions) reader.fail();
  if (expires_in_s > max_ttl_s || flags > (first_flag | user_flag | tenant_flag) ||
      token.description.size() > max_token_description_bytes) {
    reader.fail();
  }
  if (count > max_token_prefixes) reader.fail();
  token.expires_in_s = static_cast<std::uint32_t>(expires_in_s);
  token.only_as_first = (flags & first_flag) != 0;
  token.prefixes.clear();
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    token.prefixes.push_back(reader.bytes());
    if (token.prefixes.back().empty() || token.prefixes.back().size() > max_token_prefix_bytes) reader.fail();
  }
}

void read_access_set(Reader& reader, AccessStep& step) {
  step = {.record = reader.bytes()};
  if (step.record.empty() || step.record.size() > max_access_record_bytes) reader.fail();
}

void read_access_remove(Reader& reader, AccessStep& step) {
  step = {.kind = static_cast<AccessKind>(reader.byte()), .name = read_name(reader)};
  if (step.kind < AccessKind::role || step.kind > AccessKind::tenant) reader.fail();
}

void read_restore(Reader& reader, CommandKind kind, RestoreStep& step) {
  step.id = RestoreId(reader.fixed64());
  if (step.id.is_zero()) reader.fail();
  if (kind == CommandKind::restore_chunk) {
    step.number = reader.varint();
    step.items = reader.bytes();
  } else if (kind == CommandKind::restore_commit) {
    step.chunks = reader.varint();
    step.crc = reader.fixed32();
  } else if (kind == CommandKind::restore_begin) {
    step.wall_offset_ms = base::unzigzag(reader.varint());
    const std::uint8_t with_tokens = reader.byte();
    const std::uint64_t count = reader.varint();
    if (with_tokens > 1 || count > max_restore_prefixes) reader.fail();
    step.with_tokens = with_tokens == 1;
    step.prefixes.clear();
    for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
      step.prefixes.push_back(reader.bytes());
      if (step.prefixes.back().empty() || step.prefixes.back().size() > max_restore_prefix_bytes) reader.fail();
    }
  }
}

void append_body(std::string& to, const Transaction& transaction) {
  // The size stands in front of the body and is known behind it: the body moves up by the few bytes of its size.
  const std::size_t body_at = to.size();
  append_varint(to, transaction.guards.size());
  for (const Guard& guard : transaction.guards) append_guard(to, guard);
  append_operations(to, transaction.then);
  append_operations(to, transaction.otherwise);
  std::string size;
  append_varint(size, to.size() - body_at);
  to.insert(body_at, size);
}

void read_transaction(Reader& outer, Transaction& transaction) {
  Reader reader(outer.bytes());
  read_list(reader, transaction.guards, read_guard);
  read_list(reader, transaction.then, read_operation);
  read_list(reader, transaction.otherwise, read_operation);
  if (!reader.finished()) outer.fail();
}

}  // namespace

void begin_entry(std::string& to, const EntryStamp& stamp) {
  char
      head[1 +
           2 * base::max_varint_bytes];  // more than fits into a string without memory of its own: mostly it needs less
  head[0] = static_cast<char>(entry_format);
  char* const end =
      base::write_varint(base::write_varint(head + 1, stamp.cluster_time_ms), base::zigzag(stamp.wall_offset_ms));
  to.append(head, static_cast<std::size_t>(end - head));
}

void append_put(std::string& to, const base::RequestId& request, std::string_view key, std::string_view value,
                std::uint32_t ttl_s) {
  const std::size_t most_bytes = max_head_bytes + 3 * base::max_varint_bytes + key.size() + value.size();
  base::append_at_most(to, most_bytes, [&](char* at) {
    at = write_head(at, CommandKind::put, request);
    at = base::write_bytes(at, key);
    at = base::write_bytes(at, value);
    return base::write_varint(at, ttl_s);
  });
}

void append_remove(std::string& to, const base::RequestId& request, std::string_view key) {
  base::append_at_most(to, max_head_bytes + base::max_varint_bytes + key.size(),
                       [&](char* at) { return base::write_bytes(write_head(at, CommandKind::remove, request), key); });
}

void append_touch(std::string& to, const base::RequestId& request, std::string_view key, std::uint32_t ttl_s) {
  base::append_at_most(to, max_head_bytes + 2 * base::max_varint_bytes + key.size(), [&](char* at) {
    return base::write_varint(base::write_bytes(write_head(at, CommandKind::touch, request), key), ttl_s);
  });
}

void append_transaction(std::string& to, const base::RequestId& request, const Transaction& transaction) {
  append_head(to, CommandKind::transaction, request);
  append_body(to, transaction);
}

void append_once(std::string& to, const base::RequestId& request, const Once& once, const Transaction& transaction) {
  append_head(to, CommandKind::once, request);
  append_bytes(to, once.scope);
  append_bytes(to, once.key);
  base::append_fixed64(to, once.fingerprint);
  append_body(to, transaction);
}

void append_expire(std::string& to, const base::RequestId& request, base::ClusterTimeMs due_ms, std::uint64_t limit) {
  append_head(to, CommandKind::expire, request);
  append_varint(to, due_ms);
  append_varint(to, limit);
}

void append_token_create(std::string& to, const base::RequestId& request, const TokenRecord& token) {
  append_head(to, CommandKind::token_create, request);
  base::append_fixed64(to, token.id.value());
  to.append(token.hash.data(), token.hash.size());
  append_kind(to, token.permissions);
  append_varint(to, token.expires_in_s);
  append_kind(to, (token.only_as_first ? first_flag : 0) | (token.user.empty() ? 0 : user_flag) |
                      (token.tenant.empty() ? 0 : tenant_flag));
  if (!token.user.empty()) append_bytes(to, token.user);
  if (!token.tenant.empty()) append_bytes(to, token.tenant);
  append_bytes(to, token.description);
  append_varint(to, token.prefixes.size());
  for (const std::string_view prefix : token.prefixes) append_bytes(to, prefix);
}

void append_token_revoke(std::string& to, const base::RequestId& request, TokenId token) {
  append_head(to, CommandKind::token_revoke, request);
  base::append_fixed64(to, token.value());
}

void append_restore(std::string& to, const base::RequestId& request, CommandKind kind, const RestoreStep& step) {
  append_head(to, kind, request);
  base::append_fixed64(to, step.id.value());
  if (kind == CommandKind::restore_chunk) {
    append_varint(to, step.number);
    append_bytes(to, step.items);
  } else if (kind == CommandKind::restore_commit) {
    append_varint(to, step.chunks);
    base::append_fixed32(to, step.crc);
  } else if (kind == CommandKind::restore_begin) {
    append_varint(to, base::zigzag(step.wall_offset_ms));
    append_kind(to, step.with_tokens);
    append_varint(to, step.prefixes.size());
    for (const std::string_view prefix : step.prefixes) append_bytes(to, prefix);
  }
}

void append_access_set(std::string& to, const base::RequestId& request, std::string_view record) {
  append_head(to, CommandKind::access_set, request);
  append_bytes(to, record);
}

void append_access_remove(std::string& to, const base::RequestId& request, const AccessStep& step) {
  append_head(to, CommandKind::access_remove, request);
  append_kind(to, step.kind);
  append_bytes(to, step.name);
}

void append_with_token(std::string& to, TokenId token) {
  append_kind(to, with_token);
  base::append_fixed64(to, token.value());
}

EntryReader::EntryReader(std::string_view entry) : reader_(entry) {
  if (reader_.byte() != entry_format) reader_.fail();
  stamp_.cluster_time_ms = reader_.varint();
  stamp_.wall_offset_ms = base::unzigzag(reader_.varint());
}

bool EntryReader::next(Command& command) {
  if (!reader_.ok() || reader_.finished()) return false;
  command.as_token = {};
  std::uint8_t kind = reader_.byte();
  if (kind == with_token) {
    command.as_token = TokenId(reader_.fixed64());
    kind = reader_.byte();
    // Expiry is nobody's wish.
    if (command.as_token.is_zero() || kind == static_cast<std::uint8_t>(CommandKind::expire)) reader_.fail();
  }
  command.kind = static_cast<CommandKind>(kind);
  command.request = read_request(reader_);
  read_body(command);
  return reader_.ok();
}

void EntryReader::read_body(Command& command) {
  switch (command.kind) {
    case CommandKind::put:
      command.key = read_key(reader_);
      command.value = read_value(reader_);
      command.ttl_s = read_put_ttl(reader_);
      break;
    case CommandKind::remove: command.key = read_key(reader_); break;
    case CommandKind::touch:
      command.key = read_key(reader_);
      command.ttl_s = read_touch_ttl(reader_);
      break;
    case CommandKind::transaction: read_transaction(reader_, command.transaction); break;
    case CommandKind::once:
      read_once(reader_, command.once);
      read_transaction(reader_, command.transaction);
      break;
    case CommandKind::expire:
      command.due_ms = reader_.varint();
      command.limit = reader_.varint();
      break;
    case CommandKind::token_create: read_token(reader_, command.token); break;
    case CommandKind::token_revoke:
      command.token.id = TokenId(reader_.fixed64());
      if (command.token.id.is_zero()) reader_.fail();
      break;
    case CommandKind::restore_begin:
    case CommandKind::restore_chunk:
    case CommandKind::restore_commit:
    case CommandKind::restore_abort: read_restore(reader_, command.kind, command.restore); break;
    case CommandKind::access_set: read_access_set(reader_, command.access); break;
    case CommandKind::access_remove: read_access_remove(reader_, command.access); break;
    default: reader_.fail();
  }
}

}  // namespace concord::command

#include "command/validate.hpp"

#include <algorithm>
#include <string>

#include "command/filter.hpp"
#include "command/limits.hpp"
#include "command/selector.hpp"

namespace concord::command {
namespace {

Result<void> validate_guard(const Guard& guard, const Limits& limits) {
  if (auto done = validate_key(guard.key); !done) return done;
  switch (guard.kind) {
    case GuardKind::value_equals: return validate_value(guard.value, limits.max_value_bytes);
    case GuardKind::filter: {
      const auto filter = Filter::parse(guard.filter);
      if (!filter) return std::unexpected(filter.error());
      return {};
    }
    case GuardKind::revision:
    case GuardKind::exists:
    case GuardKind::absent: return {};
  }
  return fail(Errc::invalid_request, "unknown kind of guard " + std::to_string(static_cast<int>(guard.kind)));
}

bool has_part(const Selector& selector) {
  return selector.prefix || selector.suffix || selector.contains || selector.pattern || selector.start ||
         selector.end || selector.filter;
}

Result<void> validate_operation(const Operation& operation, const Limits& limits) {
  if (operation.kind == OperationKind::delete_where) {
    if (!has_part(*operation.selector)) return fail(Errc::invalid_request, "delete_where needs at least one selector");
    return validate_selector(*operation.selector);
  }
  if (auto done = validate_key(operation.key); !done) return done;
  switch (operation.kind) {
    case OperationKind::put: {
      if (auto done = validate_value(operation.value, limits.max_value_bytes); !done) return done;
      return operation.ttl_s == 0 || operation.ttl_s == keep_ttl ? Result<void>() : validate_ttl(operation.ttl_s);
    }
    case OperationKind::touch: return validate_ttl(operation.ttl_s);
    case OperationKind::remove:
    case OperationKind::get: return {};
    case OperationKind::delete_where: break;
  }
  return fail(Errc::invalid_request, "unknown kind of operation " + std::to_string(static_cast<int>(operation.kind)));
}

/// Puts the place in front of the message: "then[3]: the ttl ...".
std::unexpected<Error> at_place(const char* list, std::size_t position, const Error& error) {
  return fail(error.code(), std::string(list) + "[" + std::to_string(position) + "]: " + error.message());
}

template <class Item>
Result<void> validate_list(const char* name, const std::vector<Item>& items, const Limits& limits,
                           Result<void> (*validate)(const Item&, const Limits&)) {
  if (items.size() > max_batch) {
    return fail(Errc::batch_too_large, std::string(name) + " has " + std::to_string(items.size()) +
                                           " entries, at most " + std::to_string(max_batch) + " are allowed");
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Result<void> done = validate(items[i], limits);
    if (!done) return at_place(name, i, done.error());
  }
  return {};
}

}  // namespace

Result<void> validate_key(std::string_view key) {
  if (!key.empty() && key.size() <= max_key_bytes) [[likely]]
    return {};
  return fail(Errc::invalid_key,
              key.empty() ? "the key is empty; it must have 1 to 1024 bytes"
                          : "the key has " + std::to_string(key.size()) + " bytes; at most 1024 are allowed");
}

Result<void> validate_value(std::string_view stored, std::size_t max_value_bytes) {
  const auto tag = stored.empty() ? Value::invalid_tag : static_cast<unsigned char>(stored.front());
  if (tag == Value::invalid_tag) {
    return fail(Errc::invalid_request,
                "the value cannot be stored: " + std::string(stored.empty() ? "" : stored.substr(1)));
  }
  if (stored.size() - 1 <= max_value_bytes) [[likely]]
    return {};
  return fail(Errc::value_too_large, "the value has " + std::to_string(stored.size() - 1) + " bytes; at most " +
                                         std::to_string(max_value_bytes) + " are allowed");
}

Result<void> validate_ttl(std::int64_t ttl_s) {
  if (ttl_s >= 1 && ttl_s <= static_cast<std::int64_t>(max_ttl_s)) [[likely]]
    return {};
  return fail(Errc::invalid_request,
              "the ttl is " + std::to_string(ttl_s) + " s; it must be 1 to " + std::to_string(max_ttl_s));
}

Result<void> validate_selector(const Selector& selector) {
  const auto compiled = CompiledSelector::compile(selector);
  if (!compiled) return std::unexpected(compiled.error());
  return {};
}

Result<void> validate_transaction(const Transaction& transaction, const Limits& limits) {
  if (transaction.then.empty() && transaction.otherwise.empty()) {
    return fail(Errc::invalid_request, "the transaction has no operation");
  }
  const auto is_delete_where = [](const Operation& one) { return one.kind == OperationKind::delete_where; };
  for (const auto* list : {&transaction.then, &transaction.otherwise}) {
    // Each may look at a million keys while all writes wait.
    if (std::ranges::count_if(*list, is_delete_where) > 1) {
      return fail(Errc::invalid_request, "a transaction may hold one delete_where");
    }
  }
  if (auto done = validate_list("guards", transaction.guards, limits, validate_guard); !done) return done;
  if (transaction.then.size() == 1 && transaction.otherwise.empty()) {  // there is no other place the fault could be at
    return validate_operation(transaction.then.front(), limits);
  }
  if (auto done = validate_list("then", transaction.then, limits, validate_operation); !done) return done;
  return validate_list("else", transaction.otherwise, limits, validate_operation);
}

Result<void> validate_once(const Once& once) {
  const auto of = [](std::size_t size) { return " has " + std::to_string(size) + " bytes; "; };
  if (once.key.empty() || once.key.size() > max_once_bytes) {
    return fail(Errc::invalid_request,
                "the idempotency key" + of(once.key.size()) + "it must have 1 to " + std::to_string(max_once_bytes));
  }
  if (once.scope.size() <= max_once_bytes) return {};
  return fail(Errc::invalid_request, "the scope of the idempotency key" + of(once.scope.size()) + "at most " +
                                         std::to_string(max_once_bytes) + " are allowed");
}

}  // namespace concord::command

#include "command/from_public.hpp"

#include <string>
#include <utility>

#include "command/limits.hpp"
#include "command/validate.hpp"

namespace concord::command {
namespace {

Result<Guard> to_guard(const concord::Guard& guard) {
  const int given = static_cast<int>(guard.expected.has_value()) + static_cast<int>(guard.revision.has_value()) +
                    static_cast<int>(guard.exists.has_value()) + static_cast<int>(guard.condition.has_value());
  if (given != 1) {
    return fail(given == 0 ? Errc::missing_condition : Errc::conflicting_conditions,
                given == 0 ? "the guard needs one of expected, revision, exists, condition"
                           : "the guard may have only one of expected, revision, exists, condition");
  }
  Guard made{.key = guard.key};
  if (guard.expected) {
    made.kind = GuardKind::value_equals;
    made.value = guard.expected->stored();
  } else if (guard.revision) {
    made.kind = GuardKind::revision;
    made.revision = *guard.revision;
  } else if (guard.condition) {
    made.kind = GuardKind::filter;
    made.filter = guard.condition->document();
  } else {
    made.kind = *guard.exists ? GuardKind::exists : GuardKind::absent;
  }
  return made;
}

Result<Operation> to_operation(const concord::Operation& operation) {
  Operation made{.key = operation.key};
  switch (operation.kind) {
    case concord::Operation::Kind::put: {
      const auto ttl_s = put_ttl(operation.ttl, operation.keep_ttl);
      if (!ttl_s) return std::unexpected(ttl_s.error());
      made.kind = OperationKind::put;
      made.value = operation.value.stored();
      made.ttl_s = *ttl_s;
      made.compress = operation.compress;
      return made;
    }
    case concord::Operation::Kind::touch: {
      const auto ttl_s = touch_ttl(operation.ttl.value_or(std::chrono::seconds(0)));
      if (!ttl_s) return std::unexpected(ttl_s.error());
      made.kind = OperationKind::touch;
      made.ttl_s = *ttl_s;
      return made;
    }
    case concord::Operation::Kind::del: made.kind = OperationKind::remove; return made;
    case concord::Operation::Kind::get: made.kind = OperationKind::get; return made;
  }
  return fail(Errc::invalid_request, "unknown kind of operation");
}

template <class From, class To>
Result<void> convert(const char* name, const std::vector<From>& from, std::vector<To>& to,
                     Result<To> (*one)(const From&)) {
  to.reserve(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    auto made = one(from[i]);
    if (!made) return at_place(name, i, made.error());
    to.push_back(std::move(*made));
  }
  return {};
}

}  // namespace

std::unexpected<Error> at_place(std::string_view list, std::size_t position, const Error& error) {
  return fail(error.code(), std::string(list) + "[" + std::to_string(position) + "]: " + error.message());
}

Result<std::uint32_t> put_ttl(const std::optional<std::chrono::seconds>& ttl, bool keeps_it) {
  if (!ttl) return keeps_it ? keep_ttl : 0;
  if (keeps_it) return fail(Errc::invalid_request, "ttl and keep_ttl exclude each other");
  return touch_ttl(*ttl);
}

Result<std::uint32_t> touch_ttl(std::chrono::seconds ttl) {
  if (auto valid = validate_ttl(ttl.count()); !valid) return std::unexpected(std::move(valid.error()));
  return static_cast<std::uint32_t>(ttl.count());
}

Result<Transaction> to_command(const concord::Transaction& transaction) {
  Transaction made;
  if (auto done = convert("guards", transaction.guards, made.guards, to_guard); !done)
    return std::unexpected(std::move(done.error()));
  if (auto done = convert("then", transaction.then, made.then, to_operation); !done)
    return std::unexpected(std::move(done.error()));
  if (auto done = convert("else", transaction.otherwise, made.otherwise, to_operation); !done)
    return std::unexpected(std::move(done.error()));
  return made;
}

Result<Selector> to_selector(const Query& query) {
  Selector selector{
      .prefix = query.prefix, .suffix = query.suffix, .contains = query.contains, .pattern = query.pattern};
  selector.start = query.start;
  selector.end = query.end;
  if (query.range) {
    if (query.start || query.end) return fail(Errc::invalid_request, "range and start or end exclude each other");
    selector.start = query.range->first;
    selector.end = query.range->second;
  }
  if (query.filter.filter()) selector.filter = query.filter.filter()->document();
  if (query.limit) {
    if (*query.limit == 0) return fail(Errc::invalid_request, "the limit is 0; it must be at least 1");
    selector.limit = *query.limit;
  }
  return selector;
}

Result<Selection> select(const Query& query) {
  auto selector = to_selector(query);
  if (!selector) return std::unexpected(std::move(selector.error()));
  auto compiled = CompiledSelector::compile(*selector);
  if (!compiled) return std::unexpected(std::move(compiled.error()));
  return Selection{*selector, std::move(*compiled)};
}

bool has_selector(const Query& query) {
  return query.prefix || query.suffix || query.contains || query.pattern || query.start || query.end || query.range ||
         !query.filter.empty();
}

}  // namespace concord::command

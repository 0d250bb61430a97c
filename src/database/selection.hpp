// A query, checked and ready to be asked.
#pragma once

#include <utility>

#include <concord/error.hpp>
#include <concord/query.hpp>

#include "command/selector.hpp"
#include "database/conversions.hpp"

namespace concord::database {

/// Views the query.
struct Selection {
  command::Selector selector;
  command::CompiledSelector compiled;
};

/// Errors: invalid_request.
[[nodiscard]] inline Result<Selection> select(const Query& query) {
  auto selector = to_selector(query);
  if (!selector) return std::unexpected(std::move(selector.error()));
  auto compiled = command::CompiledSelector::compile(*selector);
  if (!compiled) return std::unexpected(std::move(compiled.error()));
  return Selection{*selector, std::move(*compiled)};
}

[[nodiscard]] inline bool has_selector(const Query& query) {
  return query.prefix || query.suffix || query.contains || query.pattern || query.start || query.end || query.range ||
         !query.filter.empty();
}

}  // namespace concord::database

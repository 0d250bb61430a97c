// Reads of one key that say less than `get_entry` does.
#include <concord/store.hpp>

#include <utility>

namespace concord {

Result<WithTtl<Value>> Store::get_with_ttl(std::string_view key, const ReadOptions& options) {
  auto entry = get_entry(key, options);
  if (!entry) return std::unexpected(std::move(entry.error()));
  return WithTtl<Value>{std::move(entry->value), entry->ttl};
}

Result<std::optional<std::chrono::seconds>> Store::ttl(std::string_view key, const ReadOptions& options) {
  const auto entry = get_entry(key, options);
  if (!entry) return std::unexpected(entry.error());
  return entry->ttl;
}

}  // namespace concord

#include "store/quotas.hpp"

#include <algorithm>
#include <utility>

#include "base/mutant.hpp"

namespace concord::store {
namespace {

std::uint64_t bytes_of(std::string_view key, std::optional<std::size_t> value_bytes) noexcept {
  return value_bytes ? key.size() + *value_bytes : 0;
}

bool is_passed(std::uint64_t quota, std::uint64_t before, std::uint64_t now) noexcept {
  return quota != 0 && now > quota && now > before;
}

/// No numbers: who may only write, or only some keys, must not learn what the others hold.
std::string text_of(const Tenant& tenant, std::string_view quota) {
  return "the tenant " + tenant.name + " has reached its quota " + std::string(quota) + "; nothing was done";
}

}  // namespace

const Quotas::Row* Quotas::row_of(const Table& table, std::string_view key) noexcept {
  const auto prefix_of = [](const Row& row) -> std::string_view { return row.tenant->prefix; };
  const auto behind = std::ranges::upper_bound(table.rows, key, {}, prefix_of);
  if (behind == table.rows.begin()) return nullptr;
  const Row& row = *std::prev(behind);
  return key.starts_with(row.tenant->prefix) ? &row : nullptr;
}

void Quotas::set_tenants(const acl::Directory& directory, const KeySpace& keys) {
  const Table& older = table();
  auto newer = std::make_unique<Table>();
  for (const acl::RecordPointer& record : directory.all(AccessKind::tenant)) {
    acl::TenantPointer tenant(record, &std::get<Tenant>(*record));
    const Row* known = row_of(older, tenant->prefix);
    const bool is_counted = known != nullptr && known->tenant->prefix == tenant->prefix;
    Row row{.tenant = std::move(tenant), .counter = is_counted ? known->counter : std::make_shared<Counter>()};
    if (!is_counted) count(row, keys);
    newer->rows.push_back(std::move(row));
  }
  std::ranges::sort(newer->rows, {}, [](const Row& row) -> std::string_view { return row.tenant->prefix; });
  touched_.clear();
  const std::size_t size_bytes = sizeof(Table) + older.rows.capacity() * sizeof(Row);
  const Table* const replaced = table_.exchange(newer.release(), std::memory_order_acq_rel);
  epoch_.retire(const_cast<Table*>(replaced), [](void* old) noexcept { delete static_cast<Table*>(old); }, size_bytes);
}

void Quotas::recount(const KeySpace& keys) {
  for (const Row& row : table().rows) count(row, keys);
}

void Quotas::count(const Row& row, const KeySpace& keys) {
  TenantUsage& now = row.counter->now = {};
  const std::string& prefix = row.tenant->prefix;
  keys.visit_from(prefix, keys.visible(), [&](const Record& record) {
    if (!record.key().starts_with(prefix)) return false;
    ++now.keys;
    now.bytes += bytes_of(record.key(), record.value().size());
    return true;
  });
  row.counter->keys.store(now.keys, std::memory_order_relaxed);
  row.counter->bytes.store(now.bytes, std::memory_order_relaxed);
}

bool Quotas::limits(std::string_view key) const noexcept {
  const Row* const row = row_of(table(), key);
  return row != nullptr && (row->tenant->quotas.max_keys != 0 || row->tenant->quotas.max_bytes != 0);
}

void Quotas::note(std::string_view key, std::optional<std::size_t> before_bytes,
                  std::optional<std::size_t> after_bytes) {
  const Row* const row = row_of(table(), key);
  if (row == nullptr) return;
  Counter& counter = *row->counter;
  if (counter.command != command_) {
    counter.command = command_;
    counter.before = counter.now;
    touched_.push_back(row);
  }
  counter.now.keys += std::uint64_t{after_bytes.has_value()} - std::uint64_t{before_bytes.has_value()};
  counter.now.bytes += bytes_of(key, after_bytes) - bytes_of(key, before_bytes);
}

std::optional<std::string> Quotas::excess() const {
  if (CONCORD_MUTANT("a-quota-is-passed-over")) return std::nullopt;
  for (const Row* row : touched_) {
    const Quotas::Counter& counter = *row->counter;
    const auto& quotas = row->tenant->quotas;
    if (is_passed(quotas.max_keys, counter.before.keys, counter.now.keys)) {
      return text_of(*row->tenant, "max_keys");
    }
    if (is_passed(quotas.max_bytes, counter.before.bytes, counter.now.bytes)) {
      return text_of(*row->tenant, "max_bytes");
    }
  }
  return std::nullopt;
}

void Quotas::undo() noexcept {
  for (const Row* row : touched_) row->counter->now = row->counter->before;
}

void Quotas::end() noexcept {
  for (const Row* row : touched_) {
    row->counter->keys.store(row->counter->now.keys, std::memory_order_relaxed);
    row->counter->bytes.store(row->counter->now.bytes, std::memory_order_relaxed);
  }
  touched_.clear();
}

void Quotas::show(Tenant& tenant) const noexcept {
  const Row* const row = row_of(*table_.load(std::memory_order_acquire), tenant.prefix);
  if (row == nullptr || row->tenant->prefix != tenant.prefix) return;
  tenant.usage.keys = row->counter->keys.load(std::memory_order_relaxed);
  tenant.usage.bytes = row->counter->bytes.load(std::memory_order_relaxed);
}

}  // namespace concord::store

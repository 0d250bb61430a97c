#include "sim/access_watch.hpp"

#include <algorithm>
#include <string_view>

#include "acl/tokens.hpp"
#include "store/view.hpp"

namespace concord::sim {

namespace {

class Hash {
 public:
  void add(std::uint64_t number) noexcept {
    value_ = (value_ ^ number) * 0x9e3779b97f4a7c15U;
    value_ ^= value_ >> 29U;
  }
  void add(std::string_view text) noexcept { add(std::hash<std::string_view>()(text)); }
  void add(const acl::Scope& scope) {
    add(std::uint64_t{scope.is_nothing()});
    for (const std::string& prefix : scope.prefixes()) add(prefix);
  }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }

 private:
  std::uint64_t value_ = 1;
};

std::uint64_t hash_of(const std::vector<acl::TokenPointer>& tokens, const std::vector<Tenant>& tenants) {
  Hash hash;
  for (const acl::TokenPointer& token : tokens) {
    hash.add(token->id.value());
    hash.add(std::uint64_t{token->rights.is_locked()});
    hash.add(std::uint64_t{token->rights.has(Permission::admin)});
    hash.add(token->rights.scope(Permission::read));
    hash.add(token->rights.scope(Permission::write));
  }
  for (const Tenant& tenant : tenants) {
    hash.add(tenant.name);
    hash.add(tenant.usage.keys);
    hash.add(tenant.usage.bytes);
  }
  return hash.value();
}

TenantUsage counted(const store::StateMachine& state, const std::string& prefix) {
  TenantUsage usage;
  state.view().visit_from(prefix, [&](const store::Record& record) {
    if (!record.key().starts_with(prefix)) return false;
    ++usage.keys;
    usage.bytes += record.key().size() + record.value().size();
    return true;
  });
  return usage;
}

std::string text_of(const TenantUsage& usage) {
  return std::to_string(usage.keys) + " keys of " + std::to_string(usage.bytes) + " bytes";
}

/// So many it may have behind a command, if it had so many before it.
std::uint64_t most_of(std::uint64_t quota, std::uint64_t before) noexcept {
  return quota == 0 ? ~std::uint64_t{0} : std::max(quota, before);
}

/// Its versions are numbered by a quota that nothing here goes by (administrators.cpp): so it is known which quotas it had in between.
std::optional<std::string> problem_between(const Tenant& before, const Tenant& now) {
  if (now.quotas.max_subscribers > before.quotas.max_subscribers + 1) return std::nullopt;
  const auto most = [&](std::uint64_t had, std::uint64_t older, std::uint64_t newer) {
    return most_of(newer, most_of(older, had));
  };
  const bool is_within = now.usage.keys <= most(before.usage.keys, before.quotas.max_keys, now.quotas.max_keys) &&
                         now.usage.bytes <= most(before.usage.bytes, before.quotas.max_bytes, now.quotas.max_bytes);
  if (is_within) return std::nullopt;
  return "tenant " + now.name + " has " + text_of(now.usage) + ", and had " + text_of(before.usage) +
         "; its quotas are " + std::to_string(now.quotas.max_keys) + " keys and " +
         std::to_string(now.quotas.max_bytes) + " bytes";
}

}  // namespace

std::optional<std::string> AccessWatch::look(const store::StateMachine& state) {
  std::vector<Tenant> tenants;
  for (AccessRecord& record : state.access_records(AccessKind::tenant)) {
    tenants.push_back(std::move(std::get<Tenant>(record)));
  }
  const std::uint64_t index = state.applied_index().value();
  const std::uint64_t hash = hash_of(state.tokens(), tenants);
  const auto [known, is_new] = seen_.emplace(index, Seen{.hash = hash, .tenants = tenants});
  if (!is_new && known->second.hash != hash) {
    return "goes by other rights or usage at index " + std::to_string(index) + " than others";
  }
  if (!is_new) return std::nullopt;
  for (const Tenant& tenant : tenants) {
    const TenantUsage usage = counted(state, tenant.prefix);
    if (usage == tenant.usage) continue;
    return "says at index " + std::to_string(index) + " that tenant " + tenant.name + " has " + text_of(tenant.usage) +
           ", and it has " + text_of(usage);
  }
  return std::nullopt;
}

std::optional<std::string> AccessWatch::problem() const {
  std::map<std::string, Tenant> before;
  for (const auto& [index, seen] : seen_) {
    for (const Tenant& tenant : seen.tenants) {
      const auto known = before.find(tenant.name);
      if (known != before.end()) {
        if (auto why = problem_between(known->second, tenant)) return "at index " + std::to_string(index) + ' ' + *why;
      }
      before[tenant.name] = tenant;
    }
  }
  return std::nullopt;
}

}  // namespace concord::sim

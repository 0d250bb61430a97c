#include "database/access_records.hpp"

#include <string>
#include <utility>

#include "acl/record.hpp"
#include "database/authentication.hpp"
#include "observe/exposition.hpp"

namespace concord::database {

using command::CommandKind;
using command::OperationStatus;
using command::Outcome;
using std::chrono::milliseconds;

namespace {

/// Tells `done` what became of the change.
Completion<Outcome> answering(AccessKind kind, AccessRecords::Done done) {
  return [kind, done = std::move(done)](Result<Outcome> outcome) mutable {
    if (!outcome) return done(std::unexpected(std::move(outcome.error())));
    const command::OperationResult& result = outcome->results.front();
    if (result.status == OperationStatus::ok) return done({});
    done(std::unexpected(error_of(result, acl::kind_name(kind))));
  };
}

}  // namespace

void AccessRecords::set(AccessRecord record, const acl::Access& access, milliseconds timeout, Done done) {
  if (auto may = allowed(access.judge(Permission::admin)); !may) return done(std::unexpected(std::move(may.error())));
  const auto checked = acl::normalized(std::move(record));
  if (!checked) return done(std::unexpected(checked.error()));
  const std::string bytes = acl::encode(*checked);
  const command::AccessStep step{.record = bytes};
  runtime_.write_async({.kind = CommandKind::access_set, .access = &step, .as_token = access.id()}, timeout,
                       answering(acl::kind_of(*checked), std::move(done)));
}

void AccessRecords::remove(AccessKind kind, std::string_view name, const acl::Access& access, milliseconds timeout,
                           Done done) {
  if (auto may = allowed(access.judge(Permission::admin)); !may) return done(std::unexpected(std::move(may.error())));
  if (!acl::is_name(name)) {
    return done(fail(Errc::not_found, "there is no such " + std::string(acl::kind_name(kind))));
  }
  const command::AccessStep step{.kind = kind, .name = name};
  runtime_.write_async({.kind = CommandKind::access_remove, .access = &step, .as_token = access.id()}, timeout,
                       answering(kind, std::move(done)));
}

Result<std::vector<AccessRecord>> AccessRecords::list(AccessKind kind) const {
  if (!runtime_.has_place()) return fail(Errc::cluster_not_ready, "the node has no place in a cluster yet");
  return runtime_.state().access_records(kind);
}

std::string AccessRecords::metrics() const {
  const auto tenants = list(AccessKind::tenant);
  if (!tenants || tenants->empty()) return {};
  observe::Exposition page;
  const auto family = [&](std::string_view name, std::string_view help, auto number) {
    page.family(name, "gauge", help);
    for (const AccessRecord& record : *tenants) {
      const auto& tenant = std::get<Tenant>(record);
      page.sample({{"tenant", tenant.name}}, static_cast<double>(number(tenant)));
    }
  };
  family("concord_tenant_keys", "Keys of a tenant", [](const Tenant& tenant) { return tenant.usage.keys; });
  family("concord_tenant_bytes", "Bytes of a tenant's keys and values, as they are stored",
         [](const Tenant& tenant) { return tenant.usage.bytes; });
  family("concord_tenant_keys_limit", "Keys a tenant may have; 0: no limit",
         [](const Tenant& tenant) { return tenant.quotas.max_keys; });
  family("concord_tenant_bytes_limit", "Bytes a tenant's keys and values may have; 0: no limit",
         [](const Tenant& tenant) { return tenant.quotas.max_bytes; });
  return page.take();
}

}  // namespace concord::database

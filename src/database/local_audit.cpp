// The audit log of a local database: its opening, and what it tells of itself.
#include <array>
#include <utility>

#include "database/local_database.hpp"
#include "env/clock.hpp"
#include "env/file_system.hpp"
#include "observe/exposition.hpp"

namespace concord::database {

Result<void> LocalDatabase::open_audit_log() {
  const Options& all = options();
  if (!all.audit_log.enabled) return {};
  auto log = audit::Log::open(env::make_real_file_system(), std::make_unique<env::RealClock>(), all.audit_log, all.name,
                              all.log);
  if (!log) return std::unexpected(std::move(log.error()));
  audit_ = std::move(*log);
  return {};
}

std::string LocalDatabase::audit_metrics() const {
  if (!audit_ || observer_->metrics() == nullptr) return {};
  observe::Exposition page;
  page.counter("concord_audit_entries_total", "Entries written to the audit log", audit_->entries());
  page.counter("concord_audit_dropped_total", "Audit entries that were not written", audit_->dropped());
  page.gauge("concord_audit_queue_bytes", "Audit entries that wait to be written, in bytes",
             static_cast<double>(audit_->queued_bytes()));
  page.gauge("concord_audit_writable", "Whether the audit log can be written: 1, else 0",
             audit_->problem().empty() ? 1 : 0);
  return page.take();
}

}  // namespace concord::database

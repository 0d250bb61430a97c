// The audit log of the embedded node.
#include <concord/node.hpp>

#include <string>
#include <utility>
#include <vector>

#include "database/new_entry.hpp"
#include "database/node_impl.hpp"

namespace concord {
namespace {

using database::LocalDatabase;

std::unexpected<Error> no_log() { return fail(Errc::not_found, "the audit log is switched off (audit_log.enabled)"); }

/// `options`: those of a read or of a write.
template <class Options>
Result<acl::Access> admin_of(const LocalDatabase& database, const Options& options) {
  auto access = database.access_of(options.token, options.timeout);
  if (!access) return access;
  if (auto may = database::allowed(access->judge(Permission::admin)); !may) {
    return std::unexpected(std::move(may.error()));
  }
  return access;
}

/// `run(audit::Log&) -> Result<T>`, in the name of an admin.
template <class Options, class Run>
auto as_admin(LocalDatabase& database, const Options& options, const Run& run)
    -> decltype(run(std::declval<audit::Log&>())) {
  if (const auto access = admin_of(database, options); !access) return std::unexpected(access.error());
  if (database.audit() == nullptr) return no_log();
  return run(*database.audit());
}

}  // namespace

Result<std::vector<AuditEntry>> Node::query_audit(const AuditQuery& query, const ReadOptions& options) {
  return impl_->audited("audit_query", Impl::reading(options), [&] {
    return as_admin(*impl_->database, options, [&](audit::Log& log) -> Result<std::vector<AuditEntry>> {
      const auto lines = log.query(query);
      if (!lines) return std::unexpected(lines.error());
      std::vector<AuditEntry> entries;
      entries.reserve(lines->size());
      for (const std::string& line : *lines) {
        auto entry = audit::entry_of(line);
        if (!entry) return std::unexpected(std::move(entry.error()));
        entries.push_back(std::move(*entry));
      }
      return entries;
    });
  });
}

Result<void> Node::export_audit(const AuditQuery& query, const std::function<bool(std::string_view)>& visit,
                                const ReadOptions& options) {
  return impl_->audited("audit_export", Impl::reading(options), [&] {
    return as_admin(*impl_->database, options, [&](audit::Log& log) { return log.visit(query, visit); });
  });
}

Result<void> Node::log_audit(const NewAuditEntry& entry, const WriteOptions& options) {
  const auto access = admin_of(*impl_->database, options);
  if (!access) return std::unexpected(access.error());
  audit::Log* const log = impl_->database->audit();
  if (log == nullptr) return no_log();
  std::string metadata;
  auto record = database::record_of(entry, access->id(), metadata);
  if (!record) return std::unexpected(record.error());
  auto room = log->wait_room(options.timeout);
  if (!room) return std::unexpected(std::move(room.error()));
  log->record(std::move(*room), std::move(*record));
  return {};
}

Result<void> Node::rotate_audit(const WriteOptions& options) {
  return impl_->audited("audit_rotate", Impl::writing(options), [&] {
    return as_admin(*impl_->database, options, [](audit::Log& log) { return log.rotate(); });
  });
}

Result<std::uint64_t> Node::cleanup_audit(const WriteOptions& options) {
  return impl_->audited("audit_cleanup", Impl::writing(options), [&] {
    return as_admin(*impl_->database, options, [](audit::Log& log) { return log.cleanup(); });
  });
}

Result<AuditStats> Node::audit_stats(const ReadOptions& options) {
  if (const auto access = admin_of(*impl_->database, options); !access) return std::unexpected(access.error());
  if (impl_->database->audit() != nullptr) return impl_->database->audit()->stats();
  return AuditStats{.log_dir = impl_->database->options().audit_log.log_dir.string()};
}

Result<AuditVerification> Node::verify_audit(const ReadOptions& options) {
  return impl_->audited("audit_verify", Impl::reading(options), [&] {
    return as_admin(*impl_->database, options, [](audit::Log& log) { return log.verify(); });
  });
}

}  // namespace concord

// Backups of the embedded node.
#include <concord/node.hpp>

#include <utility>

#include "backup/service.hpp"
#include "base/timeout.hpp"
#include "database/node_impl.hpp"

namespace concord {
namespace {

using observe::ApiOperation;

constexpr observe::CallDetails long_call = {.is_long = true};

Result<acl::Access> admin_access(const database::LocalDatabase& database, std::string_view token,
                                 std::chrono::milliseconds timeout) {
  auto access = database.access_of(token, timeout);
  if (!access) return access;
  if (auto may = database::allowed(access->judge(Permission::admin)); !may)
    return std::unexpected(std::move(may.error()));
  return access;
}

backup::Deadline deadline_in(std::chrono::milliseconds timeout) {
  return std::chrono::steady_clock::now() + base::bounded(timeout);
}

}  // namespace

Result<BackupInfo> Node::create_backup(const CreateBackupOptions& options) {
  return impl_->observed(
      ApiOperation::backup_create, long_call, {.token = options.token, .timeout = options.timeout},
      [&]() -> Result<BackupInfo> {
        const auto deadline = deadline_in(options.timeout);
        if (const auto access = admin_access(*impl_->database, options.token, options.timeout); !access) {
          return std::unexpected(access.error());
        }
        const auto fresh =
            impl_->database->readable_access({.consistency = options.consistency.value_or(ReadConsistency::strong),
                                              .timeout = options.timeout,
                                              .token = options.token});
        if (!fresh) return std::unexpected(fresh.error());
        return impl_->database->backups()->create(options.directory, deadline, options.progress);
      });
}

Result<BackupList> Node::list_backups(const BackupReadOptions& options) {
  return impl_->observed(ApiOperation::backup_list, long_call, {.token = options.token, .timeout = options.timeout},
                         [&]() -> Result<BackupList> {
                           const auto access = admin_access(*impl_->database, options.token, options.timeout);
                           if (!access) return std::unexpected(access.error());
                           return impl_->database->backups()->list(options.directory);
                         });
}

Result<BackupVerdict> Node::verify_backup(std::string_view backup, const BackupReadOptions& options) {
  return impl_->observed(ApiOperation::backup_verify, long_call,
                         {.token = options.token, .timeout = options.timeout, .target = backup},
                         [&]() -> Result<BackupVerdict> {
                           const auto access = admin_access(*impl_->database, options.token, options.timeout);
                           if (!access) return std::unexpected(access.error());
                           return impl_->database->backups()->verify(backup, deadline_in(options.timeout));
                         });
}

Result<RestoredBackup> Node::restore_backup(std::string_view backup, const RestoreBackupOptions& options) {
  return impl_->observed(ApiOperation::backup_restore, long_call,
                         {.token = options.token, .timeout = options.timeout, .target = backup},
                         [&]() -> Result<RestoredBackup> {
                           const auto deadline = deadline_in(options.timeout);
                           const auto access = admin_access(*impl_->database, options.token, options.timeout);
                           if (!access) return std::unexpected(access.error());
                           return impl_->database->backups()->restore(backup, options, access->id(), deadline);
                         });
}

Result<std::uint64_t> Node::cleanup_backups(const CleanupBackupsOptions& options) {
  return impl_->observed(ApiOperation::backup_cleanup, long_call, {.token = options.token, .timeout = options.timeout},
                         [&]() -> Result<std::uint64_t> {
                           const auto access = admin_access(*impl_->database, options.token, options.timeout);
                           if (!access) return std::unexpected(access.error());
                           return impl_->database->backups()->cleanup(
                               options.directory, backup::retention_of(options.keep_count, options.keep_days));
                         });
}

}  // namespace concord

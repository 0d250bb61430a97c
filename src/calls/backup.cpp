// Backups under short names.
#include <concord/backup.hpp>

#include <concord/store.hpp>

namespace concord {

Result<BackupInfo> Backup::create(const CreateBackupOptions& options) { return store_->create_backup(options); }

Result<BackupList> Backup::list(const BackupReadOptions& options) { return store_->list_backups(options); }

Result<BackupVerdict> Backup::verify(std::string_view backup, const BackupReadOptions& options) {
  return store_->verify_backup(backup, options);
}

Result<RestoredBackup> Backup::restore(std::string_view backup, const RestoreBackupOptions& options) {
  return store_->restore_backup(backup, options);
}

Result<std::uint64_t> Backup::cleanup(const CleanupBackupsOptions& options) { return store_->cleanup_backups(options); }

}  // namespace concord

// The audit log under short names, its export to a file, and what a store says that has none.
#include <concord/audit_log.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>
#include <utility>

#include <concord/store.hpp>

namespace concord {
namespace {

std::unexpected<Error> no_log() { return fail(Errc::not_found, "this store keeps no audit log"); }

std::unexpected<Error> file_error(const std::string& path, int reason) {
  const Errc code = reason == EEXIST                       ? Errc::already_exists
                    : reason == ENOSPC || reason == EDQUOT ? Errc::storage_full
                                                           : Errc::storage_failed;
  return fail(code, path + ": " + std::generic_category().message(reason));
}

struct Close {
  void operator()(std::FILE* file) const noexcept { (void)std::fclose(file); }
};
using Output = std::unique_ptr<std::FILE, Close>;

/// A new file of its owner alone.
Result<Output> create(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return file_error(path, errno);
  Output output(::fdopen(descriptor, "w"));
  if (!output) {
    const int reason = errno;
    ::close(descriptor);
    return file_error(path, reason);
  }
  return output;
}

}  // namespace

Result<std::vector<AuditEntry>> AuditLog::query(const AuditQuery& query, const ReadOptions& options) {
  return store_->query_audit(query, options);
}

Result<std::uint64_t> AuditLog::export_to(const std::string& path, const AuditQuery& query,
                                          const ReadOptions& options) {
  auto output = create(path);
  if (!output) return std::unexpected(std::move(output.error()));
  std::uint64_t count = 0;
  int reason = 0;
  auto done = store_->export_audit(
      query,
      [&](std::string_view line) {
        const bool is_written = std::fwrite(line.data(), 1, line.size(), output->get()) == line.size() &&
                                std::fputc('\n', output->get()) != EOF;
        if (!is_written) reason = errno;
        count += is_written ? 1 : 0;
        return is_written;
      },
      options);
  if (done && reason == 0 && (std::fflush(output->get()) != 0 || ::fsync(::fileno(output->get())) != 0)) reason = errno;
  if (done && reason == 0) return count;
  ::unlink(path.c_str());  // a part would be taken for all of it
  if (!done) return std::unexpected(std::move(done.error()));
  return file_error(path, reason);
}

Result<void> AuditLog::log(const NewAuditEntry& entry, const WriteOptions& options) {
  return store_->log_audit(entry, options);
}

Result<void> AuditLog::rotate(const WriteOptions& options) { return store_->rotate_audit(options); }

Result<std::uint64_t> AuditLog::cleanup(const WriteOptions& options) { return store_->cleanup_audit(options); }

Result<AuditStats> AuditLog::stats(const ReadOptions& options) { return store_->audit_stats(options); }

Result<AuditVerification> AuditLog::verify(const ReadOptions& options) { return store_->verify_audit(options); }

// ---------------------------------------------------------------------------------------------------------------------

Result<std::vector<AuditEntry>> Store::query_audit(const AuditQuery&, const ReadOptions&) { return no_log(); }

Result<void> Store::export_audit(const AuditQuery&, const std::function<bool(std::string_view)>&, const ReadOptions&) {
  return no_log();
}

Result<void> Store::log_audit(const NewAuditEntry&, const WriteOptions&) { return no_log(); }

Result<void> Store::rotate_audit(const WriteOptions&) { return no_log(); }

Result<std::uint64_t> Store::cleanup_audit(const WriteOptions&) { return no_log(); }

Result<AuditStats> Store::audit_stats(const ReadOptions&) { return no_log(); }

Result<AuditVerification> Store::verify_audit(const ReadOptions&) { return no_log(); }

}  // namespace concord

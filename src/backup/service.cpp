#include "backup/service.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include <concord/version.hpp>

#include "backup/restoration.hpp"
#include "base/crc32c.hpp"

namespace concord::backup {
namespace {

using std::chrono::steady_clock;
using std::chrono::system_clock;

constexpr std::size_t most_threads = 4;
constexpr std::size_t most_works = 64;
/// So often the schedule looks at the wall clock, which may be set.
constexpr std::chrono::seconds longest_sleep{30};

std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::uint64_t drawn() {
  std::random_device source;
  return (std::uint64_t{source()} << 32U) | source();
}

/// Tells nodes apart that share a directory.
std::string owner_of(const Options& options) { return hex_id(base::crc32c(options.name)).substr(8); }

std::unexpected<Error> no_such_backup() { return fail(Errc::not_found, "there is no such backup"); }

}  // namespace

Result<std::unique_ptr<Service>> Service::open(node::Runtime& runtime) {
  const BackupOptions& options = runtime.options().backup;
  if (options.dir.empty()) return fail(Errc::invalid_request, "backup.dir is empty");
  const auto schedule = base::Schedule::parse(options.schedule);
  if (!schedule) return fail(Errc::invalid_request, "backup.schedule: " + schedule.error().message());
  return std::unique_ptr<Service>(new Service(runtime, *schedule));
}

Service::Service(node::Runtime& runtime, const base::Schedule& schedule)
    : runtime_(runtime),
      schedule_(schedule),
      owner_(owner_of(runtime.options())),
      directory_(*files_, runtime.options().backup.dir.string(), owner_) {
  directory_.remove_unfinished();
  if (!schedule_.is_off()) scheduler_ = std::thread([this] { follow_schedule(); });
}

Service::~Service() { stop(); }

void Service::stop() {
  is_stopping_ = true;
  std::vector<std::thread> threads;
  {
    const base::MutexLock lock(mutex_);
    threads = std::exchange(threads_, {});
  }
  woken_.notify_all();
  for (std::thread& thread : threads) thread.join();
  if (scheduler_.joinable()) scheduler_.join();
  std::deque<std::move_only_function<void()>> left;
  {
    const base::MutexLock lock(mutex_);
    left.swap(works_);
  }
  for (auto& work : left) work();  // each finds that it has stopped
}

void Service::say(LogLevel level, const std::string& line) const {
  if (const auto& log = runtime_.options().log) log(level, line);
}

// ---------------------------------------------------------------------------------------------------------------------
// Calls.

Watch Service::watch_until(Deadline deadline, const BackupProgress& progress) const {
  return [this, deadline, &progress](std::uint64_t done, std::uint64_t total) -> Result<void> {
    if (is_stopping_.load(std::memory_order_relaxed)) return fail(Errc::cluster_not_ready, "the node is stopping");
    if (steady_clock::now() >= deadline) return fail(Errc::timeout, "the time is over; nothing was changed");
    if (progress) progress(done, total);
    return {};
  };
}

Result<std::string> Service::path_of(std::string_view backup) const {
  return backup.find('/') == std::string_view::npos ? directory_.path_of(backup) : std::string(backup);
}

Result<BackupInfo> Service::create(const std::string& directory, Deadline deadline, const BackupProgress& progress) {
  if (is_stopping_) return fail(Errc::cluster_not_ready, "the node is stopping");
  const auto data = runtime_.pin_data();
  if (!data) return fail(Errc::cluster_not_ready, "this node has no place in a cluster yet");
  const Status status = runtime_.status();
  Manifest manifest{.id = hex_id(drawn()),
                    .created_at_ms = wall_ms(),
                    .cluster = status.cluster.name,
                    .cluster_id = hex_id(status.cluster.id),
                    .node = runtime_.options().name,
                    .version = std::string(version)};
  const Watch watch = watch_until(deadline, progress);
  auto info = directory.empty() ? directory_.create(*data, std::move(manifest), watch)
                                : Directory(*files_, directory, owner_).create(*data, std::move(manifest), watch);
  if (info) {
    say(LogLevel::info, "backup " + info->path + " made: " + std::to_string(info->entry_count) +
                            " entries of revision " + std::to_string(info->revision.value()) + ", " +
                            std::to_string(info->size_bytes) + " bytes");
  }
  return info;
}

Result<BackupList> Service::list(const std::string& directory) {
  return directory.empty() ? directory_.list() : Directory(*files_, directory, owner_).list();
}

Result<BackupVerdict> Service::verify(std::string_view backup, Deadline deadline) {
  const auto path = path_of(backup);
  if (!path) return std::unexpected(path.error());
  const BackupProgress nobody;
  const auto info = backup::verify(*files_, *path, max_value_bytes, watch_until(deadline, nobody));
  if (info) return BackupVerdict{.valid = true};
  if (info.error().code() == Errc::invalid_backup)
    return BackupVerdict{.valid = false, .reason = info.error().message()};
  if (info.error().code() == Errc::not_found) return no_such_backup();
  return std::unexpected(info.error());
}

Result<RestoredBackup> Service::restore(std::string_view backup, const RestoreBackupOptions& options,
                                        command::TokenId as_token, Deadline deadline) {
  const auto path = path_of(backup);
  if (!path) return std::unexpected(path.error());
  if (options.prefixes.size() > command::max_restore_prefixes) {
    return fail(Errc::invalid_request, std::to_string(options.prefixes.size()) + " prefixes, the limit is " +
                                           std::to_string(command::max_restore_prefixes));
  }
  for (const std::string& prefix : options.prefixes) {
    if (!prefix.empty() && prefix.size() <= command::max_restore_prefix_bytes) continue;
    return fail(Errc::invalid_request,
                "a prefix has 1 to " + std::to_string(command::max_restore_prefix_bytes) + " bytes");
  }
  if (is_stopping_) return fail(Errc::cluster_not_ready, "the node is stopping");
  if (is_restoring_.exchange(true)) return fail(Errc::overloaded, "another restore is under way on this node");
  auto restored = backup::restore(runtime_, *files_,
                                  {.path = *path,
                                   .prefixes = options.prefixes,
                                   .with_tokens = options.with_tokens,
                                   .as_token = as_token,
                                   .deadline = deadline},
                                  watch_until(deadline, options.progress));
  is_restoring_ = false;
  if (!restored && restored.error().code() == Errc::not_found) return no_such_backup();
  if (restored) {
    say(LogLevel::warn, "backup " + *path + " restored: " + std::to_string(restored->entry_count) +
                            " entries at revision " + std::to_string(restored->revision.value()));
  }
  return restored;
}

Result<std::uint64_t> Service::cleanup(const std::string& directory, const Retention& retention) {
  return directory.empty() ? directory_.cleanup(retention, wall_ms())
                           : Directory(*files_, directory, owner_).cleanup(retention, wall_ms());
}

Result<std::optional<BackupInfo>> Service::add(std::string_view name, std::uint64_t offset, std::string_view bytes,
                                               bool is_last, Deadline deadline) {
  if (is_stopping_) return fail(Errc::cluster_not_ready, "the node is stopping");
  if (auto added = directory_.add_part(name, offset, bytes); !added) return std::unexpected(std::move(added.error()));
  if (!is_last) return std::optional<BackupInfo>();
  const BackupProgress nobody;
  auto info = directory_.finish_parts(name, watch_until(deadline, nobody));
  if (!info) return std::unexpected(std::move(info.error()));
  return std::optional(std::move(*info));
}

// ---------------------------------------------------------------------------------------------------------------------
// Threads.

Result<void> Service::run(std::move_only_function<void()> work) {
  {
    const base::MutexLock lock(mutex_);
    if (is_stopping_) return fail(Errc::cluster_not_ready, "the node is stopping");
    if (works_.size() >= most_works) {
      return fail(Errc::overloaded, std::to_string(most_works) + " calls about backups are waiting");
    }
    works_.push_back(std::move(work));
    if (works_.size() > idle_ && threads_.size() < most_threads) {
      threads_.emplace_back([this] { work_for_ever(); });
    }
  }
  woken_.notify_one();
  return {};
}

void Service::work_for_ever() {
  for (;;) {
    std::move_only_function<void()> work;
    {
      base::MutexLock lock(mutex_);
      ++idle_;
      woken_.wait(lock, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return is_stopping_ || !works_.empty(); });
      --idle_;
      if (works_.empty()) return;
      work = std::move(works_.front());
      works_.pop_front();
    }
    work();
  }
}

void Service::follow_schedule() {
  const auto now = [] { return std::chrono::floor<std::chrono::seconds>(system_clock::now()); };
  auto due = schedule_.next(now());
  while (due) {
    {
      base::MutexLock lock(mutex_);
      const auto left = std::clamp<std::chrono::seconds>(*due - now(), std::chrono::seconds(1), longest_sleep);
      if (now() < *due) {
        (void)woken_.wait_for(lock, left, [this]() { return is_stopping_.load(); });
      }
      if (is_stopping_) return;
    }
    if (now() < *due) continue;
    make_scheduled();
    due = schedule_.next(now());
  }
}

void Service::make_scheduled() {
  const BackupProgress nobody;
  const auto made = create({}, Deadline::max(), nobody);
  if (!made) return say(LogLevel::error, "the scheduled backup could not be made: " + made.error().message());
  const BackupOptions& options = runtime_.options().backup;
  Retention retention;
  if (options.keep_count != 0) retention.count = options.keep_count;
  if (options.keep_days != 0) retention.days = options.keep_days;
  if (!retention.count && !retention.days) return;
  const auto removed = cleanup({}, retention);
  if (!removed) say(LogLevel::error, "old backups could not be removed: " + removed.error().message());
}

}  // namespace concord::backup

// Backups of a node: what the embedded calls, the HTTP API and the schedule ask for.
//
// A call works on the thread that makes it. `run` hands work to threads of the service, for those that must not be held up; there are a
// few, made when they are first needed, so that a long restore does not keep a listing waiting. Backups that are made by themselves have
// a thread of their own.
//
// Names: what holds no '/' is a name in the directory of the settings.
//
// Thread rule: any thread; `stop` ends what is under way with cluster_not_ready, before the runtime goes.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <concord/backup.hpp>
#include <concord/error.hpp>
#include <concord/options.hpp>

#include "backup/directory.hpp"
#include "base/mutex.hpp"
#include "base/schedule.hpp"
#include "command/token.hpp"
#include "env/file_system.hpp"
#include "node/runtime.hpp"

namespace concord::backup {

using Deadline = std::chrono::steady_clock::time_point;

class Service {
 public:
  /// Errors: invalid_request (the schedule).
  [[nodiscard]] static Result<std::unique_ptr<Service>> open(node::Runtime& runtime);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// Of the state as it is applied here. `directory` empty: that of the settings.
  [[nodiscard]] Result<BackupInfo> create(const std::string& directory, Deadline deadline,
                                          const BackupProgress& progress);
  [[nodiscard]] Result<BackupList> list(const std::string& directory);
  [[nodiscard]] Result<BackupVerdict> verify(std::string_view backup, Deadline deadline);
  [[nodiscard]] Result<RestoredBackup> restore(std::string_view backup, const RestoreBackupOptions& options,
                                               command::TokenId as_token, Deadline deadline);
  [[nodiscard]] Result<std::uint64_t> cleanup(const std::string& directory, const Retention& retention);
  [[nodiscard]] Result<std::unique_ptr<Download>> open_download(std::string_view name) {
    return directory_.open_download(name);
  }
  /// A part of a backup that comes in. None: more are to come.
  [[nodiscard]] Result<std::optional<BackupInfo>> add(std::string_view name, std::uint64_t offset,
                                                      std::string_view bytes, bool is_last, Deadline deadline);

  /// Errors: overloaded; cluster_not_ready: it has stopped.
  [[nodiscard]] Result<void> run(std::move_only_function<void()> work);
  void stop();

 private:
  Service(node::Runtime& runtime, const base::Schedule& schedule);

  [[nodiscard]] Watch watch_until(Deadline deadline, const BackupProgress& progress) const;
  [[nodiscard]] Result<std::string> path_of(std::string_view backup) const;
  void work_for_ever();
  void follow_schedule();
  void make_scheduled();
  void say(LogLevel level, const std::string& line) const;

  node::Runtime& runtime_;
  const std::unique_ptr<env::FileSystem> files_ = env::make_real_file_system();
  const base::Schedule schedule_;
  const std::string owner_;
  Directory directory_;
  std::atomic<bool> is_stopping_{false};
  std::atomic<bool> is_restoring_{false};

  base::Mutex mutex_;
  base::CondVar woken_;
  std::deque<std::move_only_function<void()>> works_ ABSL_GUARDED_BY(mutex_);
  std::size_t idle_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::thread> threads_ ABSL_GUARDED_BY(mutex_);
  std::thread scheduler_;
};

}  // namespace concord::backup

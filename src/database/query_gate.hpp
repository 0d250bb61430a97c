// Asynchronous queries that wait in the host's executor: they may come to run after the node has gone, and then say so.
//
// Thread rule: any thread.
#pragma once

#include <condition_variable>
#include <mutex>

#include "database/local_database.hpp"

namespace concord::database {

class QueryGate {
 public:
  explicit QueryGate(LocalDatabase& database) : database_(&database) {}

  /// The database, which stays until `leave`; null when it has gone.
  [[nodiscard]] LocalDatabase* enter() {
    const std::lock_guard lock(mutex_);
    if (database_ != nullptr) ++inside_;
    return database_;
  }
  void leave() {
    const std::lock_guard lock(mutex_);
    if (--inside_ == 0) left_.notify_all();
  }
  /// Returns when nobody is inside; queries end at their deadline at the latest.
  void close() {
    std::unique_lock lock(mutex_);
    database_ = nullptr;
    left_.wait(lock, [this] { return inside_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable left_;
  LocalDatabase* database_;
  int inside_ = 0;
};

}  // namespace concord::database

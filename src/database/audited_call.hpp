// What a call of the embedded node tells the audit log: one entry, as a request over HTTP does (http/auditing.hpp).
//
//     AuditedCall audited(database, "put", facts);
//     if (auto room = audited.begin(); !room) return std::unexpected(room.error());      // nothing was done
//     auto result = run();
//     audited.end(result, span);
//
// Thread rule: one thread at a time; it may end on another one than it began on.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concord/backup.hpp>
#include <concord/store.hpp>

#include "audit/log.hpp"
#include "observe/span.hpp"

namespace concord::database {

class LocalDatabase;

/// All of it is viewed while the call begins, and until it ends unless it is kept.
struct AuditFacts {
  bool is_read = false;
  std::string_view token = {};  ///< the secret by which it is made
  std::chrono::milliseconds timeout{5000};
  std::string_view key = {};
  std::optional<bool> has_ttl = {};
  std::uint32_t ttl_s = 0;
  std::optional<bool> is_compressed = {};
  std::string_view target = {};
  std::vector<std::string_view> keys = {};
  bool is_conditional = false;  ///< a transaction that is a put or a delete under a condition
  bool has_guards = false;      ///< a transaction
};

class AuditedCall {
 public:
  AuditedCall(LocalDatabase& database, std::string_view operation, const AuditFacts& facts);

  /// Takes room, if the call is to be recorded whatever comes of it. Errors: as `audit::Log::wait_room`.
  [[nodiscard]] Result<void> begin();
  /// Copies what is viewed: the call ends when that has gone.
  void keep();

  template <class T>
  void end(const Result<T>& result, const observe::Span* span) noexcept {
    if (result) {
      if constexpr (!std::is_void_v<T>) note(*result);
      record(std::nullopt, span);
    } else {
      record(result.error().code(), span);
    }
  }

 private:
  void note(Revision revision) noexcept { record_.revision = revision.value(); }
  void note(const BulkResult& result) noexcept { record_.revision = result.changed ? result.revision.value() : 0; }
  void note(const RestoredBackup& restored) noexcept { record_.revision = restored.revision.value(); }
  void note(const TransactionResult& result) noexcept;
  void note(const CreatedToken& token);
  void note(std::uint64_t count) noexcept {
    if (!is_read_) record_.count = count;
  }
  template <class T>
  void note(const T&) noexcept {}  // of a read
  void record(std::optional<Errc> error, const observe::Span* span) noexcept;

  struct Kept {
    std::string key;
    std::string target;
    std::vector<std::string> keys;
  };

  audit::Log* log_;
  std::shared_ptr<audit::Log> kept_log_;  ///< of a call that is kept: the database may have gone when it ends
  LocalDatabase* database_;               ///< null once what is viewed was copied
  std::string_view token_;
  audit::Record record_;
  audit::Room room_;
  std::chrono::milliseconds timeout_;
  std::vector<std::string_view> keys_;
  std::unique_ptr<Kept> kept_;
  std::string made_;  ///< the id of a token that was made
  std::optional<Errc> guard_error_;
  bool is_read_;
  bool is_conditional_;
  bool has_guards_;
};

/// Of a transaction: its keys, and whether it is a conditional write of one.
[[nodiscard]] AuditFacts facts_of(const Transaction& transaction, const WriteOptions& options);
/// "put_if", "delete_if", "txn".
[[nodiscard]] std::string_view operation_of(const Transaction& transaction) noexcept;

}  // namespace concord::database

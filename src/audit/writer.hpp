// Writes the files of a log: one line after the other, a file a day, another one when it is large.
//
// Lines are put together in memory (`append`), handed to the kernel (`flush`), and made durable (`sync`), which also moves the signed
// state. A flush that fails is made again, at the same place, with the same bytes; nothing is lost by it. After a failed sync nobody
// knows what is on the disk: that file is left, and a new one begun which says so.
//
// A file ends with a mark and is never written to again; then its name changes, when the day goes on; then the next one begins. Each step
// may fail and is made again, as far as it was not done.
//
// What is found at the start, of whoever was killed: an unfinished last line is written over by an entry that says so
// ("audit_recovered"), which is as long. Whatever else does not fit, like a file that is shorter than the state says, is left as it
// is for `verify` to tell, and a new file is begun.
//
// Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/catalog.hpp"
#include "audit/line.hpp"
#include "audit/state.hpp"
#include "env/clock.hpp"
#include "env/file_system.hpp"

namespace concord::audit {

struct WriterSettings {
  std::string directory;
  std::string key_path;
  LineStyle style;
  std::uint64_t rotation_size_bytes = 100U << 20U;
  std::uint32_t retention_days = 90;
  std::uint64_t seed = 0;  ///< of event ids
};

/// How far the newest file has come.
struct Position {
  std::uint64_t file = 0;
  std::uint64_t size_bytes = 0;
  Hex last = no_hash();
};

class Writer {
 public:
  /// `files` and `clock` outlive it. What is remarkable is appended to `remarks`, for the log of the node.
  [[nodiscard]] static Result<Writer> open(env::FileSystem& files, const env::Clock& clock, WriterSettings settings,
                                           std::vector<std::string>& remarks);

  /// Begins another file when it is time. To be called before lines are appended: they are chained to the file that is there then.
  /// Errors: storage_full, storage_failed.
  [[nodiscard]] Result<void> prepare();
  /// Never before what was appended last: a step back of the clock is not seen. Precondition: `prepare` has succeeded.
  void append(Record record);
  [[nodiscard]] bool has_appended() const noexcept { return !pending_.empty(); }
  /// Hands to the kernel what was appended. Errors: storage_full, storage_failed.
  [[nodiscard]] Result<void> flush();
  /// Precondition: everything is flushed. Errors: storage_full, storage_failed.
  [[nodiscard]] Result<void> sync();
  [[nodiscard]] bool is_synced() const noexcept { return is_synced_; }
  /// The next `prepare` begins another file.
  void rotate() noexcept { wants_rotation_ = true; }
  /// Removes the files of days that need not be kept, and writes how many, if there were any.
  [[nodiscard]] Result<std::uint64_t> cleanup();
  /// For good. Precondition: as `sync`.
  [[nodiscard]] Result<void> close();

  [[nodiscard]] Position position() const noexcept {
    return {.file = file_number_, .size_bytes = size_, .last = written_};
  }
  [[nodiscard]] std::uint64_t oldest() const noexcept { return oldest_; }
  [[nodiscard]] const std::string& key() const noexcept { return key_; }

 private:
  Writer(env::FileSystem& files, const env::Clock& clock, WriterSettings settings, std::string key, StateFile state);

  void recover(std::vector<CatalogFile> catalog, const ReadState& state, std::vector<std::string>& remarks);
  [[nodiscard]] Result<void> go_on_with(const CatalogFile& newest, const State& state,
                                        std::vector<std::string>& remarks);
  void write_over(std::uint64_t torn_bytes);
  void leave_file(const Hex& last, std::uint64_t number);
  [[nodiscard]] Result<void> begin_next_file();
  [[nodiscard]] Result<void> end_file();
  [[nodiscard]] Result<void> sync_all();
  [[nodiscard]] Result<void> free_name();
  [[nodiscard]] Result<void> open_next_file();
  [[nodiscard]] std::string path_of(const std::string& name) const { return settings_.directory + "/" + name; }
  [[nodiscard]] bool is_there(const std::string& name) const;
  [[nodiscard]] State state() const noexcept;
  [[nodiscard]] std::int64_t now_us() noexcept;

  env::FileSystem* files_;
  const env::Clock* clock_;
  WriterSettings settings_;
  std::string key_;
  StateFile state_file_;
  LineMaker lines_;
  Sha256 sha256_;

  std::unique_ptr<env::File> file_;  ///< null: there is none, or it was left
  std::string name_;
  std::string date_;  ///< in `name_`
  std::uint64_t file_number_ = 0;
  std::uint64_t oldest_ = 1;
  std::uint64_t size_ = 0;             ///< of what was flushed
  std::uint64_t entries_ = 0;          ///< in the file and in `pending_`
  std::uint64_t written_entries_ = 0;  ///< in the file
  std::string pending_;                ///< lines that are to stand behind
  Hex last_ = no_hash();               ///< of the last line, of `pending_` too
  Hex written_ = no_hash();            ///< of the last line that was flushed
  std::int64_t last_us_ = 0;
  bool is_synced_ = true;
  bool has_ended_ = false;     ///< its last line is a mark
  bool is_name_free_ = false;  ///< that of the next file
  bool is_unsealed_ = false;   ///< the file before the next one was left
  bool wants_rotation_ = false;
};

}  // namespace concord::audit

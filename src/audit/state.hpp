// Where a log is, signed, beside its files: so that a file that has gone, or the end of one, is missed.
//
//   audit.state := slot slot          the good one of the two with the higher update counts
//   slot        := text ",\"signature\":\"" HMAC-SHA-256 of text, with the log's key "\"}" " "* LF        512 bytes
//   text        := {"format":1 "update" "oldest" "newest" "entries" "size_bytes" "last" ["closed":true]
//
// "oldest" and "newest" are numbers of files; the other members are those of the newest file: entries that are durable in it, the bytes
// they take, the hash of its last line. "closed" says that nobody writes to it since, so nothing may stand behind that. The slots are written in turn, so one is whole whatever happens.
//
// Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "audit/digest.hpp"
#include "env/file_system.hpp"

namespace concord::audit {

inline constexpr std::string_view state_name = "audit.state";
inline constexpr std::string_view key_name = "audit.key";

struct State {
  std::uint64_t update = 0;
  std::uint64_t oldest = 1;
  std::uint64_t newest = 0;  ///< 0: there is no file yet
  std::uint64_t entries = 0;
  std::uint64_t size_bytes = 0;
  Hex last = no_hash();
  bool is_closed = false;
};

/// What a state file holds.
struct ReadState {
  std::optional<State> state = {};      ///< none: no slot is good
  bool is_signed_by_other_key = false;  ///< there is one, but the key does not fit
};

/// An empty key: signatures are not looked at. Errors: those of the files, not_found too.
[[nodiscard]] Result<ReadState> read_state(env::FileSystem& files, const std::string& directory, std::string_view key);

class StateFile {
 public:
  /// Made when missing.
  [[nodiscard]] static Result<StateFile> open(env::FileSystem& files, const std::string& directory, std::string key);

  [[nodiscard]] Result<void> write(State state);
  /// Of what stands there after a loss of power. Else it may be that of some seconds before, which is as good.
  [[nodiscard]] Result<void> sync() { return file_->sync(); }

 private:
  StateFile(std::unique_ptr<env::File> file, std::string key, std::uint64_t update)
      : file_(std::move(file)), key_(std::move(key)), update_(update) {}

  std::unique_ptr<env::File> file_;
  std::string key_;
  std::uint64_t update_;
};

/// The log's key, as it stands in its file. Errors: those of the file; not_found; invalid_request (it holds no key).
[[nodiscard]] Result<std::string> read_key(env::FileSystem& files, const std::string& path);
/// Made when missing.
[[nodiscard]] Result<std::string> read_or_make_key(env::FileSystem& files, const std::string& path);

}  // namespace concord::audit

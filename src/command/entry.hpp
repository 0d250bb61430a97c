// The bytes of a log entry: a batch of commands under one stamp of time. The grammar stands here; docs/FORMATS.md repeats it.
//
//   entry       := format:u8(=1) cluster_time_ms:varint wall_offset_ms:zigzag-varint command*
//   command     := kind:u8 request body
//   request     := node:varint incarnation:varint sequence:varint
//   kind 1      plain put            body := key:bytes value:bytes ttl_s:varint
//   kind 2      plain remove         body := key:bytes
//   kind 3      transaction          body := size:varint guards then otherwise        (size in bytes of what follows)
//   kind 4      expire               body := due_ms:varint limit:varint               ("time is now due_ms"; DESIGN 7)
//   kind 5      plain touch          body := key:bytes ttl_s:varint
//   kind 6      transaction once     body := scope:bytes key:bytes fingerprint:fixed64 then that of kind 3
//   kind 7      token create         body := token:fixed64 hash:32 permissions:u8 expires_in_s:varint flags:u8
//                                            [user:bytes] [tenant:bytes] description:bytes count:varint prefix:bytes*
//                                    flags := 1: only as the first admin | 2: user follows | 4: tenant follows
//   kind 8      token revoke         body := token:fixed64
//   kind 9      with a token         9:u8 token:fixed64 command, instead of any but kind 4 alone: done only when this token, as it
//                                    is where the command stands in the log, may do it
//   kind 10     restore begin        body := restore:fixed64 wall_offset_ms:zigzag-varint with_tokens:u8(0|1) count:varint prefix:bytes*
//   kind 11     restore chunk        body := restore:fixed64 number:varint items:bytes
//   kind 12     restore commit       body := restore:fixed64 chunks:varint crc:fixed32
//   kind 13     restore abort        body := restore:fixed64
//   kind 14     access set           body := record:bytes            (a role, user or tenant: acl/record.hpp)
//   kind 15     access remove        body := kind:u8(1|2|3) name:bytes
//   guards      := count:varint guard*        then, otherwise := count:varint operation*
//   guard       := kind:u8 key:bytes argument (value:bytes | revision:varint | nothing | nothing | filter:bytes)
//   operation   := kind:u8 then put: key:bytes value:bytes ttl_s:varint; remove, get: key:bytes; touch: key:bytes ttl_s:varint;
//                  delete_where: present:u8 (bit i: part i of Selector in its order) parts:bytes* limit:varint
//                  max_removed:varint max_visited:varint
//   ttl_s       := seconds | 0 "no expiry" (put) | 2^32-1 "the deadline it has" (put)
//
// `wall_offset_ms` is wall clock minus cluster time when the leader made the entry: over a stop of the whole cluster it
// tells how long the stop was (CONTRACT 2). Numbers are never renumbered; a reader refuses a format or kind it does not know.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.hpp"
#include "base/wire.hpp"
#include "command/access.hpp"
#include "command/restore.hpp"
#include "command/token.hpp"
#include "command/transaction.hpp"

namespace concord::command {

inline constexpr std::uint8_t entry_format = 1;

struct EntryStamp {
  base::ClusterTimeMs cluster_time_ms = 0;
  std::int64_t wall_offset_ms = 0;
};

enum class CommandKind : std::uint8_t {
  put = 1,
  remove = 2,
  transaction = 3,
  expire = 4,
  touch = 5,
  once = 6,
  token_create = 7,
  token_revoke = 8,
  // 9 stands before a command
  restore_begin = 10,
  restore_chunk = 11,
  restore_commit = 12,
  restore_abort = 13,
  access_set = 14,
  access_remove = 15,
};

[[nodiscard]] constexpr bool is_of_restore(CommandKind kind) noexcept {
  return kind >= CommandKind::restore_begin && kind <= CommandKind::restore_abort;
}

// Writing: begin an entry, append commands. A command is encoded by the calling thread, before it is queued; the driver
// only concatenates. `append_*` write a whole command.
void begin_entry(std::string& to, const EntryStamp& stamp);
void append_put(std::string& to, const base::RequestId& request, std::string_view key, std::string_view value,
                std::uint32_t ttl_s);
void append_remove(std::string& to, const base::RequestId& request, std::string_view key);
void append_touch(std::string& to, const base::RequestId& request, std::string_view key, std::uint32_t ttl_s);
void append_transaction(std::string& to, const base::RequestId& request, const Transaction& transaction);
void append_once(std::string& to, const base::RequestId& request, const Once& once, const Transaction& transaction);
void append_expire(std::string& to, const base::RequestId& request, base::ClusterTimeMs due_ms, std::uint64_t limit);
void append_token_create(std::string& to, const base::RequestId& request, const TokenRecord& token);
void append_token_revoke(std::string& to, const base::RequestId& request, TokenId token);
/// `kind`: one of the four.
void append_restore(std::string& to, const base::RequestId& request, CommandKind kind, const RestoreStep& step);
void append_access_set(std::string& to, const base::RequestId& request, std::string_view record);
void append_access_remove(std::string& to, const base::RequestId& request, const AccessStep& step);
/// The command that is appended next is done in the name of `token`.
void append_with_token(std::string& to, TokenId token);

/// One command of an entry; views the entry's bytes.
struct Command {
  CommandKind kind = CommandKind::put;
  base::RequestId request;
  std::string_view key;            ///< put, remove, touch
  std::string_view value;          ///< put
  std::uint32_t ttl_s = 0;         ///< put, touch
  base::ClusterTimeMs due_ms = 0;  ///< expire
  std::uint64_t limit = 0;         ///< expire: at most so many keys
  Once once;                       ///< once
  Transaction transaction;         ///< transaction, once; its vectors are reused from command to command
  TokenId as_token;                ///< in whose name it is done; 0: in nobody's, authentication is off
  TokenRecord token;               ///< token_create; of token_revoke its id
  RestoreStep restore;             ///< restore_*
  AccessStep access;               ///< access_set, access_remove
};

/// Reads an entry front to back without copying. After `next` returned false, `ok()` tells a clean end from bad bytes.
class EntryReader {
 public:
  explicit EntryReader(std::string_view entry);

  [[nodiscard]] const EntryStamp& stamp() const noexcept { return stamp_; }
  [[nodiscard]] bool next(Command& command);
  [[nodiscard]] bool ok() const noexcept { return reader_.ok(); }

 private:
  void read_body(Command& command);

  base::Reader reader_;
  EntryStamp stamp_;
};

}  // namespace concord::command

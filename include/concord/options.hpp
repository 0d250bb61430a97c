// How a node is opened, and what a single call may ask for.
//
// Units stand in the type (`std::chrono`) or last in the name (`_bytes`). Every default is the documented one of the same
// configuration key (`concord config show`), so a default `Options{}` and a server started without flags agree.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concord/clock.hpp>
#include <concord/compression.hpp>
#include <concord/observability.hpp>

namespace concord {

/// When a write is acknowledged.
enum class Durability : std::uint8_t {
  disk,    ///< After fdatasync on a quorum: survives power loss.
  os,      ///< After the kernel has it on a quorum: survives kill -9, not power loss.
  memory,  ///< After a quorum holds it in memory; the log is written within `Options::flush_interval`.
};

/// How fresh a read must be.
enum class ReadConsistency : std::uint8_t {
  eventual,  ///< This node's applied state; wait-free.
  leader,    ///< The leader's applied state, without a round trip.
  strong,    ///< Linearizable: leadership confirmed after the call began.
};

enum class LogLevel : std::uint8_t { trace, debug, info, warn, error, off };

struct Limits {
  std::size_t max_value_bytes = 8U << 20U;        ///< Largest value: JSON text or bytes; at most 64 MiB.
  std::size_t max_in_flight = 65'536;             ///< Writes accepted and not yet answered; above: `overloaded`.
  std::size_t max_in_flight_bytes = 256U << 20U;  ///< Their encoded size; above: `overloaded`.
};

struct SnapshotPolicy {
  std::uint64_t every_entries = 1'000'000;  ///< Take a snapshot after so many log entries ...
  std::uint64_t every_bytes = 256U << 20U;  ///< ... or so many bytes of log, whichever comes first.
};

/// What a node keeps of the past for event streams (concord/events.hpp).
struct EventStreamOptions {
  bool enabled = true;
  std::size_t buffer_size = 10'000;          ///< The largest `SubscribeOptions::max_demand`.
  std::uint64_t history = 100'000;           ///< So many of the newest events are kept ...
  std::uint64_t history_bytes = 64U << 20U;  ///< ... while they take no more than this, with the values in them.
};

/// A member of a cluster that is to be formed.
struct InitialMember {
  std::string name;
  std::string peer;  ///< host:port of its peer port
};

/// How nodes that are to be a cluster find each other.
enum class Discovery : std::uint8_t {
  listed,  ///< By the addresses that are given: `ClusterOptions::initial`, `join`.
  gossip,  ///< By datagrams, signed with the cookie: to a multicast group, to given addresses, or both.
  dns,     ///< By the addresses that a name has.
};

/// Being one of several nodes that are one store. Without a cookie a node is alone and opens no port.
struct ClusterOptions {
  std::string name = "concord";
  std::string cookie = {};              ///< Shared secret of the members.
  std::string peer_host = "127.0.0.1";  ///< Where the peer port listens ...
  std::uint16_t peer_port = 9100;       ///< ... 0: a free port, which `Status` tells.
  std::string advertise = {};           ///< host:port others reach it at. Empty: the host and port it listens on.
  /// The members of a new cluster, the same on each of them and this node among them. More than half of them must meet. Ignored
  /// once `data_dir` holds data, as is `join`. Neither: a node forms a cluster of one, which others may join.
  std::vector<InitialMember> initial = {};
  std::vector<std::string> join = {};  ///< Peer addresses of a cluster to join.
  bool auto_join = true;               ///< Let nodes with the right name and cookie join by themselves ...
  bool auto_promote = true;            ///< ... and vote once they have caught up.
  /// Other than `listed`: a node with an empty directory looks for others of the same name and cookie. It joins the cluster that one
  /// of them belongs to; or `expected_size` such nodes agree, all of them, to form one. Instead of `initial`.
  Discovery discovery = Discovery::listed;
  std::size_t expected_size =
      1;  ///< So many nodes form a cluster together, the same on each; those that come later join it.
  std::chrono::milliseconds settle_time{3000};  ///< The same nodes are seen for so long before they form a cluster.
  std::string dns_name = {};      ///< `dns`: a name, of nodes that all have this `peer_port`; or name:port.
  std::uint16_t gossip_port = 0;  ///< `gossip`: UDP port at `peer_host`; 0: the number of the peer port.
  std::string gossip_group = "239.255.90.40:9099";  ///< `gossip`: IPv4 group and port; empty: no multicast.
  std::string gossip_interface =
      {};                       ///< `gossip`: address of the interface for the group; empty: `peer_host`'s, or any.
  std::uint8_t gossip_ttl = 1;  ///< `gossip`: so many networks far datagrams to the group go.
  std::vector<std::string> gossip_addresses = {};  ///< `gossip`: host:port of the UDP ports of some others.
  /// Members speak TLS with each other, and each shows a certificate: all three of these, on all members, or none on any. PEM files,
  /// read again when they change. Who has none of the authority is not let in; the cookie is asked for in any case.
  std::string tls_cert =
      {};  ///< This node's own, which must be good for a server; then those that lead to an authority.
  std::string tls_key = {};  ///< Its private key, not encrypted.
  std::string tls_ca = {};   ///< Whom the others' certificates must lead to.
};

/// Asking who calls. Off: every call may do everything.
struct AuthOptions {
  bool enabled = false;
  /// The first admin token, which starts with `sk_concord_`. It is made when the data hold no admin token; once it was revoked, it
  /// is not made again. Whoever opens a store without any admin token in its data must give one.
  std::string token = {};
};

/// What becomes of calls while more audit entries wait than fit the buffer.
enum class AuditFull : std::uint8_t {
  wait,  ///< They wait before they begin, up to their timeout; then they are refused.
  drop,  ///< They go on, and their entries are dropped and counted.
};

/// Keeping an audit log (concord/audit_log.hpp).
struct AuditLogOptions {
  bool enabled = false;
  std::filesystem::path log_dir = "./audit_logs";   ///< Of this node alone. Created when missing; locked while open.
  std::uint64_t rotation_size_bytes = 100U << 20U;  ///< A file that is so large is followed by another one.
  std::chrono::days retention{90};                  ///< Files of days before that are removed.
  bool log_reads = false;                           ///< Write of calls that only read, too.
  bool sensitive_keys = false;                      ///< Write keys as they are, not their hashes.
  AuditFull when_full = AuditFull::wait;
  /// The key of the signatures, made when missing. Empty: `audit.key` in `log_dir`.
  std::filesystem::path key_file = {};
};

/// Backups that stand on the node (concord/backup.hpp).
struct BackupOptions {
  std::filesystem::path dir = "./backups";  ///< Created with the first backup.
  /// When backups are made by themselves: `off`; an interval like `30m`, `1h`, `1d`; or five fields as of cron(5), in UTC: `0 2 * * *`.
  std::string schedule = "off";
  /// What of them is removed after one was made by itself: as `CleanupBackupsOptions`. 0: no such rule; both: none is removed.
  std::uint64_t keep_count = 0;
  std::uint64_t keep_days = 0;
};

/// What `Node::open` needs. A guest in its host: nothing here opens a port, prints, or touches signals.
struct Options {
  std::string name = "node1@127.0.0.1";
  std::filesystem::path data_dir = "./data";  ///< Created when missing; locked while open.
  Durability durability = Durability::disk;
  std::chrono::milliseconds flush_interval{10};  ///< Mode `memory`: longest time a write stays unwritten.
  std::chrono::milliseconds heartbeat{50};
  std::chrono::milliseconds election_timeout{500};
  ReadConsistency default_consistency = ReadConsistency::leader;
  ClusterOptions cluster = {};
  Limits limits = {};
  SnapshotPolicy snapshot = {};
  CompressionOptions compression = {};
  EventStreamOptions event_stream = {};
  AuthOptions auth = {};
  AuditLogOptions audit_log = {};
  BackupOptions backup = {};
  MetricsOptions metrics = {};
  TelemetryOptions telemetry = {};
  TracingOptions tracing = {};
  std::chrono::milliseconds slow_call{0};  ///< Calls that take so long are logged (warn); 0: none.
  /// Runs what the library would else run on a thread of its own: completions of writes; and asynchronous queries, which would
  /// else run inside the call. What is refused, or has nothing to wait for, is answered inside the call with or without it. It
  /// must run each task once, and may run it on any thread, later. None: completions run on the node's thread.
  std::function<void(std::move_only_function<void()>)> executor = {};
  /// What the node takes for the time. None: the system's clocks.
  std::shared_ptr<const Clock> clock = {};
  /// Receives the library's log lines (one call a line, any thread). Without it nothing is logged.
  std::function<void(LogLevel, std::string_view)> log = {};
};

// The options of calls are plain data: cheap to pass, and safe to write inside a `co_await` expression. A `token` is a view and
// must live until the call has ended.

/// Options of one write.
struct PutOptions {
  std::optional<std::chrono::seconds> ttl = {};  ///< At least 1 s. None: the key does not expire.
  std::chrono::milliseconds timeout{5000};       ///< Then `timeout`, with `maybe_committed()`.
  std::string_view token = {};                   ///< Looked at when authentication is on.
  std::optional<bool> compress = {};             ///< Overrides the threshold; false: not at all.
  bool keep_ttl = false;                         ///< Keeps the remaining time the key has. Not together with `ttl`.
};

struct WriteOptions {
  std::chrono::milliseconds timeout{5000};
  std::string_view token = {};  ///< Looked at when authentication is on.
};

struct ReadOptions {
  std::optional<ReadConsistency> consistency = {};  ///< None: `Options::default_consistency`.
  std::chrono::milliseconds timeout{5000};
  std::string_view token = {};  ///< Looked at when authentication is on.
};

}  // namespace concord

/* TiKV's raft library as a machine without I/O: bytes and numbers in, bytes and numbers out.
 *
 * A node is a handle. It is created with what was recovered from disk, fed its log, started, and then driven in turns:
 *
 *     inputs (tick, step, propose, ...)  ->  engine_ready  ->  persist, send  ->  engine_advance  ->  apply
 *                                        ->  engine_advance_apply
 *
 * Between engine_ready and engine_advance every other call that could change the node answers ENGINE_MISUSE and changes
 * nothing. The engine has no clock, thread, file, socket or random number: the same calls give the same answers and bytes.
 *
 * Ownership. Bytes and arrays going in are borrowed for the call. Bytes and arrays coming out belong to the engine:
 *   - those of engine_ready and engine_advance live until the next engine_ready, engine_compact or engine_destroy;
 *   - the members of engine_conf_changed and engine_members, and the peers of engine_progress, until the same call is
 *     made again or the node is destroyed;
 *   - the text of engine_error until the next call that is not OK.
 *
 * Failure. ENGINE_REFUSED and ENGINE_MISUSE say that the call did nothing; engine_error says why. A panic inside the
 * library is caught: the call answers ENGINE_FAILED, and so does every later one, for good; engine_error keeps the reason.
 * No function unwinds into its caller. A null handle is ENGINE_MISUSE.
 *
 * Thread rule: a node is used by one thread at a time, queries included. Different nodes are independent. */
#ifndef CONCORD_ENGINE_H
#define CONCORD_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct engine_node engine_node;

typedef enum engine_status {
  ENGINE_OK = 0,
  ENGINE_REFUSED = 1,    /* the arguments cannot be; nothing changed */
  ENGINE_NOT_LEADER = 2, /* nothing changed */
  ENGINE_DROPPED = 3,    /* not now; nothing changed */
  ENGINE_MISUSE = 4,     /* called at the wrong point of a turn or of the node's life; nothing changed */
  ENGINE_FAILED = 5      /* the node is failed for good */
} engine_status;

typedef struct engine_bytes {
  const uint8_t* data; /* may be null when size is 0 */
  size_t size;
} engine_bytes;

typedef struct engine_ids {
  const uint64_t* data; /* may be null when size is 0 */
  size_t size;
} engine_ids;

typedef struct engine_conf_state {
  engine_ids voters;
  engine_ids learners;
  engine_ids voters_outgoing;
  engine_ids learners_next;
  uint8_t auto_leave;
} engine_conf_state;

typedef struct engine_config {
  uint64_t id;                         /* not 0 */
  uint64_t seed;                       /* of the election timeouts, drawn from [election_ticks, 2 * election_ticks) */
  uint32_t election_ticks;             /* > heartbeat_ticks */
  uint32_t heartbeat_ticks;            /* > 0 */
  uint64_t max_size_per_message_bytes; /* entries of one append message; one entry always fits */
  uint64_t max_inflight_messages;      /* append messages a peer has not answered */
  uint64_t max_uncommitted_bytes;      /* of a leader; one proposal always fits */
  uint64_t max_committed_per_ready_bytes; /* one entry always fits */
  uint64_t max_message_bytes;             /* larger peer messages are refused */
  /* What was recovered. Zeros and the initial members for a node that starts for the first time. */
  uint64_t hard_term;
  uint64_t hard_vote;
  uint64_t hard_commit;
  uint64_t applied;         /* where the state machine stands */
  uint64_t compacted_index; /* the entry before the first that engine_append_initial gives */
  uint64_t compacted_term;
  engine_conf_state conf_state; /* as of `applied` */
} engine_config;

/* entry types: 0 normal, 1 membership change, 2 membership change of the second format (may be empty) */
typedef struct engine_entry {
  uint64_t index;
  uint64_t term;
  engine_bytes data;
  uint32_t type;
} engine_entry;

typedef struct engine_message {
  uint64_t to;
  uint64_t snapshot_index; /* not 0: stream the snapshot of this index first; then engine_report_snapshot is due */
  engine_bytes bytes;
} engine_message;

typedef struct engine_read_state {
  uint64_t context;
  uint64_t index;
} engine_read_state;

typedef struct engine_snapshot {
  uint64_t index; /* 0: none */
  uint64_t term;
  engine_conf_state conf_state;
  engine_bytes data;
} engine_snapshot;

typedef struct engine_messages {
  const engine_message* data;
  size_t size;
} engine_messages;

typedef struct engine_entries {
  const engine_entry* data;
  size_t size;
} engine_entries;

typedef struct engine_batch {
  engine_messages messages;           /* send now */
  engine_entries entries;             /* persist behind the snapshot; the first replaces everything from its index on */
  engine_messages persisted_messages; /* send once the rest is durable */
  engine_entries committed;           /* apply in order */
  const engine_read_state* read_states;
  size_t read_states_size;
  engine_snapshot snapshot; /* install first */
  uint64_t hard_term;       /* persist behind the entries, when has_hard_state */
  uint64_t hard_vote;
  uint64_t hard_commit;
  uint8_t has_hard_state;
  uint8_t must_sync;
  uint8_t role_changed; /* role or known leader */
} engine_batch;

typedef struct engine_light_batch {
  engine_messages messages; /* send now */
  engine_entries committed; /* apply behind those of the batch */
  uint64_t commit;          /* 0: as before */
} engine_light_batch;

typedef struct engine_state {
  uint64_t term;
  uint64_t vote;
  uint64_t leader; /* 0: none known */
  uint64_t commit;
  uint64_t applied;
  uint64_t first; /* last + 1: the mirror holds no entry */
  uint64_t last;
  uint64_t log_bytes;
  uint64_t uncommitted_bytes;
  uint64_t transferee;             /* 0: no transfer */
  uint64_t pending_snapshot_index; /* follower: taken by a step and handed out by the next ready; 0: none */
  uint64_t pending_snapshot_term;
  uint8_t role; /* 0 follower, 1 pre-candidate, 2 candidate, 3 leader */
  uint8_t pending_conf_change;
  uint8_t snapshot_wanted; /* leader: a peer waits for a snapshot that the offered one is too old for */
} engine_state;

typedef struct engine_peer {
  uint64_t node;
  uint64_t match;
  uint64_t next;
  uint8_t state; /* 0 probe, 1 replicate, 2 snapshot */
  uint8_t recently_active;
  uint8_t paused;
  uint8_t is_learner;
} engine_peer;

/* --- life ---------------------------------------------------------------------------------------------------------- */

/* *out is a handle also when the answer is ENGINE_REFUSED: it tells engine_error and is to be destroyed. */
engine_status engine_create(const engine_config* config, engine_node** out);
/* The recovered entries in order, from compacted_index + 1. Before engine_start only. */
engine_status engine_append_initial(engine_node* node, const engine_entry* entry);
/* Refused when log, hard state and applied index contradict each other; the handle is then of no more use. */
engine_status engine_start(engine_node* node);
void engine_destroy(engine_node* node);
/* Why the last call was not OK, or why the node failed. UTF-8, not terminated. */
engine_bytes engine_error(const engine_node* node);
uint8_t engine_failed(const engine_node* node);

/* --- inputs -------------------------------------------------------------------------------------------------------- */

engine_status engine_tick(engine_node* node);
/* DROPPED: the last entries must be persisted first (a turn), and nobody else votes. */
engine_status engine_campaign(engine_node* node);
/* NOT_LEADER, or DROPPED: too much is uncommitted, or leadership is being transferred. */
engine_status engine_propose(engine_node* node, engine_bytes data);
/* kind: 0 add or promote a voter, 1 remove, 2 add a learner or demote. DROPPED also while a change is pending. */
engine_status engine_propose_conf_change(engine_node* node, uint32_t kind, uint64_t id, engine_bytes context);
/* For a committed membership entry that takes effect. A leader that lost its vote steps down. */
engine_status engine_apply_conf_change(engine_node* node, uint32_t type, engine_bytes data, engine_conf_state* out);
/* What a membership entry of type 1 says; `context` views `data`. Belongs to no node. REFUSED: these bytes say nothing. */
engine_status engine_decode_conf_change(engine_bytes data, uint32_t* kind, uint64_t* id, engine_bytes* context);
/* `from` is the authenticated sender. REFUSED: no correct peer says this. */
engine_status engine_step(engine_node* node, uint64_t from, engine_bytes message);
/* NOT_LEADER: none is known. DROPPED: this leader has not yet committed in its term. */
engine_status engine_read_index(engine_node* node, uint64_t context);
/* The answer of engine_read_index at once, for a sole voter that leads; 0: take the long way. Allowed in a turn. */
uint64_t engine_read_point(const engine_node* node);
engine_status engine_transfer_leader(engine_node* node, uint64_t to);
engine_status engine_report_unreachable(engine_node* node, uint64_t id);
engine_status engine_report_snapshot(engine_node* node, uint64_t id, uint8_t delivered);
engine_status engine_ping(engine_node* node);
/* A leader forgets what a peer has acknowledged: it was started again, and may have lost what it was not to keep. */
engine_status engine_peer_restarted(engine_node* node, uint64_t id);
/* A follower no longer waits for its leader: it may vote for another before the election timeout has passed. */
engine_status engine_forget_leader(engine_node* node);

/* --- a turn -------------------------------------------------------------------------------------------------------- */

uint8_t engine_has_ready(const engine_node* node);
/* Also puts the batch's snapshot, entries and hard state into the engine's mirror of the log. */
engine_status engine_ready(engine_node* node, engine_batch* out);
/* All of the batch is durable that must be. */
engine_status engine_advance(engine_node* node, engine_light_batch* out);
engine_status engine_advance_apply(engine_node* node, uint64_t index);

/* --- mirror of the log --------------------------------------------------------------------------------------------- */

/* Forgets entries up to `index` (<= applied) and keeps the term of `index`. */
engine_status engine_compact(engine_node* node, uint64_t index);
/* The newest durable snapshot (index <= applied), for peers that need compacted entries. It is offered to those it counts
 * as members. */
engine_status engine_set_snapshot(engine_node* node, const engine_snapshot* snapshot);
/* Of an entry in the mirror or of the compaction point; 0: not known here (and for index 0). */
uint64_t engine_term_at(const engine_node* node, uint64_t index);

/* --- state (allowed in a turn; zeros before engine_start) ------------------------------------------------------------ */

void engine_query(const engine_node* node, engine_state* out);
engine_status engine_members(engine_node* node, engine_conf_state* out);
/* A leader's view of the other members, by id. */
engine_status engine_progress(engine_node* node, const engine_peer** out, size_t* out_size);

#ifdef __cplusplus
}
#endif

#endif

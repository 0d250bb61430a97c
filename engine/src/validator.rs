//! What a peer may say.
//!
//! raft trusts its peers: a message that cannot come from a correct one makes it panic or, worse, believe it. Everything
//! here is refused before raft sees it, with the reason; nothing changes then.
//!
//! Not refused: a leader that is no member here. Membership is learnt from the log, so a node that lags (or waits to be
//! added) meets leaders it does not know; the connection has proved who they are. Answers of strangers are refused.

use raft::eraftpb::{Entry, Message, MessageType};
use raft::{Raft, StateRole};

use crate::conf;
use crate::storage::Mirror;

pub type Verdict = Result<(), String>;

/// Far beyond what an election a microsecond reaches; keeps `term + 1` and `index + n` from overflowing.
const MAX_NUMBER: u64 = 1 << 62;
/// node id and context, little endian
pub const READ_CONTEXT_BYTES: usize = 16;

fn require(condition: bool, reason: impl FnOnce() -> String) -> Verdict {
    if condition {
        Ok(())
    } else {
        Err(reason())
    }
}

/// `from` is the authenticated other end of the connection that brought the message.
pub fn check(message: &Message, from: u64, raft: &Raft<Mirror>) -> Verdict {
    let kind = MessageType::from_i32(message.msg_type).ok_or(format!("unknown message type {}", message.msg_type))?;
    require(message.from == from, || format!("message of node {} over the connection of node {from}", message.from))?;
    require(from != 0 && from != raft.id, || format!("node {from} is no peer"))?;
    require(message.to == raft.id, || format!("message for node {}", message.to))?;
    check_numbers(message)?;
    check_shape(message, kind)?;
    check_entries(message, kind)?;
    match kind {
        MessageType::MsgAppend => check_append(message, raft),
        MessageType::MsgHeartbeat => check_heartbeat(message, raft),
        MessageType::MsgSnapshot => check_snapshot(message, raft),
        MessageType::MsgAppendResponse => check_append_response(message, raft),
        MessageType::MsgHeartbeatResponse => check_member(message, raft),
        MessageType::MsgRequestVote | MessageType::MsgRequestPreVote => check_vote_request(message),
        MessageType::MsgRequestVoteResponse | MessageType::MsgRequestPreVoteResponse => check_member(message, raft),
        MessageType::MsgTimeoutNow => check_timeout_now(message, raft),
        MessageType::MsgReadIndex => check_read_index(message, raft),
        MessageType::MsgReadIndexResp => check_read_answer(message, raft),
        _ => Err(format!("{kind:?} is not for peers to send")),
    }
}

fn check_numbers(message: &Message) -> Verdict {
    let numbers = [
        ("term", message.term),
        ("log term", message.log_term),
        ("index", message.index),
        ("commit", message.commit),
        ("commit term", message.commit_term),
        ("reject hint", message.reject_hint),
    ];
    for (name, number) in numbers {
        require(number < MAX_NUMBER, || format!("{name} {number} is out of range"))?;
    }
    // A read request is passed on by a follower as it was made, without a term.
    let wants_term = message.msg_type != MessageType::MsgReadIndex as i32;
    require((message.term > 0) == wants_term, || format!("term {} in this kind of message", message.term))
}

/// Fields that only some kinds carry.
fn check_shape(message: &Message, kind: MessageType) -> Verdict {
    let is_snapshot = kind == MessageType::MsgSnapshot;
    require(message.snapshot.is_some() == is_snapshot, || "snapshot in the wrong kind of message, or none".into())?;
    require(message.priority == 0 && message.deprecated_priority == 0, || "election priorities are not used".into())?;
    require(message.request_snapshot == 0, || "snapshot requests are not used".into())?;
    let context_bytes = message.context.len();
    match kind {
        MessageType::MsgHeartbeat | MessageType::MsgHeartbeatResponse => {
            require(context_bytes == 0 || context_bytes == READ_CONTEXT_BYTES, || {
                format!("read context of {context_bytes} bytes")
            })
        }
        MessageType::MsgRequestVote => {
            let known = message.context.is_empty() || message.context == raft::CAMPAIGN_TRANSFER;
            require(known, || "unknown kind of campaign".into())
        }
        _ => require(context_bytes == 0, || "context in the wrong kind of message".into()),
    }
}

fn check_entries(message: &Message, kind: MessageType) -> Verdict {
    let entries = &message.entries;
    match kind {
        MessageType::MsgAppend => check_run(message, entries),
        MessageType::MsgReadIndex | MessageType::MsgReadIndexResp => {
            require(entries.len() == 1, || format!("{} entries where one is due", entries.len()))
        }
        _ => require(entries.is_empty(), || "entries in the wrong kind of message".into()),
    }
}

/// Entries follow `index` without a gap; terms never fall and never pass the sender's.
fn check_run(message: &Message, entries: &[Entry]) -> Verdict {
    let mut term = message.log_term;
    for (index, entry) in (message.index + 1..).zip(entries) {
        require(entry.index == index, || format!("entry {} where {index} is due", entry.index))?;
        require(entry.term >= term.max(1), || format!("term falls from {term} to {} at entry {index}", entry.term))?;
        require((0..=2).contains(&entry.entry_type), || format!("unknown type {} of entry {index}", entry.entry_type))?;
        require(entry.context.is_empty() && !entry.sync_log, || format!("unused fields set in entry {index}"))?;
        term = entry.term;
    }
    require(term <= message.term, || format!("entries of term {term} in a message of term {}", message.term))
}

/// Nobody else can lead in a term that we lead.
fn check_one_leader(message: &Message, raft: &Raft<Mirror>) -> Verdict {
    let rival = raft.state == StateRole::Leader && message.term == raft.term;
    require(!rival, || format!("node {} leads in term {} that is led here", message.from, message.term))
}

fn check_append(message: &Message, raft: &Raft<Mirror>) -> Verdict {
    check_one_leader(message, raft)?;
    require((message.index == 0) == (message.log_term == 0), || {
        format!("log term {} at index {}", message.log_term, message.index)
    })?;
    let committed = raft.raft_log.committed;
    if message.term < raft.term || message.index < committed {
        return Ok(()); // raft looks at no entry of it
    }
    // A leader holds everything committed, so behind it its terms are not lower. raft panics while it searches for the
    // place to go on from otherwise.
    let committed_term = raft.raft_log.term(committed).unwrap_or(0);
    let agrees =
        message.log_term >= committed_term && (message.index > committed || message.log_term == committed_term);
    require(agrees, || {
        format!("log term {} at {} contradicts committed entry {committed}", message.log_term, message.index)
    })
}

/// A leader never tells a follower to commit what that follower has not acknowledged.
fn check_heartbeat(message: &Message, raft: &Raft<Mirror>) -> Verdict {
    check_one_leader(message, raft)?;
    let last = raft.raft_log.last_index();
    require(message.commit <= last, || format!("commit {} behind our last entry {last}", message.commit))
}

fn check_snapshot(message: &Message, raft: &Raft<Mirror>) -> Verdict {
    check_one_leader(message, raft)?;
    let metadata = message.get_snapshot().get_metadata();
    let (index, term) = (metadata.index, metadata.term);
    require(index > 0 && index < MAX_NUMBER, || format!("snapshot index {index} is out of range"))?;
    require(term > 0 && term <= message.term, || {
        format!("snapshot of term {term} in a message of term {}", message.term)
    })?;
    let members = metadata.get_conf_state();
    conf::check(members).map_err(|reason| format!("members of the snapshot: {reason}"))?;
    require(conf::contains(members, raft.id), || "this node is no member of the snapshot".into())?;
    let committed = raft.raft_log.committed;
    let contradicts = index == committed && raft.raft_log.term(committed).unwrap_or(0) != term;
    require(!contradicts, || format!("snapshot term {term} contradicts committed entry {committed}"))
}

fn check_member(message: &Message, raft: &Raft<Mirror>) -> Verdict {
    require(raft.prs().get(message.from).is_some(), || format!("answer of node {}, which is no member", message.from))
}

fn check_append_response(message: &Message, raft: &Raft<Mirror>) -> Verdict {
    check_member(message, raft)?;
    if raft.state != StateRole::Leader || message.term != raft.term {
        return Ok(());
    }
    // Its commit may well be ahead of a new leader's, never of the entries that every leader holds.
    let last = raft.raft_log.last_index();
    require(message.index <= last && message.reject_hint <= last && message.commit <= last, || {
        format!(
            "node {} answers for entries that this leader never had ({}, {}, {})",
            message.from, message.index, message.reject_hint, message.commit
        )
    })
}

fn check_vote_request(message: &Message) -> Verdict {
    require(message.log_term < message.term, || format!("campaign for term {} with a log of it", message.term))?;
    let fits = message.commit <= message.index && message.commit_term <= message.log_term;
    require(fits, || format!("commit {} behind the log {}", message.commit, message.index))
}

fn check_timeout_now(message: &Message, raft: &Raft<Mirror>) -> Verdict {
    let leads = raft.leader_id == message.from && raft.term == message.term;
    require(leads, || format!("node {} hands on a leadership that it does not hold", message.from))
}

fn check_read_index(message: &Message, raft: &Raft<Mirror>) -> Verdict {
    check_member(message, raft)?;
    require(raft.state == StateRole::Leader, || "read request, but this node does not lead".into())?;
    require(read_context(message).is_some_and(|(node, _)| node == message.from), || "bad read context".into())
}

fn check_read_answer(message: &Message, raft: &Raft<Mirror>) -> Verdict {
    let leads = raft.leader_id == message.from && raft.term == message.term;
    require(leads, || format!("read answer of node {}, which does not lead", message.from))?;
    require(read_context(message).is_some_and(|(node, _)| node == raft.id), || "bad read context".into())
}

fn read_context(message: &Message) -> Option<(u64, u64)> {
    decode_read_context(&message.entries.first()?.data)
}

/// Contexts of all nodes meet in the leader, which drops one it already knows: each carries the node that asked.
pub fn encode_read_context(node: u64, context: u64) -> Vec<u8> {
    [node.to_le_bytes(), context.to_le_bytes()].concat()
}

pub fn decode_read_context(bytes: &[u8]) -> Option<(u64, u64)> {
    let (node, context) = bytes.split_first_chunk::<8>()?;
    Some((u64::from_le_bytes(*node), u64::from_le_bytes(context.try_into().ok()?)))
}

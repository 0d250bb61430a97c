//! The functions of engine.h. Words and rules stand there; here is only their translation.
//!
//! All unsafe code of the crate is in this directory. What it relies on: handles come from `engine_create` and are used by
//! one thread at a time; in-going pointers are valid for the call; `engine_bytes` with size 0 may be null.

mod handle;
mod types;

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;

use raft::eraftpb::{ConfState, Entry, Snapshot, SnapshotMetadata};
use raft::{ProgressState, StateRole};

#[cfg(test)]
pub use handle::guarded as guarded_for_test;
use handle::{guarded, Phase};
pub use handle::{EngineNode, Status};
use types::*;

use crate::conf;
use crate::loading::Loading;
use crate::node::{Denial, Limits, Node, Outcome};
use crate::storage::Position;

fn recovered(config: &CConfig) -> Result<Loading, String> {
    let limits = Limits {
        seed: config.seed,
        election_ticks: config.election_ticks as usize,
        heartbeat_ticks: config.heartbeat_ticks as usize,
        max_size_per_message_bytes: config.max_size_per_message_bytes,
        max_inflight_messages: config.max_inflight_messages as usize,
        max_uncommitted_bytes: config.max_uncommitted_bytes,
        max_committed_per_ready_bytes: config.max_committed_per_ready_bytes,
        max_message_bytes: config.max_message_bytes,
    };
    let hard_state =
        raft::eraftpb::HardState { term: config.hard_term, vote: config.hard_vote, commit: config.hard_commit };
    let compacted = Position { index: config.compacted_index, term: config.compacted_term };
    let conf_state = unsafe { config.conf_state.to_owned() };
    Loading::new(config.id, limits, hard_state, conf_state, compacted, config.applied)
}

// --- life ---------------------------------------------------------------------------------------------------------------

#[no_mangle]
pub unsafe extern "C" fn engine_create(config: *const CConfig, out: *mut *mut EngineNode) -> Status {
    if config.is_null() || out.is_null() {
        return Status::Misuse;
    }
    handle::silence_panics();
    let mut node = Box::new(EngineNode::default());
    let status = guarded(node.as_mut(), |node| {
        match recovered(unsafe { &*config }) {
            Ok(loading) => node.phase = Phase::Loading(Box::new(loading)),
            Err(reason) => return Err(Denial::Refused(reason)),
        }
        Ok(())
    });
    unsafe { *out = Box::into_raw(node) };
    status
}

#[no_mangle]
pub unsafe extern "C" fn engine_append_initial(node: *mut EngineNode, entry: *const CEntry) -> Status {
    guarded(unsafe { node.as_mut() }, |node| {
        let Phase::Loading(loading) = &mut node.phase else {
            return Err(Denial::Misuse("the node is started"));
        };
        let entry = unsafe { &*entry };
        let data = unsafe { entry.data.as_slice() }.to_vec();
        let entry_type = i32::try_from(entry.entry_type).unwrap_or(-1);
        let entry = Entry { entry_type, term: entry.term, index: entry.index, data, ..Entry::default() };
        loading.append(entry).map_err(Denial::Refused)
    })
}

#[no_mangle]
pub unsafe extern "C" fn engine_start(node: *mut EngineNode) -> Status {
    guarded(unsafe { node.as_mut() }, |node| {
        if !matches!(node.phase, Phase::Loading(_)) {
            return Err(Denial::Misuse("the node is started, or was refused"));
        }
        if let Phase::Loading(loading) = std::mem::take(&mut node.phase) {
            node.phase = Phase::Running(Box::new(loading.start().map_err(Denial::Refused)?));
        }
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn engine_destroy(node: *mut EngineNode) {
    if !node.is_null() {
        let node = unsafe { Box::from_raw(node) };
        let _ = catch_unwind(AssertUnwindSafe(move || drop(node)));
    }
}

#[no_mangle]
pub unsafe extern "C" fn engine_error(node: *const EngineNode) -> CBytes {
    let text = unsafe { node.as_ref() }.map_or("no node", |node| node.error());
    CBytes::of(text.as_bytes())
}

#[no_mangle]
pub unsafe extern "C" fn engine_failed(node: *const EngineNode) -> u8 {
    unsafe { node.as_ref() }.is_none_or(EngineNode::is_failed).into()
}

// --- inputs -------------------------------------------------------------------------------------------------------------

fn running(node: *mut EngineNode, call: impl FnOnce(&mut Node) -> Outcome) -> Status {
    guarded(unsafe { node.as_mut() }, |node| call(node.running()?))
}

#[no_mangle]
pub unsafe extern "C" fn engine_tick(node: *mut EngineNode) -> Status {
    running(node, Node::tick)
}

#[no_mangle]
pub unsafe extern "C" fn engine_campaign(node: *mut EngineNode) -> Status {
    running(node, Node::campaign)
}

#[no_mangle]
pub unsafe extern "C" fn engine_propose(node: *mut EngineNode, data: CBytes) -> Status {
    running(node, |node| node.propose(unsafe { data.as_slice() }))
}

#[no_mangle]
pub unsafe extern "C" fn engine_propose_conf_change(
    node: *mut EngineNode,
    kind: u32,
    id: u64,
    context: CBytes,
) -> Status {
    let kind = i32::try_from(kind).unwrap_or(-1);
    running(node, |node| node.propose_conf_change(kind, id, unsafe { context.as_slice() }))
}

#[no_mangle]
pub unsafe extern "C" fn engine_apply_conf_change(
    node: *mut EngineNode,
    entry_type: u32,
    data: CBytes,
    out: *mut CConfState,
) -> Status {
    let entry_type = i32::try_from(entry_type).unwrap_or(-1);
    guarded(unsafe { node.as_mut() }, |node| {
        node.members = node.running()?.apply_conf_change(entry_type, unsafe { data.as_slice() })?;
        unsafe { *out = CConfState::of(&node.members) };
        Ok(())
    })
}

/// Belongs to no node: the same bytes say the same everywhere.
#[no_mangle]
pub unsafe extern "C" fn engine_decode_conf_change(
    data: CBytes,
    kind: *mut u32,
    id: *mut u64,
    context: *mut CBytes,
) -> Status {
    let data = unsafe { data.as_slice() };
    let Ok(Ok(change)) = catch_unwind(|| conf::read_change(data)) else { return Status::Refused };
    unsafe {
        *kind = change.kind as u32;
        *id = change.node;
        *context = CBytes::of(change.context);
    }
    Status::Ok
}

#[no_mangle]
pub unsafe extern "C" fn engine_step(node: *mut EngineNode, from: u64, message: CBytes) -> Status {
    running(node, |node| node.step(from, unsafe { message.as_slice() }))
}

#[no_mangle]
pub unsafe extern "C" fn engine_read_index(node: *mut EngineNode, context: u64) -> Status {
    running(node, |node| node.read_index(context))
}

#[no_mangle]
pub unsafe extern "C" fn engine_read_point(node: *const EngineNode) -> u64 {
    query(node, |node| node.read_point().unwrap_or(0))
}

#[no_mangle]
pub unsafe extern "C" fn engine_transfer_leader(node: *mut EngineNode, to: u64) -> Status {
    running(node, |node| node.transfer_leader(to))
}

#[no_mangle]
pub unsafe extern "C" fn engine_report_unreachable(node: *mut EngineNode, id: u64) -> Status {
    running(node, |node| node.report_unreachable(id))
}

#[no_mangle]
pub unsafe extern "C" fn engine_report_snapshot(node: *mut EngineNode, id: u64, delivered: u8) -> Status {
    running(node, |node| node.report_snapshot(id, delivered != 0))
}

#[no_mangle]
pub unsafe extern "C" fn engine_ping(node: *mut EngineNode) -> Status {
    running(node, Node::ping)
}

#[no_mangle]
pub unsafe extern "C" fn engine_peer_restarted(node: *mut EngineNode, id: u64) -> Status {
    running(node, |node| node.peer_restarted(id))
}

#[no_mangle]
pub unsafe extern "C" fn engine_forget_leader(node: *mut EngineNode) -> Status {
    running(node, Node::forget_leader)
}

// --- a turn -------------------------------------------------------------------------------------------------------------

/// A failed node answers 0 / nothing: its numbers are not to be believed.
fn query<T: Default>(node: *const EngineNode, ask: impl FnOnce(&Node) -> T) -> T {
    match unsafe { node.as_ref() } {
        Some(EngineNode { phase: Phase::Running(running), failure: None, .. }) => {
            catch_unwind(AssertUnwindSafe(|| ask(running))).unwrap_or_default()
        }
        _ => T::default(),
    }
}

#[no_mangle]
pub unsafe extern "C" fn engine_has_ready(node: *const EngineNode) -> u8 {
    query(node, |node| node.has_ready().into())
}

#[no_mangle]
pub unsafe extern "C" fn engine_ready(node: *mut EngineNode, out: *mut CBatch) -> Status {
    guarded(unsafe { node.as_mut() }, |node| {
        let Phase::Running(running) = &mut node.phase else { return Err(handle::NOT_RUNNING) };
        running.ready()?;
        node.ready_views.fill(running, unsafe { &mut *out });
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn engine_advance(node: *mut EngineNode, out: *mut CLightBatch) -> Status {
    guarded(unsafe { node.as_mut() }, |node| {
        let Phase::Running(running) = &mut node.phase else { return Err(handle::NOT_RUNNING) };
        running.advance()?;
        node.advance_views.fill_light(running, unsafe { &mut *out });
        Ok(())
    })
}

#[no_mangle]
pub unsafe extern "C" fn engine_advance_apply(node: *mut EngineNode, index: u64) -> Status {
    running(node, |node| node.advance_apply(index))
}

// --- mirror -------------------------------------------------------------------------------------------------------------

#[no_mangle]
pub unsafe extern "C" fn engine_compact(node: *mut EngineNode, index: u64) -> Status {
    running(node, |node| node.compact(index))
}

#[no_mangle]
pub unsafe extern "C" fn engine_set_snapshot(node: *mut EngineNode, snapshot: *const CSnapshot) -> Status {
    running(node, |node| {
        let given = unsafe { &*snapshot };
        let conf_state: ConfState = unsafe { given.conf_state.to_owned() };
        let metadata = SnapshotMetadata { conf_state: Some(conf_state), index: given.index, term: given.term };
        let data = unsafe { given.data.as_slice() }.to_vec();
        node.set_snapshot(Snapshot { data, metadata: Some(metadata) })
    })
}

#[no_mangle]
pub unsafe extern "C" fn engine_term_at(node: *const EngineNode, index: u64) -> u64 {
    query(node, |node| node.mirror().term_at(index).unwrap_or(0))
}

// --- state --------------------------------------------------------------------------------------------------------------

/// Field by field where it is wanted: a copy of what was written a moment ago waits for all of it.
fn fill_state(node: &Node, out: &mut CState) {
    let raft = node.raft();
    let pending = raft.raft_log.unstable_snapshot().as_ref().map(|snapshot| snapshot.get_metadata());
    out.term = raft.term;
    out.vote = raft.vote;
    out.leader = raft.leader_id;
    out.commit = raft.raft_log.committed;
    out.applied = raft.raft_log.applied;
    out.first = raft.raft_log.first_index();
    out.last = raft.raft_log.last_index();
    out.log_bytes = node.mirror().data_bytes();
    out.uncommitted_bytes = node.uncommitted_bytes();
    out.transferee = raft.lead_transferee.unwrap_or(0);
    out.pending_snapshot_index = pending.map_or(0, |place| place.index);
    out.pending_snapshot_term = pending.map_or(0, |place| place.term);
    out.role = match raft.state {
        StateRole::Follower => 0,
        StateRole::PreCandidate => 1,
        StateRole::Candidate => 2,
        StateRole::Leader => 3,
    };
    out.pending_conf_change = (raft.state == StateRole::Leader && raft.has_pending_conf()).into();
    out.snapshot_wanted = (raft.state == StateRole::Leader && node.mirror().wants_snapshot()).into();
}

#[no_mangle]
pub unsafe extern "C" fn engine_query(node: *const EngineNode, out: *mut CState) {
    let out = unsafe { &mut *out };
    let is_filled = query(node, |node| {
        fill_state(node, out);
        true
    });
    if !is_filled {
        *out = CState::default();
    }
}

#[no_mangle]
pub unsafe extern "C" fn engine_members(node: *mut EngineNode, out: *mut CConfState) -> Status {
    guarded(unsafe { node.as_mut() }, |node| {
        node.members = node.running()?.members();
        unsafe { *out = CConfState::of(&node.members) };
        Ok(())
    })
}

fn peers_of(node: &Node) -> Vec<CPeer> {
    let raft = node.raft();
    if raft.state != StateRole::Leader {
        return Vec::new();
    }
    let members = node.members();
    let others = raft.prs().iter().filter(|(id, _)| **id != raft.id);
    let mut peers: Vec<CPeer> = others
        .map(|(id, progress)| CPeer {
            node: *id,
            matched: progress.matched,
            next: progress.next_idx,
            state: match progress.state {
                ProgressState::Probe => 0,
                ProgressState::Replicate => 1,
                ProgressState::Snapshot => 2,
            },
            recently_active: progress.recent_active.into(),
            paused: progress.is_paused().into(),
            is_learner: members.learners.contains(id).into(),
        })
        .collect();
    peers.sort_unstable_by_key(|peer| peer.node);
    peers
}

#[no_mangle]
pub unsafe extern "C" fn engine_progress(
    node: *mut EngineNode,
    out: *mut *const CPeer,
    out_size: *mut usize,
) -> Status {
    guarded(unsafe { node.as_mut() }, |node| {
        node.peers = peers_of(node.running()?);
        unsafe {
            *out = if node.peers.is_empty() { ptr::null() } else { node.peers.as_ptr() };
            *out_size = node.peers.len();
        }
        Ok(())
    })
}

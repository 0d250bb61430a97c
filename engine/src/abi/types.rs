//! The structs of engine.h, in its order, and how they are made to view a node's memory.

use std::ptr;
use std::slice;

use raft::eraftpb::ConfState;

use crate::batch::{Outbox, Run};
use crate::node::Node;
use crate::storage::Mirror;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct CSlice<T> {
    data: *const T,
    size: usize,
}

impl<T> Default for CSlice<T> {
    fn default() -> Self {
        CSlice { data: ptr::null(), size: 0 }
    }
}

impl<T> CSlice<T> {
    pub fn of(items: &[T]) -> CSlice<T> {
        CSlice { data: items.as_ptr(), size: items.len() }
    }

    pub unsafe fn as_slice<'a>(&self) -> &'a [T] {
        if self.size == 0 {
            return &[];
        }
        unsafe { slice::from_raw_parts(self.data, self.size) }
    }
}

pub type CBytes = CSlice<u8>;

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct CConfState {
    voters: CSlice<u64>,
    learners: CSlice<u64>,
    voters_outgoing: CSlice<u64>,
    learners_next: CSlice<u64>,
    auto_leave: u8,
}

impl CConfState {
    pub fn of(state: &ConfState) -> CConfState {
        CConfState {
            voters: CSlice::of(&state.voters),
            learners: CSlice::of(&state.learners),
            voters_outgoing: CSlice::of(&state.voters_outgoing),
            learners_next: CSlice::of(&state.learners_next),
            auto_leave: state.auto_leave.into(),
        }
    }

    pub unsafe fn to_owned(self) -> ConfState {
        unsafe {
            ConfState {
                voters: self.voters.as_slice().to_vec(),
                learners: self.learners.as_slice().to_vec(),
                voters_outgoing: self.voters_outgoing.as_slice().to_vec(),
                learners_next: self.learners_next.as_slice().to_vec(),
                auto_leave: self.auto_leave != 0,
            }
        }
    }
}

#[repr(C)]
pub struct CConfig {
    pub id: u64,
    pub seed: u64,
    pub election_ticks: u32,
    pub heartbeat_ticks: u32,
    pub max_size_per_message_bytes: u64,
    pub max_inflight_messages: u64,
    pub max_uncommitted_bytes: u64,
    pub max_committed_per_ready_bytes: u64,
    pub max_message_bytes: u64,
    pub hard_term: u64,
    pub hard_vote: u64,
    pub hard_commit: u64,
    pub applied: u64,
    pub compacted_index: u64,
    pub compacted_term: u64,
    pub conf_state: CConfState,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct CEntry {
    pub index: u64,
    pub term: u64,
    pub data: CBytes,
    pub entry_type: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct CMessage {
    to: u64,
    snapshot_index: u64,
    bytes: CBytes,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct CReadState {
    context: u64,
    index: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct CSnapshot {
    pub index: u64,
    pub term: u64,
    pub conf_state: CConfState,
    pub data: CBytes,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct CBatch {
    messages: CSlice<CMessage>,
    entries: CSlice<CEntry>,
    persisted_messages: CSlice<CMessage>,
    committed: CSlice<CEntry>,
    read_states: CSlice<CReadState>,
    snapshot: CSnapshot,
    hard_term: u64,
    hard_vote: u64,
    hard_commit: u64,
    has_hard_state: u8,
    must_sync: u8,
    role_changed: u8,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct CLightBatch {
    messages: CSlice<CMessage>,
    committed: CSlice<CEntry>,
    commit: u64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct CState {
    pub term: u64,
    pub vote: u64,
    pub leader: u64,
    pub commit: u64,
    pub applied: u64,
    pub first: u64,
    pub last: u64,
    pub log_bytes: u64,
    pub uncommitted_bytes: u64,
    pub transferee: u64,
    pub pending_snapshot_index: u64,
    pub pending_snapshot_term: u64,
    pub role: u8,
    pub pending_conf_change: u8,
    pub snapshot_wanted: u8,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct CPeer {
    pub node: u64,
    pub matched: u64,
    pub next: u64,
    pub state: u8,
    pub recently_active: u8,
    pub paused: u8,
    pub is_learner: u8,
}

/// The arrays one call lends out, reused from turn to turn. What they point to is the node's: its outboxes and its mirror.
#[derive(Default)]
pub struct Views {
    messages: Vec<CMessage>,
    entries: Vec<CEntry>,
    committed: Vec<CEntry>,
    read_states: Vec<CReadState>,
}

impl Views {
    pub fn fill(&mut self, node: &Node, out: &mut CBatch) {
        let batch = &node.batch;
        view_messages(&mut self.messages, &batch.outbox);
        view_entries(&mut self.entries, node.mirror(), batch.entries);
        view_entries(&mut self.committed, node.mirror(), batch.committed);
        self.read_states.clear();
        self.read_states.extend(batch.read_states.iter().map(|&(context, index)| CReadState { context, index }));
        let messages = CSlice::of(&self.messages);
        (out.messages, out.persisted_messages) = match batch.outbox_waits_for_disk {
            true => (CSlice::default(), messages),
            false => (messages, CSlice::default()),
        };
        out.entries = CSlice::of(&self.entries);
        out.committed = CSlice::of(&self.committed);
        out.read_states = CSlice::of(&self.read_states);
        out.must_sync = batch.must_sync.into();
        out.role_changed = batch.role_changed.into();
        out.has_hard_state = batch.hard_state.is_some().into();
        if let Some(hard_state) = &batch.hard_state {
            (out.hard_term, out.hard_vote, out.hard_commit) = (hard_state.term, hard_state.vote, hard_state.commit);
        }
        out.snapshot.index = 0;
        if let Some(snapshot) = &batch.snapshot {
            let metadata = snapshot.get_metadata();
            out.snapshot.index = metadata.index;
            out.snapshot.term = metadata.term;
            out.snapshot.conf_state = CConfState::of(metadata.get_conf_state());
            out.snapshot.data = CSlice::of(&snapshot.data);
        }
    }

    pub fn fill_light(&mut self, node: &Node, out: &mut CLightBatch) {
        let light = &node.light;
        view_messages(&mut self.messages, &light.outbox);
        view_entries(&mut self.committed, node.mirror(), light.committed);
        out.messages = CSlice::of(&self.messages);
        out.committed = CSlice::of(&self.committed);
        out.commit = light.commit.unwrap_or(0);
    }
}

fn view_messages(views: &mut Vec<CMessage>, outbox: &Outbox) {
    views.clear();
    views.extend(outbox.parcels.iter().map(|parcel| CMessage {
        to: parcel.to,
        snapshot_index: parcel.snapshot_index,
        bytes: CSlice::of(&outbox.bytes[parcel.begin..parcel.end]),
    }));
}

fn view_entries(views: &mut Vec<CEntry>, mirror: &Mirror, run: Run) {
    views.clear();
    for index in run.first..run.end {
        let entry = mirror.entry(index).expect("a batch's entries are in the mirror");
        views.push(CEntry {
            index,
            term: entry.term,
            data: CSlice::of(&entry.data),
            entry_type: entry.entry_type as u32,
        });
    }
}

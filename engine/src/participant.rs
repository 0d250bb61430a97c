//! Raft and what it has handed out: what `raft::RawNode` does, for turns that end before the next begins, without its copies.
//!
//! RawNode clones each entry that is to be persisted, keeps raft's own until that is done, and clones what is committed once more.
//! Here entries move from raft's memory into the mirror, and what is to be persisted or applied is a run of them there. Raft finds an entry
//! in the mirror as soon as it is no longer its own, and knows by `persisted` alone how far the disk is.

use prost::Message as _;
use raft::eraftpb::{ConfChange, ConfChangeV2, ConfState, Entry, EntryType, HardState, Message, MessageType};
use raft::raw_node::is_local_msg;
use raft::{Config, Error, Raft, Result, SnapshotStatus, SoftState, StateRole};

use crate::batch::{Batch, LightBatch, Run};
use crate::storage::{Mirror, Position};
use crate::validator::decode_read_context;

/// What `advance` tells raft: all of it is durable then.
#[derive(Clone, Copy)]
struct Persisting {
    snapshot_index: u64,
    last_entry: Option<Position>,
}

pub struct Participant {
    pub raft: Raft<Mirror>,
    told_role: SoftState,
    told_hard_state: HardState,
    /// The last entry handed out as committed.
    handed_out: u64,
    max_committed_bytes: u64,
    /// Between `ready` and `advance`.
    persisting: Option<Persisting>,
}

fn message(kind: MessageType, from: u64) -> Message {
    Message { msg_type: kind as i32, from, ..Message::default() }
}

fn is_response(kind: MessageType) -> bool {
    use MessageType::*;
    matches!(kind, MsgAppendResponse | MsgRequestVoteResponse | MsgHeartbeatResponse | MsgRequestPreVoteResponse)
}

impl Participant {
    pub fn new(config: &Config, mirror: Mirror) -> Result<Participant> {
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let raft = Raft::new(config, mirror, &logger)?;
        Ok(Participant {
            told_role: raft.soft_state(),
            told_hard_state: raft.hard_state(),
            handed_out: config.applied,
            max_committed_bytes: config.max_committed_size_per_ready,
            persisting: None,
            raft,
        })
    }

    pub fn is_persisting(&self) -> bool {
        self.persisting.is_some()
    }

    pub fn handed_out(&self) -> u64 {
        self.handed_out
    }

    pub fn store(&self) -> &Mirror {
        self.raft.store()
    }

    pub fn mut_store(&mut self) -> &mut Mirror {
        self.raft.mut_store()
    }

    // --- inputs ---------------------------------------------------------------------------------------------------

    pub fn campaign(&mut self) -> Result<()> {
        self.raft.step(message(MessageType::MsgHup, raft::INVALID_ID))
    }

    /// What raft does with a proposal of one normal entry, without its copies. Precondition: this node leads.
    pub fn append(&mut self, data: Vec<u8>) {
        let core = &mut self.raft.r;
        let index = core.raft_log.last_index() + 1;
        assert!(index > core.raft_log.committed, "entry {index} would replace a committed one");
        let unstable = &mut core.raft_log.unstable;
        unstable.entries.push(Entry { term: core.term, index, data, ..Entry::default() });
        unstable.entries_size += unstable.entries.last().map_or(0, raft::util::entry_approximate_size);
        self.raft.bcast_append();
    }

    pub fn propose_conf_change(&mut self, change: &ConfChange) -> Result<()> {
        let entry_type = EntryType::EntryConfChange as i32;
        let mut proposal = message(MessageType::MsgPropose, raft::INVALID_ID);
        proposal.entries = vec![Entry { entry_type, data: change.encode_to_vec(), ..Entry::default() }];
        self.raft.step(proposal)
    }

    pub fn apply_conf_change(&mut self, change: &ConfChangeV2) -> Result<ConfState> {
        self.raft.apply_conf_change(change)
    }

    pub fn step(&mut self, message: Message) -> Result<()> {
        let kind = message.get_msg_type();
        if is_local_msg(kind) {
            return Err(Error::StepLocalMsg);
        }
        if is_response(kind) && self.raft.prs().get(message.from).is_none() {
            return Err(Error::StepPeerNotFound);
        }
        self.raft.step(message)
    }

    pub fn read_index(&mut self, context: Vec<u8>) {
        let mut request = message(MessageType::MsgReadIndex, raft::INVALID_ID);
        request.entries = vec![Entry { data: context, ..Entry::default() }];
        let _ = self.raft.step(request); // no answer is an answer
    }

    pub fn transfer_leader(&mut self, to: u64) {
        let _ = self.raft.step(message(MessageType::MsgTransferLeader, to));
    }

    pub fn report_unreachable(&mut self, node: u64) {
        let _ = self.raft.step(message(MessageType::MsgUnreachable, node));
    }

    pub fn report_snapshot(&mut self, node: u64, status: SnapshotStatus) {
        let reject = status == SnapshotStatus::Failure;
        let _ = self.raft.step(Message { reject, ..message(MessageType::MsgSnapStatus, node) });
    }

    // --- a turn ---------------------------------------------------------------------------------------------------

    pub fn has_ready(&self) -> bool {
        let log = &self.raft.raft_log;
        !self.raft.msgs.is_empty()
            || !log.unstable.entries.is_empty()
            || self.has_committed()
            || self.raft.hard_state() != self.told_hard_state
            || self.raft.soft_state() != self.told_role
            || !self.raft.read_states.is_empty()
            || log.unstable.snapshot.as_ref().is_some_and(|snapshot| !snapshot.is_empty())
    }

    /// Collects the batch and puts its snapshot, entries and hard state into the mirror.
    pub fn ready(&mut self, batch: &mut Batch) {
        let role = self.raft.soft_state();
        batch.role_changed = role != self.told_role;
        self.told_role = role;
        self.take_hard_state(batch);
        batch.read_states.clear();
        batch.read_states.extend(self.raft.read_states.drain(..).map(|state| {
            let (_, context) = decode_read_context(&state.request_ctx).expect("made here or checked");
            (context, state.index)
        }));
        let snapshot_index = self.take_snapshot(batch);
        let last_entry = self.take_entries(batch);
        batch.must_sync |= last_entry.is_some() || snapshot_index != 0;
        // A leader may send before it is durable here: followers write at the same time (raft thesis 10.2.1).
        batch.outbox_waits_for_disk = self.raft.state != StateRole::Leader;
        batch.committed = self.take_committed();
        batch.outbox.fill(&mut self.raft.msgs);
        self.persisting = Some(Persisting { snapshot_index, last_entry });
    }

    fn take_hard_state(&mut self, batch: &mut Batch) {
        batch.must_sync = false;
        batch.hard_state = None;
        let now = self.raft.hard_state();
        let told = &self.told_hard_state;
        if now != *told {
            batch.must_sync = now.vote != told.vote || now.term != told.term;
            self.mut_store().set_hard_state(now.clone());
            batch.hard_state = Some(now.clone());
            self.told_hard_state = now;
        }
    }

    /// Its index; 0: there is none.
    fn take_snapshot(&mut self, batch: &mut Batch) -> u64 {
        if batch.snapshot.is_none() && self.raft.raft_log.unstable.snapshot.is_none() {
            return 0; // nearly always: not even an empty one is moved
        }
        batch.snapshot = self.raft.raft_log.unstable.snapshot.take();
        let Some(metadata) = batch.snapshot.as_ref().map(|snapshot| snapshot.get_metadata()) else { return 0 };
        assert!(self.handed_out <= metadata.index, "a snapshot would undo committed entries");
        self.handed_out = metadata.index;
        self.raft.mut_store().install(metadata);
        assert!(!self.has_committed(), "what a snapshot holds is not committed again");
        metadata.index
    }

    fn take_entries(&mut self, batch: &mut Batch) -> Option<Position> {
        let log = &mut self.raft.r.raft_log;
        let unstable = &mut log.unstable;
        batch.entries = Run::of(&unstable.entries);
        let last = unstable.entries.last().map(|entry| Position { index: entry.index, term: entry.term })?;
        unstable.offset = last.index + 1;
        unstable.entries_size = 0;
        log.store.append_run(&mut unstable.entries);
        Some(last)
    }

    /// All of the batch is durable that must be. False: there was none.
    pub fn advance(&mut self, light: &mut LightBatch) -> bool {
        let Some(durable) = self.persisting.take() else { return false };
        if durable.snapshot_index != 0 {
            self.raft.on_persist_snap(durable.snapshot_index);
        }
        if let Some(last) = durable.last_entry {
            if self.leads_alone() {
                self.commit_alone(last);
            } else {
                self.raft.on_persist_entries(last.index, last.term);
            }
        }
        light.committed = self.take_committed();
        assert!(self.raft.state == StateRole::Leader || self.raft.msgs.is_empty(), "only a leader may send at once");
        light.outbox.fill(&mut self.raft.msgs);
        let commit = self.raft.raft_log.committed;
        light.commit = (commit > self.told_hard_state.commit).then_some(commit);
        if light.commit.is_some() {
            self.told_hard_state.commit = commit;
            self.mut_store().set_commit(commit);
        }
        assert!(self.raft.hard_state() == self.told_hard_state, "nothing but the commit index moves in between");
        true
    }

    /// The only voter, and nobody learns from it.
    fn leads_alone(&self) -> bool {
        let members = self.raft.prs();
        self.raft.state == StateRole::Leader
            && members.is_singleton()
            && members.iter().len() == 1
            && self.raft.promotable()
    }

    /// What `on_persist_entries` does for who leads alone, without asking what a quorum has.
    fn commit_alone(&mut self, last: Position) {
        let core = &mut self.raft.r;
        if !core.raft_log.maybe_persist(last.index, last.term) {
            return;
        }
        core.raft_log.maybe_commit(last.index, core.term);
        let (id, committed) = (core.id, core.raft_log.committed);
        if let Some(progress) = self.raft.mut_prs().get_mut(id) {
            progress.maybe_update(last.index);
            progress.update_committed(committed);
        }
    }

    fn committed_not_handed_out(&self) -> (u64, u64) {
        let log = &self.raft.raft_log;
        let first = (self.handed_out + 1).max(log.first_index());
        (first, log.committed.min(log.persisted) + 1)
    }

    fn has_committed(&self) -> bool {
        let (first, end) = self.committed_not_handed_out();
        first < end
    }

    fn take_committed(&mut self) -> Run {
        let (first, end) = self.committed_not_handed_out();
        if first >= end {
            return Run::default();
        }
        let run = self.store().front(Run { first, end }, self.max_committed_bytes);
        self.handed_out = run.end - 1;
        run
    }
}

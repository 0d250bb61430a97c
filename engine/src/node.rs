//! One raft participant and its turn: inputs, ready, advance.

use prost::Message as _;
use raft::eraftpb::{ConfChange, ConfChangeType, ConfChangeV2, ConfState, EntryType, Message, Snapshot};
use raft::{Config, SnapshotStatus, StateRole};

use crate::batch::{Batch, LightBatch, Run};
use crate::conf;
use crate::participant::Participant;
use crate::storage::Mirror;
use crate::timeouts::Timeouts;
use crate::validator;

#[derive(Clone, Debug, Default)]
pub struct Limits {
    pub seed: u64,
    pub election_ticks: usize,
    pub heartbeat_ticks: usize,
    pub max_size_per_message_bytes: u64,
    pub max_inflight_messages: usize,
    pub max_uncommitted_bytes: u64,
    pub max_committed_per_ready_bytes: u64,
    pub max_message_bytes: u64,
}

/// Why a call did nothing.
#[derive(Debug, PartialEq, Eq)]
pub enum Denial {
    /// The arguments cannot be.
    Refused(String),
    /// The call does not belong here in the turn.
    Misuse(&'static str),
    NotLeader,
    Dropped,
}

pub type Outcome<T = ()> = Result<T, Denial>;

fn refused<T>(reason: impl Into<String>) -> Outcome<T> {
    Err(Denial::Refused(reason.into()))
}

pub struct Node {
    raw: Participant,
    timeouts: Timeouts,
    max_message_bytes: u64,
    max_uncommitted_bytes: u64,
    /// Data bytes proposed here in this leadership and not yet handed out as committed.
    uncommitted_bytes: u64,
    /// Entries up to here were in the log before this leadership and are not counted.
    counted_after: u64,
    led_term: u64,
    pub batch: Batch,
    pub light: LightBatch,
}

impl Node {
    pub fn new(id: u64, limits: &Limits, applied: u64, mirror: Mirror) -> Result<Node, String> {
        let config = Config {
            id,
            applied,
            election_tick: limits.election_ticks,
            heartbeat_tick: limits.heartbeat_ticks,
            min_election_tick: limits.election_ticks,
            max_election_tick: limits.election_ticks * 2,
            max_size_per_msg: limits.max_size_per_message_bytes,
            max_inflight_msgs: limits.max_inflight_messages,
            max_committed_size_per_ready: limits.max_committed_per_ready_bytes,
            // Counted here: raft would count the data of committed entries, which it is not given (storage).
            max_uncommitted_size: raft::NO_LIMIT,
            check_quorum: true,
            pre_vote: true,
            ..Config::default()
        };
        let timeouts = Timeouts::new(limits.seed, id, config.min_election_tick(), config.max_election_tick().max(1));
        let raw = Participant::new(&config, mirror).map_err(|error| error.to_string())?;
        let mut node = Node {
            raw,
            timeouts,
            max_message_bytes: limits.max_message_bytes,
            max_uncommitted_bytes: limits.max_uncommitted_bytes,
            uncommitted_bytes: 0,
            counted_after: 0,
            led_term: 0,
            batch: Batch::default(),
            light: LightBatch::default(),
        };
        node.settle();
        Ok(node)
    }

    /// After every call into raft that may change its role or term: the others draw no timeout.
    fn settle(&mut self) {
        self.raw.raft.set_randomized_election_timeout(self.timeouts.next());
        if self.raw.raft.state != StateRole::Leader {
            self.led_term = 0;
        } else if self.led_term != self.raw.raft.term {
            self.led_term = self.raw.raft.term;
            self.uncommitted_bytes = 0;
            self.counted_after = self.raw.raft.raft_log.last_index();
        }
    }

    fn between_turns(&self) -> Outcome {
        match self.raw.is_persisting() {
            false => Ok(()),
            true => Err(Denial::Misuse("the batch of the last ready() has not been advanced")),
        }
    }

    fn leading(&self) -> Outcome {
        self.between_turns()?;
        if self.raw.raft.state == StateRole::Leader {
            Ok(())
        } else {
            Err(Denial::NotLeader)
        }
    }

    /// The only voter wins in the call that starts its campaign, and raft insists that its whole log is durable then.
    fn would_win_before_persisting(&self) -> bool {
        let raft = &self.raw.raft;
        let unpersisted = !raft.raft_log.unstable_entries().is_empty() || raft.raft_log.unstable_snapshot().is_some();
        unpersisted && raft.state != StateRole::Leader && raft.prs().is_singleton()
    }

    // --- inputs ---------------------------------------------------------------------------------------------------

    pub fn tick(&mut self) -> Outcome {
        self.between_turns()?;
        if !self.would_win_before_persisting() {
            self.raw.raft.tick();
            self.forget_silent_leader();
            self.settle();
        }
        Ok(())
    }

    /// Who may not campaign would follow a leader that is gone for ever: raft ends no other belief than that of a candidate.
    fn forget_silent_leader(&mut self) {
        let raft = &mut self.raw.raft;
        let follows = raft.state == StateRole::Follower && raft.leader_id != raft::INVALID_ID;
        if follows && !raft.promotable() && raft.election_elapsed >= raft.randomized_election_timeout() {
            raft.become_follower(raft.term, raft::INVALID_ID);
        }
    }

    pub fn campaign(&mut self) -> Outcome {
        self.between_turns()?;
        if !self.raw.raft.promotable() {
            return refused("this node is no voter");
        }
        if self.would_win_before_persisting() {
            return Err(Denial::Dropped);
        }
        let result = self.raw.campaign();
        self.settle();
        result.or_else(|error| refused(error.to_string()))
    }

    pub fn propose(&mut self, data: &[u8]) -> Outcome {
        self.leading()?;
        let raft = &self.raw.raft;
        let size = data.len() as u64;
        let full = self.uncommitted_bytes > 0 && self.uncommitted_bytes + size > self.max_uncommitted_bytes;
        if full || raft.lead_transferee.is_some() || !raft.promotable() {
            return Err(Denial::Dropped);
        }
        self.raw.append(data.to_vec());
        self.uncommitted_bytes += size;
        Ok(())
    }

    pub fn propose_conf_change(&mut self, kind: i32, node: u64, context: &[u8]) -> Outcome {
        self.leading()?;
        if node == 0 || ConfChangeType::from_i32(kind).is_none() {
            return refused(format!("change of kind {kind} for node {node}"));
        }
        // raft would put an empty entry in place of a second change and say nothing.
        if self.raw.raft.has_pending_conf() || self.raw.raft.lead_transferee.is_some() {
            return Err(Denial::Dropped);
        }
        let change = ConfChange { change_type: kind, node_id: node, context: context.to_vec(), id: 0 };
        let result = self.raw.propose_conf_change(&change);
        self.settle();
        result.map_err(|_| Denial::Dropped)
    }

    pub fn apply_conf_change(&mut self, entry_type: i32, data: &[u8]) -> Outcome<ConfState> {
        self.between_turns()?;
        let change = match EntryType::from_i32(entry_type) {
            Some(EntryType::EntryConfChange) => ConfChange::decode(data).map(raft_change_v2),
            Some(EntryType::EntryConfChangeV2) => ConfChangeV2::decode(data),
            _ => return refused(format!("an entry of type {entry_type} is no membership change")),
        };
        let change = match change {
            Ok(change) => change,
            Err(error) => return refused(error.to_string()),
        };
        if !conf::is_known(&change) {
            return refused("a membership change of an unknown kind");
        }
        let result = self.raw.apply_conf_change(&change);
        // raft lets a leader that is no voter any more go on, and panics when it commits without itself among the members.
        let raft = &mut self.raw.raft;
        if raft.state == StateRole::Leader && !raft.promotable() {
            raft.become_follower(raft.term, raft::INVALID_ID);
        }
        self.settle();
        result.map(conf::sorted).or_else(|error| refused(error.to_string()))
    }

    pub fn step(&mut self, from: u64, bytes: &[u8]) -> Outcome {
        self.between_turns()?;
        if bytes.len() as u64 > self.max_message_bytes {
            return refused(format!("message of {} bytes", bytes.len()));
        }
        let message = match Message::decode(bytes) {
            Ok(message) => message,
            Err(error) => return refused(error.to_string()),
        };
        if let Err(reason) = validator::check(&message, from, &self.raw.raft) {
            return refused(reason);
        }
        if message.msg_type == raft::eraftpb::MessageType::MsgTimeoutNow as i32 && self.would_win_before_persisting() {
            return Err(Denial::Dropped);
        }
        let result = self.raw.step(message);
        // raft 0.7 lets a late rejection move `next_idx` below what the peer already has (raft-rs 557).
        if let Some(progress) = self.raw.raft.mut_prs().get_mut(from) {
            progress.next_idx = progress.next_idx.max(progress.matched + 1);
        }
        self.settle();
        result.or_else(|error| refused(error.to_string()))
    }

    pub fn read_index(&mut self, context: u64) -> Outcome {
        self.between_turns()?;
        let raft = &self.raw.raft;
        if raft.leader_id == raft::INVALID_ID {
            return Err(Denial::NotLeader);
        }
        // raft drops the request silently then.
        if raft.state == StateRole::Leader && !raft.commit_to_current_term() {
            return Err(Denial::Dropped);
        }
        let context = validator::encode_read_context(raft.id, context);
        self.raw.read_index(context);
        self.settle();
        Ok(())
    }

    /// The answer of `read_index` at once, where no other node has a say.
    pub fn read_point(&self) -> Option<u64> {
        let raft = &self.raw.raft;
        let alone = raft.state == StateRole::Leader && raft.promotable() && raft.prs().is_singleton();
        (alone && raft.commit_to_current_term()).then_some(raft.raft_log.committed)
    }

    pub fn transfer_leader(&mut self, to: u64) -> Outcome {
        self.leading()?;
        let raft = &self.raw.raft;
        if to == raft.id || !raft.prs().conf().to_conf_state().voters.contains(&to) {
            return refused(format!("node {to} is no other voter"));
        }
        self.raw.transfer_leader(to);
        self.settle();
        Ok(())
    }

    pub fn report_unreachable(&mut self, node: u64) -> Outcome {
        self.between_turns()?;
        self.raw.report_unreachable(node);
        self.settle();
        Ok(())
    }

    pub fn report_snapshot(&mut self, node: u64, delivered: bool) -> Outcome {
        self.between_turns()?;
        let status = if delivered { SnapshotStatus::Finish } else { SnapshotStatus::Failure };
        self.raw.report_snapshot(node, status);
        self.settle();
        Ok(())
    }

    pub fn ping(&mut self) -> Outcome {
        self.between_turns()?;
        self.raw.raft.ping();
        self.settle();
        Ok(())
    }

    /// Raft takes an acknowledgement for durable. Where it is not (durability modes `os` and `memory`), a peer that was started again
    /// may know less than it acknowledged: raft would take its rejections for old ones and never send what it lacks.
    pub fn peer_restarted(&mut self, node: u64) -> Outcome {
        self.between_turns()?;
        let raft = &mut self.raw.raft;
        if raft.state != StateRole::Leader || node == raft.id {
            return Ok(());
        }
        if let Some(progress) = raft.mut_prs().get_mut(node) {
            // Of a peer that has acknowledged nothing to this leader yet nothing is known to forget: it is asked where it was to be
            // asked. From 1 on it would get a snapshot, whatever it has.
            let next = if progress.matched == 0 { progress.next_idx } else { progress.matched + 1 };
            progress.matched = 0;
            progress.become_probe();
            progress.next_idx = next;
        }
        self.settle();
        Ok(())
    }

    /// With check-quorum a follower ignores candidates while it believes in its leader (raft thesis 6.4). Here it stops believing.
    pub fn forget_leader(&mut self) -> Outcome {
        self.between_turns()?;
        let raft = &mut self.raw.raft;
        if raft.state == StateRole::Follower && raft.leader_id != raft::INVALID_ID {
            raft.become_follower(raft.term, raft::INVALID_ID);
        }
        self.settle();
        Ok(())
    }

    // --- a turn ---------------------------------------------------------------------------------------------------

    pub fn has_ready(&self) -> bool {
        !self.raw.is_persisting() && self.raw.has_ready()
    }

    /// Collects the batch and puts its snapshot, entries and hard state into the mirror.
    pub fn ready(&mut self) -> Outcome {
        self.between_turns()?;
        self.raw.ready(&mut self.batch);
        self.count_out(self.batch.committed);
        Ok(())
    }

    pub fn advance(&mut self) -> Outcome {
        if !self.raw.advance(&mut self.light) {
            return Err(Denial::Misuse("advance() without ready()"));
        }
        self.count_out(self.light.committed);
        self.settle();
        Ok(())
    }

    /// These are no longer uncommitted.
    fn count_out(&mut self, run: Run) {
        if run.is_empty() || self.led_term == 0 {
            return;
        }
        let mirror = self.raw.store();
        for index in run.first.max(self.counted_after + 1)..run.end {
            let size = mirror.entry(index).map_or(0, |entry| entry.data.len() as u64);
            self.uncommitted_bytes = self.uncommitted_bytes.saturating_sub(size);
        }
    }

    pub fn advance_apply(&mut self, index: u64) -> Outcome {
        self.between_turns()?;
        let applied = self.raw.raft.raft_log.applied;
        let handed_out = self.raw.handed_out();
        if index < applied || index > handed_out {
            return refused(format!("applied {index} is not within [{applied}, {handed_out}]"));
        }
        self.raw.raft.commit_apply(index);
        Ok(())
    }

    // --- mirror ---------------------------------------------------------------------------------------------------

    pub fn compact(&mut self, index: u64) -> Outcome {
        self.between_turns()?;
        let applied = self.raw.raft.raft_log.applied;
        if index > applied {
            return refused(format!("compacting to {index} behind applied {applied}"));
        }
        self.raw.mut_store().compact(index);
        Ok(())
    }

    pub fn set_snapshot(&mut self, snapshot: Snapshot) -> Outcome {
        self.between_turns()?;
        let metadata = snapshot.get_metadata();
        let applied = self.raw.raft.raft_log.applied;
        if metadata.index == 0 || metadata.index > applied {
            return refused(format!("snapshot {} is not within [1, {applied}]", metadata.index));
        }
        if metadata.index < self.mirror().offered_index() {
            return refused(format!("snapshot {} is older than the one before", metadata.index));
        }
        if let Some(term) = self.mirror().term_at(metadata.index) {
            if term != metadata.term {
                return refused(format!(
                    "snapshot term {}, but entry {} is of term {term}",
                    metadata.term, metadata.index
                ));
            }
        }
        if let Err(reason) = conf::check(metadata.get_conf_state()) {
            return refused(format!("members of the snapshot: {reason}"));
        }
        self.raw.mut_store().offer(snapshot);
        Ok(())
    }

    // --- state ----------------------------------------------------------------------------------------------------

    pub fn mirror(&self) -> &Mirror {
        self.raw.store()
    }

    pub fn raft(&self) -> &raft::Raft<Mirror> {
        &self.raw.raft
    }

    pub fn uncommitted_bytes(&self) -> u64 {
        if self.led_term == 0 {
            return 0;
        }
        self.uncommitted_bytes
    }

    pub fn members(&self) -> ConfState {
        conf::sorted(self.raw.raft.prs().conf().to_conf_state())
    }
}

fn raft_change_v2(change: ConfChange) -> ConfChangeV2 {
    use raft::eraftpb::ConfChangeSingle;
    let single = ConfChangeSingle { change_type: change.change_type, node_id: change.node_id };
    ConfChangeV2 { changes: vec![single], context: change.context, ..ConfChangeV2::default() }
}

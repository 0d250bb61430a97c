//! The mirror: the part of the log that raft reads, in memory.
//!
//! Invariants: entries are contiguous from `compacted.index + 1`; terms never fall; the term of `compacted.index` is
//! known as long as the mirror lives, also when it holds no entry.
//!
//! The bytes of an entry stay where they are until the entry is compacted or replaced, so committed entries are handed out
//! as views: raft itself gets them without their data (`entries`).

use std::cell::Cell;
use std::collections::VecDeque;

use raft::eraftpb::{ConfState, Entry, EntryType, HardState, Snapshot, SnapshotMetadata};
use raft::{Error, GetEntriesContext, RaftState, Result, Storage, StorageError};

use crate::batch::Run;
use crate::conf;

/// What one entry costs beside its data, in messages and in raft's size limits.
const ENTRY_OVERHEAD_BYTES: u64 = 24;

#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Position {
    pub index: u64,
    pub term: u64,
}

#[derive(Default)]
pub struct Mirror {
    compacted: Position,
    entries: VecDeque<Entry>,
    data_bytes: u64,
    hard_state: HardState,
    conf_state: ConfState,
    snapshot: Option<Snapshot>,
    /// A peer asked for a snapshot and the one offered did not serve it.
    wanted: Cell<bool>,
}

impl Mirror {
    pub fn new(compacted: Position, hard_state: HardState, conf_state: ConfState) -> Mirror {
        Mirror { compacted, hard_state, conf_state, ..Mirror::default() }
    }

    pub fn first(&self) -> u64 {
        self.compacted.index + 1
    }

    pub fn last(&self) -> u64 {
        self.compacted.index + self.entries.len() as u64
    }

    pub fn last_position(&self) -> Position {
        match self.entries.back() {
            Some(entry) => Position { index: entry.index, term: entry.term },
            None => self.compacted,
        }
    }

    /// Bytes of entry data held.
    pub fn data_bytes(&self) -> u64 {
        self.data_bytes
    }

    pub fn hard_state(&self) -> &HardState {
        &self.hard_state
    }

    pub fn term_at(&self, index: u64) -> Option<u64> {
        if index == self.compacted.index {
            return Some(self.compacted.term);
        }
        self.entry(index).map(|entry| entry.term)
    }

    pub fn entry(&self, index: u64) -> Option<&Entry> {
        let offset = index.checked_sub(self.first())?;
        self.entries.get(usize::try_from(offset).ok()?)
    }

    pub fn set_hard_state(&mut self, hard_state: HardState) {
        self.hard_state = hard_state;
    }

    pub fn set_commit(&mut self, commit: u64) {
        self.hard_state.commit = commit;
    }

    /// Takes over entries that follow each other; they replace everything from the first one on.
    pub fn append(&mut self, entries: impl IntoIterator<Item = Entry>) {
        self.append_run(&mut entries.into_iter().collect());
    }

    /// The same; `run` is empty then and keeps its memory. All move at once as bytes: one by one they would pass through the stack, where a
    /// processor waits for each that was put there a moment ago.
    pub fn append_run(&mut self, run: &mut Vec<Entry>) {
        let Some(first) = run.first().map(|entry| entry.index) else { return };
        assert!(first > self.compacted.index, "an entry would replace the compacted {first}");
        assert!(first <= self.last() + 1, "entry {first} leaves a gap behind {}", self.last());
        self.truncate_from(first);
        for (index, entry) in (first..).zip(run.iter()) {
            assert!(entry.index == index, "entry {} stands where {index} is due", entry.index);
            self.data_bytes += entry.data.len() as u64;
        }
        let mut moved = VecDeque::from(std::mem::take(run));
        self.entries.append(&mut moved);
        *run = Vec::from(moved);
    }

    fn truncate_from(&mut self, index: u64) {
        while self.last() >= index {
            let entry = self.entries.pop_back().expect("last() counts the entries");
            self.data_bytes -= entry.data.len() as u64;
        }
    }

    /// The front of a run of entries, of as many bytes as the limit allows; one always fits. Precondition: they are here, and not none.
    pub fn front(&self, run: Run, limit_bytes: u64) -> Run {
        if run.end == run.first + 1 {
            return run;
        }
        let begin = (run.first - self.first()) as usize;
        let mut entries = self.entries.range(begin..begin + (run.end - run.first) as usize);
        let mut size = 0;
        let is_beyond = |entry: &Entry| {
            size += ENTRY_OVERHEAD_BYTES + entry.data.len() as u64;
            size > limit_bytes && size > ENTRY_OVERHEAD_BYTES + entry.data.len() as u64
        };
        let end = entries.position(is_beyond).map_or(run.end, |count| run.first + count as u64);
        Run { first: run.first, end }
    }

    /// Forgets the entries up to `index` and keeps its term. An index already forgotten is no change.
    pub fn compact(&mut self, index: u64) {
        assert!(index <= self.last(), "compacting to {index} behind the last entry {}", self.last());
        while self.compacted.index < index {
            let entry = self.entries.pop_front().expect("last() counts the entries");
            self.data_bytes -= entry.data.len() as u64;
            self.compacted = Position { index: entry.index, term: entry.term };
        }
    }

    /// A received snapshot replaces the whole log.
    pub fn install(&mut self, metadata: &SnapshotMetadata) {
        self.entries.clear();
        self.data_bytes = 0;
        self.compacted = Position { index: metadata.index, term: metadata.term };
        self.conf_state = metadata.get_conf_state().clone();
    }

    /// What is offered to peers that need compacted entries.
    pub fn offer(&mut self, snapshot: Snapshot) {
        self.snapshot = Some(snapshot);
        self.wanted.set(false);
    }

    pub fn wants_snapshot(&self) -> bool {
        self.wanted.get()
    }

    pub fn offered_index(&self) -> u64 {
        self.snapshot.as_ref().map_or(0, |snapshot| snapshot.get_metadata().index)
    }
}

fn without_data(entry: &Entry) -> Entry {
    Entry { entry_type: entry.entry_type, term: entry.term, index: entry.index, ..Entry::default() }
}

impl Storage for Mirror {
    fn initial_state(&self) -> Result<RaftState> {
        Ok(RaftState::new(self.hard_state.clone(), self.conf_state.clone()))
    }

    /// Only messages to peers need the data (the one use that could wait for a disk: `can_async`). Everything else looks
    /// at index and type, and gets entries without their bytes: applying copies nothing, campaigning over a long
    /// unapplied tail takes little memory.
    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        context: GetEntriesContext,
    ) -> Result<Vec<Entry>> {
        if low < self.first() {
            return Err(Error::Store(StorageError::Compacted));
        }
        if high > self.last() + 1 || low > high {
            return Err(Error::Store(StorageError::Unavailable));
        }
        if low == high {
            return Ok(Vec::new());
        }
        let run = self.front(Run { first: low, end: high }, max_size.into().unwrap_or(u64::MAX));
        let with_data = context.can_async();
        let given = |entry: &Entry| {
            let keeps_data = with_data || entry.entry_type != EntryType::EntryNormal as i32;
            if keeps_data {
                entry.clone()
            } else {
                without_data(entry)
            }
        };
        let begin = (run.first - self.first()) as usize;
        let end = (run.end - self.first()) as usize;
        Ok(self.entries.range(begin..end).map(given).collect())
    }

    fn term(&self, index: u64) -> Result<u64> {
        if index < self.compacted.index {
            return Err(Error::Store(StorageError::Compacted));
        }
        self.term_at(index).ok_or(Error::Store(StorageError::Unavailable))
    }

    fn first_index(&self) -> Result<u64> {
        Ok(self.first())
    }

    fn last_index(&self) -> Result<u64> {
        Ok(self.last())
    }

    /// Only a snapshot that counts the peer as a member (it would ignore another) and from which it can go on with entries
    /// that are still here.
    fn snapshot(&self, request_index: u64, to: u64) -> Result<Snapshot> {
        let serves = |snapshot: &&Snapshot| {
            let metadata = snapshot.get_metadata();
            metadata.index >= request_index.max(self.compacted.index) && conf::contains(metadata.get_conf_state(), to)
        };
        if let Some(snapshot) = self.snapshot.as_ref().filter(serves) {
            return Ok(snapshot.clone());
        }
        self.wanted.set(true);
        Err(Error::Store(StorageError::SnapshotTemporarilyUnavailable))
    }
}

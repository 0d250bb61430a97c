//! What a turn hands out. The arrays are used again from turn to turn.

use prost::Message as _;
use raft::eraftpb::{Entry, HardState, Message, Snapshot};

/// A message buffer that grew beyond this is given back after its turn.
const KEPT_BUFFER_BYTES: usize = 4 << 20;

/// Encoded messages, one behind the other.
#[derive(Default)]
pub struct Outbox {
    pub bytes: Vec<u8>,
    pub parcels: Vec<Parcel>,
}

#[derive(Clone, Copy)]
pub struct Parcel {
    pub to: u64,
    pub snapshot_index: u64,
    pub begin: usize,
    pub end: usize,
}

impl Outbox {
    /// Takes the messages.
    pub fn fill(&mut self, messages: &mut Vec<Message>) {
        self.parcels.clear();
        self.bytes.clear();
        if self.bytes.capacity() > KEPT_BUFFER_BYTES {
            self.bytes = Vec::new();
        }
        for message in messages.drain(..) {
            let begin = self.bytes.len();
            message.encode(&mut self.bytes).expect("a Vec grows as needed");
            let snapshot_index = message.snapshot.as_ref().map_or(0, |snapshot| snapshot.get_metadata().index);
            self.parcels.push(Parcel { to: message.to, snapshot_index, begin, end: self.bytes.len() });
        }
    }
}

/// Entries [first, end) of the mirror.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Run {
    pub first: u64,
    pub end: u64,
}

impl Run {
    pub fn of(entries: &[Entry]) -> Run {
        match (entries.first(), entries.last()) {
            (Some(first), Some(last)) => Run { first: first.index, end: last.index + 1 },
            _ => Run::default(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.first == self.end
    }
}

/// What `ready` found.
#[derive(Default)]
pub struct Batch {
    pub outbox: Outbox,
    pub outbox_waits_for_disk: bool,
    pub entries: Run,
    pub hard_state: Option<HardState>,
    pub must_sync: bool,
    pub snapshot: Option<Snapshot>,
    pub committed: Run,
    /// context, index
    pub read_states: Vec<(u64, u64)>,
    pub role_changed: bool,
}

/// What `advance` found.
#[derive(Default)]
pub struct LightBatch {
    pub commit: Option<u64>,
    pub outbox: Outbox,
    pub committed: Run,
}

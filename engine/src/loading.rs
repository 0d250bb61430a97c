//! What was recovered from disk, until it is complete and believed.
//!
//! raft panics, or silently forgets, when it is restarted with a state that cannot have been. Such a state is refused here,
//! with the reason: the disk lost something, and the operator must know.

use raft::eraftpb::{ConfState, Entry, EntryType, HardState};

use crate::conf;
use crate::node::{Limits, Node};
use crate::storage::{Mirror, Position};

pub struct Loading {
    pub id: u64,
    pub limits: Limits,
    pub applied: u64,
    mirror: Mirror,
    compacted: Position,
}

impl Loading {
    pub fn new(
        id: u64,
        limits: Limits,
        hard_state: HardState,
        conf_state: ConfState,
        compacted: Position,
        applied: u64,
    ) -> Result<Loading, String> {
        if id == 0 {
            return Err("the node id is 0".into());
        }
        conf::check(&conf_state).map_err(|reason| format!("members: {reason}"))?;
        if (compacted.index == 0) != (compacted.term == 0) {
            return Err(format!("compacted entry {} of term {}", compacted.index, compacted.term));
        }
        if hard_state.vote != 0 && hard_state.term == 0 {
            return Err(format!("a vote for node {} in term 0", hard_state.vote));
        }
        let mirror = Mirror::new(compacted, hard_state, conf_state);
        Ok(Loading { id, limits, applied, mirror, compacted })
    }

    pub fn append(&mut self, entry: Entry) -> Result<(), String> {
        let last = self.mirror.last_position();
        if entry.index != last.index + 1 {
            return Err(format!("entry {} where {} is due", entry.index, last.index + 1));
        }
        if entry.term < last.term.max(1) {
            return Err(format!("term falls from {} to {} at entry {}", last.term, entry.term, entry.index));
        }
        if EntryType::from_i32(entry.entry_type).is_none() {
            return Err(format!("unknown type {} of entry {}", entry.entry_type, entry.index));
        }
        self.mirror.append(vec![entry]);
        Ok(())
    }

    pub fn start(self) -> Result<Node, String> {
        let hard_state = self.mirror.hard_state();
        let last = self.mirror.last_position();
        if hard_state.commit > last.index {
            return Err(format!("commit {} is behind the last entry {}", hard_state.commit, last.index));
        }
        if last.term > hard_state.term {
            return Err(format!("the last entry is of term {}, the hard state of term {}", last.term, hard_state.term));
        }
        if self.applied > hard_state.commit {
            return Err(format!("applied {} is behind commit {}", self.applied, hard_state.commit));
        }
        if self.applied < self.compacted.index {
            return Err(format!("entries between applied {} and {} are missing", self.applied, self.compacted.index));
        }
        Node::new(self.id, &self.limits, self.applied, self.mirror)
    }
}

//! Who is a member: what raft may be told without panicking on it.

use prost::encoding::{decode_key, decode_varint, skip_field, DecodeContext, WireType};
use prost::DecodeError;
use raft::eraftpb::{ConfChangeTransition, ConfChangeType, ConfChangeV2, ConfState};

/// raft panics on a configuration that it cannot restore exactly; this says first what is wrong with it.
/// The empty configuration (a node that waits to be added) is fine.
pub fn check(state: &ConfState) -> Result<(), String> {
    let lists = [
        ("voters", &state.voters),
        ("learners", &state.learners),
        ("outgoing voters", &state.voters_outgoing),
        ("next learners", &state.learners_next),
    ];
    for (name, ids) in lists {
        if ids.contains(&0) {
            return Err(format!("{name} hold the id 0"));
        }
        if has_duplicate(ids) {
            return Err(format!("{name} hold an id twice"));
        }
    }
    if state.voters.is_empty() && lists.iter().any(|(_, ids)| !ids.is_empty()) {
        return Err("members but no voter".into());
    }
    let votes = |id: &u64| state.voters.contains(id) || state.voters_outgoing.contains(id);
    if state.learners.iter().any(votes) {
        return Err("a learner is a voter too".into());
    }
    let waits = |id: &u64| state.voters_outgoing.contains(id) && !state.voters.contains(id);
    if !state.learners_next.iter().all(waits) {
        return Err("a next learner is no outgoing voter".into());
    }
    if state.voters_outgoing.is_empty() && state.auto_leave {
        return Err("auto_leave without a joint configuration".into());
    }
    Ok(())
}

/// raft keeps members in hash sets; what leaves the engine is in one order everywhere.
pub fn sorted(mut state: ConfState) -> ConfState {
    state.voters.sort_unstable();
    state.learners.sort_unstable();
    state.voters_outgoing.sort_unstable();
    state.learners_next.sort_unstable();
    state
}

pub fn contains(state: &ConfState, id: u64) -> bool {
    [&state.voters, &state.learners, &state.voters_outgoing].iter().any(|ids| ids.contains(&id))
}

/// raft panics on a kind of change or transition that it has no name for.
pub fn is_known(change: &ConfChangeV2) -> bool {
    ConfChangeTransition::from_i32(change.transition).is_some()
        && change.changes.iter().all(|single| ConfChangeType::from_i32(single.change_type).is_some())
}

/// One membership change; `context` views the bytes it was read from.
#[derive(Debug, PartialEq, Eq)]
pub struct Change<'a> {
    pub kind: i32,
    pub node: u64,
    pub context: &'a [u8],
}

/// Reads the bytes of an entry of type 1, raft's `ConfChange`.
pub fn read_change(mut data: &[u8]) -> Result<Change<'_>, DecodeError> {
    let mut change = Change { kind: 0, node: 0, context: &[] };
    while !data.is_empty() {
        match decode_key(&mut data)? {
            (2, WireType::Varint) => change.kind = decode_varint(&mut data)? as i32,
            (3, WireType::Varint) => change.node = decode_varint(&mut data)?,
            (4, WireType::LengthDelimited) => {
                let size = usize::try_from(decode_varint(&mut data)?).unwrap_or(usize::MAX);
                let split = data.split_at_checked(size).ok_or(DecodeError::new("the context runs past the end"))?;
                (change.context, data) = split;
            }
            (tag, wire_type) => skip_field(wire_type, tag, &mut data, DecodeContext::default())?,
        }
    }
    match ConfChangeType::from_i32(change.kind) {
        Some(_) => Ok(change),
        None => Err(DecodeError::new("unknown kind of change")),
    }
}

fn has_duplicate(ids: &[u64]) -> bool {
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    sorted.windows(2).any(|pair| pair[0] == pair[1])
}

use raft::eraftpb::{ConfState, Entry, HardState, Snapshot, SnapshotMetadata};
use raft::{Error, GetEntriesContext, Storage, StorageError};

use super::fixture::{entry, voters};
use crate::storage::{Mirror, Position};

fn mirror(compacted: u64, last: u64) -> Mirror {
    let position = Position { index: compacted, term: 1 };
    let mut mirror = Mirror::new(position, HardState::default(), ConfState::default());
    mirror.append((compacted + 1..=last).map(|index| entry(index, index / 3 + 1, &[7; 10])));
    mirror
}

fn read(mirror: &Mirror, low: u64, high: u64, max_size: Option<u64>) -> raft::Result<Vec<Entry>> {
    mirror.entries(low, high, max_size, GetEntriesContext::empty(true))
}

fn is<T: std::fmt::Debug>(result: raft::Result<T>, error: StorageError) -> bool {
    matches!(result, Err(Error::Store(found)) if found == error)
}

#[test]
fn reads_back_what_was_appended() {
    let mirror = mirror(3, 9);
    assert_eq!((mirror.first_index().unwrap(), mirror.last_index().unwrap()), (4, 9));
    let found = read(&mirror, 4, 10, None).unwrap();
    assert_eq!(found.iter().map(|entry| entry.index).collect::<Vec<_>>(), [4, 5, 6, 7, 8, 9]);
    assert!(found.iter().all(|entry| entry.data == [7; 10]));
    assert!(read(&mirror, 6, 6, None).unwrap().is_empty());
}

#[test]
fn limits_by_size_but_gives_at_least_one() {
    let mirror = mirror(0, 9);
    assert_eq!(read(&mirror, 1, 10, Some(0)).unwrap().len(), 1);
    assert_eq!(read(&mirror, 1, 10, Some(34 * 3)).unwrap().len(), 3);
    assert_eq!(read(&mirror, 1, 10, Some(34 * 3 - 1)).unwrap().len(), 2);
}

#[test]
fn gives_data_to_messages_only() {
    let mut mirror = mirror(0, 1);
    let mut change = entry(2, 1, b"change");
    change.entry_type = 1;
    mirror.append(vec![change]);
    let found = mirror.entries(1, 3, None, GetEntriesContext::empty(false)).unwrap();
    assert!(found[0].data.is_empty());
    assert_eq!(found[1].data, b"change", "raft looks into membership changes");
    assert_eq!((found[0].index, found[0].term), (1, 1));
}

#[test]
fn tells_compacted_from_not_there_yet() {
    let mirror = mirror(3, 9);
    assert!(is(read(&mirror, 3, 5, None), StorageError::Compacted));
    assert!(is(read(&mirror, 4, 11, None), StorageError::Unavailable));
    assert!(is(mirror.term(2), StorageError::Compacted));
    assert!(is(mirror.term(10), StorageError::Unavailable));
}

#[test]
fn keeps_the_term_before_the_first_entry_at_every_compaction() {
    for to in 3..=9 {
        let mut compacted = mirror(3, 9);
        compacted.compact(to);
        assert_eq!(compacted.first_index().unwrap(), to + 1);
        assert_eq!(compacted.last_index().unwrap(), 9);
        let expected = if to == 3 { 1 } else { to / 3 + 1 };
        assert_eq!(compacted.term(to).unwrap(), expected);
        assert_eq!(compacted.data_bytes(), (9 - to) * 10);
        for index in to + 1..=9 {
            assert_eq!(compacted.term(index).unwrap(), index / 3 + 1);
        }
    }
}

#[test]
fn goes_on_after_the_last_entry_is_compacted() {
    let mut mirror = mirror(3, 9);
    mirror.compact(9);
    assert_eq!((mirror.first_index().unwrap(), mirror.last_index().unwrap()), (10, 9));
    mirror.append(vec![entry(10, 5, b"x")]);
    assert_eq!(mirror.last_position(), Position { index: 10, term: 5 });
    mirror.compact(5);
    assert_eq!(mirror.first_index().unwrap(), 10, "already forgotten");
}

#[test]
fn an_append_replaces_the_tail_from_its_index_on() {
    let mut mirror = mirror(3, 9);
    mirror.append(vec![entry(6, 8, b"ab"), entry(7, 8, b"c")]);
    assert_eq!(mirror.last_position(), Position { index: 7, term: 8 });
    assert_eq!(mirror.term(5).unwrap(), 2);
    assert_eq!(mirror.data_bytes(), 2 * 10 + 3);
}

#[test]
fn offers_a_snapshot_only_from_which_the_peer_can_go_on() {
    let mut mirror = mirror(3, 9);
    let offered = |index| Snapshot {
        metadata: Some(SnapshotMetadata { index, term: 2, conf_state: Some(voters(&[1, 2])) }),
        ..Snapshot::default()
    };
    let unavailable = StorageError::SnapshotTemporarilyUnavailable;
    assert!(!mirror.wants_snapshot());
    assert!(is(mirror.snapshot(0, 2), unavailable));
    assert!(mirror.wants_snapshot());
    mirror.offer(offered(5));
    assert!(!mirror.wants_snapshot());
    assert!(is(mirror.snapshot(0, 3), StorageError::SnapshotTemporarilyUnavailable), "3 is no member there");
    assert!(mirror.wants_snapshot());
    assert_eq!(mirror.snapshot(0, 2).unwrap().get_metadata().index, 5);
    assert_eq!(mirror.snapshot(5, 2).unwrap().get_metadata().index, 5);
    assert!(is(mirror.snapshot(6, 2), StorageError::SnapshotTemporarilyUnavailable));
    mirror.compact(6);
    assert!(is(mirror.snapshot(0, 2), StorageError::SnapshotTemporarilyUnavailable));
    mirror.offer(offered(8));
    assert_eq!(mirror.snapshot(0, 2).unwrap().get_metadata().index, 8);
}

#[test]
fn a_received_snapshot_replaces_the_log() {
    let mut mirror = mirror(3, 9);
    mirror.install(&SnapshotMetadata { index: 50, term: 9, conf_state: Some(voters(&[1, 2])) });
    assert_eq!((mirror.first_index().unwrap(), mirror.last_index().unwrap()), (51, 50));
    assert_eq!(mirror.term(50).unwrap(), 9);
    assert_eq!(mirror.data_bytes(), 0);
    assert_eq!(mirror.initial_state().unwrap().conf_state, voters(&[1, 2]));
}

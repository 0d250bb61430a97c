use prost::Message as _;
use raft::eraftpb::{ConfState, Entry, Message, MessageType, Snapshot, SnapshotMetadata};

use super::fixture::{decode, entry, voters, Cluster};
use crate::node::Denial;
use crate::validator::encode_read_context;

/// Node 1 follows node 2 in term 1 with entries 1..=4, committed to 4.
fn follower() -> Cluster {
    let mut cluster = Cluster::new(&[1, 2, 3], 3);
    cluster.peer(2).node.campaign().unwrap();
    cluster.settle();
    assert_eq!(cluster.leader(), Some(2));
    for _ in 0..3 {
        cluster.peer(2).node.propose(b"x").unwrap();
        cluster.settle();
    }
    let raft = cluster.peer(1).node.raft();
    assert_eq!((raft.term, raft.raft_log.committed, raft.raft_log.last_index()), (1, 4, 4));
    cluster
}

fn message(kind: MessageType) -> Message {
    Message { msg_type: kind as i32, from: 2, to: 1, term: 1, ..Message::default() }
}

fn append() -> Message {
    let entries = vec![entry(5, 1, b"a"), entry(6, 1, b"b")];
    Message { index: 4, log_term: 1, commit: 4, entries, ..message(MessageType::MsgAppend) }
}

fn snapshot() -> Message {
    let metadata = SnapshotMetadata { index: 9, term: 1, conf_state: Some(voters(&[1, 2, 3])) };
    let snapshot = Snapshot { metadata: Some(metadata), data: b"meta".to_vec() };
    Message { snapshot: Some(snapshot), ..message(MessageType::MsgSnapshot) }
}

fn heartbeat() -> Message {
    Message { commit: 4, ..message(MessageType::MsgHeartbeat) }
}

fn vote() -> Message {
    Message { term: 3, index: 4, log_term: 1, ..message(MessageType::MsgRequestVote) }
}

fn read(kind: MessageType, node: u64) -> Message {
    let asked = Entry { data: encode_read_context(node, 5), ..Entry::default() };
    let term = if kind == MessageType::MsgReadIndex { 0 } else { 1 };
    Message { term, entries: vec![asked], ..message(kind) }
}

fn snapshot_with(change: impl FnOnce(&mut SnapshotMetadata)) -> Message {
    let mut message = snapshot();
    change(message.snapshot.as_mut().unwrap().metadata.as_mut().unwrap());
    message
}

fn learners(ids: &[u64]) -> ConfState {
    ConfState { learners: ids.to_vec(), ..ConfState::default() }
}

#[test]
fn believes_what_a_correct_peer_says() {
    let good = [append(), snapshot(), heartbeat(), vote(), message(MessageType::MsgTimeoutNow)];
    for message in good {
        follower().peer(1).node.step(2, &message.encode_to_vec()).unwrap();
    }
    let answer = read(MessageType::MsgReadIndexResp, 1);
    follower().peer(1).node.step(2, &answer.encode_to_vec()).unwrap();
    let mut asked = read(MessageType::MsgReadIndex, 3);
    (asked.from, asked.to) = (3, 2);
    follower().peer(2).node.step(3, &asked.encode_to_vec()).unwrap();
}

/// What no correct peer says to a follower, and a word of the reason.
fn lies() -> Vec<(&'static str, Message)> {
    let mut lies = vec![
        ("over the connection of", Message { from: 3, ..heartbeat() }),
        ("for node 9", Message { to: 9, ..heartbeat() }),
        ("unknown message type", Message { msg_type: 77, ..heartbeat() }),
        ("term 0", Message { term: 0, ..heartbeat() }),
        ("out of range", Message { term: u64::MAX, ..heartbeat() }),
        ("out of range", Message { index: u64::MAX, ..append() }),
        ("behind our last entry", Message { commit: 5, ..heartbeat() }),
        ("read context", Message { context: vec![1; 15], ..heartbeat() }),
        ("priorities", Message { priority: 1, ..vote() }),
        ("priorities", Message { deprecated_priority: 1, ..vote() }),
        ("snapshot requests", Message { request_snapshot: 4, ..message(MessageType::MsgAppendResponse) }),
        ("campaign", Message { context: b"Campaign".to_vec(), ..vote() }),
        ("with a log of it", Message { log_term: 3, ..vote() }),
        ("behind the log", Message { commit: 5, commit_term: 1, ..vote() }),
        ("context in the wrong", Message { context: b"x".to_vec(), ..append() }),
        ("entries in the wrong", Message { entries: vec![entry(5, 1, b"")], ..heartbeat() }),
        ("snapshot in the wrong", Message { snapshot: Some(Snapshot::default()), ..heartbeat() }),
        ("snapshot in the wrong", Message { snapshot: None, ..snapshot() }),
        ("where 5 is due", Message { entries: vec![entry(6, 1, b"")], ..append() }),
        ("where 6 is due", Message { entries: vec![entry(5, 1, b""), entry(7, 1, b"")], ..append() }),
        ("term falls", Message { term: 3, log_term: 2, index: 6, entries: vec![entry(7, 1, b"")], ..append() }),
        ("term falls", Message { index: 4, entries: vec![entry(5, 0, b"")], ..append() }),
        ("in a message of term 1", Message { entries: vec![entry(5, 2, b"")], ..append() }),
        ("in a message of term 1", Message { log_term: 2, entries: vec![], ..append() }),
        ("log term 0 at index 4", Message { log_term: 0, entries: vec![], ..append() }),
        ("log term 1 at index 0", Message { index: 0, entries: vec![], ..append() }),
        ("contradicts committed", Message { term: 3, log_term: 2, entries: vec![], ..append() }),
        ("where one is due", Message { entries: vec![], ..read(MessageType::MsgReadIndexResp, 1) }),
        ("bad read context", read(MessageType::MsgReadIndexResp, 2)),
        ("does not lead", Message { term: 2, ..read(MessageType::MsgReadIndexResp, 1) }),
        ("does not lead", read(MessageType::MsgReadIndex, 2)),
        ("does not hold", Message { term: 2, ..message(MessageType::MsgTimeoutNow) }),
        ("out of range", snapshot_with(|metadata| metadata.index = 0)),
        ("in a message of term 1", snapshot_with(|metadata| metadata.term = 2)),
        ("snapshot of term 0", snapshot_with(|metadata| metadata.term = 0)),
        ("no member of the snapshot", snapshot_with(|metadata| metadata.conf_state = Some(voters(&[2, 3])))),
        ("twice", snapshot_with(|metadata| metadata.conf_state = Some(voters(&[1, 2, 2])))),
        ("the id 0", snapshot_with(|metadata| metadata.conf_state = Some(voters(&[1, 0])))),
        ("no member of the snapshot", snapshot_with(|metadata| metadata.conf_state = None)),
        ("no voter", snapshot_with(|metadata| metadata.conf_state = Some(learners(&[1])))),
        ("a voter too", snapshot_with(|metadata| metadata.conf_state.as_mut().unwrap().learners.push(2))),
        ("next learner", snapshot_with(|metadata| metadata.conf_state.as_mut().unwrap().learners_next.push(7))),
        ("auto_leave", snapshot_with(|metadata| metadata.conf_state.as_mut().unwrap().auto_leave = true)),
    ];
    let mut unused = append();
    unused.entries[0].context = b"x".to_vec();
    lies.push(("unused fields", unused));
    let mut unknown = append();
    unknown.entries[1].entry_type = 3;
    lies.push(("unknown type", unknown));
    lies.push((
        "contradicts committed",
        Message {
            term: 3,
            ..snapshot_with(|metadata| {
                metadata.index = 4;
                metadata.term = 2;
            })
        },
    ));
    for kind in [
        MessageType::MsgHup,
        MessageType::MsgBeat,
        MessageType::MsgPropose,
        MessageType::MsgSnapStatus,
        MessageType::MsgCheckQuorum,
        MessageType::MsgTransferLeader,
        MessageType::MsgUnreachable,
    ] {
        lies.push(("not for peers", message(kind)));
    }
    lies
}

#[test]
fn refuses_each_lie_and_changes_nothing() {
    for (word, lie) in lies() {
        let mut cluster = follower();
        let peer = cluster.peer(1);
        let Err(Denial::Refused(reason)) = peer.node.step(2, &lie.encode_to_vec()) else {
            panic!("believed: {lie:?}");
        };
        assert!(reason.contains(word), "{word:?} is not in {reason:?}");
        assert!(!peer.node.has_ready(), "{word}");
        assert_eq!(peer.node.raft().term, 1, "{word}");
    }
}

#[test]
fn a_leader_refuses_what_contradicts_its_leadership() {
    let to_leader = |message: Message| Message { from: 1, to: 2, ..message };
    let table = [
        ("is led here", to_leader(append())),
        ("is led here", to_leader(heartbeat())),
        ("is led here", to_leader(snapshot())),
        ("never had", to_leader(Message { index: 5, ..message(MessageType::MsgAppendResponse) })),
        ("never had", to_leader(Message { reject: true, reject_hint: 9, ..message(MessageType::MsgAppendResponse) })),
        ("never had", to_leader(Message { commit: 5, ..message(MessageType::MsgAppendResponse) })),
        ("bad read context", to_leader(read(MessageType::MsgReadIndex, 3))),
    ];
    for (word, lie) in table {
        let mut cluster = follower();
        let Err(Denial::Refused(reason)) = cluster.peer(2).node.step(1, &lie.encode_to_vec()) else {
            panic!("believed: {lie:?}");
        };
        assert!(reason.contains(word), "{word:?} is not in {reason:?}");
    }
}

/// A new leader learns only by its first commit how far the others had come.
#[test]
fn a_leader_believes_a_follower_that_knows_of_more_commits() {
    let mut cluster = follower();
    let node = &mut cluster.peer(2).node;
    node.propose(b"not yet committed here").unwrap();
    assert_eq!(node.raft().raft_log.committed, 4);
    let ahead = Message { from: 1, to: 2, index: 4, commit: 5, ..message(MessageType::MsgAppendResponse) };
    node.step(1, &ahead.encode_to_vec()).unwrap();
}

#[test]
fn refuses_answers_of_strangers_but_not_an_unknown_leader() {
    let from_stranger = |message: Message| Message { from: 8, ..message };
    for kind in [
        MessageType::MsgAppendResponse,
        MessageType::MsgHeartbeatResponse,
        MessageType::MsgRequestVoteResponse,
        MessageType::MsgRequestPreVoteResponse,
        MessageType::MsgReadIndex,
    ] {
        let mut answer = from_stranger(message(kind));
        if kind == MessageType::MsgReadIndex {
            answer = from_stranger(read(kind, 8));
        }
        let refused = follower().peer(1).node.step(8, &answer.encode_to_vec());
        assert!(matches!(refused, Err(Denial::Refused(reason)) if reason.contains("no member")), "{kind:?}");
    }
    let leads = from_stranger(Message { term: 2, ..append() });
    follower().peer(1).node.step(8, &leads.encode_to_vec()).unwrap();
}

#[test]
fn refuses_oversized_bytes_and_its_own_name() {
    let mut cluster = follower();
    let node = &mut cluster.peer(1).node;
    assert!(matches!(node.step(2, &vec![0; (1 << 20) + 1]), Err(Denial::Refused(_))));
    assert!(matches!(node.step(2, b"\xff\xff\xff\xff"), Err(Denial::Refused(_))));
    let own = Message { from: 1, ..heartbeat() };
    assert!(matches!(node.step(1, &own.encode_to_vec()), Err(Denial::Refused(_))));
}

/// Flipped bits of real traffic: refused or harmless, never a panic.
#[test]
fn survives_flipped_bits_of_real_messages() {
    let mut traffic = Vec::new();
    let mut cluster = Cluster::new(&[1, 2, 3], 4);
    cluster.peer(2).node.campaign().unwrap();
    for round in 0..6 {
        for id in [1, 2, 3] {
            while cluster.peer(id).node.has_ready() {
                let sent = cluster.peer(id).turn();
                traffic.extend(sent.iter().map(|parcel| (parcel.from, parcel.to, parcel.bytes.clone())));
                cluster.network.extend(sent);
            }
        }
        while let Some(parcel) = cluster.network.pop_front() {
            cluster.peer(parcel.to).node.step(parcel.from, &parcel.bytes).unwrap();
        }
        if round > 2 {
            let _ = cluster.peer(2).node.propose(b"some data");
        }
    }
    assert!(traffic.len() > 10);
    for (from, to, bytes) in traffic {
        assert_eq!(decode(&bytes).to, to);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let mut cluster = follower();
            let peer = cluster.peer(to);
            let _ = peer.node.step(from, &flipped);
            while peer.node.has_ready() {
                peer.turn();
            }
        }
    }
}

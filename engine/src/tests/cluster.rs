use raft::eraftpb::ConfState;

use super::fixture::{voters, Cluster, Disk, Peer};
use crate::node::Denial;

#[test]
fn a_sole_voter_commits_in_one_turn() {
    let mut peer = Peer::new(1, 0, Disk { members: voters(&[1]), ..Disk::default() });
    peer.node.campaign().unwrap();
    assert!(peer.turn().is_empty());
    peer.node.propose(b"a").unwrap();
    assert!(peer.turn().is_empty());
    assert!(!peer.node.has_ready());
    assert_eq!(peer.applied, [(1, vec![]), (2, b"a".to_vec())]);
}

#[test]
fn three_nodes_elect_one_and_commit_the_same() {
    let mut cluster = Cluster::new(&[1, 2, 3], 11);
    let leader = cluster.elect();
    for number in 0..20u8 {
        cluster.peer(leader).node.propose(&[number]).unwrap();
        cluster.settle();
    }
    let applied = cluster.peers[0].applied.clone();
    assert_eq!(applied.len(), 21);
    assert!(cluster.peers.iter().all(|peer| peer.applied == applied));
}

#[test]
fn a_learner_that_hears_of_its_leader_no_more_forgets_it() {
    let members = ConfState { voters: vec![1, 2], learners: vec![3], ..ConfState::default() };
    let mut cluster = Cluster::of(&[1, 2, 3], &members, 15);
    let leader = cluster.elect();
    for _ in 0..100 {
        cluster.peers.iter_mut().for_each(|peer| peer.node.tick().unwrap());
        cluster.settle();
        assert_eq!(cluster.peer(3).node.raft().leader_id, leader);
    }
    cluster.cut_off.push(3);
    for _ in 0..100 {
        cluster.peer(3).node.tick().unwrap();
        cluster.settle();
    }
    assert_eq!(cluster.peer(3).node.raft().leader_id, raft::INVALID_ID);
    let term = cluster.peer(leader).node.raft().term;
    assert_eq!(cluster.peer(3).node.raft().term, term, "it asks for no votes");
    cluster.cut_off.clear();
    for _ in 0..10 {
        cluster.peer(leader).node.tick().unwrap();
        cluster.settle();
    }
    assert_eq!(cluster.peer(3).node.raft().leader_id, leader);
}

#[test]
fn a_conflicting_tail_is_replaced() {
    let mut cluster = Cluster::new(&[1, 2, 3], 12);
    let old = cluster.elect();
    cluster.cut_off.push(old);
    for _ in 0..5 {
        cluster.peer(old).node.propose(b"lost").unwrap();
        cluster.settle();
    }
    let new = cluster.elect();
    cluster.peer(new).node.propose(b"kept").unwrap();
    cluster.settle();
    cluster.cut_off.clear();
    for _ in 0..5 {
        cluster.peer(new).node.tick().unwrap();
        cluster.settle();
    }
    let expected = cluster.peer(new).applied.clone();
    assert!(!expected.iter().any(|(_, data)| data == b"lost"));
    let healed = cluster.peer(old);
    assert_eq!(healed.applied, expected);
    assert_eq!(healed.node.mirror().last(), expected.len() as u64);
    assert_eq!(healed.disk.entries.len(), expected.len());
    let bytes: usize = expected.iter().map(|(_, data)| data.len()).sum();
    assert_eq!(healed.node.mirror().data_bytes(), bytes as u64);
}

#[test]
fn all_nodes_restart_and_go_on() {
    let mut cluster = Cluster::new(&[1, 2, 3], 13);
    for number in 0..5u8 {
        let leader = cluster.elect();
        cluster.peer(leader).node.propose(&[number]).unwrap();
        cluster.settle();
        cluster.peers.iter_mut().for_each(Peer::restart);
    }
    cluster.elect();
    cluster.settle();
    let said: Vec<u8> = cluster.peers[0].applied.iter().flat_map(|(_, data)| data.clone()).collect();
    assert_eq!(said, [0, 1, 2, 3, 4]);
}

#[test]
fn a_transferred_leadership_arrives() {
    let mut cluster = Cluster::new(&[1, 2, 3], 14);
    let old = cluster.elect();
    let next = if old == 3 { 1 } else { old + 1 };
    assert!(matches!(cluster.peer(old).node.transfer_leader(old), Err(Denial::Refused(_))));
    assert!(matches!(cluster.peer(old).node.transfer_leader(9), Err(Denial::Refused(_))));
    cluster.peer(old).node.transfer_leader(next).unwrap();
    cluster.settle();
    assert_eq!(cluster.leader(), Some(next));
}

#[test]
fn a_follower_gets_its_read_point_from_the_leader() {
    let mut cluster = Cluster::new(&[1, 2, 3], 15);
    let leader = cluster.elect();
    let follower = if leader == 1 { 2 } else { 1 };
    cluster.peer(follower).node.read_index(77).unwrap();
    let mut answers = Vec::new();
    for _ in 0..10 {
        for id in [1, 2, 3] {
            while cluster.peer(id).node.has_ready() {
                let sent = cluster.peer(id).turn();
                answers.extend(cluster.peer(id).node.batch.read_states.iter().map(|state| (id, *state)));
                cluster.network.extend(sent);
            }
        }
        while let Some(parcel) = cluster.network.pop_front() {
            cluster.peer(parcel.to).node.step(parcel.from, &parcel.bytes).unwrap();
        }
    }
    assert_eq!(answers, [(follower, (77, 1))]);
}

/// The sole voter that still holds entries to persist must not win in the same call: raft panics on it.
#[test]
fn a_sole_voter_with_unpersisted_entries_waits_for_its_turn() {
    use super::fixture::entry;
    use prost::Message as _;
    use raft::eraftpb::{Message, MessageType};
    let mut peer = Peer::new(1, 0, Disk { members: voters(&[1]), ..Disk::default() });
    let append = Message {
        msg_type: MessageType::MsgAppend as i32,
        from: 2,
        to: 1,
        term: 1,
        entries: vec![entry(1, 1, b"x")],
        ..Message::default()
    };
    peer.node.step(2, &append.encode_to_vec()).unwrap();
    assert_eq!(peer.node.campaign(), Err(Denial::Dropped));
    for _ in 0..50 {
        peer.node.tick().unwrap();
    }
    assert!(!peer.leads());
    peer.turn();
    peer.node.campaign().unwrap();
    assert!(peer.leads());
}

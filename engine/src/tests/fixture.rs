//! A node with a disk that survives it, and a network of them.

use std::collections::VecDeque;

use prost::Message as _;
use raft::eraftpb::{ConfState, Entry, HardState, Message};
use raft::StateRole;

use crate::batch::Run;
use crate::loading::Loading;
use crate::node::{Limits, Node};
use crate::storage::Position;

pub fn limits(seed: u64) -> Limits {
    Limits {
        seed,
        election_ticks: 10,
        heartbeat_ticks: 1,
        max_size_per_message_bytes: 1 << 20,
        max_inflight_messages: 128,
        max_uncommitted_bytes: 64 << 20,
        max_committed_per_ready_bytes: 4 << 20,
        max_message_bytes: 1 << 20,
    }
}

pub fn voters(ids: &[u64]) -> ConfState {
    ConfState { voters: ids.to_vec(), ..ConfState::default() }
}

pub fn entry(index: u64, term: u64, data: &[u8]) -> Entry {
    Entry { index, term, data: data.to_vec(), ..Entry::default() }
}

pub struct Parcel {
    pub from: u64,
    pub to: u64,
    pub bytes: Vec<u8>,
}

#[derive(Clone, Default)]
pub struct Disk {
    pub hard_state: HardState,
    pub members: ConfState,
    pub entries: Vec<Entry>,
}

pub struct Peer {
    pub id: u64,
    pub node: Node,
    pub disk: Disk,
    pub applied: Vec<(u64, Vec<u8>)>,
    seed: u64,
}

impl Peer {
    pub fn new(id: u64, seed: u64, disk: Disk) -> Peer {
        let mut loading =
            Loading::new(id, limits(seed), disk.hard_state.clone(), disk.members.clone(), Position::default(), 0)
                .unwrap();
        for entry in &disk.entries {
            loading.append(entry.clone()).unwrap();
        }
        Peer { id, node: loading.start().unwrap(), disk, applied: Vec::new(), seed }
    }

    pub fn restart(&mut self) {
        *self = Peer::new(self.id, self.seed, self.disk.clone());
    }

    pub fn leads(&self) -> bool {
        self.node.raft().state == StateRole::Leader
    }

    /// One turn; messages in the order in which they leave.
    pub fn turn(&mut self) -> Vec<Parcel> {
        self.node.ready().unwrap();
        let mut sent = parcels(self.id, &self.node.batch.outbox);
        self.persist();
        let committed = self.node.batch.committed;
        self.node.advance().unwrap();
        sent.extend(parcels(self.id, &self.node.light.outbox));
        self.apply(committed);
        self.apply(self.node.light.committed);
        if let Some((index, _)) = self.applied.last() {
            self.node.advance_apply(*index).unwrap();
        }
        sent
    }

    fn persist(&mut self) {
        let Run { first, end } = self.node.batch.entries;
        if first < end {
            self.disk.entries.truncate(first as usize - 1);
        }
        for index in first..end {
            self.disk.entries.push(self.node.mirror().entry(index).unwrap().clone());
        }
        if let Some(hard_state) = &self.node.batch.hard_state {
            self.disk.hard_state = hard_state.clone();
        }
    }

    fn apply(&mut self, run: Run) {
        for index in run.first..run.end {
            self.applied.push((index, self.node.mirror().entry(index).unwrap().data.clone()));
        }
    }
}

fn parcels(from: u64, outbox: &crate::batch::Outbox) -> Vec<Parcel> {
    let one = |parcel: &crate::batch::Parcel| Parcel {
        from,
        to: parcel.to,
        bytes: outbox.bytes[parcel.begin..parcel.end].to_vec(),
    };
    outbox.parcels.iter().map(one).collect()
}

pub struct Cluster {
    pub peers: Vec<Peer>,
    pub network: VecDeque<Parcel>,
    pub cut_off: Vec<u64>,
}

impl Cluster {
    pub fn new(ids: &[u64], seed: u64) -> Cluster {
        Cluster::of(ids, &voters(ids), seed)
    }

    pub fn of(ids: &[u64], members: &ConfState, seed: u64) -> Cluster {
        let disk = Disk { members: members.clone(), ..Disk::default() };
        let peers = ids.iter().map(|id| Peer::new(*id, seed, disk.clone())).collect();
        Cluster { peers, network: VecDeque::new(), cut_off: Vec::new() }
    }

    pub fn peer(&mut self, id: u64) -> &mut Peer {
        self.peers.iter_mut().find(|peer| peer.id == id).unwrap()
    }

    pub fn leader(&self) -> Option<u64> {
        let leaders = self.peers.iter().filter(|peer| peer.leads() && !self.cut_off.contains(&peer.id));
        leaders.max_by_key(|peer| peer.node.raft().term).map(|peer| peer.id)
    }

    /// Turns and deliveries until nothing moves.
    pub fn settle(&mut self) {
        loop {
            let mut moved = false;
            for peer in &mut self.peers {
                while peer.node.has_ready() {
                    self.network.extend(peer.turn());
                    moved = true;
                }
            }
            while let Some(parcel) = self.network.pop_front() {
                moved = true;
                if self.cut_off.contains(&parcel.from) || self.cut_off.contains(&parcel.to) {
                    continue;
                }
                self.peer(parcel.to).node.step(parcel.from, &parcel.bytes).unwrap();
            }
            if !moved {
                return;
            }
        }
    }

    pub fn elect(&mut self) -> u64 {
        for _ in 0..200 {
            if let Some(leader) = self.leader() {
                return leader;
            }
            for peer in &mut self.peers {
                peer.node.tick().unwrap();
            }
            self.settle();
        }
        panic!("no leader in 200 ticks");
    }
}

pub fn decode(bytes: &[u8]) -> Message {
    Message::decode(bytes).unwrap()
}

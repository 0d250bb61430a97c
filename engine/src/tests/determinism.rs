//! The same seed and the same inputs give the same bytes, thousands of steps long.

use super::fixture::{Cluster, Parcel};

struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[derive(Default, PartialEq, Eq, Debug)]
struct Trace {
    hash: u64,
    messages: usize,
    terms: Vec<u64>,
    applied: Vec<(u64, Vec<u8>)>,
}

impl Trace {
    fn note(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

fn deliver(cluster: &mut Cluster, dice: &mut Dice) {
    let at = dice.below(cluster.network.len() as u64) as usize;
    let parcel = cluster.network.remove(at).unwrap();
    match dice.below(20) {
        0 => return,
        1 => cluster.network.push_back(Parcel { bytes: parcel.bytes.clone(), ..parcel }),
        _ => {}
    }
    // A replayed message of an older life is rightly refused.
    let _ = cluster.peer(parcel.to).node.step(parcel.from, &parcel.bytes);
}

fn run(cluster_seed: u64, steps: u64) -> Trace {
    let mut cluster = Cluster::new(&[1, 2, 3], cluster_seed);
    let mut dice = Dice(99);
    let mut trace = Trace::default();
    for step in 0..steps {
        let id = 1 + dice.below(3);
        match dice.below(10) {
            0 => cluster.peer(id).node.tick().unwrap(),
            1 => drop(cluster.peer(id).node.propose(&step.to_le_bytes())),
            2 => drop(cluster.peer(id).node.read_index(step)),
            3 if dice.below(200) == 0 => cluster.peer(id).restart(),
            4 if dice.below(50) == 0 => drop(cluster.peer(id).node.campaign()),
            _ if !cluster.network.is_empty() => deliver(&mut cluster, &mut dice),
            _ => {}
        }
        if cluster.peer(id).node.has_ready() {
            let sent = cluster.peer(id).turn();
            trace.messages += sent.len();
            for parcel in sent {
                trace.note(&parcel.bytes);
                cluster.network.push_back(parcel);
            }
        }
        while cluster.network.len() > 200 {
            cluster.network.pop_front();
        }
    }
    trace.terms = cluster.peers.iter().map(|peer| peer.node.raft().term).collect();
    trace.applied = cluster.peers[0].applied.clone();
    trace
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let first = run(5, 30_000);
    assert!(first.messages > 1_000 && !first.applied.is_empty(), "the run did something: {}", first.messages);
    assert_eq!(first, run(5, 30_000));
}

#[test]
fn another_seed_gives_others() {
    assert_ne!(run(5, 30_000).hash, run(6, 30_000).hash);
}

#[test]
fn timeouts_fill_their_range_and_differ_between_nodes() {
    use crate::timeouts::Timeouts;
    let draw = |seed, id| {
        let mut timeouts = Timeouts::new(seed, id, 10, 20);
        (0..1000).map(|_| timeouts.next()).collect::<Vec<_>>()
    };
    let drawn = draw(1, 1);
    assert!((10..20).all(|timeout| drawn.contains(&timeout)));
    assert!(drawn.iter().all(|timeout| (10..20).contains(timeout)));
    assert_eq!(drawn, draw(1, 1));
    assert_ne!(drawn, draw(1, 2));
    assert_ne!(drawn, draw(2, 1));
}

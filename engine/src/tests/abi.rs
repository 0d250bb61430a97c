use crate::abi::{guarded_for_test as guarded, EngineNode, Status};
use crate::conf::{read_change, Change};
use crate::node::Denial;

#[test]
fn a_panic_fails_the_node_for_good() {
    let mut node = EngineNode::default();
    assert_eq!(guarded(&mut node, |_| panic!("to_commit {} is out of range", 7)), Status::Failed);
    assert_eq!(node.error(), "raft: to_commit 7 is out of range");
    assert_eq!(guarded(&mut node, |_| unreachable!("a failed node runs nothing")), Status::Failed);
    assert_eq!(node.error(), "raft: to_commit 7 is out of range", "the first reason stays");
    assert!(node.is_failed());
}

#[test]
fn a_denial_is_told_and_passes() {
    let mut node = EngineNode::default();
    assert_eq!(guarded(&mut node, |_| Err(Denial::Refused("why".into()))), Status::Refused);
    assert_eq!(node.error(), "why");
    assert_eq!(guarded(&mut node, |_| Err(Denial::NotLeader)), Status::NotLeader);
    assert_eq!(guarded(&mut node, |_| Ok(())), Status::Ok);
    assert!(!node.is_failed());
}

#[test]
fn a_membership_change_reads_as_it_was_written() {
    use prost::Message as _;
    let written = raft::eraftpb::ConfChange { id: 9, change_type: 2, node_id: 1 << 40, context: b"name=x".to_vec() };
    let bytes = written.encode_to_vec();
    assert_eq!(read_change(&bytes).unwrap(), Change { kind: 2, node: 1 << 40, context: b"name=x" });
    assert!(read_change(&bytes[..bytes.len() - 1]).is_err());
    assert_eq!(read_change(&[]).unwrap(), Change { kind: 0, node: 0, context: b"" });
}

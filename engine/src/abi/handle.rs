//! The handle: a node, its failure, and the arrays it has lent out.

use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe};

use raft::eraftpb::ConfState;

use super::types::{CPeer, Views};
use crate::loading::Loading;
use crate::node::{Denial, Node, Outcome};

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Ok = 0,
    Refused = 1,
    NotLeader = 2,
    Dropped = 3,
    Misuse = 4,
    Failed = 5,
}

#[derive(Default)]
pub enum Phase {
    Loading(Box<Loading>),
    Running(Box<Node>),
    /// What was recovered contradicts itself.
    #[default]
    Refused,
}

#[derive(Default)]
pub struct EngineNode {
    pub phase: Phase,
    /// Set once, by the first panic; never cleared.
    pub failure: Option<String>,
    last_error: String,
    pub ready_views: Views,
    pub advance_views: Views,
    pub members: ConfState,
    pub peers: Vec<CPeer>,
}

pub const NOT_RUNNING: Denial = Denial::Misuse("the node is not started");

impl EngineNode {
    pub fn running(&mut self) -> Outcome<&mut Node> {
        match &mut self.phase {
            Phase::Running(node) => Ok(node),
            _ => Err(NOT_RUNNING),
        }
    }

    pub fn is_failed(&self) -> bool {
        self.failure.is_some()
    }

    pub fn error(&self) -> &str {
        self.failure.as_deref().unwrap_or(&self.last_error)
    }

    fn denied(&mut self, denial: Denial) -> Status {
        let (status, text) = match denial {
            Denial::Refused(reason) => (Status::Refused, reason),
            Denial::Misuse(reason) => (Status::Misuse, reason.to_owned()),
            // The common answers of a running node: no text, no allocation.
            Denial::NotLeader => (Status::NotLeader, String::new()),
            Denial::Dropped => (Status::Dropped, String::new()),
        };
        self.last_error = text;
        status
    }
}

/// Runs one call. A panic leaves raft in no known state, so it is the node's last call.
pub fn guarded<'a>(
    node: impl Into<Option<&'a mut EngineNode>>,
    call: impl FnOnce(&mut EngineNode) -> Outcome,
) -> Status {
    let Some(node) = node.into() else { return Status::Misuse };
    if node.is_failed() {
        return Status::Failed;
    }
    match catch_unwind(AssertUnwindSafe(|| call(node))) {
        Ok(Ok(())) => Status::Ok,
        Ok(Err(denial)) => node.denied(denial),
        Err(panic) => {
            node.failure = Some(panic_text(panic.as_ref()));
            Status::Failed
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    format!("raft: {}", text.unwrap_or("panic without a message"))
}

/// A library does not write to its host's standard error. This copy of the standard library belongs to the engine alone.
#[cfg(not(test))]
pub fn silence_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(|_| {})));
}

#[cfg(test)]
pub fn silence_panics() {}

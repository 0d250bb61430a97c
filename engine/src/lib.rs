//! TiKV's raft library behind the C ABI of `engine.h`.
//!
//! A pure machine: no I/O, no policy, no clock, no thread, no random number that reaches a decision. The same calls give
//! the same answers and the same bytes.
//!
//! - `abi`        the functions of engine.h; the only unsafe code; every entry catches panics
//! - `node`       one raft participant and its turn (inputs, ready, advance): what may be asked of it when
//! - `participant` raft itself, and what it has handed out
//! - `batch`      what a turn hands out
//! - `loading`    what was recovered from disk, until it is complete and believed
//! - `storage`    the mirror: the part of the log that raft reads, in memory
//! - `validator`  what a peer may say
//! - `timeouts`   election timeouts from a seed
//! - `conf`       who is a member

mod abi;
mod batch;
mod conf;
mod loading;
mod node;
mod participant;
mod storage;
mod timeouts;
mod validator;

#[cfg(test)]
mod tests;

mod fixture;

mod abi;
mod cluster;
mod determinism;
mod storage;
mod validator;

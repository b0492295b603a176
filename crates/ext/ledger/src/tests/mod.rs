#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod approvals;
mod grid;
mod malicious;
mod runs;
mod vectors;
mod vesting;
mod world;

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod approvals;
mod broker;
mod events;
mod grid;
mod malicious;
mod options;
mod runs;
mod vectors;
mod vesting;
mod world;

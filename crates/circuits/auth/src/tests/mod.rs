//! Tests of the auth circuit: honest logins, lies, proofs.

mod lies;
mod live;
mod proofs;
mod tamper;
mod wallet;
mod world;

//! Tests of the auth circuit: honest logins, lies, proofs.

mod lies;
mod live;
mod pay;
mod proofs;
mod tamper;
mod wallet;
mod world;

//! Tests of the auth circuit: honest logins, lies, proofs.

mod lies;
mod live;
mod pay;
mod proofs;
mod split;
mod tamper;
mod wallet;
mod world;

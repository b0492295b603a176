//! Tests of the auth circuit: honest logins, lies, proofs.

mod lies;
mod live;
mod pay;
mod proofs;
mod wallet;
mod world;

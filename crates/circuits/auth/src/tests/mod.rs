//! Tests of the auth circuit: honest logins, lies, proofs.

mod lies;
mod proofs;
mod wallet;
mod world;

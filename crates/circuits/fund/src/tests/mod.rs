//! Tests of the fund circuit: honest ops, lies, properties.

mod honest;
mod lies;
mod lies_cancel;
mod lies_l1;
mod oracle;
mod proofs;
mod props;
mod world;

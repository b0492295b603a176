//! Tests of the fund circuit: honest ops, lies, properties.

mod honest;
mod lies;
mod oracle;
mod props;
mod world;

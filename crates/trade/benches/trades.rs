//! Trades.
fn main() {}

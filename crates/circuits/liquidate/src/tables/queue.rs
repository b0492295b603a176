//! The L1 queue of an op whose record has three blocks.

use tsz_air::{F, InteractionBuilder};
use tsz_gadgets::chain::{Serial, sys};
use tsz_gadgets::columns;
use tsz_gadgets::row::{Row, c, pad8};
use tsz_hash::{Block, Digest, step};

columns! {
    /// Serial and chain.
    pub struct Queue {
        /// The serial.
        serial: (Serial),
        /// L1CHAIN found; bound by the bus.
        old: [8],
        /// Capacity after the first block; owned by `p2`.
        first: [8],
        /// Capacity after the second block; owned by `p2`.
        second: [8],
        /// L1CHAIN left; owned by `p2`.
        new: [8],
    }
}

impl Queue<F> {
    /// Absorbs a record into what was found.
    pub fn of(serial: &Digest, old: &Digest, [a, b, c]: &[Block; 3]) -> Self {
        let first = step(a, old);
        let second = step(b, &first);
        Self { serial: Serial::of(serial), old: *old, first, second, new: step(c, &second) }
    }
}

/// Accesses 0 and 1, writes 0 and 1: the serial is taken and the record `[code, serial, party, 0]` with two more blocks is
/// absorbed.
pub fn queue<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    q: &Queue<AB::Expr>,
    code: u32,
    [account, place, market]: [AB::Expr; 3],
    [sender, terms]: [[AB::Expr; 8]; 2],
) {
    let real = row.real.clone();
    let [s0, s1, s2] = row.serial(0, 0, &q.serial);
    let head = pad8(&[c(code), s0, s1, s2, account, place, market]);
    row.step(&real, head, &q.old, &q.first);
    row.step(&real, sender, &q.first, &q.second);
    row.step(&real, terms, &q.second, &q.new);
    row.sys_key(1, true, sys::L1CHAIN);
    row.old(1, q.old.clone());
    row.new_value(1, q.new.clone());
}

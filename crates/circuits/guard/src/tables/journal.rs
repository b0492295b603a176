//! The journal: what the guest committed to, absorbed block by block (docs/src/extensions.md, "Runs and journals").
//!
//! **Proven.** The ops received on `journal_op`, in some order, absorbed by Poseidon2 of width 24 from the public start,
//! give the public end, and they are `count`. The blocks of an op are built from exactly its keys and values on
//! `journal_key` and `journal_value`: `[n, w, parties, 0, hi'_0, lo_0, ..]`, the n old values, the w new values, each of
//! the three zero-filled to blocks of 16.
//!
//! Rows are blocks, and one end row; the capacity after a block is the next row's `cap`. Senders of `journal_op` make
//! sure that n >= 1 and that no two messages have the same index.

use core::array::from_fn;

use tsz_air::{Air, AirBuilder, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_chips::poseidon24::{self, RATE};
use tsz_gadgets::columns;
use tsz_gadgets::row::c;

use crate::bus::{JOURNAL, JOURNAL_KEY, JOURNAL_VALUE, receive};
use crate::runs::{run_air, window};

/// Public values: start (8), end (8), count.
pub(crate) const PUBLICS: usize = 17;
/// Keys in a block of keys.
pub(crate) const KEYS: usize = RATE / 2;
/// Pairs of the header, before the first key.
pub(crate) const HEADER: usize = 2;

columns! {
    /// One block, the end row, or padding (all five kinds 0).
    pub struct Journal {
        /// First block of an op: header and keys; boolean, at most one of the five kinds is 1.
        is_first: felt,
        /// Further block of keys; boolean.
        is_key: felt,
        /// Block of old values; boolean.
        is_old: felt,
        /// Block of new values; boolean.
        is_new: felt,
        /// The end: not a block; `cap` is the public end; boolean.
        is_end: felt,
        /// Sequence number of the op; constant over the op; bound by `journal_op`.
        index: felt,
        /// Accesses; constant over the op; bound by `journal_op`.
        accesses: felt,
        /// Writes; constant over the op; bound by `journal_op`.
        writes: felt,
        /// Ops up to and including this row.
        count: felt,
        /// First block: -2. Block of keys: number of the key in pair 0. Block of values: number of the first value.
        pos: felt,
        /// Whether each pair of `msg` is a key. Boolean; a prefix after the header; 0 in other blocks.
        present: [KEYS],
        /// Whether a block of values holds a second one; boolean.
        second: felt,
        /// The block.
        msg: [RATE],
        /// Capacity before the block.
        cap: [8],
    }
}

run_air! {
    /// AIR of [`Journal`]. Public values: start (8), end (8), count.
    JournalAir, Journal, "journal", PUBLICS
}

impl<E: PrimeCharacteristicRing + Clone> Journal<E> {
    fn keys(&self) -> E {
        self.is_first.clone() + self.is_key.clone()
    }

    fn values(&self) -> E {
        self.is_old.clone() + self.is_new.clone()
    }

    fn block(&self) -> E {
        self.keys() + self.values()
    }

    /// Keys up to and including this block.
    fn keys_after(&self) -> E {
        let present: E = self.present.iter().cloned().sum();
        self.pos.clone() + self.is_first.double() + present
    }

    /// Values of the section up to and including this block.
    fn values_after(&self) -> E {
        self.pos.clone() + E::ONE + self.second.clone()
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for JournalAir {
    fn eval(&self, builder: &mut AB) {
        let (j, next): (Journal<AB::Expr>, Journal<AB::Expr>) = window(builder);
        kinds(builder, &j);
        contents(builder, &j);
        order(builder, &j, &next);
        positions(builder, &j, &next);
        segment(builder, &j, &next);
        messages(builder, &j, &next);
    }
}

/// Kinds exclude each other; which pairs are keys.
fn kinds<AB: AirBuilder<F = F>>(builder: &mut AB, j: &Journal<AB::Expr>) {
    let (keys, values) = (j.keys(), j.values());
    builder.assert_bools([&j.is_first, &j.is_key, &j.is_old, &j.is_new, &j.is_end].map(Clone::clone));
    builder.assert_bool(keys.clone() + values.clone() + j.is_end.clone());
    builder.assert_bools(j.present.clone());
    builder.assert_bool(j.second.clone());
    builder.when(j.second.clone()).assert_one(values);
    // pairs 0 and 1 of the first block are the header
    builder.assert_eq(j.present[0].clone(), j.is_key.clone());
    builder.when(j.present[1].clone()).assert_one(j.is_key.clone());
    builder.when(j.present[2].clone()).assert_one(keys);
    builder.when(j.is_key.clone() * j.present[2].clone()).assert_one(j.present[1].clone());
    for k in 3..KEYS {
        builder.when(j.present[k].clone()).assert_one(j.present[k - 1].clone());
    }
}

/// The header, and zeros where there is nothing.
fn contents<AB: AirBuilder<F = F>>(builder: &mut AB, j: &Journal<AB::Expr>) {
    let mut first = builder.when(j.is_first.clone());
    first.assert_one(j.present[HEADER].clone());
    first.assert_eq(j.msg[0].clone(), j.accesses.clone());
    first.assert_eq(j.msg[1].clone(), j.writes.clone());
    first.assert_zero(j.msg[3].clone());
    first.assert_zero(j.pos.clone() + c::<AB::Expr>(HEADER as u32));
    let absent = |k: usize| AB::Expr::ONE - j.present[k].clone();
    builder.when(j.is_key.clone() * absent(1)).assert_zeros([j.msg[2].clone(), j.msg[3].clone()]);
    for k in HEADER..KEYS {
        let pair = [j.msg[2 * k].clone(), j.msg[2 * k + 1].clone()];
        builder.when(j.keys() * absent(k)).assert_zeros(pair);
    }
    let lone = j.values() * (AB::Expr::ONE - j.second.clone());
    builder.when(lone).assert_zeros::<8, _>(from_fn(|k| j.msg[8 + k].clone()));
}

/// Which kind may follow which: first, keys, old values, new values of an op; then the next op or the end; padding last.
fn order<AB: AirBuilder<F = F>>(builder: &mut AB, j: &Journal<AB::Expr>, d: &Journal<AB::Expr>) {
    let (keys, old, new) = (j.keys(), j.is_old.clone(), j.is_new.clone());
    let done = d.is_first.clone() + d.is_end.clone();
    let mut t = builder.when_transition();
    t.when(d.is_key.clone()).assert_one(keys.clone());
    t.when(d.is_old.clone()).assert_one(keys.clone() + old.clone());
    t.when(d.is_new.clone()).assert_one(j.values());
    t.when(done.clone()).assert_one(j.values());
    t.when(keys.clone()).assert_one(d.is_key.clone() + d.is_old.clone());
    t.when(old).assert_one(d.values() + done.clone());
    t.when(new).assert_one(d.is_new.clone() + done);
    // the capacity after a block is in the next row, and the last row has none
    builder.when_last_row().assert_zero(j.block());
}

/// Keys are numbered 0..n, old values 0..n, new values 0..w, without a gap.
fn positions<AB: AirBuilder<F = F>>(builder: &mut AB, j: &Journal<AB::Expr>, d: &Journal<AB::Expr>) {
    let one = AB::Expr::ONE;
    let mut t = builder.when_transition();
    let mut further = t.when(d.is_key.clone());
    further.assert_eq(d.pos.clone(), j.pos.clone() + c::<AB::Expr>(KEYS as u32));
    further.assert_one(j.present[KEYS - 1].clone());
    let mut keys_done = t.when(j.keys() * d.is_old.clone());
    keys_done.assert_eq(j.keys_after(), j.accesses.clone());
    keys_done.assert_zero(d.pos.clone());
    for (this, next, total) in [(&j.is_old, &d.is_old, &j.accesses), (&j.is_new, &d.is_new, &j.writes)] {
        let mut further = t.when(this.clone() * next.clone());
        further.assert_one(j.second.clone());
        further.assert_eq(d.pos.clone(), j.values_after());
        t.when(this.clone() * (one.clone() - next.clone())).assert_eq(j.values_after(), total.clone());
    }
    t.when(j.is_old.clone() * d.is_new.clone()).assert_zero(d.pos.clone());
    let no_new = j.is_old.clone() * (one - d.is_old.clone() - d.is_new.clone());
    t.when(no_new).assert_zero(j.writes.clone());
    let mut same_op = t.when(d.is_key.clone() + d.values());
    same_op.assert_eq(d.index.clone(), j.index.clone());
    same_op.assert_eq(d.accesses.clone(), j.accesses.clone());
    same_op.assert_eq(d.writes.clone(), j.writes.clone());
}

/// From the public start to the public end, with the public number of ops.
fn segment<AB: AirBuilder<F = F>>(builder: &mut AB, j: &Journal<AB::Expr>, d: &Journal<AB::Expr>) {
    let publics = builder.public_values().to_vec();
    let digest = |at: usize| from_fn::<AB::Expr, 8, _>(|k| publics[at + k].into());
    let mut first_row = builder.when_first_row();
    first_row.assert_one(j.is_first.clone() + j.is_end.clone());
    first_row.assert_eq_arrays(j.cap.clone(), digest(0));
    first_row.assert_eq(j.count.clone(), j.is_first.clone());
    builder
        .when_transition()
        .when(j.block())
        .assert_eq(d.count.clone(), j.count.clone() + d.is_first.clone());
    let mut end = builder.when(j.is_end.clone());
    end.assert_eq_arrays(j.cap.clone(), digest(8));
    end.assert_eq(j.count.clone(), publics[16]);
}

fn messages<AB: InteractionBuilder<F = F>>(builder: &mut AB, j: &Journal<AB::Expr>, d: &Journal<AB::Expr>) {
    poseidon24::step(builder, j.msg.clone(), j.cap.clone(), d.cap.clone(), j.block());
    let op = vec![j.index.clone(), j.accesses.clone(), j.writes.clone(), j.msg[2].clone()];
    receive(builder, &JOURNAL, op, &j.is_first);
    for k in 0..KEYS {
        let at = j.pos.clone() + c::<AB::Expr>(k as u32); // below 8
        let key = vec![j.index.clone(), at, j.msg[2 * k].clone(), j.msg[2 * k + 1].clone()];
        receive(builder, &JOURNAL_KEY, key, &j.present[k]);
    }
    for (half, flag) in [(0, j.values()), (1, j.second.clone())] {
        let at = j.pos.clone() + c::<AB::Expr>(half);
        let head = [j.index.clone(), j.is_new.clone(), at];
        let value = j.msg.iter().skip(8 * half as usize).take(8).cloned();
        receive(builder, &JOURNAL_VALUE, head.into_iter().chain(value).collect(), &flag);
    }
}

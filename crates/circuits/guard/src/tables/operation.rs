//! An operation: how many parties, cells, writes and limits it has.
//!
//! Proven on a real row: the op announced to the tuple and to the journal has the runs of rows in `party`, `cell` and
//! `limit` that were received, with accesses in the order party, cell, limit; 1 to 16 parties; at most 128 accesses
//! without the limits.

use tsz_air::{Air, F, InteractionBuilder};
use tsz_gadgets::columns;
use tsz_gadgets::op_air;
use tsz_gadgets::row::{Row, c};
use tsz_gadgets::table::current;

use crate::bus::{CELLS, JOURNAL, LIMITS, PARTIES, receive, send};

/// Accesses to a party's approval.
pub(crate) const PARTY_READS: u32 = 3;
/// Most parties of an op.
pub(crate) const MAX_PARTIES: u32 = 16;
/// Most accesses of an op, without the limits.
pub(crate) const MAX_ACCESSES: u32 = 128;

columns! {
    /// One operation.
    pub struct Operation {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// Parties, 1..=16; bound by `guard_parties`, range12.
        parties: felt,
        /// Accesses to approvals and cells, at most 128; bound by `guard_cells` or equal to 3 parties; range12.
        accesses: felt,
        /// Writes of cells; bound by `guard_cells` or 0.
        writes: felt,
        /// Accesses to limits; bound by `guard_limits` or 0.
        limits: felt,
        /// 1 = there are cells; boolean, at most `is_real`.
        has_cells: felt,
        /// 1 = there are limits; boolean, at most `is_real`.
        has_limits: felt,
    }
}

op_air! {
    /// AIR of [`Operation`].
    OperationAir, Operation, "operation", 0
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for OperationAir {
    fn eval(&self, builder: &mut AB) {
        let o: Operation<AB::Expr> = current(builder);
        operation(builder, &o, None);
    }
}

/// The row is an operation. Circuits with legs say how many accesses and writes those have, between cells and limits.
pub(super) fn operation<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    o: &Operation<AB::Expr>,
    legs: Option<[&AB::Expr; 2]>,
) {
    let (mut judged, mut writes) = (o.accesses.clone(), o.writes.clone());
    if let Some([accesses, written]) = legs {
        judged += accesses.clone();
        writes += written.clone();
    }
    let all = judged.clone() + o.limits.clone();
    let written = writes.clone() + o.limits.clone();
    let (real, index) = (o.is_real.clone(), o.index.clone());
    let mut row = Row::sized(builder, real.clone(), index.clone(), all.clone(), all.clone() + written);
    for flag in [&o.has_cells, &o.has_limits] {
        row.boolean(flag);
        row.zero(flag.clone() * (c::<AB::Expr>(1) - real.clone()));
    }
    row.range(c::<AB::Expr>(MAX_PARTIES) - o.parties.clone());
    row.range(c::<AB::Expr>(MAX_ACCESSES) - o.accesses.clone());
    let approvals = o.parties.clone() * c::<AB::Expr>(PARTY_READS);
    let none = real.clone() - o.has_cells.clone();
    row.zero(none.clone() * (o.accesses.clone() - approvals.clone()));
    row.zero(none * o.writes.clone());
    row.zero((real.clone() - o.has_limits.clone()) * o.limits.clone());

    let builder = row.builder();
    receive(builder, &PARTIES, vec![index.clone(), o.parties.clone()], &real);
    let cells = vec![index.clone(), approvals, o.accesses.clone(), o.writes.clone(), all.clone()];
    receive(builder, &CELLS, cells, &o.has_cells);
    let limits = vec![index.clone(), judged, all + writes, o.limits.clone()];
    receive(builder, &LIMITS, limits, &o.has_limits);
    let journal = vec![index, o.accesses.clone(), o.writes.clone(), o.parties.clone()];
    send(builder, &JOURNAL, journal, &real);
}

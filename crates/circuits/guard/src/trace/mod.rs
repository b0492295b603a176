//! From applied ops to the traces of the tables of the family.

mod approvals;
mod cells;
mod journal;
mod legs;
mod limits;

pub(crate) use approvals::approval_traces;
pub(crate) use journal::{journal_blocks, journal_trace};
pub(crate) use legs::MarginRows;

use core::array::from_fn;

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32, Trace};
use tsz_gadgets::layout::Columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::{inverse, table};
use tsz_ledger::{Access, BatchContext, Leaf};

use crate::class::Class;
use crate::record::{ExtensionRecord, RecordError};
use crate::runs::Run;
use crate::tables::cell::{Cell, Covered};
use crate::tables::limit::Limit;
use crate::tables::margin::leg::{CASH, LOTS, Leg};
use crate::tables::money::{CARRY_OFFSET, Money};
use crate::tables::operation::Operation;
use crate::tables::party::Party;

/// The number in limb `k` of a leaf.
pub(crate) fn limb(leaf: &Leaf, k: usize) -> u32 {
    leaf[k].as_canonical_u32()
}

/// The trace of a table.
///
/// # Errors
/// [`RecordError::TooMany`].
pub(crate) fn matrix<C: Columns<F> + Default + Sync>(
    name: &'static str,
    rows: &[C],
    log_height: usize,
) -> Result<Trace, RecordError> {
    let error = RecordError::TooMany { table: name, rows: 1 << log_height, got: rows.len() };
    table::matrix(rows, log_height, &C::default()).ok_or(error)
}

/// Number of a limit over all parties, and the change that is charged to it.
pub(crate) type Spend = (F, [F; 8]);

/// Rows of the guard's own tables.
#[derive(Clone, Default)]
pub(crate) struct Rows {
    pub operations: Vec<Operation<F>>,
    pub parties: Vec<Party<F>>,
    pub cells: Vec<Cell<F>>,
    pub limits: Vec<Limit<F>>,
    pub money: Vec<Money<F>>,
}

impl Rows {
    /// The rows of some records; lookups of parties not counted yet.
    ///
    /// # Errors
    /// [`RecordError`].
    pub(crate) fn of(context: &BatchContext, records: &[ExtensionRecord]) -> Result<Self, RecordError> {
        let mut rows = Self::default();
        for record in records {
            rows.add(context, record)?;
        }
        Ok(rows)
    }

    fn add(&mut self, context: &BatchContext, record: &ExtensionRecord) -> Result<(), RecordError> {
        let [approvals, cells, limits] = record.parts()?;
        let parties = parties(context, record, approvals);
        let rows = cells::rows(record, &parties, cells, (approvals.len(), record.accesses.len()));
        self.close(record, [approvals, cells, &[], limits], (parties, rows), &[]);
        Ok(())
    }

    /// Adds an op with accesses to approvals, cells, those of legs, limits; the rows of its parties, cells and legs.
    fn close(
        &mut self,
        record: &ExtensionRecord,
        [approvals, cells, legs, limits]: [&[Access]; 4],
        (parties, rows): (Vec<Party<F>>, Vec<Cell<F>>),
        leg_rows: &[Leg<F>],
    ) {
        let writes = |accesses: &[Access]| accesses.iter().filter(|a| a.write).count();
        let [judged, all] = [approvals.len() + cells.len(), record.accesses.len()];
        let written = writes(cells) + writes(legs);
        self.operations.push(Operation {
            is_real: F::ONE,
            index: F::from_u32(record.index),
            parties: F::from_usize(record.op.parties.len()),
            accesses: F::from_usize(judged),
            writes: F::from_usize(writes(cells)),
            limits: F::from_usize(limits.len()),
            has_cells: F::from_bool(!cells.is_empty()),
            has_limits: F::from_bool(!limits.is_empty()),
        });
        let spent = rows.iter().filter(|cell| cell.is_limited == F::ONE);
        let spends: Vec<Spend> = spent
            .map(|cell| (cell.rank(), change(cell)))
            .chain(leg_rows.iter().map(|leg| (leg.rank(), leg.charged())))
            .collect();
        let first = (judged + legs.len(), all + written);
        self.limits.extend(limits::rows(record, &parties, &spends, limits, first));
        self.money.extend(money(record.index, &rows, leg_rows));
        self.parties.extend(parties);
        self.cells.extend(rows);
    }

    /// Traces of operation, party, cell, limit, money.
    ///
    /// # Errors
    /// [`RecordError::TooMany`].
    pub(crate) fn traces(&self, class: &Class) -> Result<[Trace; 5], RecordError> {
        Ok([
            matrix("operation", &self.operations, class.operations)?,
            matrix("party", &self.parties, class.parties)?,
            matrix("cell", &self.cells, class.cells)?,
            matrix("limit", &self.limits, class.limits)?,
            matrix("money", &self.money, class.money)?,
        ])
    }
}

/// The party rows of an op.
fn parties(context: &BatchContext, record: &ExtensionRecord, approvals: &[Access]) -> Vec<Party<F>> {
    let order = |k: usize| {
        let party = &record.op.parties[k];
        u64::from(party.account.get()) << 5 | u64::from(party.sub.get())
    };
    let len = record.op.parties.len();
    let row = |k: usize| {
        let (party, policy) = (&record.op.parties[k], &approvals[3 * k + 2].old);
        let account = party.account.get();
        let [e0, e1] = [limb(policy, 0), limb(policy, 1)].map(u64::from);
        let margin = (e0 | e1 << 24).wrapping_sub(context.time).wrapping_sub(1);
        let gap = if k + 1 < len { order(k + 1).wrapping_sub(order(k)).wrapping_sub(1) } else { 0 };
        Party {
            run: Run::at(record.index, k, len),
            place: F::from_usize(k),
            account: U24::of(account),
            reserved_inv: inverse(F::from_u32(account) * (F::from_u32(account) - F::ONE)),
            sub: F::from_u32(party.sub.get().into()),
            slot: F::from_u32(party.slot.get().into()),
            terms: approvals[3 * k + 1].old,
            expiry: [policy[0], policy[1]],
            epoch: policy[2],
            tokens: from_fn(|t| policy[3 + t]),
            margin: [0, 24].map(|s| U24::of((margin >> s) as u32 & 0xff_ffff)),
            borrow: F::from_bool(e0 < (context.time & 0xff_ffff) + 1),
            gap: U24::of(gap as u32 & 0xff_ffff),
            gap_hi: F::from_u64(gap >> 24 & 31),
            uses: F::ZERO,
        }
    };
    (0..len).map(row).collect()
}

/// The party as other tables look it up.
pub(crate) fn covered(party: &Party<F>) -> Covered<F> {
    Covered { place: party.place, slot: party.slot, epoch: party.epoch, tokens: party.tokens }
}

/// A small signed number in a felt.
pub(crate) fn signed(x: F) -> i64 {
    let v = i64::from(x.as_canonical_u32());
    if v > i64::from(F::ORDER_U32) / 2 { v - i64::from(F::ORDER_U32) } else { v }
}

/// The felt of a signed number.
pub(crate) fn felt(x: i64) -> F {
    F::from_i64(x)
}

/// The change of a balance in signed digits.
pub(crate) fn change(cell: &Cell<F>) -> [F; 8] {
    from_fn(|k| cell.new_digits[k] - cell.old_digits[k])
}

/// Whether the row writes a balance.
pub(crate) fn is_balance(cell: &Cell<F>) -> bool {
    cell.is_limited + cell.is_free + cell.is_fee == F::ONE
}

/// The money rows of an op: a run for each token, for collateral, for lots.
fn money(index: u32, cells: &[Cell<F>], legs: &[Leg<F>]) -> Vec<Money<F>> {
    let mut changes: Vec<(u32, [F; 8])> =
        cells.iter().filter(|c| is_balance(c)).map(|c| (c.at.as_canonical_u32(), change(c))).collect();
    changes.extend(legs.iter().flat_map(|leg| [CASH, LOTS].into_iter().zip(leg.sums())));
    changes.sort_by_key(|(token, _)| *token);
    let mut rows = Vec::with_capacity(changes.len());
    for run in changes.chunk_by(|a, b| a.0 == b.0) {
        let mut before = [F::ZERO; 8];
        for (k, (token, change)) in run.iter().enumerate() {
            let mut row = Money {
                run: Run::at(index, k, run.len()),
                token: F::from_u32(*token),
                place: F::from_usize(k),
                before,
                change: *change,
                ..Money::default()
            };
            before = row.after();
            if row.run.is_last == F::ONE {
                row.carries = sum_carries(&before);
            }
            rows.push(row);
        }
    }
    rows
}

/// Carries of a sum of zero; those of another satisfy nothing.
fn sum_carries(digits: &[F; 8]) -> [F; 7] {
    let bound = i64::from(CARRY_OFFSET);
    let mut carry = 0;
    from_fn(|k| {
        carry = ((signed(digits[k]) + carry) >> 12).clamp(-bound, bound - 1);
        felt(carry)
    })
}

//! Rows of operations that may move positions.

use core::array::from_fn;

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32, Trace};
use tsz_gadgets::inverse;
use tsz_gadgets::limb::U24;
use tsz_gadgets::product::{Scaled, digits12, felts, product_carries};
use tsz_gadgets::units::SCALE;
use tsz_hash::Digest;
use tsz_ledger::{Access, BatchContext, Leaf};
use tsz_margin::Book;
use tsz_margin::tables::{Move, Price};
use tsz_perp::fill::interest_by;
use tsz_trade::Params;

use super::{Rows, cells, covered, limb, matrix, parties, signed};
use crate::class::Class;
use crate::record::{ExtensionRecord, RecordError};
use crate::runs::Run;
use crate::tables::approve::POSITIONS;
use crate::tables::cell::Cell;
use crate::tables::margin::crossing::{Crossing, HIGH_OFFSET};
use crate::tables::margin::leg::{Leg, MARKET_READS};
use crate::tables::margin::leg_cell::{LEG_CELL, LegCell};
use crate::tables::margin::operation::MarginOperation;
use crate::tables::party::Party;

/// The row of a cell that is a leg, and what the operation asks it to become.
type Asked<'a> = (&'a Cell<F>, &'a Leaf);

/// Rows of the guard's own tables, with those of legs.
pub(crate) struct MarginRows<'a> {
    pub plain: Rows,
    /// Of each operation: whether it has legs, their accesses and writes.
    pub crossed: Vec<[F; 3]>,
    /// Of each cell: whether it is a leg.
    pub is_leg: Vec<F>,
    pub legs: Vec<Leg<F>>,
    pub crossings: Vec<Crossing<F>>,
    pub book: Book<'a>,
}

impl<'a> MarginRows<'a> {
    /// The rows of some records; lookups of parties not counted yet.
    ///
    /// # Errors
    /// [`RecordError`].
    pub(crate) fn of(
        context: &BatchContext,
        params: &'a Params,
        records: &[ExtensionRecord],
    ) -> Result<Self, RecordError> {
        let mut rows = Self {
            plain: Rows::default(),
            crossed: Vec::new(),
            is_leg: Vec::new(),
            legs: Vec::new(),
            crossings: Vec::new(),
            book: Book::new(context, params),
        };
        for record in records {
            rows.add(context, record)?;
        }
        Ok(rows)
    }

    fn add(&mut self, context: &BatchContext, record: &ExtensionRecord) -> Result<(), RecordError> {
        let parts = record.margin_parts()?;
        let [approvals, cells, crossed, _] = parts;
        let parties = parties(context, record, approvals);
        let rows = cells::rows(record, &parties, cells, (approvals.len(), record.accesses.len()));
        let asked: Vec<Asked<'_>> = rows
            .iter()
            .zip(cells)
            .filter(|(_, access)| is_leg(access))
            .map(|(row, access)| (row, &access.new))
            .collect();
        let has_legs = !asked.is_empty();
        let writes = crossed.iter().filter(|a| a.write).count();
        let counts = [crossed.len(), writes].map(F::from_usize);
        self.crossed.push([F::from_bool(has_legs), counts[0], counts[1]]);
        self.is_leg.extend(cells.iter().map(|access| F::from_bool(is_leg(access))));
        let mut legs = Vec::new();
        if has_legs {
            let judged = approvals.len() + cells.len();
            let written = cells.iter().filter(|a| a.write).count();
            let first = [judged, record.accesses.len() + written].map(F::from_usize);
            legs = self.legs(record, (&parties, &asked), crossed, first)?;
        }
        self.plain.close(record, parts, (parties, rows), &legs);
        self.legs.extend(legs);
        Ok(())
    }

    /// The rows of the legs of an op, and its crossing; `access` and `value`: numbers of the first of both.
    fn legs(
        &mut self,
        record: &ExtensionRecord,
        (parties, asked): (&[Party<F>], &[Asked<'_>]),
        accesses: &[Access],
        [access, value]: [F; 2],
    ) -> Result<Vec<Leg<F>>, RecordError> {
        let read = |k: usize| {
            let (got, expected) = (record.accesses.len(), record.accesses.len() + 1);
            accesses.get(k).ok_or(RecordError::Accesses { index: record.index, expected, got })
        };
        let (mkp, mkf, mko) = (read(0)?, read(1)?, read(2 + 2 * asked.len())?);
        let market = mkp.key.lo();
        let mut legs: Vec<Leg<F>> = Vec::new();
        let (mut reads, mut interest) = (F::ZERO, [F::ZERO; 2]);
        for (k, (cell, leaf)) in asked.iter().enumerate() {
            let price = self.book.price(market, &mkp.old, &mkf.old);
            let party = parties.iter().find(|p| p.place == cell.party.place).or(parties.first());
            let (sub, pos) = (read(2 + 2 * k)?, read(3 + 2 * k)?);
            let mut leg = Leg {
                run: Run::at(record.index, k, asked.len()),
                place: F::from_usize(k),
                legs: F::from_usize(asked.len()),
                access,
                value,
                account: party.map_or(F::ZERO, |p| p.account.value()),
                sub: party.map_or(F::ZERO, |p| p.sub),
                party: party.map_or_else(Default::default, covered),
                reads_before: reads,
                interest,
                ..Leg::default()
            };
            fill(&mut leg, price, leaf);
            shift(&mut leg, &mut self.book, [&sub.old, &pos.old]);
            charge(&mut leg);
            reads += leg.reads;
            interest = leg.interest_after();
            legs.push(leg);
        }
        let behind = MARKET_READS as usize + 2 * asked.len() + 1;
        for leg in legs.iter().filter(|leg| leg.is_bare == F::ZERO) {
            let [from, count] = [leg.reads_before, leg.reads].map(|x| x.as_canonical_u32() as usize);
            let table = accesses.get(behind + from..).unwrap_or_default();
            self.book.judge(leg.claim(), &table[..count.min(table.len())]);
        }
        if let Some(last) = legs.last() {
            let row = self.crossing(last, mko);
            self.crossings.push(row);
        }
        Ok(legs)
    }

    fn crossing(&mut self, last: &Leg<F>, mko: &Access) -> Crossing<F> {
        let market = last.price.market.as_canonical_u32();
        let listed = self.book.listed(market);
        let change = last.interest_after();
        let low = signed(change[0]);
        let mut row = Crossing {
            is_real: F::ONE,
            index: last.run.index,
            access: last.access,
            value: last.value,
            legs: last.legs,
            end: last.access
                + F::from_u32(MARKET_READS + 1)
                + last.legs.double()
                + last.reads_before
                + last.reads,
            price: last.price.clone(),
            listed,
            change,
            low: U24::of((low & 0xff_ffff) as u32),
            carry: F::from_i64(low >> 24),
            ..Crossing::default()
        };
        let moved = row.moved().map(signed);
        let high = (moved[1] + i64::from(HIGH_OFFSET)) as u32; // 26 bits: the ledger takes changes of 49
        row.high = U24::of(high & 0xff_ffff);
        row.high_top = F::from_u32(high >> 24);
        row.interest = interest_by(&mko.old, moved, (&row.price, true), row.listed.oi_cap);
        row
    }

    /// Traces of margin_operation, party, leg_cell, limit, money.
    ///
    /// # Errors
    /// [`RecordError::TooMany`].
    pub(crate) fn plain_traces(&self, class: &Class) -> Result<[Trace; 5], RecordError> {
        let operations: Vec<_> = self
            .plain
            .operations
            .iter()
            .zip(&self.crossed)
            .map(|(op, [has_legs, accesses, writes])| MarginOperation {
                op: op.clone(),
                has_legs: *has_legs,
                accesses: *accesses,
                writes: *writes,
            })
            .collect();
        let cells: Vec<_> = self
            .plain
            .cells
            .iter()
            .zip(&self.is_leg)
            .map(|(cell, is_leg)| LegCell { cell: cell.clone(), is_leg: *is_leg })
            .collect();
        Ok([
            matrix("margin_operation", &operations, class.operations)?,
            matrix("party", &self.plain.parties, class.parties)?,
            matrix("leg_cell", &cells, class.cells)?,
            matrix("limit", &self.plain.limits, class.limits)?,
            matrix("money", &self.plain.money, class.money)?,
        ])
    }
}

/// Whether a program writes a leg there.
pub(crate) fn is_leg(access: &Access) -> bool {
    let key = tsz_ext_sdk::Key { hi: access.key.hi(), lo: access.key.lo() };
    access.write && key.as_approval().is_some_and(|(.., number)| number == LEG_CELL)
}

/// What the cell and the market say.
fn fill(leg: &mut Leg<F>, price: Price<F>, leaf: &Leaf) {
    let wide =
        |limbs: &[F]| limbs.iter().rev().fold(0u128, |x, limb| x << 24 | u128::from(limb.as_canonical_u32()));
    let (lots, place) = (wide(&leaf[..2]), limb(leaf, 2));
    leg.lots = felts(digits12(lots));
    leg.lots_inv = inverse(leg.lots.into_iter().sum());
    leg.sells = F::from_u32(place >> 8 & 1);
    leg.pays = F::from_u32(place >> 9 & 1);
    leg.cash = felts(digits12(wide(&leaf[3..7])));
    let [lots_digits, unit] =
        [&leg.lots[..], &price.unit[..]].map(|x| x.iter().map(|d| d.as_canonical_u32()).collect::<Vec<_>>());
    let unit_value = unit.iter().rev().fold(0u128, |x, digit| x << 12 | u128::from(*digit));
    let notional = lots * unit_value;
    leg.notional = felts(digits12(notional));
    leg.notional_carries = product_carries(&lots_digits, &unit);
    leg.worth = Scaled::of((notional & ((1 << 60) - 1)) as u64, SCALE as u32);
    leg.limit = from_fn(|k| F::from_bool(leg.party.tokens[k] == F::from_u32(POSITIONS)));
    leg.price = price;
}

/// What it does to position and collateral.
fn shift(leg: &mut Leg<F>, book: &mut Book<'_>, [sub, pos]: [&Digest; 2]) {
    let mut moved = Move::found(book, &leg.price, sub, pos);
    let lots = leg.lots.iter().rev().fold(0i64, |x, digit| x << 12 | i64::from(digit.as_canonical_u32()));
    let sells = leg.sells == F::ONE;
    moved.shift(if sells { -lots } else { lots });
    moved.pay(leg.paid().map(signed));
    let opposes = moved.flat_before == F::ZERO && (moved.short_before == F::ONE) != sells;
    let follows = moved.flat_after == F::ZERO && (moved.short_after == F::ONE) == sells;
    leg.opposes = F::from_bool(opposes);
    leg.follows = F::from_bool(follows);
    leg.shrinks = F::from_bool(opposes && !follows);
    leg.is_bare = F::from_bool(moved.positions == F::ZERO);
    leg.bare_inv = inverse(moved.positions);
    if leg.is_bare == F::ZERO {
        leg.reads = moved.tokens().double() + moved.others(&F::ONE) * F::from_u8(3);
    }
    leg.moved = moved;
}

/// What it changes of the limit of positions.
fn charge(leg: &mut Leg<F>) {
    let sums = leg.change_sums().map(signed);
    let total = sums.iter().rev().fold(0i128, |x, limb| (x << 24) + i128::from(*limb));
    let (turn, size) = (if total < 0 { -1 } else { 1 }, total.unsigned_abs());
    leg.falls = F::from_bool(total < 0);
    let mut carry = 0i64;
    for (k, sum) in sums.into_iter().enumerate() {
        let limb = (size >> (24 * k)) as u32 & 0xff_ffff;
        leg.change[k] = U24::of(limb);
        carry = (turn * sum + carry - i64::from(limb)) >> 24;
        if k < 3 {
            for (bit, cell) in leg.change_carries[3 * k..3 * k + 3].iter_mut().enumerate() {
                *cell = F::from_bool((carry + 4) >> bit & 1 == 1);
            }
        }
    }
}

//! The table of zero quotes against the native rule, flags of claims; the other tables are tested with the circuits that
//! use them.

mod claims;
mod moves;

use tsz_air::{
    Air, BaseAir, F, InteractionBuilder, PrimeCharacteristicRing, Trace, Violation, air_enum, check,
};
use tsz_chips::range::{self, RangeTable};
use tsz_gadgets::product::{digits12, felts};
use tsz_gadgets::row::Row;
use tsz_gadgets::table::current;
use tsz_gadgets::{collect, columns, op_air, table};
use tsz_risk::quote::zero_quote;
use tsz_risk::{Account, MICRO, Market, Position, Tier};

use crate::tables::*;

columns! {
    /// Asks for a quote.
    pub struct Asker {
        /// 1 = it does; boolean.
        is_real: felt,
        /// The question and its answer.
        quote: (Quote),
    }
}

op_air! {
    /// AIR of [`Asker`].
    AskerAir, Asker, "asker", 0
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for AskerAir {
    fn eval(&self, builder: &mut AB) {
        let a: Asker<AB::Expr> = current(builder);
        let mut row = Row::bare(builder, a.is_real.clone());
        lookup_quote(&mut row, &a.is_real, &a.quote);
    }
}

air_enum! {
    /// Tables of the test.
    pub enum TestAir {
        /// Questions.
        Asker(AskerAir),
        /// Answers.
        Quote(QuoteAir),
        /// 12-bit values.
        Range(RangeTable),
    }
}

const LOG: usize = 6;

fn judge(rows: &[QuoteRow<F>]) -> Result<(), Violation> {
    let mut rows = rows.to_vec();
    rows.iter_mut().for_each(|row| row.uses = F::ONE);
    let askers: Vec<Asker<F>> =
        rows.iter().map(|row| Asker { is_real: row.is_real, quote: row.quote.clone() }).collect();
    let quotes: Trace = table::matrix(&rows, LOG, &QuoteRow::default()).unwrap();
    let askers = table::matrix(&askers, LOG, &Asker::default()).unwrap();
    let requests = collect(&QuoteAir, &quotes, &[]);
    let airs: [TestAir; 3] = [AskerAir.into(), QuoteAir.into(), RangeTable.into()];
    let traces = [askers, quotes, range::trace(&requests.range)];
    check(&airs, &traces, &[Vec::new(), Vec::new(), Vec::new()])
}

/// A position of `size` lots and what closing `lots` of it by an account of value `tav` gives.
fn close(size: i64, lots: u64, mark: u32, mmf: u16, tav: i128) -> (QuoteRow<F>, i128) {
    let mut tiers = [Tier::default(); 4];
    tiers[0] = Tier { bound: (1 << 72) - 1, imf: 10_000, mmf, cmf: 1 };
    let market = Market { qm: 3, mark, funding: 0, tiers };
    let position = Position { size, funding: 0 };
    let mut account = Account::new(tav - position.value(&market).unwrap());
    account.position(&position, &market).unwrap();
    let margin = account.margin().unwrap();
    assert_eq!(margin.tav, tav);
    let quote = zero_quote(&position, &market, &margin, lots).unwrap();
    let all = digits12::<6>(market.notional(position.lots()).unwrap());
    let required = felts(all).map(|digit: F| digit * F::from_u16(mmf));
    let digits = felts(digits12((tav + (1 << 98)).unsigned_abs()));
    let n = market.notional(lots).unwrap();
    (QuoteRow::of(&digits, &required, n, mmf.into()), quote)
}

fn gain(row: &QuoteRow<F>) -> i128 {
    crate::rows::number(&row.quote.gain) - (1 << GAIN_SHIFT)
}

const CASES: [(i64, u64, u32, u16, i128); 12] = [
    (10, 10, 1_000, 500, 7_000_000),
    (10, 3, 1_000, 500, 1),
    (-10, 3, 1_000, 500, 1),
    (10, 3, 1_000, 500, -1),
    (-10, 3, 1_000, 500, -1),
    (7, 7, 1, 333, 0),
    (-7, 1, 1, 1, -123_456_789_012),
    (1 << 30, 1 << 29, 1 << 30, 10_000, -(1 << 90)),
    (-(1 << 30), 1, 1 << 30, 10_000, (1 << 90) - 1),
    ((1 << 38) - 1, (1 << 38) - 1, u32::MAX, 10_000, -(1 << 97)),
    (-((1 << 38) - 1), (1 << 38) - 1, u32::MAX, 10_000, -(1 << 97)),
    (1, 1, 4_000_000_000, 9_999, 77),
];

#[test]
fn quotes_are_those_of_the_native_rule() {
    let mut rows = Vec::new();
    for (size, lots, mark, mmf, tav) in CASES {
        let (row, quote) = close(size, lots, mark, mmf, tav);
        let n = crate::rows::number(&row.quote.notional);
        assert_eq!(n - i128::from(size.signum()) * gain(&row), quote, "{size} {lots} {mark} {mmf} {tav}");
        rows.push(row);
    }
    judge(&rows).unwrap();
}

#[test]
fn random_quotes_are_those_of_the_native_rule() {
    // a multiplicative generator: no seed of the machine
    let mut state = 88_172_645_463_325_252u64;
    let mut next = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) % bound
    };
    let mut rows = Vec::new();
    for k in 0..60 {
        let size = next(1 << (1 + k % 36)) as i64 + 1;
        let lots = next(size as u64) + 1;
        let size = if next(2) == 0 { size } else { -size };
        let (mark, mmf) = (next(1 << (1 + k % 32)) as u32 + 1, next(10_000) as u16 + 1);
        let tav = next(1 << (1 + k)) as i128 - next(1 << (1 + k)) as i128 * MICRO;
        let (row, quote) = close(size, lots, mark, mmf, tav);
        let n = crate::rows::number(&row.quote.notional);
        assert_eq!(n - i128::from(size.signum()) * gain(&row), quote);
        rows.push(row);
    }
    judge(&rows).unwrap();
}

/// The row with another gain, and everything else as that demands.
fn claims(row: &QuoteRow<F>, by: i128) -> QuoteRow<F> {
    let mut lie = row.clone();
    lie.quote.gain = felts(digits12((gain(row) + by + (1 << GAIN_SHIFT)).unsigned_abs()));
    let (rest, carries) = crate::rows::carry(&lie.rest_sums(), 16);
    lie.rest = crate::rows::array(&rest);
    lie.carries = crate::rows::shifts(&carries);
    let spare = crate::rows::number(&lie.scale) - 1 - crate::rows::number(&lie.rest);
    lie.spare = felts(digits12(spare.unsigned_abs()));
    lie
}

#[test]
fn rejects_a_quote_one_unit_beyond_and_the_other_rounding() {
    for (size, lots, mark, mmf, tav) in CASES {
        let (row, _) = close(size, lots, mark, mmf, tav);
        judge(&[claims(&row, 0)]).unwrap();
        for by in [-1, 1] {
            assert!(judge(&[claims(&row, by)]).is_err(), "{size} {lots} {mark} {mmf} {tav} by {by}");
        }
    }
}

#[test]
fn rejects_a_quote_without_a_requirement() {
    let (mut row, _) = close(10, 10, 1_000, 500, 7_000_000);
    row = QuoteRow::of(&row.quote.tav, &[F::ZERO; 6], 30_000, 500);
    assert!(judge(&[row]).is_err());
}

#[test]
fn rejects_another_answer_than_the_table_has() {
    let (row, _) = close(10, 10, 1_000, 500, 7_000_000);
    let mut rows = vec![row.clone(), row];
    // the second row is not the first one's statement
    rows[1].quote.gain[0] += F::ONE;
    assert!(judge(&rows).is_err());
}

#[test]
fn every_cell_of_a_quote_is_constrained() {
    let rows: Vec<QuoteRow<F>> = CASES.map(|(a, b, c, d, e)| close(a, b, c, d, e).0).to_vec();
    let width = <QuoteAir as BaseAir<F>>::width(&QuoteAir);
    for (k, row) in rows.iter().enumerate().take(3) {
        let mut cells = Vec::new();
        tsz_gadgets::layout::Columns::write(row, &mut |x: &F| cells.push(*x));
        assert_eq!(cells.len(), width);
        // column 1 is the number of uses, which the judge sets
        for column in (0..width).filter(|column| *column != 1) {
            let mut lie = cells.clone();
            lie[column] += F::ONE;
            let mut lies = rows.clone();
            lies[k] = tsz_gadgets::layout::from_slice(&lie);
            assert!(judge(&lies).is_err(), "column {column}");
        }
    }
}

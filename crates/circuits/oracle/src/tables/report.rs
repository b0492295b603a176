//! Price reports: one row each, those of an OracleUpdate one after the other by increasing signer.
//!
//! Proven of a group, on its last row: each row's signer signed the message of docs/src/trading.md with these fields
//! about the group's feed; prices are not zero; `index` and `mark` are the lower medians; `ts` is the smallest time.

use tsz_air::{Air, BaseAir, F, InteractionBuilder, PrimeCharacteristicRing, TableAir, WindowAccess};
use tsz_gadgets::columns;
use tsz_gadgets::compare::{Compare, Excess};
use tsz_gadgets::layout::{Columns, from_slice, names};
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{Row, c, pad8};
use tsz_trade::code::ORACLE_UPDATE;

use super::group::{Group, Member, cells, lower_median, members, signed};
use super::median::{Median, send};

columns! {
    /// A price of 32 bits, not zero.
    pub struct Ticks {
        /// Low 24 bits; range12.
        lo: (U24),
        /// High 8 bits; two lookups.
        hi: felt,
    }
}

impl<E: PrimeCharacteristicRing + Clone> Ticks<E> {
    /// Limbs of 24 and 8 bits.
    pub fn limbs(&self) -> [E; 2] {
        [self.lo.value(), self.hi.clone()]
    }

    /// Sum of the digits: zero iff the price is.
    pub fn sum(&self) -> E {
        self.lo.lo.clone() + self.lo.hi.clone() + self.hi.clone()
    }

    /// Base 2^12 digits.
    pub fn digits(&self) -> [E; 3] {
        [self.lo.lo.clone(), self.lo.hi.clone(), self.hi.clone()]
    }
}

impl Ticks<F> {
    /// The limbs of a price.
    pub fn of(price: u32) -> Self {
        Self { lo: U24::of(price & 0xff_ffff), hi: F::from_u32(price >> 24) }
    }
}

/// The price has 32 bits, on real rows.
pub fn ticks<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, price: &Ticks<AB::Expr>) {
    row.u24(&price.lo);
    row.narrow(&price.hi, 8);
}

columns! {
    /// Sums over the group up to this row; `members`.
    pub struct Sums {
        /// Reports.
        reports: felt,
        /// Index prices below the median.
        index_below: felt,
        /// Index prices above it.
        index_above: felt,
        /// Marks below the median.
        mark_below: felt,
        /// Marks above it.
        mark_above: felt,
        /// Reports with the circuit breaker.
        breakers: felt,
        /// Reports that are named the oldest.
        oldest: felt,
    }
}

columns! {
    /// One signed report.
    pub struct Report {
        /// Place in the group, and who signed.
        group: (Group),
        /// Index price.
        index: (Ticks),
        /// Inverse of its digit sum.
        index_inv: felt,
        /// Mark price.
        mark: (Ticks),
        /// Inverse of its digit sum.
        mark_inv: felt,
        /// Confidence: signed, no rule uses it.
        confidence: (Ticks),
        /// Circuit breaker; boolean.
        breaker: felt,
        /// Time of the prices; range12.
        ts: (U24 * 2),
        /// 1 = this is the oldest report; boolean, one in a group.
        is_oldest: felt,
        /// Feed, medians and time that the group gives; the same on its rows.
        median: (Median),
        /// The index against the median.
        index_cmp: (Compare),
        /// The mark against the median.
        mark_cmp: (Compare),
        /// ts less the group's time.
        age: (Excess),
        /// Running sums; from row to row.
        sums: (Sums),
        /// Capacity after the first block of the message; owned by `p2`.
        mid_a: [8],
        /// After the second block; owned by `p2`.
        mid_b: [8],
        /// Digest of the message; owned by `p2` and `sig`.
        digest: [8],
    }
}

impl<E: PrimeCharacteristicRing + Clone> Report<E> {
    /// The blocks that are signed.
    pub fn message(&self) -> [[E; 8]; 3] {
        let ([i0, i1], [m0, m1]) = (self.index.limbs(), self.mark.limbs());
        let [c0, c1] = self.confidence.limbs();
        let [t0, t1] = [0, 1].map(|k| self.ts[k].value());
        let first = [c(ORACLE_UPDATE), i0, i1, m0, m1, c0, c1, self.breaker.clone()];
        [first, pad8(&[t0, t1]), self.median.feed.clone()]
    }

    fn member(&self) -> Member<'_, E, Sums<E>> {
        let says = cells(&self.median);
        Member { group: &self.group, says, sums: &self.sums, terms: self.terms() }
    }

    /// What the row adds to the sums.
    pub fn terms(&self) -> Sums<E> {
        Sums {
            reports: self.group.is_real.clone(),
            index_below: self.index_cmp.less.clone(),
            index_above: self.index_cmp.more.clone(),
            mark_below: self.mark_cmp.less.clone(),
            mark_above: self.mark_cmp.more.clone(),
            breakers: self.breaker.clone(),
            oldest: self.is_oldest.clone(),
        }
    }
}

/// AIR of [`Report`]. Public values: S (8).
#[derive(Clone, Debug)]
pub struct ReportAir;

impl TableAir for ReportAir {
    fn name(&self) -> String {
        "report".into()
    }
    fn column_names(&self) -> Vec<String> {
        names::<Report<()>>()
    }
}

impl BaseAir<F> for ReportAir {
    fn width(&self) -> usize {
        <Report<()> as Columns<()>>::WIDTH
    }
    fn num_public_values(&self) -> usize {
        8
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for ReportAir {
    fn eval(&self, builder: &mut AB) {
        let r: Report<AB::Expr> = from_slice(builder.main().current_slice());
        let next: Report<AB::Expr> = from_slice(builder.main().next_slice());
        let system: [AB::Expr; 8] = core::array::from_fn(|k| builder.public_values()[k].into());
        members(builder, &r.member(), &next.member());
        let mut row = Row::bare(builder, r.group.is_real.clone());
        let real = row.real.clone();
        widths(&mut row, &r);
        let [a, b, c] = r.message();
        row.step(&real, a, &system, &r.mid_a);
        row.step(&real, b, &r.mid_a, &r.mid_b);
        row.step(&real, c, &r.mid_b, &r.digest);
        signed(&mut row, [&r.group, &next.group], &r.digest);
        order(&mut row, &r);
        verdict(&mut row, &r);
    }
}

fn widths<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, r: &Report<AB::Expr>) {
    let real = row.real.clone();
    for price in [&r.index, &r.mark, &r.confidence] {
        ticks(row, price);
    }
    row.zero(r.index.sum() * r.index_inv.clone() - real.clone());
    row.zero(r.mark.sum() * r.mark_inv.clone() - real);
    row.boolean(&r.breaker);
    for limb in &r.ts {
        row.u24(limb);
    }
}

/// How the report stands to what its group gives.
fn order<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, r: &Report<AB::Expr>) {
    let m = &r.median;
    row.compare(&r.index_cmp, &r.index.limbs(), &m.index);
    row.compare(&r.mark_cmp, &r.mark.limbs(), &m.mark);
    let ts = [0, 1].map(|k| r.ts[k].value());
    row.excess(&r.age, &ts, &m.ts);
    row.boolean(&r.is_oldest);
    for (t, oldest) in ts.iter().zip(&m.ts) {
        row.zero(r.is_oldest.clone() * (t.clone() - oldest.clone()));
    }
}

/// The last row of a group shows the medians and the time, and gives them away.
fn verdict<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, r: &Report<AB::Expr>) {
    let (s, last) = (&r.sums, r.group.is_last.clone());
    lower_median(row, &r.group, [&s.reports, &s.index_below, &s.index_above]);
    lower_median(row, &r.group, [&s.reports, &s.mark_below, &s.mark_above]);
    row.zero(last.clone() * (s.oldest.clone() - AB::Expr::ONE));
    send(row, &r.median, [&s.reports, &s.breakers], &last);
}

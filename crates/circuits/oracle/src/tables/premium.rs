//! Premium reports: one row each, those of a PremiumSample one after the other by increasing signer.
//!
//! Proven of a group, on its last row: each row's signer signed the message of docs/src/trading.md with these fields
//! about the group's feed and minute; magnitudes are at most 10^6; `premium` is the lower median.

use tsz_air::{
    Air, BaseAir, Count, F, InteractionBuilder, PermutationCheckBus, PrimeCharacteristicRing, TableAir,
    WindowAccess,
};
use tsz_gadgets::columns;
use tsz_gadgets::layout::{Columns, from_slice, names};
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{Row, c, pad8};
use tsz_trade::code::PREMIUM_SAMPLE;

use super::group::{Group, Member, cells, lower_median, members, signed};

/// `premium`: the fields of [`Said`], number of reports. Sent by the last report of a group, received by the sample
/// that uses it.
const PREMIUM: PermutationCheckBus<'static> = PermutationCheckBus::new("premium");
/// Largest magnitude of a premium.
pub const MAX_PREMIUM: u32 = 1_000_000;

columns! {
    /// What the reports of a sample say together.
    pub struct Said {
        /// Feed id that all of them signed.
        feed: [8],
        /// Minute since the epoch that all of them signed (24, 9 bits).
        minute: [2],
        /// Median of the premiums, signed, at most 10^6 in size.
        premium: felt,
    }
}

columns! {
    /// Sums over the group up to this row; `members`.
    pub struct PremiumSums {
        /// Reports.
        reports: felt,
        /// Premiums below the median.
        below: felt,
        /// Premiums above it.
        above: felt,
    }
}

columns! {
    /// One signed report.
    pub struct Premium {
        /// Place in the group, and who signed.
        group: (Group),
        /// Magnitude; range12.
        magnitude: (U24),
        /// 10^6 - magnitude; range12.
        headroom: (U24),
        /// 1 = negative; boolean.
        negative: felt,
        /// Inverse of the magnitude if negative: -0 is not a value.
        negative_inv: felt,
        /// Feed, minute and median that the group gives; the same on its rows.
        said: (Said),
        /// 1 = below the median; boolean.
        less: felt,
        /// 1 = above it; boolean, not together with `less`.
        more: felt,
        /// |premium - median| - 1, or 0 where they are equal; range12.
        gap: (U24),
        /// Running sums; from row to row.
        sums: (PremiumSums),
        /// Capacity after the first block of the message; owned by `p2`.
        mid: [8],
        /// Digest of the message; owned by `p2` and `sig`.
        digest: [8],
    }
}

impl<E: PrimeCharacteristicRing + Clone> Premium<E> {
    /// The signed number.
    fn value(&self) -> E {
        (E::ONE - self.negative.double()) * self.magnitude.value()
    }

    /// The blocks that are signed.
    pub fn message(&self) -> [[E; 8]; 2] {
        let [m0, m1] = self.said.minute.clone();
        let first = [c(PREMIUM_SAMPLE), self.magnitude.value(), self.negative.clone(), m0, m1];
        [pad8(&first), self.said.feed.clone()]
    }

    /// What the row adds to the sums.
    pub fn terms(&self) -> PremiumSums<E> {
        PremiumSums {
            reports: self.group.is_real.clone(),
            below: self.less.clone(),
            above: self.more.clone(),
        }
    }

    fn member(&self) -> Member<'_, E, PremiumSums<E>> {
        let says = cells(&self.said);
        Member { group: &self.group, says, sums: &self.sums, terms: self.terms() }
    }
}

/// AIR of [`Premium`]. Public values: S (8).
#[derive(Clone, Debug)]
pub struct PremiumAir;

impl TableAir for PremiumAir {
    fn name(&self) -> String {
        "premium".into()
    }
    fn column_names(&self) -> Vec<String> {
        names::<Premium<()>>()
    }
}

impl BaseAir<F> for PremiumAir {
    fn width(&self) -> usize {
        <Premium<()> as Columns<()>>::WIDTH
    }
    fn num_public_values(&self) -> usize {
        8
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for PremiumAir {
    fn eval(&self, builder: &mut AB) {
        let p: Premium<AB::Expr> = from_slice(builder.main().current_slice());
        let next: Premium<AB::Expr> = from_slice(builder.main().next_slice());
        let system: [AB::Expr; 8] = core::array::from_fn(|k| builder.public_values()[k].into());
        members(builder, &p.member(), &next.member());
        let mut row = Row::bare(builder, p.group.is_real.clone());
        let real = row.real.clone();
        value(&mut row, &p);
        let [a, b] = p.message();
        row.step(&real, a, &system, &p.mid);
        row.step(&real, b, &p.mid, &p.digest);
        signed(&mut row, [&p.group, &next.group], &p.digest);
        order(&mut row, &p);
        let s = &p.sums;
        lower_median(&mut row, &p.group, [&s.reports, &s.below, &s.above]);
        let last = p.group.is_last.clone();
        PREMIUM.send(row.builder(), fields(&p.said, &s.reports), Count::bounded(last, 1));
    }
}

/// The magnitude is at most 10^6, and there is no -0.
fn value<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, p: &Premium<AB::Expr>) {
    let real = row.real.clone();
    row.u24(&p.magnitude);
    row.u24(&p.headroom);
    row.zero(real * c::<AB::Expr>(MAX_PREMIUM) - p.magnitude.value() - p.headroom.value());
    row.boolean(&p.negative);
    let inverse = p.magnitude.value() * p.negative_inv.clone() - AB::Expr::ONE;
    row.zero(p.negative.clone() * inverse);
}

/// How the report stands to the median: `(more - less) (value - median) = gap + 1`, or both are equal.
///
/// A report equals the median (`lower_median`), so both numbers are at most 10^6 in size, and a difference of the
/// other sign has no 24-bit gap.
fn order<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, p: &Premium<AB::Expr>) {
    let real = row.real.clone();
    let apart = p.less.clone() + p.more.clone();
    for bit in [&p.less, &p.more, &apart] {
        row.boolean(bit);
    }
    row.u24(&p.gap);
    let difference = p.value() - p.said.premium.clone();
    let sign = p.more.clone() - p.less.clone();
    row.zero(sign * difference.clone() - p.gap.value() - apart.clone());
    row.zero((real - apart) * difference);
}

fn fields<E: Clone>(said: &Said<E>, reports: &E) -> Vec<E>
where
    Said<E>: Columns<E>,
{
    let mut out = cells(said);
    out.push(reports.clone());
    out
}

/// Takes the reports, on real rows.
pub fn receive<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    said: &Said<AB::Expr>,
    reports: &AB::Expr,
) {
    let real = row.real.clone();
    PREMIUM.receive(row.builder(), fields(said, reports), Count::bounded(real, 1));
}

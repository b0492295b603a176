//! Judgements: one row each time an op needs that the change of a sub-account is legal.
//!
//! Proven: with the positions that the rows of the table `position` read and the position in the op's market before
//! and after, TAV_after >= IMR_after, or nothing grew or flipped and the ratio did not fall (table `ratio`). |TAV| <
//! 2^98 before and after.

use tsz_air::{Air, Count, F, InteractionBuilder, PermutationCheckBus, PrimeCharacteristicRing};
use tsz_gadgets::layout::Columns;
use tsz_gadgets::row::{Row, c};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};

use super::held::{Held, held};
use super::position::Totals;
use super::ratio::lookup as lookup_ratio;
use super::rest::{Rest, Table, rest};
use super::sums::{Value, WideSum, value, wide_sum};

/// `judge`: the fields of [`Claim`]. Sent by the op, received by the judge table.
const JUDGE: PermutationCheckBus<'static> = PermutationCheckBus::new("judge");

columns! {
    /// What an op knows of a sub-account whose change must be legal. The sender owns every width.
    pub struct Claim {
        /// Sequence number of the op.
        index: felt,
        /// Which judgement of the op.
        who: felt,
        /// Account.
        account: felt,
        /// Sub-account.
        sub: felt,
        /// Market of the op.
        market: felt,
        /// 1 = the op has a market of its own; boolean. Else the lots are 0 and the market is [`super::NO_MARKET`].
        has_market: felt,
        /// Place of the first access of the table.
        at: felt,
        /// Mask of the margin tokens (4 bits).
        mask: felt,
        /// Number of its bits.
        tokens: felt,
        /// Open positions in other markets, at most 31 beside one in the op's.
        others: felt,
        /// Base 2^12 digits of mark * qm of the op's market.
        unit: [5],
        /// Base 2^12 digits of the lots in the op's market before.
        lots_before: [4],
        /// 1 = short before.
        short_before: felt,
        /// Base 2^12 digits of the lots after.
        lots_after: [4],
        /// 1 = short after.
        short_after: felt,
        /// Collateral before, its position in the op's market settled; signed limbs of 24 bits, below 2^25 in size.
        collateral_before: [4],
        /// Collateral after; likewise.
        collateral_after: [4],
        /// 1 = the position in the op's market grew or flipped: the bounds of growth hold and the sub-account must be
        /// healthy after the op; boolean.
        grows: felt,
        /// 1 = the sub-account must be healthy after the op, whatever it was; boolean.
        is_strict: felt,
        /// 1 = collateral was paid out: what is left and the unsettled funding must not be negative together; boolean, at
        /// most `is_strict`, not with `has_market`. Then the figures before are that sum.
        pays: felt,
        /// 1 = every row counts at its last price, whatever its age; boolean.
        is_forced: felt,
    }
}

columns! {
    /// One judgement.
    pub struct Judge {
        /// 1 = the row holds a judgement; boolean.
        is_real: felt,
        /// What the op says; bound by the bus.
        claim: (Claim),
        /// 1 = there are other positions; boolean, owned by the zero test.
        has_others: felt,
        /// Inverse of their number, or 0.
        others_inv: felt,
        /// Their sums; bound by `total`, 0 without any.
        totals: (Totals),
        /// 1 = there are margin tokens; boolean, owned by the zero test.
        has_tokens: felt,
        /// Inverse of their mask, or 0.
        mask_inv: felt,
        /// Sum of their values, digit by digit, not carried; bound by `token`, 0 without any.
        tokens: [9],
        /// The position in the op's market before.
        before: (Held),
        /// And after.
        after: (Held),
        /// TAV before; if `pays`, collateral and unsettled funding after.
        tav_before: (Value),
        /// TAV after.
        tav_after: (Value),
        /// IMR after, in hundreds.
        initial: (WideSum),
        /// 1 = TAV_after >= IMR_after; boolean.
        is_healthy: felt,
        /// TAV_after - IMR_after in digits if so; range12.
        margin: [9],
        /// Carries of that difference, plus 2^11; range12.
        margin_carries: [8],
    }
}

op_air! {
    /// AIR of [`Judge`]. No public values.
    JudgeAir, Judge, "judge", 0
}

impl<E: PrimeCharacteristicRing + Clone> Judge<E> {
    /// The six sums of a requirement with the position in the op's market.
    pub fn required(totals: &[E; 6], held: &Held<E>, fraction: usize) -> [E; 6] {
        let f = &held.tier.fractions[fraction];
        core::array::from_fn(|k| totals[k].clone() + held.notional[k].clone() * f.clone())
    }

    fn rest(&self) -> Rest<'_, E> {
        Rest {
            has_others: &self.has_others,
            others_inv: &self.others_inv,
            totals: &self.totals,
            has_tokens: &self.has_tokens,
            mask_inv: &self.mask_inv,
            tokens: &self.tokens,
        }
    }

    /// The sums of TAV before and after.
    pub fn tavs(&self) -> [[E; 9]; 2] {
        let claim = &self.claim;
        let stays = E::ONE - claim.pays.clone();
        [
            self.rest().tav(&claim.collateral_before, &self.before, &claim.short_before, &stays),
            self.rest().tav(&claim.collateral_after, &self.after, &claim.short_after, &E::ONE),
        ]
    }
}

fn fields<E: Clone>(claim: &Claim<E>) -> Vec<E>
where
    Claim<E>: Columns<E>,
{
    let mut out = Vec::new();
    claim.write(&mut |x: &E| out.push(x.clone()));
    out
}

/// The change is legal and its table is read, if the boolean `flag` (at most `real`).
pub fn claim<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, flag: &AB::Expr, claim: &Claim<AB::Expr>) {
    JUDGE.send(row.builder(), fields(claim), Count::bounded(flag.clone(), 1));
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for JudgeAir {
    fn eval(&self, builder: &mut AB) {
        let j: Judge<AB::Expr> = current(builder);
        let mut row = Row::bare(builder, j.is_real.clone());
        let real = row.real.clone();
        JUDGE.receive(row.builder(), fields(&j.claim), Count::bounded(real, 1));
        let claim = &j.claim;
        let constants =
            [&claim.index, &claim.who, &claim.account, &claim.sub, &claim.market, &claim.is_forced];
        let table = Table {
            constants: constants.map(Clone::clone),
            at: &claim.at,
            mask: &claim.mask,
            tokens: &claim.tokens,
            others: &claim.others,
        };
        rest(&mut row, &table, &j.rest());
        flags(&mut row, claim);
        held(&mut row, &claim.has_market, &claim.market, (&claim.lots_before, &claim.unit), &j.before);
        held(&mut row, &claim.has_market, &claim.market, (&claim.lots_after, &claim.unit), &j.after);
        growth(&mut row, &j);
        let [before, after] = j.tavs();
        value(&mut row, before, &j.tav_before);
        value(&mut row, after, &j.tav_after);
        // with 2^98 added, what is not negative has a last digit of 4 or more
        row.range(claim.pays.clone() * (j.tav_before.digits[8].clone() - c::<AB::Expr>(4)));
        let initial = Judge::required(&j.totals.initial, &j.after, 0);
        wide_sum(&mut row, &initial, &j.initial);
        margin(&mut row, &j);
        legal(&mut row, &j);
    }
}

/// Flags are boolean; only a strict claim without a market is of a payment.
fn flags<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, claim: &Claim<AB::Expr>) {
    let (real, one) = (row.real.clone(), AB::Expr::ONE);
    let Claim { has_market, grows, is_strict, pays, is_forced, .. } = claim;
    for flag in [has_market, grows, is_strict, pays, is_forced] {
        row.boolean(flag);
    }
    row.zero(has_market.clone() * (one.clone() - real));
    row.zero(pays.clone() * (one - is_strict.clone()));
    row.zero(pays.clone() * has_market.clone());
}

/// A position that grew or flipped is below 2^56 at the mark and within the last tier.
fn growth<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, j: &Judge<AB::Expr>) {
    let grows = j.claim.grows.clone();
    row.zero(grows.clone() * j.after.notional[5].clone());
    row.range(grows.clone() * j.after.notional[4].clone() * c::<AB::Expr>(1 << 4));
    row.zero(grows * j.after.tier.is_beyond.clone());
}

/// TAV_after - IMR_after has the digits `margin`, if healthy. Terms are below 2^19 in size, carries below 2^11.
fn margin<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, j: &Judge<AB::Expr>) {
    let healthy = j.is_healthy.clone();
    row.boolean(&healthy);
    row.zero(healthy.clone() * (AB::Expr::ONE - row.real.clone()));
    let required = j.initial.digits();
    for digit in &j.margin {
        row.range(digit.clone());
    }
    for carry in &j.margin_carries {
        row.range(carry.clone() + c::<AB::Expr>(1 << 11));
    }
    for k in 0..9 {
        let mut e = j.tav_after.digits[k].clone();
        if let Some(digit) = required.get(k) {
            e -= digit.clone() * c::<AB::Expr>(100);
        }
        if k == 8 {
            e -= c::<AB::Expr>(4);
        }
        let mut e = healthy.clone() * e - j.margin[k].clone();
        if k > 0 {
            e += j.margin_carries[k - 1].clone();
        }
        if let Some(carry) = j.margin_carries.get(k) {
            e -= carry.clone() * c::<AB::Expr>(1 << 12);
        }
        row.zero(e);
    }
}

/// Healthy, or it need not be, nothing grew and the ratio did not fall.
fn legal<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, j: &Judge<AB::Expr>) {
    let unhealthy = row.real.clone() - j.is_healthy.clone();
    row.zero(unhealthy.clone() * (j.claim.grows.clone() + j.claim.is_strict.clone()));
    let before = Judge::required(&j.totals.maintenance, &j.before, 1);
    let after = Judge::required(&j.totals.maintenance, &j.after, 1);
    lookup_ratio(row, &unhealthy, [&j.tav_before.digits, &j.tav_after.digits], [&before, &after]);
}

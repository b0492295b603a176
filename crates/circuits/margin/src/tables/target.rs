//! Targets: one row for each sub-account that an op compares with a margin requirement.
//!
//! Proven: with the margin tokens and other positions that the tables `token` and `position` read and the position in the
//! op's market, TAV < MMR, or TAV < CMR if `is_full` is 1 (so also where TAV < 0, as CMR is not negative), or TAV >= MMR if
//! it is 2. What is sent back is TAV, MMR and the maintenance fraction of the position, from which table `quote` makes the
//! zero quote, and what IMR is without that position; nothing to an op that has no market of its own.

use tsz_air::{Air, Count, F, InteractionBuilder, PermutationCheckBus, PrimeCharacteristicRing};
use tsz_gadgets::layout::Columns;
use tsz_gadgets::row::{Row, c};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};

use super::held::{Held, held};
use super::judge::Judge;
use super::position::Totals;
use super::rest::{Rest, Table, rest};
use super::sums::{Value, WideSum, value, wide_sum};

/// `target`: the fields of [`Ill`], `has_market`, then the fields of [`Figures`], 0 without a market. Sent by the op, received
/// by the target table.
const TARGET: PermutationCheckBus<'static> = PermutationCheckBus::new("target");

columns! {
    /// What an op knows of a target. The sender owns every width.
    pub struct Ill {
        /// Sequence number of the op.
        index: felt,
        /// Which judgement of the op.
        who: felt,
        /// Account.
        account: felt,
        /// Sub-account.
        sub: felt,
        /// Market of the op, or [`super::NO_MARKET`].
        market: felt,
        /// Place of the first access of the table.
        at: felt,
        /// Mask of the margin tokens (4 bits).
        mask: felt,
        /// Number of its bits.
        tokens: felt,
        /// Open positions in other markets, at most 31.
        others: felt,
        /// Base 2^12 digits of mark * qm of the op's market.
        unit: [5],
        /// Base 2^12 digits of the lots in the op's market, not 0; 0 without a market.
        lots: [4],
        /// 1 = short.
        is_short: felt,
        /// Collateral, the position in the op's market settled; signed limbs of 24 bits, below 2^25 in size.
        collateral: [4],
        /// 1 = every row counts at its last price, whatever its age; boolean.
        is_forced: felt,
        /// 1 = TAV < CMR is needed, 0 = TAV < MMR, 2 = TAV >= MMR; checked here.
        is_full: felt,
    }
}

columns! {
    /// What the target table says of it.
    pub struct Figures {
        /// Base 2^12 digits of TAV + 2^98.
        tav: [9],
        /// Sums of MMR in hundreds, not carried.
        required: [6],
        /// Maintenance fraction of the position in the op's market.
        mmf: felt,
        /// Sums of IMR in hundreds without that position, not carried.
        initial: [6],
    }
}

columns! {
    /// One target.
    pub struct Target {
        /// 1 = the row holds a target; boolean.
        is_real: felt,
        /// What the op says; bound by the bus.
        ill: (Ill),
        /// 1 = TAV < CMR is needed; boolean.
        is_close: felt,
        /// 1 = TAV >= MMR is needed; boolean, not together with `is_close`.
        is_well: felt,
        /// 1 = the op has a market of its own; boolean, bound by the bus.
        has_market: felt,
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
        /// Sum of their values; bound by `token`, 0 without any.
        tokens: [9],
        /// The position in the op's market.
        held: (Held),
        /// TAV.
        tav: (Value),
        /// Sums of MMR in hundreds.
        required: [6],
        /// The requirement that TAV is compared with, in hundreds.
        threshold: (WideSum),
        /// Requirement - TAV - 1, or TAV - requirement if `is_well`; range12.
        shortage: [9],
        /// Carries of that difference, plus 2^11; range12.
        carries: [8],
    }
}

op_air! {
    /// AIR of [`Target`]. No public values.
    TargetAir, Target, "target", 0
}

impl<E: PrimeCharacteristicRing + Clone> Target<E> {
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

    /// The sums of TAV.
    pub fn tav_sums(&self) -> [E; 9] {
        self.rest().tav(&self.ill.collateral, &self.held, &self.ill.is_short, &E::ONE)
    }

    /// The sums of MMR, and those of the requirement that TAV is compared with.
    pub fn required_sums(&self) -> [[E; 6]; 2] {
        let maintenance = Judge::required(&self.totals.maintenance, &self.held, 1);
        let closeout = Judge::required(&self.totals.closeout, &self.held, 2);
        let missed = core::array::from_fn(|k| {
            let (m, c) = (maintenance[k].clone(), closeout[k].clone());
            m.clone() + self.is_close.clone() * (c - m)
        });
        [maintenance, missed]
    }

    /// What is said to an op with a market.
    pub fn figures(&self) -> Figures<E> {
        Figures {
            tav: self.tav.digits.clone(),
            required: self.required.clone(),
            mmf: self.held.tier.fractions[1].clone(),
            initial: self.totals.initial.clone(),
        }
    }

    /// What is said.
    fn said(&self) -> Figures<E> {
        let said = |x: &E| self.has_market.clone() * x.clone();
        let Figures { tav, required, mmf, initial } = self.figures();
        Figures {
            tav: tav.each_ref().map(said),
            required: required.each_ref().map(said),
            mmf: said(&mmf),
            initial: initial.each_ref().map(said),
        }
    }
}

fn fields<E: Clone>(ill: &Ill<E>, has_market: &E, figures: &Figures<E>) -> Vec<E>
where
    Ill<E>: Columns<E>,
    Figures<E>: Columns<E>,
{
    let mut out = Vec::new();
    ill.write(&mut |x: &E| out.push(x.clone()));
    out.push(has_market.clone());
    figures.write(&mut |x: &E| out.push(x.clone()));
    out
}

/// The target is as ill as the op says, with these figures, and its table is read, if the boolean `flag` (at most
/// `real`).
pub fn is_ill<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    flag: &AB::Expr,
    ill: &Ill<AB::Expr>,
    figures: &Figures<AB::Expr>,
) {
    TARGET.send(row.builder(), fields(ill, &AB::Expr::ONE, figures), Count::bounded(flag.clone(), 1));
}

/// The same for an op without a market of its own ([`super::NO_MARKET`], no lots): all positions are other ones.
pub fn is_ill_without_market<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    flag: &AB::Expr,
    ill: &Ill<AB::Expr>,
) {
    let zero = || AB::Expr::ZERO;
    let sums = || [(); 6].map(|()| zero());
    let none = Figures { tav: [(); 9].map(|()| zero()), required: sums(), mmf: zero(), initial: sums() };
    TARGET.send(row.builder(), fields(ill, &zero(), &none), Count::bounded(flag.clone(), 1));
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for TargetAir {
    fn eval(&self, builder: &mut AB) {
        let t: Target<AB::Expr> = current(builder);
        let mut row = Row::bare(builder, t.is_real.clone());
        let (real, ill) = (row.real.clone(), &t.ill);
        TARGET.receive(row.builder(), fields(ill, &t.has_market, &t.said()), Count::bounded(real.clone(), 1));
        row.boolean(&t.has_market);
        row.zero(t.has_market.clone() * (AB::Expr::ONE - real));
        let constants = [&ill.index, &ill.who, &ill.account, &ill.sub, &ill.market, &ill.is_forced];
        let table = Table {
            constants: constants.map(Clone::clone),
            at: &ill.at,
            mask: &ill.mask,
            tokens: &ill.tokens,
            others: &ill.others,
        };
        rest(&mut row, &table, &t.rest());
        held(&mut row, &t.has_market, &ill.market, (&ill.lots, &ill.unit), &t.held);
        value(&mut row, t.tav_sums(), &t.tav);
        let [maintenance, missed] = t.required_sums();
        for (sum, said) in maintenance.into_iter().zip(&t.required) {
            row.zero(sum - said.clone());
        }
        wide_sum(&mut row, &missed, &t.threshold);
        for bit in [&t.is_close, &t.is_well] {
            row.boolean(bit);
        }
        row.zero(t.is_close.clone() * t.is_well.clone());
        row.zero(t.is_close.clone() + t.is_well.double() - ill.is_full.clone());
        short(&mut row, &t);
    }
}

/// Requirement - TAV - 1 has the digits `shortage`, or TAV - requirement if `is_well`. Terms are below 2^19 in size, carries
/// below 2^11.
fn short<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Target<AB::Expr>) {
    let real = row.real.clone();
    let required = t.threshold.digits();
    for digit in &t.shortage {
        row.range(digit.clone());
    }
    for carry in &t.carries {
        row.range(carry.clone() + c::<AB::Expr>(1 << 11));
    }
    for k in 0..9 {
        let mut gap = AB::Expr::ZERO - t.tav.digits[k].clone();
        if let Some(digit) = required.get(k) {
            gap += digit.clone() * c::<AB::Expr>(100);
        }
        // 2^98
        if k == 8 {
            gap += real.clone() * c::<AB::Expr>(4);
        }
        let mut e = (AB::Expr::ONE - t.is_well.double()) * gap - t.shortage[k].clone();
        if k == 0 {
            e -= real.clone() - t.is_well.clone();
        }
        if k > 0 {
            e += t.carries[k - 1].clone();
        }
        if let Some(carry) = t.carries.get(k) {
            e -= carry.clone() * c::<AB::Expr>(1 << 12);
        }
        row.zero(e);
    }
}

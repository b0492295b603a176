//! Refusals: one row for each close that insurance cannot take over.
//!
//! Proven: after the close, at the last prices, insurance would lack initial margin, or a position that grew would be
//! beyond its bounds, or there would be one more than it may have. It is the negation of what a takeover proves in the
//! table `judge`.

use tsz_air::{Air, Count, F, InteractionBuilder, PermutationCheckBus, PrimeCharacteristicRing};
use tsz_gadgets::layout::Columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{Row, c};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};
use tsz_margin::tables::{Standing, Subject, WideSum, standing, wide_sum};

use super::verdict::{Verdict, verdict};

/// `refusal`: the fields of [`Subject`], grows, full. Sent by the op, received by the refusal table.
const REFUSAL: PermutationCheckBus<'static> = PermutationCheckBus::new("refusal");
/// High 24 bits from which on a notional of 72 bits has more than 56.
const WIDE: u32 = 1 << 8;

columns! {
    /// One refusal.
    pub struct Refusal {
        /// 1 = the row holds one; boolean.
        is_real: felt,
        /// Insurance as it would be; bound by the bus.
        subject: (Subject),
        /// 1 = its position would grow; bound by the bus.
        grows: felt,
        /// 1 = it would have one position too many: the reason; bound by the bus.
        is_full: felt,
        /// 1 = the reason is margin; boolean.
        lacks: felt,
        /// 1 = the reason is a position of 2^56 or more; boolean.
        is_wide: felt,
        /// 1 = the reason is a position above the last tier; boolean.
        is_beyond: felt,
        /// Table, position, TAV.
        standing: (Standing),
        /// IMR in hundreds.
        initial: (WideSum),
        /// Whether TAV >= IMR.
        healthy: (Verdict),
        /// Notional / 2^48 - 2^8, if the reason is that; range12.
        width: (U24),
    }
}

op_air! {
    /// AIR of [`Refusal`]. No public values.
    RefusalAir, Refusal, "refusal", 0
}

impl<E: PrimeCharacteristicRing + Clone> Refusal<E> {
    /// Sums of TAV - IMR; below 2^19 in size.
    pub fn healthy_sums(&self) -> [E; 9] {
        let required = self.initial.digits();
        core::array::from_fn(|k| {
            let digit = self.standing.tav.digits[k].clone();
            match required.get(k) {
                Some(x) => digit - x.clone() * c::<E>(100),
                // 2^98
                None => digit - self.is_real.clone() * c::<E>(4),
            }
        })
    }

    /// Notional / 2^48.
    pub fn high(&self) -> E {
        let n = &self.standing.held.notional;
        n[4].clone() + n[5].clone() * c::<E>(1 << 12)
    }
}

fn fields<E: Clone>(subject: &Subject<E>, flags: [E; 2]) -> Vec<E>
where
    Subject<E>: Columns<E>,
{
    let mut out = Vec::new();
    subject.write(&mut |x: &E| out.push(x.clone()));
    out.extend(flags);
    out
}

/// Insurance, which the subject is after the close, cannot take it over and its table is read, if the boolean `flag` (at
/// most `real`). `grows` and `full` say whether its position grows and is one too many.
pub fn refuses<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    flag: &AB::Expr,
    subject: &Subject<AB::Expr>,
    flags: [AB::Expr; 2],
) {
    REFUSAL.send(row.builder(), fields(subject, flags), Count::bounded(flag.clone(), 1));
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for RefusalAir {
    fn eval(&self, builder: &mut AB) {
        let r: Refusal<AB::Expr> = current(builder);
        let mut row = Row::bare(builder, r.is_real.clone());
        let (real, one) = (row.real.clone(), AB::Expr::ONE);
        let said = fields(&r.subject, [r.grows.clone(), r.is_full.clone()]);
        REFUSAL.receive(row.builder(), said, Count::bounded(real.clone(), 1));
        standing(&mut row, &r.subject, &r.standing);
        wide_sum(&mut row, &r.standing.initial(), &r.initial);
        verdict(&mut row, &r.healthy_sums(), &r.healthy);
        for bit in [&r.is_full, &r.lacks, &r.is_wide, &r.is_beyond] {
            row.boolean(bit);
        }
        // one reason, which is true
        row.zero(r.is_full.clone() + r.lacks.clone() + r.is_wide.clone() + r.is_beyond.clone() - real);
        row.zero(r.lacks.clone() * r.healthy.holds.clone());
        row.zero((r.is_wide.clone() + r.is_beyond.clone()) * (one.clone() - r.grows.clone()));
        row.zero(r.is_beyond.clone() * (one - r.standing.held.tier.is_beyond.clone()));
        row.u24(&r.width);
        row.zero(r.is_wide.clone() * (r.high() - c::<AB::Expr>(WIDE)) - r.width.value());
    }
}

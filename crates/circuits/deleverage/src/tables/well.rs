//! Sub-accounts that are not to be liquidated in full: one row for each forced liquidation that finds its target so.
//!
//! Proven: TAV >= CMR at the last prices (so TAV >= 0, as CMR is not negative): health is 2 or less. It is the negation of
//! what the table `target` proves.

use tsz_air::{Air, Count, F, InteractionBuilder, PermutationCheckBus, PrimeCharacteristicRing};
use tsz_gadgets::layout::Columns;
use tsz_gadgets::row::{Row, c};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};
use tsz_margin::tables::{Shift, Standing, Subject, WideSum, carried, standing, wide_sum};

/// `well`: the fields of [`Subject`]. Sent by the op, received by this table.
const WELL: PermutationCheckBus<'static> = PermutationCheckBus::new("well");

columns! {
    /// One such sub-account.
    pub struct Well {
        /// 1 = the row holds one; boolean.
        is_real: felt,
        /// What the op says; bound by the bus.
        subject: (Subject),
        /// Table, position, TAV.
        standing: (Standing),
        /// CMR in hundreds.
        closeout: (WideSum),
        /// TAV - CMR; range12.
        surplus: [9],
        /// Carries of that.
        carries: (Shift * 8),
    }
}

op_air! {
    /// AIR of [`Well`]. No public values.
    WellAir, Well, "well", 0
}

impl<E: PrimeCharacteristicRing + Clone> Well<E> {
    /// Sums of TAV - CMR; below 2^19 in size.
    pub fn surplus_sums(&self) -> [E; 9] {
        let required = self.closeout.digits();
        core::array::from_fn(|k| {
            let digit = self.standing.tav.digits[k].clone();
            match required.get(k) {
                Some(x) => digit - x.clone() * c::<E>(100),
                // 2^98
                None => digit - self.is_real.clone() * c::<E>(4),
            }
        })
    }
}

fn fields<E: Clone>(subject: &Subject<E>) -> Vec<E>
where
    Subject<E>: Columns<E>,
{
    let mut out = Vec::new();
    subject.write(&mut |x: &E| out.push(x.clone()));
    out
}

/// The subject has TAV >= CMR and its table is read, if the boolean `flag` (at most `real`).
pub fn is_well<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    flag: &AB::Expr,
    subject: &Subject<AB::Expr>,
) {
    WELL.send(row.builder(), fields(subject), Count::bounded(flag.clone(), 1));
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for WellAir {
    fn eval(&self, builder: &mut AB) {
        let w: Well<AB::Expr> = current(builder);
        let mut row = Row::bare(builder, w.is_real.clone());
        let real = row.real.clone();
        WELL.receive(row.builder(), fields(&w.subject), Count::bounded(real, 1));
        standing(&mut row, &w.subject, &w.standing);
        wide_sum(&mut row, &w.standing.closeout(), &w.closeout);
        carried(&mut row, &w.surplus_sums(), &w.surplus, &w.carries);
    }
}

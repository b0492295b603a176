//! The party of a close as a taker without an order: its trading fee, and whether it is judged.

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::product::Scaled;
use tsz_gadgets::row::{Row, c};
use tsz_gadgets::units::SCALE;
use tsz_margin::tables::Move;

columns! {
    /// What a party pays and whether it is judged.
    pub struct Party {
        /// N * (10^6 + fee) that a short party pays, N * (10^6 - fee) that a long one gets.
        paid: (Scaled),
        /// Fee rate; range12. 0 but in a forced close.
        fee: (U24),
        /// The market's cap less the fee; range12.
        fee_gap: (U24),
        /// 1 = no positions after; boolean, owned by the zero test.
        is_bare: felt,
        /// Inverse of their number, or 0.
        bare_inv: felt,
        /// 1 = the party of a forced close has positions or debt after.
        judged: felt,
        /// Accesses of its judgement.
        reads: felt,
    }
}

/// The fee is within the cap and part of what is paid; a party of a forced close (`is_forced`) is judged unless it ends
/// without positions and debt, with a table of `table` accesses.
pub fn party<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    x: &Party<AB::Expr>,
    moved: &Move<AB::Expr>,
    is_forced: &AB::Expr,
    (notional, is_short, cap): (&[AB::Expr; 5], &AB::Expr, &AB::Expr),
    table: &AB::Expr,
) {
    let (real, one, fee) = (row.real.clone(), AB::Expr::ONE, x.fee.value());
    row.scaled(&x.paid, notional);
    row.u24(&x.fee);
    row.u24(&x.fee_gap);
    row.zero((real.clone() - is_forced.clone()) * fee.clone());
    row.zero(cap.clone() - fee.clone() - x.fee_gap.value());
    let way = is_short.double() - one.clone();
    row.zero(x.paid.factor() - real.clone() * c::<AB::Expr>(SCALE as u32) - way * fee);
    row.boolean(&x.is_bare);
    row.zero(moved.positions.clone() * x.bare_inv.clone() - real + x.is_bare.clone());
    row.zero(moved.positions.clone() * x.is_bare.clone());
    let idle = x.is_bare.clone() * (one.clone() - moved.negative_after.clone());
    row.zero(is_forced.clone() * (one - idle) - x.judged.clone());
    row.zero(x.judged.clone() * table.clone() - x.reads.clone());
}

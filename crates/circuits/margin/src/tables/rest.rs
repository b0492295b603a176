//! What a judgement reads besides the position in the op's market: margin tokens and other positions.

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::row::{Row, c};
use tsz_gadgets::units::SCALE;

use super::held::Held;
use super::position::{Totals, cells, receive};
use super::token::receive as receive_tokens;

/// Low and high 12 bits of [`SCALE`].
const SCALE_DIGITS: [u32; 2] = [SCALE as u32 & 0xfff, (SCALE >> 12) as u32];

/// Columns of what is read.
pub(super) struct Rest<'a, E> {
    /// 1 = there are other positions; boolean, owned by the zero test.
    pub has_others: &'a E,
    /// Inverse of their number, or 0.
    pub others_inv: &'a E,
    /// Their sums; bound by `total`, 0 without any.
    pub totals: &'a Totals<E>,
    /// 1 = there are margin tokens; boolean, owned by the zero test.
    pub has_tokens: &'a E,
    /// Inverse of their mask, or 0.
    pub mask_inv: &'a E,
    /// Sum of their values; bound by `token`, 0 without any.
    pub tokens: &'a [E; 9],
}

/// What the op says of it.
pub(super) struct Table<'a, E> {
    /// Index, who, account, sub, market, forced.
    pub constants: [E; 6],
    /// Place of the first access.
    pub at: &'a E,
    /// Mask of the margin tokens.
    pub mask: &'a E,
    /// Their number.
    pub tokens: &'a E,
    /// Other positions.
    pub others: &'a E,
}

impl<E: PrimeCharacteristicRing + Clone> Rest<'_, E> {
    /// The nine sums of a TAV; without `keep` only collateral and unsettled funding.
    pub fn tav(&self, collateral: &[E; 4], held: &Held<E>, short: &E, keep: &E) -> [E; 9] {
        let sign = E::ONE - short.double();
        let notional: [E; 6] = core::array::from_fn(|k| {
            keep.clone() * (self.totals.notional[k].clone() + sign.clone() * held.notional[k].clone())
        });
        let [low, high] = SCALE_DIGITS.map(c::<E>);
        core::array::from_fn(|k| {
            let mut e = keep.clone() * self.tokens[k].clone();
            if let Some(n) = notional.get(k) {
                e += n.clone() * low.clone();
            }
            if let Some(n) = k.checked_sub(1).and_then(|k| notional.get(k)) {
                e += n.clone() * high.clone();
            }
            if let Some(u) = self.totals.unsettled.get(k) {
                e += u.clone();
            }
            if k % 2 == 0
                && let Some(limb) = collateral.get(k / 2)
            {
                e += limb.clone();
            }
            e
        })
    }
}

/// The sums are those of exactly the tokens of the mask and of `others` positions, read one after the other.
pub(super) fn rest<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    table: &Table<'_, AB::Expr>,
    r: &Rest<'_, AB::Expr>,
) {
    let one = AB::Expr::ONE;
    zero_test(row, table.others, r.has_others, r.others_inv);
    zero_test(row, table.mask, r.has_tokens, r.mask_inv);
    for sum in cells(r.totals) {
        row.zero((one.clone() - r.has_others.clone()) * sum);
    }
    for digit in r.tokens {
        row.zero((one.clone() - r.has_tokens.clone()) * digit.clone());
    }
    let middle = table.at.clone() + table.tokens.double();
    let end = middle.clone() + table.others.clone() * c::<AB::Expr>(3);
    receive(row, r.has_others, table.constants.clone(), [end, table.others.clone()], r.totals);
    let [index, who, account, sub, _, forced] = table.constants.clone();
    let said = [middle, table.tokens.clone(), table.mask.clone()];
    receive_tokens(row, r.has_tokens, [index, who, account, sub, forced], said, r.tokens);
}

/// `flag` = 1 iff `number` is not 0; at most `real`.
fn zero_test<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    number: &AB::Expr,
    flag: &AB::Expr,
    inv: &AB::Expr,
) {
    let (real, one) = (row.real.clone(), AB::Expr::ONE);
    row.boolean(flag);
    row.zero(flag.clone() * (one.clone() - real));
    row.zero(number.clone() * (one.clone() - flag.clone()));
    row.zero(flag.clone() * (number.clone() * inv.clone() - one));
}

//! What a sub-account is worth at the last prices: columns that tables of other circuits share.

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::columns;
use tsz_gadgets::row::Row;

use super::held::{Held, held};
use super::judge::Judge;
use super::position::Totals;
use super::rest::{Rest, Table, rest};
use super::sums::{Value, value};

columns! {
    /// What an op knows of a sub-account whose figures count at the last prices. The sender owns every width.
    pub struct Subject {
        /// Sequence number of the op.
        index: felt,
        /// Which sub-account of the op.
        who: felt,
        /// Account.
        account: felt,
        /// Sub-account.
        sub: felt,
        /// Market of the op.
        market: felt,
        /// Place of the first access of the table.
        at: felt,
        /// Mask of the margin tokens (4 bits).
        mask: felt,
        /// Number of its bits.
        tokens: felt,
        /// Open positions in other markets, at most 32.
        others: felt,
        /// Base 2^12 digits of mark * qm of the op's market.
        unit: [5],
        /// Base 2^12 digits of the lots in the op's market.
        lots: [4],
        /// 1 = short.
        is_short: felt,
        /// Collateral, the position in the op's market settled; signed limbs of 24 bits, below 2^25 in size.
        collateral: [4],
    }
}

columns! {
    /// Its table, its position in the op's market, TAV.
    pub struct Standing {
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
    }
}

impl<E: PrimeCharacteristicRing + Clone> Standing<E> {
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

    /// The nine sums of TAV.
    pub fn tav_sums(&self, subject: &Subject<E>) -> [E; 9] {
        self.rest().tav(&subject.collateral, &self.held, &subject.is_short, &E::ONE)
    }

    /// The sums of the initial requirement in hundreds.
    pub fn initial(&self) -> [E; 6] {
        Judge::required(&self.totals.initial, &self.held, 0)
    }

    /// The sums of the close-out requirement in hundreds.
    pub fn closeout(&self) -> [E; 6] {
        Judge::required(&self.totals.closeout, &self.held, 2)
    }
}

/// On real rows the figures are those of the subject, whose table is read at the last prices.
pub fn standing<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    subject: &Subject<AB::Expr>,
    s: &Standing<AB::Expr>,
) {
    let real = row.real.clone();
    let [index, who, account, sub, market] =
        [&subject.index, &subject.who, &subject.account, &subject.sub, &subject.market].map(Clone::clone);
    let table = Table {
        constants: [index, who, account, sub, market, real.clone()],
        at: &subject.at,
        mask: &subject.mask,
        tokens: &subject.tokens,
        others: &subject.others,
    };
    rest(row, &table, &s.rest());
    held(row, &real, &subject.market, (&subject.lots, &subject.unit), &s.held);
    value(row, s.tav_sums(subject), &s.tav);
}

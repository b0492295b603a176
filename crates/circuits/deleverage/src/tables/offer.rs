//! A close as it is offered to insurance: its position and collateral as they would be.

use tsz_air::{F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::columns;
use tsz_gadgets::row::{Row, c, compose12};
use tsz_margin::tables::{Claim, MAX_POSITIONS, Move, Price, Subject, moves_beyond, weight};

use super::INSURANCE;
use super::verdict::{Growth, growth};

columns! {
    /// An offer.
    pub struct Offer {
        /// Base 2^12 digits of the lots, 0 without an offer; bound to the op's lots.
        lots: [4],
        /// Position and collateral of insurance with and without them.
        insurance: (Move),
        /// 1 = it would have one position too many; boolean.
        is_full: felt,
        /// Whether its |size| would grow.
        growth: (Growth),
    }
}

/// Which op an offer is of: index, market, digits of its unit price, place of the table of insurance.
pub struct Of<'a, E> {
    /// Sequence number.
    pub index: &'a E,
    /// The market.
    pub price: &'a Price<E>,
    /// Place of SUB, POS and the table of insurance.
    pub at: E,
    /// 1 = there is an offer.
    pub flag: E,
}

impl<E: PrimeCharacteristicRing + Clone> Offer<E> {
    /// Accesses of the table of insurance.
    pub fn reads(&self, flag: &E) -> E {
        self.insurance.tokens().double() + self.insurance.others(flag) * c::<E>(3)
    }

    /// Insurance as it would be.
    pub fn subject(&self, of: &Of<'_, E>) -> Subject<E> {
        let x = &self.insurance;
        Subject {
            index: of.index.clone(),
            who: E::TWO,
            account: c(INSURANCE),
            sub: E::ZERO,
            market: of.price.market.clone(),
            at: of.at.clone() + E::TWO,
            mask: weight(&x.mask),
            tokens: x.tokens(),
            others: x.others(&of.flag),
            unit: of.price.unit.clone(),
            lots: x.lots_after.clone(),
            is_short: x.short_after.clone(),
            collateral: x.collateral_left(),
        }
    }

    /// What insurance must be if it takes the lots.
    pub fn claim(&self, of: &Of<'_, E>) -> Claim<E> {
        let (x, s) = (&self.insurance, self.subject(of));
        Claim {
            index: s.index,
            who: s.who,
            account: s.account,
            sub: s.sub,
            market: s.market,
            has_market: E::ONE,
            at: s.at,
            mask: s.mask,
            tokens: s.tokens,
            others: s.others,
            unit: s.unit,
            lots_before: x.lots_before.clone(),
            short_before: x.short_before.clone(),
            lots_after: s.lots,
            short_after: s.is_short,
            collateral_before: x.collateral_settled(),
            collateral_after: s.collateral,
            grows: self.growth.grows.clone(),
            is_strict: E::ONE,
            pays: E::ZERO,
            is_forced: E::ONE,
        }
    }
}

/// On real rows insurance is as it would be with the lots of a target of this side, for what the target gets; SUB and POS
/// are read.
pub fn offer<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    x: &Offer<AB::Expr>,
    of: &Of<'_, AB::Expr>,
    short: &AB::Expr,
    payment: &[AB::Expr; 4],
) {
    let (real, one) = (row.real.clone(), AB::Expr::ONE);
    let limbs = [compose12(&x.lots[..2]), compose12(&x.lots[2..])];
    let cost = payment.clone().map(|limb| AB::Expr::ZERO - limb);
    moves_beyond(row, &x.insurance, of.price, (&limbs, short), &cost, &x.is_full);
    let full = x.is_full.clone();
    row.boolean(&full);
    row.zero(full.clone() * (one - real.clone()));
    row.zero(full.clone() * (real.clone() - x.insurance.flat_before.clone()));
    row.zero(full * (x.insurance.positions.clone() - c::<AB::Expr>(MAX_POSITIONS + 1)));
    growth(row, &x.insurance.lots(), &x.growth);
    let [sub, pos] = super::cells(c(INSURANCE), AB::Expr::ZERO, of.price.market.clone());
    let [sub_leaf, _] = x.insurance.sub_leaves();
    let [pos_leaf, _] = x.insurance.pos_leaves(of.price);
    for (k, (key, value)) in (0..).zip([(sub, sub_leaf), (pos, pos_leaf)]) {
        let at = of.at.clone() + c::<AB::Expr>(k);
        row.key_if(&real, at.clone(), false, key);
        row.value_if(&real, at, value);
    }
}

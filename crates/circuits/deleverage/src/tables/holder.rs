//! Holders of a page of AdlRank: one row each.
//!
//! Proven: (account, sub) follows the last one listed, its position is open and of the side, its lots are among those that
//! remain, and the best rank is the larger one of what it was and the holder's.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{Row, c};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};
use tsz_margin::tables::{Subject, weight};

use super::bearer::ranks;
use super::cells;
use super::found::{Found, found};
use super::page::{Turn, turns};
use super::ranking::Ranking;

columns! {
    /// One holder.
    pub struct Holder {
        /// 1 = the row holds one; boolean.
        is_real: felt,
        /// What comes before it; bound by `listing`.
        turn: (Turn),
        /// Its account; range12.
        account: (U24),
        /// Its sub-account; < 32 by two lookups.
        sub: felt,
        /// How far it is beyond the one before, less 1: low 24 bits; range12.
        gap: (U24),
        /// High 5 bits of that; two lookups.
        gap_hi: felt,
        /// Position and sub-account.
        found: (Found),
        /// Lots that remain after it, low limbs; range12.
        left: (U24 * 2),
        /// High 7 bits of that; two lookups.
        left_hi: felt,
        /// Borrows; boolean.
        borrows: [2],
        /// Its rank; bound by `bearer`.
        rank: felt,
        /// 1 = that is the best so far; boolean.
        is_best: felt,
    }
}

op_air! {
    /// AIR of [`Holder`]. No public values.
    HolderAir, Holder, "holder", 0
}

impl<E: PrimeCharacteristicRing + Clone> Holder<E> {
    fn others(&self) -> E {
        self.found.positions.clone() - self.is_real.clone()
    }

    /// The ranking after it.
    pub fn after(&self) -> Ranking<E> {
        let best = self.turn.ranking.rank.clone();
        Ranking {
            remaining: [self.left[0].value(), self.left[1].value(), self.left_hi.clone()],
            account: self.account.value(),
            sub: self.sub.clone(),
            rank: best.clone() + self.is_best.clone() * (self.rank.clone() - best),
        }
    }

    /// What comes after it.
    pub fn next(&self) -> Turn<E> {
        let own = self.is_real.double() + self.found.tokens().double() + self.others() * c::<E>(3);
        self.turn.then(self.turn.at.clone() + own, self.after())
    }

    /// Whose rank it is.
    pub fn subject(&self) -> Subject<E> {
        Subject {
            index: self.turn.index.clone(),
            who: E::ZERO,
            account: self.account.value(),
            sub: self.sub.clone(),
            market: self.turn.price.market.clone(),
            at: self.turn.at.clone() + self.is_real.double(),
            mask: weight(&self.found.mask),
            tokens: self.found.tokens(),
            others: self.others(),
            unit: self.turn.price.unit.clone(),
            lots: self.found.lots.clone(),
            is_short: self.turn.side.clone(),
            collateral: self.found.collateral_settled(),
        }
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for HolderAir {
    fn eval(&self, builder: &mut AB) {
        let h: Holder<AB::Expr> = current(builder);
        let mut row = Row::bare(builder, h.is_real.clone());
        row.index = h.turn.index.clone();
        let (real, price) = (row.real.clone(), &h.turn.price);
        // at the last price, whatever its age
        let usable = price.usable.clone();
        row.zero(real.clone() * (usable.clone() - AB::Expr::ONE) * (usable - AB::Expr::TWO));
        found(&mut row, &h.found, &h.turn.side, price);
        follows(&mut row, &h);
        remains(&mut row, &h);
        let class = h.turn.class.clone();
        ranks(&mut row, &real, &h.subject(), [class, h.rank.clone()]);
        row.boolean(&h.is_best);
        let sign = h.is_best.double() - real.clone();
        row.range(sign * (h.rank.clone() - h.turn.ranking.rank.clone()));
        turns(&mut row, &h.turn, &h.next());
        let [sub, pos] = cells(h.account.value(), h.sub.clone(), price.market.clone());
        let reads = [(sub, h.found.sub_leaf()), (pos, h.found.pos_leaf(&h.turn.side))];
        for (k, (key, value)) in (0..).zip(reads) {
            let at = h.turn.at.clone() + c::<AB::Expr>(k);
            row.key_if(&real, at.clone(), false, key);
            row.value_if(&real, at, value);
        }
    }
}

/// account * 32 + sub is larger than that of the last holder: numbers of 29 bits.
fn follows<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, h: &Holder<AB::Expr>) {
    row.u24(&h.account);
    row.narrow(&h.sub, 5);
    row.u24(&h.gap);
    row.narrow(&h.gap_hi, 5);
    let place = |account: AB::Expr, sub: AB::Expr| account * c::<AB::Expr>(32) + sub;
    let last = &h.turn.ranking;
    let gap = h.gap.value() + h.gap_hi.clone() * c::<AB::Expr>(1 << 24);
    let here = place(h.account.value(), h.sub.clone());
    row.zero(here - place(last.account.clone(), last.sub.clone()) - row.real.clone() - gap);
}

/// What remained less the lots, which is not negative.
fn remains<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, h: &Holder<AB::Expr>) {
    for limb in &h.left {
        row.u24(limb);
    }
    row.narrow(&h.left_hi, 7);
    for bit in &h.borrows {
        row.boolean(bit);
    }
    let ([l0, l1], [r0, r1, r2]) = (h.found.limbs(), h.turn.ranking.remaining.clone());
    let [b0, b1] = h.borrows.clone();
    let radix = c::<AB::Expr>(1 << 24);
    row.zero(r0 - l0 - h.left[0].value() + b0.clone() * radix.clone());
    row.zero(r1 - l1 - b0 - h.left[1].value() + b1.clone() * radix);
    row.zero(r2 - b1 - h.left_hi.clone());
}

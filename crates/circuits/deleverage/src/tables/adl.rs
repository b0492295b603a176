//! Adl: a position that insurance cannot take is closed against the best-ranked opposite one, at the zero quote.
//!
//! Proven: the target is below CMR at fresh prices; the ranking of the other side for the loss class of the close is of the
//! present moves and prices, and complete; the counterparty holds an opposite position, can bear the class and has at least
//! the best rank; all lots that both have are closed for `s * Q0 * 10^6`; unless insurance is the target, it could not take
//! these lots at that price. The move is not counted.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{Row, c, compose12};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};
use tsz_margin::tables::{Figures, Ill, MKO_HI, Move, Price, Subject, is_ill, lookup_price, moves, weight};

use super::bearer::ranks;
use super::interest::{Interest, interest};
use super::loss::loses;
use super::offer::{Of, Offer, offer};
use super::payment::{Payment, payment};
use super::ranking::{Ranking, ranking_key};
use super::refusal::refuses;
use super::{cells, section};

/// Accesses besides the tables and those of insurance.
const OWN: u32 = 11;
/// Accesses that write.
const WRITES: u32 = 5;

columns! {
    /// One Adl.
    pub struct Adl {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// The market as it is now; bound by the bus `price`.
        price: (Price),
        /// Account of the target; range12.
        account: (U24),
        /// Its sub-account; < 32 by two lookups.
        sub: felt,
        /// The target's position and collateral.
        target: (Move),
        /// TAV and MMR of the target; bound by `target`.
        figures: (Figures),
        /// Loss class of the close; bound by `loss`.
        class: felt,
        /// The ranking: who was listed last, the best rank; bound by the bus. Nothing remains.
        ranking: (Ranking),
        /// Account of the counterparty; range12.
        other: (U24),
        /// Its sub-account; < 32 by two lookups.
        other_sub: felt,
        /// Its position and collateral.
        counterparty: (Move),
        /// Its rank; bound by `bearer`.
        rank: felt,
        /// Base 2^12 digits of the lots that are closed; range12.
        lots: [4],
        /// What they are closed for.
        payment: (Payment),
        /// 1 = insurance is the target; boolean, owned by the zero test.
        is_own: felt,
        /// Inverse of account - 1 + 2^24 sub, or 0.
        own_inv: felt,
        /// The offer to insurance, unless it is the target.
        offer: (Offer),
        /// Open interest.
        interest: (Interest),
    }
}

op_air! {
    /// AIR of [`Adl`]. No public values.
    AdlAir, Adl, "adl", 0
}

impl<E: PrimeCharacteristicRing + Clone> Adl<E> {
    /// 1 = insurance is asked first.
    fn asks(&self) -> E {
        self.is_real.clone() - self.is_own.clone()
    }

    fn table(&self, x: &Move<E>) -> E {
        x.tokens().double() + x.others(&self.is_real) * c::<E>(3)
    }

    /// Place of MKO.
    fn ranking_at(&self) -> E {
        self.table(&self.target) + E::TWO
    }

    /// Place of SUB and POS of insurance.
    fn insurance_at(&self) -> E {
        self.ranking_at() + c::<E>(4) + self.table(&self.counterparty)
    }

    /// Accesses.
    fn count(&self) -> E {
        let asks = self.asks();
        let tables = self.table(&self.target) + self.table(&self.counterparty) + self.offer.reads(&asks);
        self.is_real.clone() * c::<E>(OWN) + tables + asks.double()
    }

    /// What the target must be.
    pub fn ill(&self) -> Ill<E> {
        Ill {
            index: self.index.clone(),
            who: E::ZERO,
            account: self.account.value(),
            sub: self.sub.clone(),
            market: self.price.market.clone(),
            at: c(2),
            mask: weight(&self.target.mask),
            tokens: self.target.tokens(),
            others: self.target.others(&self.is_real),
            unit: self.price.unit.clone(),
            lots: self.target.lots_before.clone(),
            is_short: self.target.short_before.clone(),
            collateral: self.target.collateral_settled(),
            is_forced: E::ZERO,
            is_full: E::ONE,
        }
    }

    /// Whose rank is asked for.
    pub fn bearer(&self) -> Subject<E> {
        let x = &self.counterparty;
        Subject {
            index: self.index.clone(),
            who: E::ONE,
            account: self.other.value(),
            sub: self.other_sub.clone(),
            market: self.price.market.clone(),
            at: self.ranking_at() + c::<E>(4),
            mask: weight(&x.mask),
            tokens: x.tokens(),
            others: x.others(&self.is_real),
            unit: self.price.unit.clone(),
            lots: x.lots_before.clone(),
            is_short: x.short_before.clone(),
            collateral: x.collateral_settled(),
        }
    }

    /// The offer to insurance.
    pub fn of(&self) -> Of<'_, E> {
        Of { index: &self.index, price: &self.price, at: self.insurance_at(), flag: self.asks() }
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for AdlAir {
    fn eval(&self, builder: &mut AB) {
        let t: Adl<AB::Expr> = current(builder);
        let n = t.count();
        let values = n.clone() + t.is_real.clone() * c::<AB::Expr>(WRITES);
        let mut row = Row::sized(builder, t.is_real.clone(), t.index.clone(), n.clone(), values);
        market(&mut row, &t);
        ranked(&mut row, &t);
        closes(&mut row, &t);
        asked(&mut row, &t);
        accesses(&mut row, &t, &n);
    }
}

/// The market is open or reduce-only, its price fresh; the parties have ids.
fn market<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Adl<AB::Expr>) {
    let (real, status) = (row.real.clone(), t.price.status.clone());
    lookup_price(row, &real, &t.price);
    row.zero(real.clone() - t.price.usable.clone());
    row.zero(t.price.is_settled.clone());
    row.zero(real.clone() * (status.clone() - AB::Expr::ONE) * (status - AB::Expr::TWO));
    for (account, sub) in [(&t.account, &t.sub), (&t.other, &t.other_sub)] {
        row.u24(account);
        row.narrow(sub, 5);
    }
    let beside = t.account.value() + t.sub.clone() * c::<AB::Expr>(1 << 24) - real.clone();
    row.boolean(&t.is_own);
    row.zero(beside.clone() * t.own_inv.clone() - real + t.is_own.clone());
    row.zero(beside * t.is_own.clone());
    let real = row.real.clone();
    is_ill(row, &real, &t.ill(), &t.figures);
}

/// The ranking is complete; the counterparty is opposite and has at least its best rank, which is not 0.
fn ranked<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Adl<AB::Expr>) {
    let real = row.real.clone();
    loses(row, &real, &t.figures, t.class.clone());
    for limb in &t.ranking.remaining {
        row.zero(limb.clone());
    }
    row.narrow(&t.ranking.sub, 5);
    let best = &t.ranking.rank;
    row.range(best.clone() - AB::Expr::ONE);
    row.range(t.rank.clone() - best.clone());
    ranks(row, &real, &t.bearer(), [t.class.clone(), t.rank.clone()]);
    row.zero(t.target.short_before.clone() + t.counterparty.short_before.clone() - real);
}

/// All lots that both have go from one to the other, and the payment the other way.
fn closes<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Adl<AB::Expr>) {
    let real = row.real.clone();
    let short = t.target.short_before.clone();
    for digit in &t.lots {
        row.range(digit.clone());
    }
    payment(row, &t.payment, (&t.lots, &short), &t.price.unit, &t.figures);
    let (limbs, paid) = ([compose12(&t.lots[..2]), compose12(&t.lots[2..])], t.payment.limbs(&real));
    for x in [&t.target, &t.counterparty] {
        row.zero(x.flat_before.clone());
        let flips = x.short_after.clone() - x.short_before.clone();
        row.zero((real.clone() - x.flat_after.clone()) * flips);
    }
    row.zero(
        (real.clone() - t.target.flat_after.clone()) * (real.clone() - t.counterparty.flat_after.clone()),
    );
    moves(row, &t.target, &t.price, (&limbs, &(real - short.clone())), &paid);
    let cost = paid.map(|limb| AB::Expr::ZERO - limb);
    moves(row, &t.counterparty, &t.price, (&limbs, &short), &cost);
    let change = change([&t.target, &t.counterparty]);
    interest(row, &t.interest, &change, &AB::Expr::ZERO);
}

/// By how much the sizes of two parties change together.
pub(super) fn change<E: PrimeCharacteristicRing + Clone>(parties: [&Move<E>; 2]) -> [E; 2] {
    core::array::from_fn(|k| {
        let moved = parties.iter().map(|x| {
            let [before, after] = x.lots();
            after[k].clone() - before[k].clone()
        });
        moved.sum()
    })
}

/// Unless it is the target, insurance cannot take the lots.
fn asked<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Adl<AB::Expr>) {
    let (asks, real) = (t.asks(), row.real.clone());
    for (offered, digit) in t.offer.lots.iter().zip(&t.lots) {
        row.zero(offered.clone() - asks.clone() * digit.clone());
    }
    row.zero((AB::Expr::ONE - asks.clone()) * t.offer.reads(&asks));
    let paid = t.payment.limbs(&real).map(|limb| asks.clone() * limb);
    let of = t.of();
    let short = t.target.short_before.clone();
    section(row, &asks, |row| offer(row, &t.offer, &of, &short, &paid));
    let flags = [t.offer.growth.grows.clone(), t.offer.is_full.clone()];
    refuses(row, &asks, &t.offer.subject(&of), flags);
}

/// MKP, MKF; MKO, MKR, SUB and POS of the counterparty; SUB and POS of both and MKO as writes.
fn accesses<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Adl<AB::Expr>, n: &AB::Expr) {
    let (real, market, none) = (row.real.clone(), t.price.market.clone(), AB::Expr::ZERO);
    let target = cells(t.account.value(), t.sub.clone(), market.clone());
    let other = cells(t.other.value(), t.other_sub.clone(), market.clone());
    let ([mkp, mkf], [prices, funding]) = (t.price.keys(), t.price.leaves());
    let mko = [c(MKO_HI), market.clone()];
    let mkr = ranking_key(&market, &t.counterparty.short_before, &t.class);
    let ranking = t.ranking.leaf(&t.interest.moves_before(&none), &t.price.ts);
    let (sub, pos) = (t.counterparty.sub_leaves(), t.counterparty.pos_leaves(&t.price));
    let interest = t.interest.leaves(&none);
    let at = |k: u32| t.ranking_at() + c::<AB::Expr>(k);
    let reads = [
        (c(0), mkp, prices),
        (c(1), mkf, funding),
        (at(0), mko.clone(), interest[0].clone()),
        (at(1), mkr, ranking),
        (at(2), other[0].clone(), sub[0].clone()),
        (at(3), other[1].clone(), pos[0].clone()),
    ];
    for (at, key, value) in reads {
        row.key_if(&real, at.clone(), false, key);
        row.value_if(&real, at, value);
    }
    let [target_sub, target_pos] = target;
    let [other_sub, other_pos] = other;
    let writes = [
        (target_sub, t.target.sub_leaves()),
        (target_pos, t.target.pos_leaves(&t.price)),
        (other_sub, sub),
        (other_pos, pos),
        (mko, interest),
    ];
    for (k, write) in (0..).zip(writes) {
        written(row, &real, (n, n), k, write);
    }
}

/// If `flag`: write `k` of the last five accesses of a log of `n`, whose values come at `first` and after it.
pub(super) fn written<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    flag: &AB::Expr,
    (n, first): (&AB::Expr, &AB::Expr),
    k: u32,
    (key, [old, new]): ([AB::Expr; 2], [[AB::Expr; 8]; 2]),
) {
    let at = n.clone() - c::<AB::Expr>(WRITES - k);
    row.key_if(flag, at.clone(), true, key);
    row.value_if(flag, at, old);
    row.value_if(flag, first.clone() + c::<AB::Expr>(k), new);
}

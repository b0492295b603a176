//! Closes against an order: a Liquidate, or the fill of a ForcedClose that table `forced` serves; one row each.
//!
//! Proven: the order is usable, of the other side and not the party's own, and its limit is the price; the position shrinks
//! by the lots; cash, fees and shares are the exact products; the open interest moves; the maker is judged, in a forced close
//! the party too. Of a Liquidate: the target is below MMR at fresh prices, the price is its zero quote or better, insurance
//! gets the liquidation fee; unless the target is below CMR the price is within the band, and one lot less would leave TAV
//! below IMR.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing, bus};
use tsz_gadgets::bucket::Credit;
use tsz_gadgets::limb::U24;
use tsz_gadgets::product::{Carry, Scaled};
use tsz_gadgets::row::{Row, c, compose12};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};
use tsz_margin::tables::{
    Band, BandSide, Charge, Claim, Figures, Ill, Listed, Move, Need, Price, Quote, band, charge, claim,
    is_ill, lookup_listed, lookup_minimal, lookup_price, lookup_quote, moves, surplus, weight,
};
use tsz_perp::tables::{Fill, Part, Side, side};

use super::close_cells::cells;
use super::forced::{Served, receive};
use super::interest::{Interest, interest};
use super::party::{Party, party};

/// Accesses of a ForcedClose before its table, less those of a Liquidate.
const BEFORE: u32 = 5;

columns! {
    /// One close.
    pub struct Close {
        /// 1 = the row holds a close; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// 1 = the fill of a ForcedClose; boolean, at most `is_real`.
        is_forced: felt,
        /// The market as it is now; bound by the bus `price`, in a forced close by `served`.
        price: (Price),
        /// The market as it is listed; bound by `listed`.
        listed: (Listed),
        /// 1 = a Liquidate in a reduce-only market.
        restricts: felt,
        /// Account of the party; range12.
        account: (U24),
        /// Its sub-account; < 32 by two lookups.
        sub: felt,
        /// Inverse of the difference of party and maker.
        other_inv: felt,
        /// Base 2^12 digits of the lots; range12.
        lots: [4],
        /// Inverse of their sum.
        lots_inv: felt,
        /// Digits of price * qm; range12.
        unit_price: [5],
        /// Carries of that product.
        unit_carries: (Carry * 4),
        /// Digits of N = lots * price * qm; range12, below 2^56.
        at_price: [5],
        /// Carries of that product.
        price_carries: (Carry * 4),
        /// Digits of n = lots * mark * qm; range12.
        at_mark: [6],
        /// Carries of that product.
        mark_carries: (Carry * 5),
        /// 1 = a Liquidate of a target below CMR; boolean.
        is_full: felt,
        /// 1 = a Liquidate of another one by one lot; boolean.
        is_one: felt,
        /// 1 = any other Liquidate: one lot less would not be enough.
        is_tested: felt,
        /// Figures of the target; bound by `target`.
        figures: (Figures),
        /// Digits of gain + 2^83; bound by `quote`.
        gain: [7],
        /// Liquidation fee.
        charge: (Charge),
        /// The price against the band.
        band: (Band),
        /// Digits of the lots less one, where `is_tested`; ranged by `minimal`.
        fewer: [4],
        /// Digits of the lots that stay then.
        left: [4],
        /// Borrow and carry of these two; boolean.
        step: [2],
        /// Position and collateral of the party.
        party: (Move),
        /// What it pays as a taker, and whether it is judged.
        terms: (Party),
        /// Maker.
        maker: (Side),
        /// N times what the fee account gets of both fees.
        net: (Scaled),
        /// Its SUB cell.
        fee_cell: (Credit),
        /// SUB of insurance, which gets the liquidation fee.
        insurance_cell: (Credit),
        /// Open interest.
        interest: (Interest),
        /// Batch, time in HEAD; bound by the bus.
        head: [4],
        /// Next account; bound by the bus.
        next_account: felt,
    }
}

op_air! {
    /// AIR of [`Close`]. No public values.
    CloseAir, Close, "close", 0
}

impl<E: PrimeCharacteristicRing + Clone> Close<E> {
    /// 1 = a Liquidate.
    pub fn is_liquidation(&self) -> E {
        self.is_real.clone() - self.is_forced.clone()
    }

    /// Lots (24, 24 bits).
    pub fn lots_limbs(&self) -> [E; 2] {
        [compose12(&self.lots[..2]), compose12(&self.lots[2..])]
    }

    /// Accesses of the party's table.
    pub fn table(&self) -> E {
        self.party.tokens().double() + self.party.others(&self.is_real) * c::<E>(3)
    }

    /// Place of the maker's KEYA.
    pub fn at(&self) -> E {
        self.is_real.double() + self.is_forced.clone() * c::<E>(BEFORE) + self.table()
    }

    /// Place of the fee account's cell, behind insurance's and the broker's.
    pub fn fee_place(&self) -> E {
        self.at() + self.is_real.clone() * c::<E>(8) + self.is_liquidation() + self.maker.pays_broker.double()
    }

    /// Accesses, and values.
    pub fn counts(&self) -> [E; 2] {
        let judged = self.terms.reads.clone() + self.maker.reads.clone();
        let n = self.fee_place() + self.is_real.double() + judged;
        let writes = self.is_forced.double()
            + self.is_real.clone() * c::<E>(7)
            + self.is_liquidation()
            + self.maker.pays_broker.clone();
        [n.clone(), n + writes]
    }

    /// 1 for a long party, -1 for a short one.
    fn sign(&self) -> E {
        E::ONE - self.party.short_before.double()
    }

    /// Digits of the surplus over the zero quote.
    pub fn surplus(&self) -> [E; 9] {
        let real = self.is_liquidation();
        surplus(&real, &self.sign(), (&self.at_price, &self.at_mark), &self.gain)
    }

    /// What the party gets, in signed limbs.
    pub fn cash(&self) -> [E; 4] {
        let (paid, fee) = (self.terms.paid.amount(), self.charge.amount());
        core::array::from_fn(|k| self.sign() * paid[k].clone() - fee[k].clone())
    }

    /// On which side of the band the price is: it concedes at most the band, but where the target is below CMR.
    pub fn side(&self) -> BandSide<E> {
        let banded = self.is_real.clone() - self.is_full.clone();
        BandSide { way: banded.clone() * self.sign(), turn: E::ZERO - banded, less: E::ZERO }
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
            mask: weight(&self.party.mask),
            tokens: self.party.tokens(),
            others: self.party.others(&self.is_real),
            unit: self.price.unit.clone(),
            lots: self.party.lots_before.clone(),
            is_short: self.party.short_before.clone(),
            collateral: self.party.collateral_settled(),
            is_forced: E::ZERO,
            is_full: self.is_full.clone(),
        }
    }

    /// The quote that gives the gain.
    fn quote(&self) -> Quote<E> {
        Quote {
            tav: self.figures.tav.clone(),
            required: self.figures.required.clone(),
            notional: self.at_mark.clone(),
            mmf: self.figures.mmf.clone(),
            gain: self.gain.clone(),
        }
    }

    /// The close that would not be enough.
    pub fn need(&self) -> Need<E> {
        Need {
            figures: Figures {
                tav: self.figures.tav.clone(),
                required: self.figures.required.clone(),
                mmf: self.figures.mmf.clone(),
                initial: self.figures.initial.clone(),
            },
            market: self.price.market.clone(),
            unit: self.price.unit.clone(),
            unit_price: self.unit_price.clone(),
            lots: self.fewer.clone(),
            left: self.left.clone(),
            is_short: self.party.short_before.clone(),
            rate: self.listed.liquidation_fee.clone(),
        }
    }

    /// The judgements of the party of a forced close and of the maker.
    pub fn claims(&self) -> [Claim<E>; 2] {
        let at = self.fee_place() + E::TWO;
        let then = at.clone() + self.terms.reads.clone();
        let x = &self.party;
        let own = Claim {
            index: self.index.clone(),
            who: E::TWO,
            account: self.account.value(),
            sub: self.sub.clone(),
            market: self.price.market.clone(),
            has_market: E::ONE,
            at,
            mask: weight(&x.mask),
            tokens: x.tokens(),
            others: x.others(&self.is_real),
            unit: self.price.unit.clone(),
            lots_before: x.lots_before.clone(),
            short_before: x.short_before.clone(),
            lots_after: x.lots_after.clone(),
            short_after: x.short_after.clone(),
            collateral_before: x.collateral_settled(),
            collateral_after: x.collateral_left(),
            grows: E::ZERO,
            is_strict: E::ZERO,
            pays: E::ZERO,
            is_forced: E::ONE,
        };
        [own, self.maker.claim([self.index.clone(), E::ONE, then], &self.price, &self.is_real)]
    }

    /// What table `forced` says of it.
    fn served(&self) -> Served<E> {
        let [n, values] = self.counts();
        let ([sub, _], [pos, _]) = (self.party.sub_leaves(), self.party.pos_leaves(&self.price));
        let [lots0, lots1] = self.lots_limbs();
        let own = [self.index.clone(), n, values, self.account.value(), self.sub.clone(), lots0, lots1];
        Served::new(own, self.party.short_before.clone(), &self.price, &sub, &pos)
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for CloseAir {
    fn eval(&self, builder: &mut AB) {
        let t: Close<AB::Expr> = current(builder);
        let (liquidation, [n, values]) = (t.is_liquidation(), t.counts());
        bus::op::send(builder, [t.index.clone(), c(0), n.clone(), values], liquidation.clone());
        let mut row = Row::bare(builder, t.is_real.clone());
        row.index = t.index.clone();
        row.boolean(&t.is_forced);
        row.boolean(&liquidation);
        receive(&mut row, &t.is_forced, &t.served());
        market(&mut row, &t);
        products(&mut row, &t);
        liquidates(&mut row, &t);
        minimal(&mut row, &t);
        position(&mut row, &t);
        maker(&mut row, &t, &n);
        cells(&mut row, &t, &n);
        let claims = t.claims();
        for (flag, told) in [&t.terms.judged, &t.maker.judged].into_iter().zip(&claims) {
            claim(&mut row, flag, told);
        }
    }
}

/// The market is listed; that of a Liquidate is open or reduce-only, its price fresh.
fn market<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Close<AB::Expr>) {
    let (liquidation, status) = (t.is_liquidation(), t.price.status.clone());
    lookup_price(row, &liquidation, &t.price);
    lookup_listed(row, &t.listed);
    row.zero(t.listed.market.clone() - t.price.market.clone());
    row.zero(liquidation.clone() * (AB::Expr::ONE - t.price.usable.clone()));
    row.zero(liquidation.clone() * t.price.is_settled.clone());
    row.zero(liquidation * (status.clone() - AB::Expr::ONE) - t.restricts.clone());
    row.zero(t.restricts.clone() * (status - AB::Expr::TWO));
}

/// At least one lot; N = lots * price * qm below 2^56, n = lots * mark * qm.
fn products<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Close<AB::Expr>) {
    for digit in t.lots.iter().chain(&t.unit_price).chain(&t.at_price).chain(&t.at_mark) {
        row.range(digit.clone());
    }
    let sum: AB::Expr = t.lots.iter().cloned().sum();
    row.zero(sum * t.lots_inv.clone() - row.real.clone());
    row.range(t.at_price[4].clone() * c::<AB::Expr>(1 << 4));
    row.product(&t.maker.terms.price, &t.price.qm, &t.unit_price, &t.unit_carries);
    row.product(&t.lots, &t.unit_price, &t.at_price, &t.price_carries);
    row.product(&t.lots, &t.price.unit, &t.at_mark, &t.mark_carries);
}

/// The target of a Liquidate is ill, the price its zero quote or better, the fee the rule's; the price is within the band
/// unless the target is below CMR.
fn liquidates<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Close<AB::Expr>) {
    let liquidation = t.is_liquidation();
    is_ill(row, &liquidation, &t.ill(), &t.figures);
    lookup_quote(row, &liquidation, &t.quote());
    row.zero(t.charge.limit.factor() - t.listed.liquidation_fee.clone());
    row.zero(t.charge.is_on() - liquidation);
    charge(row, &t.charge, &t.at_price, &t.surplus());
    band(row, &t.band, &t.maker.terms.price, (&t.price.mark, &t.listed.band), &t.side());
}

/// A target that is not below CMR loses one lot, or one lot less would not be enough.
fn minimal<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Close<AB::Expr>) {
    let liquidation = t.is_liquidation();
    for bit in [&t.is_full, &t.is_one, &t.is_tested].into_iter().chain(&t.step) {
        row.boolean(bit);
    }
    row.zero(t.is_full.clone() * (AB::Expr::ONE - liquidation.clone()));
    row.zero(liquidation - t.is_full.clone() - t.is_one.clone() - t.is_tested.clone());
    let [l0, l1] = t.lots_limbs();
    row.zero(t.is_one.clone() * (l0.clone() - AB::Expr::ONE));
    row.zero(t.is_one.clone() * l1.clone());
    let radix = c::<AB::Expr>(1 << 24);
    let [borrow, carry] = t.step.clone();
    let [f0, f1] = [0, 2].map(|k| compose12(&t.fewer[k..k + 2]));
    let [r0, r1] = [0, 2].map(|k| compose12(&t.left[k..k + 2]));
    let [_, [a0, a1]] = t.party.lots();
    let steps = [
        l0 - AB::Expr::ONE + borrow.clone() * radix.clone() - f0,
        l1 - borrow - f1,
        a0 + AB::Expr::ONE - carry.clone() * radix - r0,
        a1 + carry - r1,
    ];
    for e in steps {
        row.zero(t.is_tested.clone() * e);
    }
    lookup_minimal(row, &t.is_tested, &t.need());
}

/// The position of the party shrinks by the lots, and it is paid; the open interest moves.
fn position<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Close<AB::Expr>) {
    let (real, short, lots) = (row.real.clone(), t.party.short_before.clone(), t.lots_limbs());
    row.u24(&t.account);
    row.narrow(&t.sub, 5);
    row.zero(t.party.flat_before.clone());
    let flips = t.party.short_after.clone() - short.clone();
    row.zero((real.clone() - t.party.flat_after.clone()) * flips);
    moves(row, &t.party, &t.price, (&lots, &(real - short.clone())), &t.cash());
    let order = (&t.at_price, &short, &t.listed.taker_cap);
    party(row, &t.terms, &t.party, &t.is_forced, order, &t.table());
    let change = core::array::from_fn(|k| {
        let [t0, t1] = t.party.lots();
        let [m0, m1] = t.maker.leg.lots();
        t1[k].clone() - t0[k].clone() + m1[k].clone() - m0[k].clone()
    });
    interest(row, &t.interest, &change);
}

/// The maker's order is of the market and of the other side, rests, and is not the party's; its side of the fill.
fn maker<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Close<AB::Expr>, n: &AB::Expr) {
    let (real, never, lots, terms) = (row.real.clone(), AB::Expr::ZERO, t.lots_limbs(), &t.maker.terms);
    row.zero(terms.market.clone() - t.price.market.clone());
    // whose position is short buys from a sale
    row.zero(terms.is_sell.clone() - t.party.short_before.clone());
    row.zero(terms.is_ioc.clone());
    row.zero(terms.is_fok.clone());
    let own = t.account.value() * c::<AB::Expr>(32) + t.sub.clone();
    row.zero((own - terms.party()) * t.other_inv.clone() - real.clone());
    let sign = AB::Expr::ONE - terms.maker_negative.double();
    let part = Part {
        at: t.at(),
        written: n.clone() + t.is_forced.double(),
        shrinks: t.restricts.clone(),
        close: &never,
        own_cap: sign * terms.max_maker.clone(),
        market_cap: t.listed.maker_cap.clone(),
        fill: Fill {
            price: &t.price,
            lots: &lots,
            is_sell: &terms.is_sell,
            notional: &t.at_price,
            unit_price: &t.unit_price,
            live: &real,
        },
    };
    side(row, &t.maker, &part);
    row.scaled(&t.net, &t.at_price);
    let fees = t.terms.fee.value() + t.maker.fee(&real) - t.maker.rate();
    row.zero(fees - t.net.factor());
}

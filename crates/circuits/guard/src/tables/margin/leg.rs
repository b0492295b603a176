//! A leg: what an operation does to the position and the collateral of one party.
//!
//! Proven on a real row: the party has a leg among the cells, of the market of the run, at least one lot; SUB and POS
//! are written with the position settled and moved and the cash; lots and cash are sent to the sums of the operation;
//! the value gained at the mark, less the notional at the mark of a position that grew or flipped, is sent to the
//! party's limit of positions; the party is judged unless it ends without positions, which it may do without debt. The
//! first row of a run reads MKP and MKF, the last sends what all changed.

use core::array::from_fn;

use tsz_air::{Air, Count, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::columns;
use tsz_gadgets::layout::Columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::product::{Carry, Scaled};
use tsz_gadgets::row::{Row, c, compose12};
use tsz_gadgets::units::SCALE;
use tsz_margin::tables::{Claim, Move, Price, claim, lookup_price, moves, weight};

use super::crossing::message;
use crate::bus::{LEG, LEGS, MONEY, PARTY, SPEND, receive, send};
use crate::runs::{Run, run_air, runs, window};
use crate::tables::approve::POSITIONS;
use crate::tables::cell::Covered;

/// Stands for collateral where a sum of changes names a token.
pub(crate) const CASH: u32 = 128;
/// Stands for lots there.
pub(crate) const LOTS: u32 = 129;
/// Accesses to MKP and MKF.
pub(crate) const MARKET_READS: u32 = 2;
/// Weights in the third felt of LEG.
const SELLS: u32 = 1 << 8;
const PAYS: u32 = 1 << 9;
/// Base 2^12 digits of [`SCALE`].
const SCALE_DIGITS: [u32; 2] = [SCALE as u32 & 0xfff, (SCALE >> 12) as u32];

columns! {
    /// One leg.
    pub struct Leg {
        /// Its place in the op's run.
        run: (Run),
        /// Legs before it in the op; counted from 0.
        place: felt,
        /// Legs of the op; constant over the run, the place of the last and one.
        legs: felt,
        /// Number of the access to MKP; constant over the run; bound by `guard_legs`.
        access: felt,
        /// Number of the first written value; constant over the run; bound by `guard_legs`.
        value: felt,
        /// Account of the party; bound by `guard_party`.
        account: felt,
        /// Its sub-account; bound by `guard_party`.
        sub: felt,
        /// The party.
        party: (Covered),
        /// Which limit is of positions; boolean, exactly one.
        limit: [4],
        /// The market as it is now; bound by `price`, constant over the run.
        price: (Price),
        /// Base 2^12 digits of the lots; range12.
        lots: [4],
        /// Inverse of their sum.
        lots_inv: felt,
        /// 1 = sells; boolean.
        sells: felt,
        /// Base 2^12 digits of |cash|; range12, the last below 2^11.
        cash: [8],
        /// 1 = pays it; boolean.
        pays: felt,
        /// Digits of n = lots * mark * qm; range12, below 2^56.
        notional: [5],
        /// Carries of that product.
        notional_carries: (Carry * 4),
        /// n * 10^6.
        worth: (Scaled),
        /// 1 = the position before is open and of the other direction than the leg.
        opposes: felt,
        /// 1 = the position after is open and of the direction of the leg.
        follows: felt,
        /// 1 = the position shrinks, and at most to nothing.
        shrinks: felt,
        /// Position and collateral.
        moved: (Move),
        /// 1 = no positions after; boolean, owned by the zero test.
        is_bare: felt,
        /// Inverse of their number, or 0.
        bare_inv: felt,
        /// Accesses of the judgement.
        reads: felt,
        /// Accesses of the judgements of the legs before.
        reads_before: felt,
        /// Changes of |size| of the legs before, limb by limb.
        interest: [2],
        /// |change| of the limit of positions; range12.
        change: (U24 * 4),
        /// 1 = the change is negative; boolean.
        falls: felt,
        /// Carries of that sum plus 4; three bits each, boolean.
        change_carries: [9],
    }
}

run_air! {
    /// AIR of [`Leg`].
    LegAir, Leg, "leg", 0
}

fn sign<E: PrimeCharacteristicRing + Clone>(bit: &E) -> E {
    E::ONE - bit.double()
}

impl<E: PrimeCharacteristicRing + Clone> Leg<E> {
    fn lots_limbs(&self) -> [E; 2] {
        [compose12(&self.lots[..2]), compose12(&self.lots[2..])]
    }

    fn cash_limbs(&self) -> [E; 4] {
        from_fn(|k| compose12(&self.cash[2 * k..2 * k + 2]))
    }

    /// What the collateral gains, in signed limbs.
    pub(crate) fn paid(&self) -> [E; 4] {
        self.cash_limbs().map(|limb| sign(&self.pays) * limb)
    }

    /// Cash, and lots, in signed digits.
    pub(crate) fn sums(&self) -> [[E; 8]; 2] {
        let lots = |k: usize| self.lots.get(k).map_or(E::ZERO, |x| sign(&self.sells) * x.clone());
        [from_fn(|k| sign(&self.pays) * self.cash[k].clone()), from_fn(lots)]
    }

    /// The LEG cell.
    pub(crate) fn leaf(&self) -> [E; 8] {
        let [lo, hi] = self.lots_limbs();
        let [a, b, x, y] = self.cash_limbs();
        let place =
            self.price.market.clone() + self.sells.clone() * c::<E>(SELLS) + self.pays.clone() * c::<E>(PAYS);
        [lo, hi, place, a, b, x, y, E::ZERO]
    }

    fn grows(&self) -> E {
        self.run.is_real.clone() - self.shrinks.clone()
    }

    /// The change of the limit in signed limbs, not carried: n counts once as gained or lost with the lots, and once as
    /// put at risk if the position does not shrink.
    pub(crate) fn change_sums(&self) -> [E; 4] {
        let (paid, worth) = (self.paid(), self.worth.amount());
        let turn = sign(&self.sells) - self.grows();
        from_fn(|k| paid[k].clone() + turn.clone() * worth[k].clone())
    }

    /// The change of the limit in signed digits.
    pub(crate) fn charged(&self) -> [E; 8] {
        from_fn(|k| {
            let limb = &self.change[k / 2];
            sign(&self.falls) * if k % 2 == 0 { limb.lo.clone() } else { limb.hi.clone() }
        })
    }

    /// Number of the limit over all parties.
    pub(crate) fn rank(&self) -> E {
        let [_, one, two, three] = &self.limit;
        self.party.place.clone() * c::<E>(4) + one.clone() + two.double() + three.clone() * c::<E>(3)
    }

    /// Changes of |size| up to this row, limb by limb.
    pub(crate) fn interest_after(&self) -> [E; 2] {
        let [before, after] = self.moved.lots();
        from_fn(|k| self.interest[k].clone() + after[k].clone() - before[k].clone())
    }

    fn first_table(&self) -> E {
        self.access.clone() + c::<E>(MARKET_READS + 1) + self.legs.double()
    }

    /// What is judged.
    pub(crate) fn claim(&self) -> Claim<E> {
        let x = &self.moved;
        Claim {
            index: self.run.index.clone(),
            who: self.place.clone(),
            account: self.account.clone(),
            sub: self.sub.clone(),
            market: self.price.market.clone(),
            has_market: E::ONE,
            at: self.first_table() + self.reads_before.clone(),
            mask: weight(&x.mask),
            tokens: x.tokens(),
            others: x.others(&self.run.is_real),
            unit: self.price.unit.clone(),
            lots_before: x.lots_before.clone(),
            short_before: x.short_before.clone(),
            lots_after: x.lots_after.clone(),
            short_after: x.short_after.clone(),
            collateral_before: x.collateral_settled(),
            collateral_after: x.collateral_left(),
            grows: self.grows(),
            is_strict: E::ZERO,
            pays: E::ZERO,
            is_forced: E::ZERO,
        }
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for LegAir {
    fn eval(&self, builder: &mut AB) {
        let (x, next): (Leg<AB::Expr>, Leg<AB::Expr>) = window(builder);
        let mut row = Row::bare(builder, x.run.is_real.clone());
        row.index = x.run.index.clone();
        let link = runs(&mut row, &x.run, &next.run);
        chain(&mut row, &x, &next, &link);
        amounts(&mut row, &x);
        direction(&mut row, &x);
        let cash = x.paid();
        moves(&mut row, &x.moved, &x.price, (&x.lots_limbs(), &x.sells), &cash);
        charge(&mut row, &x);
        judged(&mut row, &x);
        accesses(&mut row, &x);
        messages(row.builder(), &x);
    }
}

/// What is constant over the run, counted, or added up.
fn chain<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    x: &Leg<AB::Expr>,
    next: &Leg<AB::Expr>,
    link: &AB::Expr,
) {
    let (first, last, one) = (&x.run.is_first, &x.run.is_last, AB::Expr::ONE);
    let market = |leg: &Leg<AB::Expr>| {
        let mut out = Vec::new();
        leg.price.write(&mut |felt: &AB::Expr| out.push(felt.clone()));
        out.extend([&leg.legs, &leg.access, &leg.value].map(Clone::clone));
        out
    };
    for (here, there) in market(x).into_iter().zip(market(next)) {
        row.zero(link.clone() * (there - here));
    }
    row.zero(last.clone() * (x.legs.clone() - x.place.clone() - one.clone()));
    // parties in strict order, so at most 16 legs
    row.range(link.clone() * (next.party.place.clone() - x.party.place.clone() - one.clone()));
    let [low, high] = x.interest_after();
    let sums = [
        (&x.place, &next.place, x.place.clone() + one),
        (&x.reads_before, &next.reads_before, x.reads_before.clone() + x.reads.clone()),
        (&x.interest[0], &next.interest[0], low),
        (&x.interest[1], &next.interest[1], high),
    ];
    for (here, there, after) in sums {
        row.zero(first.clone() * here.clone());
        row.zero(link.clone() * (there.clone() - after));
    }
}

/// Lots and cash; n = lots * mark * qm, below 2^56, and n * 10^6.
fn amounts<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, x: &Leg<AB::Expr>) {
    let real = row.real.clone();
    lookup_price(row, &real, &x.price);
    for digit in x.lots.iter().chain(&x.cash).chain(&x.notional) {
        row.range(digit.clone());
    }
    row.range(x.cash[7].double());
    row.boolean(&x.sells);
    row.boolean(&x.pays);
    let sum: AB::Expr = x.lots.iter().cloned().sum();
    row.zero(sum * x.lots_inv.clone() - real.clone());
    row.range(x.notional[4].clone() * c::<AB::Expr>(1 << 4));
    row.product(&x.lots, &x.price.unit, &x.notional, &x.notional_carries);
    row.scaled(&x.worth, &x.notional);
    for (digit, scale) in x.worth.multiplier.iter().zip(SCALE_DIGITS) {
        row.zero(digit.clone() - real.clone() * c::<AB::Expr>(scale));
    }
}

/// Whether the position shrinks; it must in a reduce-only market, whose status is 2.
fn direction<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, x: &Leg<AB::Expr>) {
    let (real, m) = (row.real.clone(), &x.moved);
    let other =
        |short: &AB::Expr| short.clone() + x.sells.clone() - (short.clone() * x.sells.clone()).double();
    row.zero((real.clone() - m.flat_before.clone()) * other(&m.short_before) - x.opposes.clone());
    let same = AB::Expr::ONE - other(&m.short_after);
    row.zero((real.clone() - m.flat_after.clone()) * same - x.follows.clone());
    row.zero(x.opposes.clone() * (AB::Expr::ONE - x.follows.clone()) - x.shrinks.clone());
    row.zero((x.price.status.clone() - real) * x.grows());
}

/// The change of the limit of positions: cash and n * 10^6, as they count.
///
/// `sign (cash_k + turn worth_k) + carry_(k-1) = change_k + 2^24 carry_k`, turn in -2..=1, carries in -4..=3: both sides are
/// below 2^27 in size.
fn charge<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, x: &Leg<AB::Expr>) {
    let real = row.real.clone();
    let mut chosen = AB::Expr::ZERO;
    for (flag, token) in x.limit.iter().zip(&x.party.tokens) {
        row.boolean(flag);
        row.zero(flag.clone() * (token.clone() - c::<AB::Expr>(POSITIONS)));
        chosen += flag.clone();
    }
    row.zero(chosen - real.clone());
    for limb in &x.change {
        row.u24(limb);
    }
    for bit in x.change_carries.iter().chain([&x.falls]) {
        row.boolean(bit);
    }
    let carry = |k: usize| {
        let [b0, b1, b2] = [0, 1, 2].map(|i| x.change_carries[3 * k + i].clone());
        b0 + b1.double() + b2 * c::<AB::Expr>(4) - real.clone() * c::<AB::Expr>(4)
    };
    for (k, sum) in x.change_sums().into_iter().enumerate() {
        let mut e = sign(&x.falls) * sum - x.change[k].value();
        if k > 0 {
            e += carry(k - 1);
        }
        if k < 3 {
            e -= carry(k) * c::<AB::Expr>(1 << 24);
        }
        row.zero(e);
    }
}

/// Judged unless no position is left, and then no debt is. An open position after is among the positions.
fn judged<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, x: &Leg<AB::Expr>) {
    let (real, m) = (row.real.clone(), &x.moved);
    row.boolean(&x.is_bare);
    row.zero(m.positions.clone() * x.bare_inv.clone() - real.clone() + x.is_bare.clone());
    row.zero(m.positions.clone() * x.is_bare.clone());
    row.zero((real.clone() - m.flat_after.clone()) * x.is_bare.clone());
    row.zero(x.is_bare.clone() * m.negative_after.clone());
    let judged = real.clone() - x.is_bare.clone();
    let table = m.tokens().double() + m.others(&real) * c::<AB::Expr>(3);
    row.zero(judged.clone() * table - x.reads.clone());
    claim(row, &judged, &x.claim());
}

/// MKP and MKF; SUB and POS.
fn accesses<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, x: &Leg<AB::Expr>) {
    let (real, first) = (row.real.clone(), x.run.is_first.clone());
    let [mkp, mkf] = x.price.keys();
    let [prices, funding] = x.price.leaves();
    for (k, (key, value)) in (0..).zip([(mkp, prices), (mkf, funding)]) {
        let at = x.access.clone() + c::<AB::Expr>(k);
        row.key_if(&first, at.clone(), false, key);
        row.value_if(&first, at, value);
    }
    let sub = x.sub.clone() * c::<AB::Expr>(512);
    let pos = sub.clone() + c::<AB::Expr>(256) + x.price.market.clone();
    let cells = [(sub, x.moved.sub_leaves()), (pos, x.moved.pos_leaves(&x.price))];
    for (k, (lo, [old, new])) in (0..).zip(cells) {
        let place = x.place.double() + c::<AB::Expr>(k);
        let at = x.access.clone() + c::<AB::Expr>(MARKET_READS) + place.clone();
        row.key_if(&real, at.clone(), true, [x.account.clone(), lo]);
        row.value_if(&real, at, old);
        row.value_if(&real, x.value.clone() + place, new);
    }
}

fn messages<AB: InteractionBuilder<F = F>>(builder: &mut AB, x: &Leg<AB::Expr>) {
    let (real, index) = (&x.run.is_real, &x.run.index);
    let party = x.party.message(index, x.account.clone(), &x.sub);
    PARTY.lookup_key(builder, party, Count::bounded(real.clone(), 1));
    let head = [index.clone(), x.party.place.clone()];
    receive(builder, &LEG, head.into_iter().chain(x.leaf()).collect(), real);
    for (token, change) in [CASH, LOTS].into_iter().zip(x.sums()) {
        send(builder, &MONEY, [index.clone(), c(token)].into_iter().chain(change).collect(), real);
    }
    let spend = [index.clone(), x.rank()].into_iter().chain(x.charged()).collect();
    send(builder, &SPEND, spend, real);
    let end = x.first_table() + x.reads_before.clone() + x.reads.clone();
    let head = [index, &x.access, &x.value, &x.legs, &end];
    send(builder, &LEGS, message(head, &x.price, &x.interest_after()), &x.run.is_last);
}

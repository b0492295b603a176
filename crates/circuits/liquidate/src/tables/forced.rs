//! ForcedClose (L1): one row an op.
//!
//! Proven: the record is absorbed into L1CHAIN; the op is refused for a reason that is true, or none is and the op is filled
//! by a row of table `close`. Reasons that end the log at the same place need not be told apart: the ledger says which code
//! comes first. A market that settles without named prices is refused, in one with named prices only a position that is gone.

use tsz_air::{Air, Count, F, InteractionBuilder, PermutationCheckBus, PrimeCharacteristicRing};
use tsz_gadgets::layout::Columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::owner::Owner;
use tsz_gadgets::product::Carry;
use tsz_gadgets::row::{Row, c, compose12, pad8};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};
use tsz_margin::tables::{
    Band, BandSide, Cap, Figures, Ill, Listed, MASK_WEIGHT, MAX_POSITIONS, PLACES, Price, Settlement,
    UNLISTED, band, cap, is_ill, lookup_listed_if, lookup_price, lookup_settlement, weight,
};

use super::queue::{Queue, queue};

/// `served`: the fields of [`Served`]. Sent by a filled ForcedClose, received by its close.
const SERVED: PermutationCheckBus<'static> = PermutationCheckBus::new("served");
/// The status of a market whose price is frozen.
const SETTLING: u32 = 3;

columns! {
    /// A filled ForcedClose.
    pub struct Served {
        /// Sequence number, accesses, values, account, sub-account, lots (24, 24 bits).
        own: [7],
        /// 1 = buys; boolean.
        is_buy: felt,
        /// The market.
        price: (Price),
        /// SUB found: collateral, sign, holdings.
        sub: [6],
        /// POS found.
        pos: [7],
    }
}

impl<E: PrimeCharacteristicRing + Clone> Served<E> {
    /// A message of cells.
    pub fn new(own: [E; 7], is_buy: E, price: &Price<E>, sub: &[E; 8], pos: &[E; 8]) -> Self
    where
        Price<E>: Columns<E>,
    {
        let mut felts = Vec::new();
        price.write(&mut |x: &E| felts.push(x.clone()));
        let mut felts = felts.into_iter();
        let price = Price::read(&mut || felts.next().unwrap_or(E::ZERO));
        let sub = core::array::from_fn(|k| sub[k].clone());
        Self { own, is_buy, price, sub, pos: core::array::from_fn(|k| pos[k].clone()) }
    }
}

fn fields<E: Clone>(served: &Served<E>) -> Vec<E>
where
    Served<E>: Columns<E>,
{
    let mut out = Vec::new();
    served.write(&mut |x: &E| out.push(x.clone()));
    out
}

/// A ForcedClose says this, if the boolean `flag` (at most `real`).
pub(super) fn receive<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    flag: &AB::Expr,
    served: &Served<AB::Expr>,
) {
    SERVED.receive(row.builder(), fields(served), Count::bounded(flag.clone(), 1));
}

columns! {
    /// One ForcedClose.
    pub struct Forced {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// Accesses; of a filled op bound by `served`.
        accesses: felt,
        /// Accesses and writes; likewise.
        values: felt,
        /// Account; range12.
        account: (U24),
        /// Sub-account; < 32 by two lookups.
        sub: felt,
        /// Market; < 2^8 by two lookups.
        market: felt,
        /// 1 = the closing trade buys; boolean.
        is_buy: felt,
        /// Base 2^12 digits of the lots; range12.
        lots: [4],
        /// Inverse of their sum, if the table is read.
        lots_inv: felt,
        /// Digits of the limit: 12, 12 and 8 bits.
        limit: [3],
        /// The account cell against the sender.
        owner: (Owner),
        /// The L1 queue.
        queue: (Queue),
        /// Refused: the market is not listed; boolean.
        is_unlisted: felt,
        /// Refused: it settles and its prices are not named; boolean.
        is_settling: felt,
        /// Refused: no position; boolean.
        is_none: felt,
        /// Refused: wrong side; boolean.
        is_wrong: felt,
        /// Refused: no lots; boolean.
        is_empty: felt,
        /// Refused: more lots than the position has; boolean.
        is_over: felt,
        /// Refused: 2^56 quote units at the mark or more, by digit 4; boolean.
        is_bulky: felt,
        /// The same by higher digits; boolean.
        is_huge: felt,
        /// Refused: more at the mark than the last tier bounds; boolean.
        is_beyond: felt,
        /// Refused: the limit does not concede the band; boolean.
        is_outside: felt,
        /// Refused: TAV < MMR; boolean.
        is_liquidatable: felt,
        /// 1 = filled; boolean.
        is_filled: felt,
        /// The market as it is now; bound by `price` where it is read.
        price: (Price),
        /// What the list says of it, or how many there are; bound by `listed` where it is asked.
        listed: (Listed),
        /// market - number of markets, if unlisted; < 2^8 by two lookups.
        excess: felt,
        /// 1 = the position is read and the market is not settled at named prices.
        trades: felt,
        /// Inverse of status - 3 then.
        status_inv: felt,
        /// Base 2^12 digits of the lots in POS; range12.
        held: [4],
        /// 1 = short; bound by the bus.
        is_short: felt,
        /// Index of the last settlement; bound by the bus.
        last: [3],
        /// Its sign; bound by the bus.
        last_negative: felt,
        /// 1 = unsettled funding; boolean, only where the table is read.
        is_due: felt,
        /// It, in signed digits; bound by `settle`, 0 unless due.
        settled: [8],
        /// Collateral in SUB; bound by the bus.
        collateral: [4],
        /// Its sign; bound by the bus.
        negative: felt,
        /// Open positions; at most 32 by two lookups.
        positions: felt,
        /// Which margin tokens are held; boolean.
        mask: [PLACES],
        /// Base 2^12 digits of lots * mark * qm; range12.
        at_mark: [9],
        /// Carries of that product.
        mark_carries: (Carry * 8),
        /// Inverse of the sum of digits 5 to 8, if that is the reason.
        huge_inv: felt,
        /// |size| - lots if the table is read, lots - |size| - 1 if that is the reason; range12.
        gap: (U24 * 2),
        /// Borrow of that; boolean.
        gap_borrow: felt,
        /// The same against the bound of the last tier.
        cap: (Cap),
        /// How far the limit is from the end of the range on the side of the trade, weighted so that it is 0 only there.
        edge: felt,
        /// 1 = the limit is the end of the range; boolean, owned by the zero test.
        is_end: felt,
        /// Inverse of `edge`, or 0.
        edge_inv: felt,
        /// 1 = the table is read and the limit is compared with the band.
        compares: felt,
        /// The limit against the band.
        band: (Band),
        /// Figures of the party; bound by `target` where the table is read.
        figures: (Figures),
        /// Accesses of the table.
        reads: felt,
    }
}

op_air! {
    /// AIR of [`Forced`]. No public values.
    ForcedAir, Forced, "forced", 0
}

impl<E: PrimeCharacteristicRing + Clone> Forced<E> {
    /// 1 = the table is read: no reason but perhaps that TAV < MMR.
    pub fn fits(&self) -> E {
        self.is_liquidatable.clone() + self.is_filled.clone()
    }

    /// 1 = SUB and POS are read.
    pub fn reaches(&self) -> E {
        [&self.is_none, &self.is_wrong, &self.is_empty, &self.is_over, &self.is_bulky, &self.is_huge]
            .into_iter()
            .chain([&self.is_beyond, &self.is_outside])
            .fold(self.fits(), |sum, flag| sum + flag.clone())
    }

    /// 1 = MKP and MKF are read.
    pub fn is_priced(&self) -> E {
        self.reaches() + self.is_settling.clone()
    }

    /// 1 = the list is asked.
    fn asks(&self) -> E {
        self.is_unlisted.clone() + self.is_outside.clone() + self.fits()
    }

    /// On which side of the band the limit is.
    pub fn side(&self) -> BandSide<E> {
        let turn = self.compares.clone() - self.is_outside.clone();
        let way = turn.clone() * (self.is_buy.double() - E::ONE);
        BandSide { way, turn, less: self.is_outside.clone() }
    }

    /// How far the limit is from the end: `limit - 1` of a sale, its high digit counted twice, `2^32 - 1 - limit` of a
    /// purchase, as the sum of its limbs. Neither is 0 elsewhere: 2 l_1 = 1 - l_0 has one solution of integers that are
    /// not negative, and limbs that are not above their maxima leave a sum of 0 at these only.
    pub fn edge(&self) -> E {
        let (low, high) = (compose12(&self.limit[..2]), self.limit[2].clone());
        let sale = low.clone() + high.double() - E::ONE;
        let purchase = c::<E>((1 << 24) - 1 + 255) - low - high;
        let sells = self.is_real.clone() - self.is_buy.clone();
        sells * sale + self.is_buy.clone() * purchase
    }

    /// Accesses of the table.
    pub fn table(&self) -> E {
        let tokens: E = self.mask.iter().cloned().sum();
        tokens.double() + (self.positions.clone() - E::ONE) * c::<E>(3)
    }

    /// What the party is compared with: a filled op needs TAV >= MMR, the other one TAV < MMR.
    pub fn ill(&self) -> Ill<E> {
        let sign = E::ONE - self.negative.double();
        Ill {
            index: self.index.clone(),
            who: E::ZERO,
            account: self.account.value(),
            sub: self.sub.clone(),
            market: self.market.clone(),
            at: c(7),
            mask: weight(&self.mask),
            tokens: self.mask.iter().cloned().sum(),
            others: self.positions.clone() - E::ONE,
            unit: self.price.unit.clone(),
            lots: self.held.clone(),
            is_short: self.is_short.clone(),
            collateral: core::array::from_fn(|k| {
                sign.clone() * self.collateral[k].clone() + compose12(&self.settled[2 * k..2 * k + 2])
            }),
            is_forced: E::ONE,
            is_full: self.is_filled.double(),
        }
    }

    /// SUB and POS found.
    fn leaves(&self) -> [[E; 8]; 2] {
        let [a, b, x, y] = self.collateral.clone();
        let holdings = self.positions.clone() + weight(&self.mask) * c::<E>(MASK_WEIGHT);
        let [f0, f1, f2] = self.last.clone();
        let [h0, h1] = [0, 2].map(|k| compose12(&self.held[k..k + 2]));
        let pos = [h0, h1, self.is_short.clone(), f0, f1, f2, self.last_negative.clone()];
        [pad8(&[a, b, x, y, self.negative.clone(), holdings]), pad8(&pos)]
    }

    fn served(&self) -> Served<E> {
        let [lots0, lots1] = [0, 2].map(|k| compose12(&self.lots[k..k + 2]));
        let [index, n, values] = [&self.index, &self.accesses, &self.values].map(Clone::clone);
        let own = [index, n, values, self.account.value(), self.sub.clone(), lots0, lots1];
        let [sub, pos] = self.leaves();
        Served::new(own, self.is_buy.clone(), &self.price, &sub, &pos)
    }

    fn settlement(&self) -> Settlement<E> {
        Settlement {
            lots: self.held.clone(),
            is_short: self.is_short.clone(),
            qm: self.price.qm.clone(),
            last: self.last.clone(),
            last_negative: self.last_negative.clone(),
            now: self.price.funding.clone(),
            now_negative: self.price.funding_negative.clone(),
            value: self.settled.clone(),
        }
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for ForcedAir {
    fn eval(&self, builder: &mut AB) {
        let t: Forced<AB::Expr> = current(builder);
        let (real, index) = (t.is_real.clone(), t.index.clone());
        let mut row = Row::sized(builder, real, index, t.accesses.clone(), t.values.clone());
        record(&mut row, &t);
        let found = row.real.clone() - t.owner.is_absent.clone() - t.owner.is_other.clone();
        row.owner(2, &t.owner, &found, t.account.value());
        reasons(&mut row, &t, &found);
        market(&mut row, &t);
        size(&mut row, &t);
        limit(&mut row, &t);
        health(&mut row, &t);
        accesses(&mut row, &t);
        SERVED.send(row.builder(), fields(&t.served()), Count::bounded(t.is_filled.clone(), 1));
    }
}

/// L1IN and L1CHAIN (accesses 0 and 1, writes 0 and 1).
fn record<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Forced<AB::Expr>) {
    row.u24(&t.account);
    row.narrow(&t.sub, 5);
    row.narrow(&t.market, 8);
    row.boolean(&t.is_buy);
    row.zero(t.is_buy.clone() * (AB::Expr::ONE - row.real.clone()));
    for digit in t.lots.iter().chain(&t.limit[..2]) {
        row.range(digit.clone());
    }
    row.narrow(&t.limit[2], 8);
    let place = t.sub.clone() + (row.real.clone() - t.is_buy.clone()) * c::<AB::Expr>(32);
    let [l0, l1] = [0, 2].map(|k| compose12(&t.lots[k..k + 2]));
    let party = [t.account.value(), place, t.market.clone()];
    let terms = pad8(&[l0, l1, compose12(&t.limit[..2]), t.limit[2].clone()]);
    queue(row, &t.queue, tsz_trade::code::FORCED_CLOSE, party, [pad8(&t.owner.sender.values()), terms]);
}

/// Filled or exactly one reason; the log is as long as that.
fn reasons<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Forced<AB::Expr>, found: &AB::Expr) {
    let (real, one) = (row.real.clone(), AB::Expr::ONE);
    let flags = [&t.is_unlisted, &t.is_settling, &t.is_none, &t.is_wrong, &t.is_empty, &t.is_over]
        .into_iter()
        .chain([&t.is_bulky, &t.is_huge, &t.is_beyond, &t.is_outside, &t.is_liquidatable, &t.is_filled]);
    for flag in flags {
        row.boolean(flag);
    }
    row.zero(t.is_unlisted.clone() + t.is_priced() - found.clone());
    row.zero(t.fits() * t.table() - t.reads.clone());
    let refused = real.clone() - t.is_filled.clone();
    let n = real.clone() * c::<AB::Expr>(3) + t.is_priced().double() + t.reaches().double() + t.reads.clone();
    row.zero(refused.clone() * (t.accesses.clone() - n));
    row.zero(refused * (t.values.clone() - t.accesses.clone() - AB::Expr::TWO));
    // named prices: only a position that is gone
    row.zero((t.reaches() - t.is_none.clone()) * t.price.is_settled.clone());
    row.zero(t.is_settling.clone() * t.price.is_settled.clone());
    let distance = t.price.status.clone() - c::<AB::Expr>(SETTLING);
    row.zero(t.is_settling.clone() * distance.clone());
    row.zero(t.reaches() * (one.clone() - t.price.is_settled.clone()) - t.trades.clone());
    row.zero(t.trades.clone() * (distance * t.status_inv.clone() - one));
}

/// The market is the one that is named, or beyond the list.
fn market<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Forced<AB::Expr>) {
    lookup_price(row, &t.is_priced(), &t.price);
    row.zero(t.is_priced() * (t.price.market.clone() - t.market.clone()));
    lookup_listed_if(row, &t.asks(), &t.listed);
    row.narrow(&t.excess, 8);
    row.zero(t.asks() * (t.listed.market.clone() + t.excess.clone() - t.market.clone()));
    row.zero(t.is_unlisted.clone() * (t.listed.status.clone() - c::<AB::Expr>(UNLISTED)));
    row.zero((t.is_outside.clone() + t.fits()) * t.excess.clone());
}

/// Position and lots are as the reason says; where the table is read, 1 <= lots <= |size| and lots * mark * qm is below 2^56
/// and at most the bound of the last tier.
fn size<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Forced<AB::Expr>) {
    let (fits, one) = (t.fits(), AB::Expr::ONE);
    for digit in t.held.iter().chain(&t.at_mark) {
        row.range(digit.clone());
    }
    let [lots, held] = [&t.lots, &t.held].map(|digits| digits.iter().cloned().sum::<AB::Expr>());
    row.zero(t.is_none.clone() * held);
    row.zero(t.is_wrong.clone() * (t.is_short.clone() + t.is_buy.clone() - one.clone()));
    row.zero(fits.clone() * (t.is_short.clone() - t.is_buy.clone()));
    row.zero(t.is_empty.clone() * lots.clone());
    row.zero(fits.clone() * (lots * t.lots_inv.clone() - one.clone()));
    for limb in &t.gap {
        row.u24(limb);
    }
    row.boolean(&t.gap_borrow);
    let turn = fits.clone() - t.is_over.clone();
    let apart = |k: usize| {
        let more = compose12(&t.held[k..k + 2]) - compose12(&t.lots[k..k + 2]);
        turn.clone() * more - t.gap[k / 2].value()
    };
    row.zero(apart(0) - t.is_over.clone() + t.gap_borrow.clone() * c::<AB::Expr>(1 << 24));
    row.zero(apart(2) - t.gap_borrow.clone());
    row.product(&t.lots, &t.price.unit, &t.at_mark, &t.mark_carries);
    row.range(t.is_bulky.clone() * (t.at_mark[4].clone() - c::<AB::Expr>(1 << 8)));
    let high: AB::Expr = t.at_mark[5..].iter().cloned().sum();
    row.zero(t.is_huge.clone() * (high * t.huge_inv.clone() - one));
    row.range(fits.clone() * t.at_mark[4].clone() * c::<AB::Expr>(1 << 4));
    for digit in &t.at_mark[5..] {
        row.zero(fits.clone() * digit.clone());
    }
    let notional = core::array::from_fn(|k| compose12(&t.at_mark[2 * k..2 * k + 2]));
    cap(row, (&fits, &t.is_beyond), &t.market, &notional, &t.cap);
}

/// The limit concedes the whole band or is the end of the range where the table is read, and is neither where that is the
/// reason.
fn limit<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Forced<AB::Expr>) {
    let real = row.real.clone();
    row.zero(t.edge() - t.edge.clone());
    row.boolean(&t.is_end);
    row.zero(t.edge.clone() * t.edge_inv.clone() - real + t.is_end.clone());
    row.zero(t.edge.clone() * t.is_end.clone());
    row.zero(t.is_outside.clone() * t.is_end.clone());
    row.zero(t.fits() * (AB::Expr::ONE - t.is_end.clone()) - t.compares.clone());
    band(row, &t.band, &t.limit, (&t.price.mark, &t.listed.band), &t.side());
}

/// Where the table is read: at the last prices, the position settled, TAV is below MMR or not as the op says.
fn health<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Forced<AB::Expr>) {
    let (fits, one) = (t.fits(), AB::Expr::ONE);
    let usable = t.price.usable.clone();
    row.zero(fits.clone() * (usable.clone() - one.clone()) * (usable - AB::Expr::TWO));
    row.range(t.positions.clone());
    row.range(t.positions.clone() + c::<AB::Expr>(4095 - MAX_POSITIONS));
    for bit in &t.mask {
        row.boolean(bit);
    }
    row.boolean(&t.is_due);
    row.zero(t.is_due.clone() * (one.clone() - fits.clone()));
    lookup_settlement(row, &t.is_due, &t.settlement());
    for digit in &t.settled {
        row.zero((one.clone() - t.is_due.clone()) * digit.clone());
    }
    let present = fits.clone() - t.is_due.clone();
    for (last, now) in t.last.iter().zip(&t.price.funding) {
        row.zero(present.clone() * (last.clone() - now.clone()));
    }
    row.zero(present * (t.last_negative.clone() - t.price.funding_negative.clone()));
    is_ill(row, &fits, &t.ill(), &t.figures);
}

/// MKP, MKF, SUB and POS (accesses 3 to 6).
fn accesses<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, t: &Forced<AB::Expr>) {
    let (priced, reaches) = (t.is_priced(), t.reaches());
    let ([mkp, mkf], [prices, funding]) = (t.price.keys(), t.price.leaves());
    let [sub, pos] = t.leaves();
    let own = t.sub.clone() * c::<AB::Expr>(512);
    let own_pos = own.clone() + c::<AB::Expr>(256) + t.market.clone();
    let reads = [
        (&priced, mkp, prices),
        (&priced, mkf, funding),
        (&reaches, [t.account.value(), own], sub),
        (&reaches, [t.account.value(), own_pos], pos),
    ];
    for (at, (flag, key, value)) in (3..).zip(reads) {
        row.key_if(flag, c(at), false, key);
        row.value_if(flag, c(at), value);
    }
}

//! Rows of closes against an order.

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32};
use tsz_gadgets::inverse;
use tsz_gadgets::limb::U24;
use tsz_gadgets::product::{Scaled, digits12, felts, product_carries};
use tsz_gadgets::units::SCALE;
use tsz_ledger::Access;
use tsz_margin::signed;
use tsz_margin::tables::{Band, Charge, Figures, Listed, Move, Price};
use tsz_perp::Log;
use tsz_perp::fill::{Market, SideInput, credit, leg, pay_broker, side};
use tsz_trade::order::{PerpOrder, Signed};
use tsz_trade::{Party as SubAccount, ops};
use tsz_types::{Lots, Rate};

use super::{Rows, interest, small};
use crate::record::{LiquidateRecord, RecordError};
use crate::tables::{Close, Party};

/// What a close is made of besides its log.
pub(super) struct Terms<'a> {
    pub party: SubAccount,
    pub lots: Lots,
    pub maker: &'a Signed<PerpOrder>,
    pub maker_fee: Rate,
    /// Of the party of a forced close.
    pub taker_fee: Rate,
    pub is_forced: bool,
    pub price: Price<F>,
}

/// Place of the maker's KEYA: the first cell that is written besides the L1 queue is ORD, three accesses later.
pub(super) fn admission(accesses: &[Access]) -> Option<usize> {
    let written = accesses.iter().skip(2).position(|access| access.write)?;
    (written + 2).checked_sub(3)
}

impl Rows<'_> {
    /// The row of a Liquidate.
    pub(super) fn liquidate(
        &mut self,
        record: &LiquidateRecord,
        op: &ops::Liquidate,
    ) -> Result<Close<F>, RecordError> {
        let error = RecordError::Accesses { index: record.index, got: record.accesses.len() };
        let [mkp, mkf, ..] = record.accesses.as_slice() else { return Err(error) };
        let price = self.book.price(op.market.get().into(), &mkp.old, &mkf.old);
        let terms = Terms {
            party: op.target,
            lots: op.lots,
            maker: &op.maker,
            maker_fee: op.maker_fee,
            taker_fee: Rate::ZERO,
            is_forced: false,
            price,
        };
        self.close(record, &terms)
    }

    /// The row of a close.
    pub(super) fn close(
        &mut self,
        record: &LiquidateRecord,
        terms: &Terms<'_>,
    ) -> Result<Close<F>, RecordError> {
        let got = record.accesses.len();
        let at = admission(&record.accesses).ok_or(RecordError::Accesses { index: record.index, got })?;
        let mut log = Log::new(record.index, &record.accesses);
        let before = log.take(at);
        let listed = self.book.listed(terms.price.market.as_canonical_u32());
        let market = market(terms);
        let input = SideInput {
            order: terms.maker,
            fee: terms.maker_fee,
            cap: listed.maker_cap,
            is_maker: true,
            close: false,
        };
        let mut maker = side(self.context, &mut log, &mut self.orders, &market, &input)?;
        let (sub, pos) = (log.read()?, log.read()?);
        let mut moved = Move::found(&mut self.book, &terms.price, &sub.old, &pos.old);
        let short = moved.short_before == F::ONE;
        let way = if short { terms.lots.get() as i64 } else { -(terms.lots.get() as i64) };
        moved.shift(way);
        let (sub, pos) = (log.read()?, log.read()?);
        leg(&mut maker, &mut self.book, &market, &sub.old, &pos.old);
        let mut row = base(record.index, terms, listed, &market);
        row.party = moved;
        if !terms.is_forced {
            let rows = before.get(2..).unwrap_or_default();
            self.ill(&mut row, rows, &market);
        }
        row.band = Band::of(&maker.terms.price, &row.price.mark, row.listed.band, &row.side());
        row.charge = charged(&row, terms);
        let insurance = if terms.is_forced { Default::default() } else { log.read()?.old };
        row.insurance_cell = credit(&insurance, amount(&row.charge.amount()));
        if maker.terms.has_broker == F::ONE {
            let (head, cell) = (log.read()?.old, log.read()?.old);
            row.head = core::array::from_fn(|k| head[k]);
            row.next_account = head[4];
            pay_broker(&mut maker, &market, &input, head[4], &cell);
        }
        paid(&mut row, terms, &market);
        fees(&mut row, terms, &market, &log.read()?.old);
        row.interest = interest(&log.read()?.old, [row.party.lots(), maker.leg.lots()]);
        let own = F::from_u32(terms.party.account.get() * 32 + u32::from(terms.party.sub.get()));
        row.other_inv = inverse(own - maker.terms.party());
        row.maker = maker;
        self.judged(&row, &mut log);
        Ok(row)
    }

    /// Figures, quote and the close that would not be enough, of a Liquidate.
    fn ill(&mut self, row: &mut Close<F>, rows: &[Access], market: &Market) {
        (row.is_full, row.figures) = self.book.worst_target(row.ill(), rows);
        let at_mark = tsz_margin::number(&row.at_mark).unsigned_abs();
        row.gain = self.book.quote(&row.figures, at_mark).gain;
        let is_one = row.is_full == F::ZERO && market.lots == 1;
        row.is_one = F::from_bool(is_one);
        row.is_tested = F::from_bool(row.is_full == F::ZERO && !is_one);
        if row.is_tested == F::ONE {
            let [_, after] = row.party.lots();
            let left = signed(after[0]) + (signed(after[1]) << 24) + 1;
            row.fewer = felts(digits12(market.lots.saturating_sub(1).into()));
            row.left = felts(digits12(u128::from(left.unsigned_abs())));
            row.step = [market.lots & 0xff_ffff == 0, left & 0xff_ffff == 0].map(F::from_bool);
            self.book.minimal(row.need());
        }
    }

    fn judged(&mut self, row: &Close<F>, log: &mut Log<'_>) {
        let [own, maker] = row.claims();
        for (flag, reads, claim) in
            [(row.terms.judged, row.terms.reads, own), (row.maker.judged, row.maker.reads, maker)]
        {
            if flag == F::ONE {
                self.book.judge(claim, log.take(small(reads)));
            }
        }
    }
}

/// The fill as the maker sees it.
fn market(terms: &Terms<'_>) -> Market {
    let [q0, q1] = terms.price.qm.map(|x| u128::from(x.as_canonical_u32()));
    let unit_price = u128::from(terms.maker.order.terms.price.get()) * (q0 | q1 << 12);
    let lots = terms.lots.get();
    let notional = (u128::from(lots) * unit_price) as u64 & ((1 << 60) - 1);
    Market { price: terms.price.clone(), lots, unit_price, notional, live: true }
}

/// The products.
fn base(index: u32, terms: &Terms<'_>, listed: Listed<F>, market: &Market) -> Close<F> {
    let (lots, unit_price) = (digits12::<4>(market.lots.into()), digits12::<5>(market.unit_price));
    let unit = terms.price.unit.map(|x| x.as_canonical_u32());
    let mark = unit.iter().rev().fold(0u128, |acc, digit| (acc << 12) + u128::from(*digit));
    let price = terms.maker.order.terms.price.get();
    let qm = terms.price.qm.map(|x| x.as_canonical_u32());
    let is_liquidation = F::from_bool(!terms.is_forced);
    Close {
        is_real: F::ONE,
        index: F::from_u32(index),
        is_forced: F::from_bool(terms.is_forced),
        restricts: is_liquidation * (terms.price.status - F::ONE),
        account: U24::of(terms.party.account.get()),
        sub: F::from_u8(terms.party.sub.get()),
        lots: felts(lots),
        lots_inv: inverse(felts::<4>(lots).into_iter().sum()),
        unit_price: felts(unit_price),
        unit_carries: product_carries(&digits12::<3>(price.into()), &qm),
        at_price: felts(digits12(market.notional.into())),
        price_carries: product_carries(&lots, &unit_price),
        at_mark: felts(digits12(u128::from(market.lots) * mark)),
        mark_carries: product_carries(&lots, &unit),
        listed,
        price: terms.price.clone(),
        figures: Figures::default(),
        ..Close::default()
    }
}

/// The liquidation fee, or the columns of none.
fn charged(row: &Close<F>, terms: &Terms<'_>) -> Charge<F> {
    let rate = row.listed.liquidation_fee.as_canonical_u32();
    Charge::of(rate, &row.at_price, &row.surplus(), !terms.is_forced)
}

fn amount(limbs: &[F; 4]) -> u128 {
    limbs.iter().rev().fold(0, |acc, limb| (acc << 24) + u128::from(limb.as_canonical_u32()))
}

/// What the party is paid, and whether it is judged.
fn paid(row: &mut Close<F>, terms: &Terms<'_>, market: &Market) {
    let fee = terms.taker_fee.get();
    let turned = if row.party.short_before == F::ONE { fee } else { -fee };
    let factor = (SCALE as i32).wrapping_add(turned) as u32 & 0xff_ffff;
    row.terms = Party {
        paid: Scaled::of(market.notional, factor),
        fee: U24::of_felt(F::from_i32(fee)),
        fee_gap: U24::of_felt(row.listed.taker_cap - F::from_i32(fee)),
        is_bare: F::from_bool(row.party.positions == F::ZERO),
        bare_inv: inverse(row.party.positions),
        ..Party::default()
    };
    let cash = row.cash().map(signed);
    row.party.pay(cash);
    let idle = row.terms.is_bare == F::ONE && row.party.negative_after == F::ZERO;
    if terms.is_forced && !idle {
        row.terms.judged = F::ONE;
        row.terms.reads = row.table();
    }
}

/// The fee account's cell.
fn fees(row: &mut Close<F>, terms: &Terms<'_>, market: &Market, cell: &tsz_hash::Digest) {
    let rate = terms.maker.order.terms.broker_rate.get();
    let net = (terms.taker_fee.get() + terms.maker_fee.get() - rate) as u32 & 0xff_ffff;
    row.net = Scaled::of(market.notional, net);
    row.fee_cell = credit(cell, u128::from(market.notional) * u128::from(net));
}

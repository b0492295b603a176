//! Traces of the tables of the family.

use std::collections::HashMap;

use rayon::prelude::*;
use thiserror::Error;
use tsz_air::{F, PrimeCharacteristicRing, PrimeField32, RowMajorMatrix, Trace};
use tsz_gadgets::inverse;
use tsz_gadgets::layout::Columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::params::{self, LISTS, Link};
use tsz_gadgets::product::{digits12, felts, product_carries};
use tsz_hash::{Digest, step};
use tsz_ledger::{Access, BatchContext};
use tsz_sig::Signature;
use tsz_trade::Params;
use tsz_trade::order::{Order as _, Signed, SpotOrder, Terms as Signable, Tif};
use tsz_trade::params::{List, SpotMarket};

use crate::class::Class;
use crate::record::{SpotRecord, markets, spot};
use crate::sides::{SideInput, side};
use crate::tables::{Market, Order, Side, Trade};

/// A record or parameters that no row can be made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RecordError {
    /// Fewer accesses than the op has.
    #[error("op {index}: {got} accesses are too few")]
    Accesses {
        /// Sequence number.
        index: u32,
        /// Accesses given.
        got: usize,
    },
    /// An order in a market that is not listed.
    #[error("op {index}: market {market} is not listed")]
    Market {
        /// Sequence number.
        index: u32,
        /// The market.
        market: u16,
    },
    /// More rows than a table has.
    #[error("{got} rows of table {table}, at most {rows}")]
    TooMany {
        /// The table.
        table: &'static str,
        /// Its rows.
        rows: usize,
        /// Rows needed.
        got: usize,
    },
}

/// A signature that the `sig` tables must prove.
#[derive(Clone, Copy, Debug)]
pub struct SignatureRequest {
    /// Key id.
    pub key_id: Digest,
    /// Message digest.
    pub message: Digest,
    /// The signature.
    pub signature: Signature,
}

/// Traces of the params, market, order and trade tables, and the signatures that they need.
#[derive(Clone, Debug)]
pub struct OpTraces {
    /// Params, market, order, trade.
    pub traces: Vec<Trace>,
    /// One for each order row.
    pub signatures: Vec<SignatureRequest>,
}

/// Order rows, each once.
#[derive(Default)]
pub(crate) struct Orders {
    rows: Vec<Order<F>>,
    signatures: Vec<SignatureRequest>,
    at: HashMap<[Digest; 3], usize>,
}

impl Orders {
    /// The row of an order under the key that an access log names.
    pub(crate) fn find(
        &mut self,
        context: &BatchContext,
        signed: &Signed<SpotOrder>,
        [key_a, key_b]: [&Digest; 2],
    ) -> &Order<F> {
        let message = signed.order.digest(&context.system);
        let rows = &mut self.rows;
        let signatures = &mut self.signatures;
        let at = *self.at.entry([message, *key_a, *key_b]).or_insert_with(|| {
            rows.push(order(context, &signed.order, key_a, key_b));
            signatures.push(SignatureRequest { key_id: *key_a, message, signature: signed.signature });
            rows.len() - 1
        });
        rows[at].uses += F::ONE;
        &rows[at]
    }
}

fn wide(value: u64) -> [U24<F>; 2] {
    [0, 24].map(|s| U24::of((value >> s) as u32 & 0xff_ffff))
}

/// at - T - 1 and its borrow, from limbs of 24 bits.
fn later(at: [u32; 2], time: u64) -> ([U24<F>; 2], F) {
    let value = u64::from(at[0]) | u64::from(at[1]) << 24;
    let borrow = u64::from(at[0]) < (time & 0xff_ffff) + 1;
    (wide(value.wrapping_sub(time).wrapping_sub(1)), F::from_bool(borrow))
}

fn order(context: &BatchContext, order: &SpotOrder, key_a: &Digest, key_b: &Digest) -> Order<F> {
    let t: &Signable = &order.terms;
    let account = F::from_u32(t.account.get());
    let (nonce, price) = (t.nonce.get(), t.price.get());
    let low = F::from_u32(nonce & 0xff_ffff) - F::from_u32(0xff_ffff);
    let rate = t.broker_rate.get().unsigned_abs();
    let maker = t.max_maker_fee.get();
    let expiry = t.expiry.get();
    let (margin, borrow) = later([expiry as u32 & 0xff_ffff, (expiry >> 24) as u32], context.time);
    let key_expiry = [key_b[2], key_b[3]];
    let (key_margin, key_borrow) = later(key_expiry.map(|x| x.as_canonical_u32()), context.time);
    let permissions = key_b[1].as_canonical_u32();
    let price_limbs = U24::of(price & 0xff_ffff);
    let price_hi = F::from_u32(price >> 24);
    let mut row = Order {
        is_real: F::ONE,
        account: U24::of(t.account.get()),
        account_inv: inverse(account * (account - F::ONE)),
        sub: F::from_u8(t.sub.get()),
        slot: F::from_u8(t.slot.get()),
        market: U24::of(order.market.get().into()),
        price_inv: inverse(price_limbs.lo + price_limbs.hi + price_hi),
        price: price_limbs,
        price_hi,
        lots: wide(t.lots.get()),
        nonce: U24::of(nonce & 0xff_ffff),
        nonce_hi: F::from_u32(nonce >> 24),
        nonce_carry: F::from_bool(low == F::ZERO),
        nonce_inv: inverse(low),
        is_sell: F::from_bool(!t.buys()),
        tif: [Tif::Ioc, Tif::Fok, Tif::PostOnly].map(|tif| F::from_bool(t.tif == tif)),
        decrements: F::from_u32(t.self_trade as u32),
        expiry: wide(expiry),
        margin,
        borrow,
        kill_epoch: t.kill_epoch.to_felts(),
        max_taker: U24::of(t.max_taker_fee.get().unsigned_abs()),
        max_maker: U24::of(maker.unsigned_abs()),
        maker_negative: F::from_bool(maker < 0),
        max_maker_inv: if maker < 0 { inverse(F::from_u32(maker.unsigned_abs())) } else { F::ZERO },
        broker: U24::of(t.broker.get()),
        broker_rate: U24::of(rate),
        has_broker: F::from_bool(rate != 0),
        rate_inv: inverse(F::from_u32(rate)),
        key_id: *key_a,
        permissions: core::array::from_fn(|k| F::from_u32(permissions >> k & 1)),
        key_expiry,
        key_margin,
        key_borrow,
        ..Order::default()
    };
    let [a, b, c] = row.message();
    row.mid_a = step(&a, &context.system);
    row.mid_b = step(&b, &row.mid_a);
    row.digest = step(&c, &row.mid_b);
    row
}

/// Accesses in order.
pub(crate) struct Log<'a> {
    index: u32,
    all: &'a [Access],
    next: usize,
}

impl<'a> Log<'a> {
    pub(crate) fn next(&mut self) -> Result<&'a Access, RecordError> {
        let error = RecordError::Accesses { index: self.index, got: self.all.len() };
        self.next += 1;
        self.all.get(self.next - 1).ok_or(error)
    }
}

fn market<'a>(params: &'a Params, record: &SpotRecord) -> Result<&'a SpotMarket, RecordError> {
    let market = record.op.taker.order.market;
    params.spot(market).ok_or(RecordError::Market { index: record.index, market: market.get() })
}

/// Units of base and quote; digits above 2^60 are dropped.
fn amounts(record: &SpotRecord, market: &SpotMarket) -> [u64; 2] {
    let lots = u128::from(record.op.lots.get());
    let price = u128::from(record.op.maker.order.terms.price.get());
    [lots * u128::from(market.lot_base), lots * price * u128::from(market.tick_quote)]
        .map(|x| x as u64 & ((1 << 60) - 1))
}

/// Fills in the balances that move and what is read besides; gives HEAD if it was read.
fn moves(
    log: &mut Log<'_>,
    [taker, maker]: [&mut SideRow; 2],
    inputs: &[SideInput<'_>; 2],
) -> Result<Option<Digest>, RecordError> {
    let gets = [inputs[0].gets, inputs[1].gets];
    crate::sides::legs(log, [taker, maker], gets)?;
    let head = crate::sides::brokers(log, [taker, maker], gets)?;
    crate::sides::fees(log, [taker, maker], inputs)?;
    Ok(head)
}

/// The row of a trade.
fn trade(
    context: &BatchContext,
    params: &Params,
    record: &SpotRecord,
    orders: &mut Orders,
) -> Result<Trade<F>, RecordError> {
    let (op, market) = (&record.op, market(params, record)?);
    let (t, m) = (&op.taker.order.terms, &op.maker.order.terms);
    let mut log = Log { index: record.index, all: &record.accesses, next: 0 };
    let [base, quote] = amounts(record, market);
    let [x, y] = if t.buys() { [base, quote] } else { [quote, base] };
    let is_own = t.account == m.account && t.sub == m.sub;
    let lots = op.lots.get();
    let input = |order, fee, gets, close| SideInput { order, fee, gets, lots, close };
    let inputs =
        [input(&op.taker, op.taker_fee, x, op.close_taker), input(&op.maker, op.maker_fee, y, false)];
    let [mut taker, mut maker] =
        [side(context, &mut log, orders, &inputs[0])?, side(context, &mut log, orders, &inputs[1])?];
    let caps = spot(market);
    let own = [taker.terms.max_taker, maker.terms.max_maker];
    crate::sides::caps(&mut taker, own[0], caps.taker_cap, op.taker_fee);
    crate::sides::caps(&mut maker, own[1], caps.maker_cap, op.maker_fee);
    let mut head = None;
    if !is_own {
        head = moves(&mut log, [&mut taker, &mut maker], &inputs)?;
    }
    let reads_head = head.is_some();
    let head = head.unwrap_or_default();
    let lots_digits = digits12::<4>(lots.into());
    let price = digits12::<3>(m.price.get().into());
    let tick = digits12::<2>(market.tick_quote.into());
    let unit = digits12::<5>(u128::from(m.price.get()) * u128::from(market.tick_quote));
    let (a, b) = if t.buys() { (t.price.get(), m.price.get()) } else { (m.price.get(), t.price.get()) };
    let better = a.wrapping_sub(b);
    Ok(Trade {
        is_real: F::ONE,
        index: F::from_u32(record.index),
        spot: spot(market),
        lots: felts(lots_digits),
        lots_inv: inverse(felts(lots_digits).into_iter().sum()),
        is_own: F::from_bool(is_own),
        own_inv: inverse(taker.party() - maker.party()),
        slot_inv: if is_own { inverse(taker.terms.slot - maker.terms.slot) } else { F::ZERO },
        close: F::from_bool(op.close_taker),
        better: U24::of(better & 0xff_ffff),
        better_hi: F::from_u32(better >> 24),
        better_borrow: F::from_bool(a & 0xff_ffff < b & 0xff_ffff),
        unit_price: felts(unit),
        unit_carries: product_carries(&price, &tick),
        base_carries: product_carries(&lots_digits, &digits12::<4>(market.lot_base.into())),
        quote_carries: product_carries(&lots_digits, &unit),
        token: F::from_u8(if t.buys() { market.base.get() } else { market.quote.get() }),
        taker,
        maker,
        reads_head: F::from_bool(reads_head),
        head: core::array::from_fn(|k| head[k]),
        next_account: head[4],
    })
}

fn matrix<C: Columns<F> + Sync>(
    table: &'static str,
    rows: &[C],
    log_height: usize,
    padding: &C,
) -> Result<Trace, RecordError> {
    let height = 1 << log_height;
    if rows.len() > height {
        return Err(RecordError::TooMany { table, rows: height, got: rows.len() });
    }
    let mut values = F::zero_vec(height * C::WIDTH);
    values.par_chunks_exact_mut(C::WIDTH).enumerate().for_each(|(k, out)| {
        let mut cells = out.iter_mut();
        rows.get(k).unwrap_or(padding).write(&mut |x| {
            if let Some(cell) = cells.next() {
                *cell = *x;
            }
        });
    });
    Ok(RowMajorMatrix::new(values, C::WIDTH))
}

/// All rows of the market table, padding included.
fn market_rows(params: &Params, trades: &[Trade<F>], height: usize) -> Result<Vec<Market<F>>, RecordError> {
    let mut uses: HashMap<F, F> = HashMap::new();
    for trade in trades {
        *uses.entry(trade.taker.terms.market).or_default() += F::ONE;
    }
    let mut rows: Vec<Market<F>> = markets(params).collect();
    if rows.len() > height {
        return Err(RecordError::TooMany { table: "market", rows: height, got: rows.len() });
    }
    let blocks: Vec<_> = rows.iter().map(|row| [row.block()]).collect();
    rows.resize_with(height, Market::default);
    for (row, link) in rows.iter_mut().zip(Link::chain(&List::Spots.iv(), &blocks, height)) {
        row.link = link;
        row.uses =
            if row.is_open == F::ONE { uses.get(&row.id).copied().unwrap_or_default() } else { F::ZERO };
    }
    Ok(rows)
}

/// Fills the tables of the family.
///
/// # Errors
/// [`RecordError`] when no row can be made of a record or a table is too small. That the trades follow the rules is
/// not checked: the proof of one that does not is refused by the verifier.
pub fn op_traces(
    class: &Class,
    context: &BatchContext,
    params: &Params,
    records: &[SpotRecord],
) -> Result<OpTraces, RecordError> {
    let mut orders = Orders::default();
    let trades: Result<Vec<_>, _> = records.iter().map(|r| trade(context, params, r, &mut orders)).collect();
    let trades = trades?;
    let markets = market_rows(params, &trades, 1 << class.markets)?;
    let mut uses = [0; LISTS];
    uses[List::Spots as usize] = 1;
    let traces = vec![
        params::trace(&params.digests(), uses),
        matrix("market", &markets, class.markets, &Market::default())?,
        matrix("order", &orders.rows, class.orders, &Order::default())?,
        matrix("spot", &trades, class.trades, &Trade::default())?,
    ];
    Ok(OpTraces { traces, signatures: orders.signatures })
}

/// A side whose columns are being filled.
pub(crate) type SideRow = Side<F>;

//! Traces of the tables of the family.

use thiserror::Error;
use tsz_air::{F, PrimeCharacteristicRing, Trace};
use tsz_gadgets::params::{self, LISTS};
use tsz_gadgets::product::{Scaled, digits12, felts, product_carries};
use tsz_gadgets::table;
use tsz_hash::Digest;
use tsz_ledger::{Access, BatchContext};
use tsz_margin::{Book, TooMany};
use tsz_order::{Meeting, Orders, SignatureRequest};
use tsz_trade::ops::PerpTrade;
use tsz_trade::params::List;
use tsz_trade::{Params, TradeOp};

use crate::class::Class;
use crate::fill::{Market, SideInput, credit, interest, leg, pay_broker, side};
use crate::margin_ops::{exit, transfer};
use crate::record::PerpRecord;
use crate::tables::{Exit, Side, Trade, Transfer};

/// A record that no row can be made of, or a table that is too small.
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
    /// An op that the circuit does not prove.
    #[error("op {index} has code {code}, which the perp circuit does not prove")]
    Kind {
        /// Sequence number.
        index: u32,
        /// Code of the op.
        code: u32,
    },
    /// More rows than a table has.
    #[error(transparent)]
    TooMany(#[from] TooMany),
}

/// Traces of the tables of the family, and the signatures that they need.
#[derive(Clone, Debug)]
pub struct OpTraces {
    /// Params, order, trade, transfer, exit, then the tables of `tsz-margin`.
    pub traces: Vec<Trace>,
    /// One for each order row, then one for each transfer.
    pub signatures: Vec<SignatureRequest>,
}

/// Accesses in order.
pub struct Log<'a> {
    index: u32,
    all: &'a [Access],
    next: usize,
}

impl<'a> Log<'a> {
    /// The log of an op.
    pub fn new(index: u32, all: &'a [Access]) -> Self {
        Self { index, all, next: 0 }
    }

    pub(crate) fn of(record: &'a PerpRecord) -> Self {
        Self::new(record.index, &record.accesses)
    }

    /// The next access.
    ///
    /// # Errors
    /// [`RecordError::Accesses`] after the last one.
    pub fn read(&mut self) -> Result<&'a Access, RecordError> {
        let error = RecordError::Accesses { index: self.index, got: self.all.len() };
        self.next += 1;
        self.all.get(self.next - 1).ok_or(error)
    }

    /// The next `count` accesses, or as many as there are.
    pub fn take(&mut self, count: usize) -> &'a [Access] {
        let rest = self.all.get(self.next..).unwrap_or_default();
        let taken = &rest[..count.min(rest.len())];
        self.next += taken.len();
        taken
    }
}

/// Rows of all ops.
pub(crate) struct Rows<'a> {
    pub orders: Orders,
    pub book: Book<'a>,
    pub trades: Vec<Trade<F>>,
    pub transfers: Vec<Transfer<F>>,
    pub exits: Vec<Exit<F>>,
    /// Of the transfers.
    signatures: Vec<SignatureRequest>,
}

impl<'a> Rows<'a> {
    /// The rows that the records need.
    pub(crate) fn of(
        context: &BatchContext,
        params: &'a Params,
        records: &[PerpRecord],
    ) -> Result<Self, RecordError> {
        let mut rows = Self {
            orders: Orders::default(),
            book: Book::new(context, params),
            trades: Vec::new(),
            transfers: Vec::new(),
            exits: Vec::new(),
            signatures: Vec::new(),
        };
        for record in records {
            rows.add(context, record)?;
        }
        Ok(rows)
    }

    fn add(&mut self, context: &BatchContext, record: &PerpRecord) -> Result<(), RecordError> {
        match &record.op {
            TradeOp::PerpTrade(op) => {
                let row = self.trade(context, record, op)?;
                self.trades.push(row);
            }
            TradeOp::MarginTransfer(op) => {
                let (row, signature) = transfer(context, &mut self.book, record, op)?;
                self.transfers.push(row);
                self.signatures.push(signature);
            }
            TradeOp::MarginExit(op) => self.exits.push(exit(&mut self.book, record, op)?),
            other => return Err(RecordError::Kind { index: record.index, code: other.code() }),
        }
        Ok(())
    }

    /// What must be signed: the orders, then the transfers.
    pub(crate) fn signatures(&self) -> Vec<SignatureRequest> {
        self.orders.signatures().iter().chain(&self.signatures).copied().collect()
    }

    fn trade(
        &mut self,
        context: &BatchContext,
        record: &PerpRecord,
        op: &PerpTrade,
    ) -> Result<Trade<F>, RecordError> {
        let mut log = Log::of(record);
        let (mkp, mkf) = (log.read()?, log.read()?);
        let id = u32::from(op.taker.order.market.get());
        let price = self.book.price(id, &mkp.old, &mkf.old);
        let listed = self.book.listed(id);
        let market = market(op, price);
        let input = |order, fee, cap, is_maker, close| SideInput { order, fee, cap, is_maker, close };
        let inputs = [
            input(&op.taker, op.taker_fee, listed.taker_cap, false, op.close_taker),
            input(&op.maker, op.maker_fee, listed.maker_cap, true, false),
        ];
        let orders = &mut self.orders;
        let mut taker = side(context, &mut log, orders, &market, &inputs[0])?;
        let mut maker = side(context, &mut log, orders, &market, &inputs[1])?;
        let empty = Digest::default();
        let mut row = Trade { is_real: F::ONE, index: F::from_u32(record.index), ..Trade::default() };
        row.meeting = Meeting::of(&taker.terms, &maker.terms, market.lots, op.close_taker);
        self.products(&mut row, &market, op.maker.order.terms.price.get());
        let cell = |log: &mut Log<'_>| match market.live {
            true => log.read().map(|access| access.old),
            false => Ok(empty),
        };
        for s in [&mut taker, &mut maker] {
            let (sub, pos) = (cell(&mut log)?, cell(&mut log)?);
            leg(s, &mut self.book, &market, &sub, &pos);
        }
        if market.live {
            brokers(&mut row, &mut log, [&mut taker, &mut maker], &market, &inputs)?;
        }
        let net = if market.live { net(&inputs) } else { 0 };
        row.net = Scaled::of(market.notional, net);
        row.fee_cell = credit(&cell(&mut log)?, u128::from(market.notional) * u128::from(net));
        row.interest = interest(&cell(&mut log)?, [&taker, &maker], &market, listed.oi_cap);
        row.price = market.price;
        row.listed = listed;
        row.taker = taker;
        row.maker = maker;
        self.judge(&row, &mut log);
        Ok(row)
    }

    fn products(&self, row: &mut Trade<F>, market: &Market, price: u32) {
        let qm = market.price.qm.map(|x| tsz_air::PrimeField32::as_canonical_u32(&x));
        let unit = digits12::<5>(market.unit_price);
        row.unit_price = felts(unit);
        row.unit_carries = product_carries(&digits12::<3>(price.into()), &qm);
        row.notional = felts(digits12(market.notional.into()));
        row.notional_carries = product_carries(&digits12::<4>(market.lots.into()), &unit);
    }

    /// Judgements of both sides, where there are any.
    fn judge(&mut self, row: &Trade<F>, log: &mut Log<'_>) {
        for (side, claim) in [&row.taker, &row.maker].into_iter().zip(row.claims()) {
            if side.judged == F::ONE {
                let reads = usize::try_from(tsz_margin::signed(side.reads)).unwrap_or(0);
                self.book.judge(claim, log.take(reads));
            }
        }
    }
}

/// The fill as both sides see it.
fn market(op: &PerpTrade, price: tsz_margin::tables::Price<F>) -> Market {
    let (t, m) = (&op.taker.order.terms, &op.maker.order.terms);
    let [q0, q1] = price.qm.map(|x| u128::from(tsz_air::PrimeField32::as_canonical_u32(&x)));
    let unit_price = u128::from(m.price.get()) * (q0 | q1 << 12);
    let lots = op.lots.get();
    let notional = (u128::from(lots) * unit_price) as u64 & ((1 << 60) - 1);
    let live = (t.account, t.sub) != (m.account, m.sub);
    Market { price, lots, unit_price, notional, live }
}

/// What the fee account gets of both fees, if that is not negative.
fn net(inputs: &[SideInput<'_>; 2]) -> u32 {
    let net: i32 = inputs.iter().map(|i| i.fee.get() - i.order.order.terms.broker_rate.get()).sum();
    net as u32 & 0xff_ffff
}

/// HEAD, if it is read, and the brokers' cells.
fn brokers(
    row: &mut Trade<F>,
    log: &mut Log<'_>,
    sides: [&mut Side<F>; 2],
    market: &Market,
    inputs: &[SideInput<'_>; 2],
) -> Result<(), RecordError> {
    if sides.iter().all(|s| s.terms.has_broker == F::ZERO) {
        return Ok(());
    }
    let head = log.read()?.old;
    row.reads_head = F::ONE;
    row.head = core::array::from_fn(|k| head[k]);
    row.next_account = head[4];
    for (s, input) in sides.into_iter().zip(inputs) {
        if s.terms.has_broker == F::ONE {
            pay_broker(s, market, input, head[4], &log.read()?.old);
        }
    }
    Ok(())
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
    records: &[PerpRecord],
) -> Result<OpTraces, RecordError> {
    let all = Rows::of(context, params, records)?;
    let signatures = all.signatures();
    let Rows { orders, book, trades, transfers, exits, .. } = all;
    let too_many = |table, log: usize, got| TooMany { table, rows: 1 << log, got };
    let mut uses = [0; LISTS];
    uses[List::Perps as usize] = 1;
    uses[List::Oracle as usize] = 1;
    uses[List::Collateral as usize] = 1;
    let rows = orders.perp();
    let order = table::matrix(rows, class.orders, &tsz_order::PerpOrder::default())
        .ok_or_else(|| too_many("order", class.orders, rows.len()))?;
    let trade = table::matrix(&trades, class.trades, &Trade::default())
        .ok_or_else(|| too_many("perp", class.trades, trades.len()))?;
    let transfer = table::matrix(&transfers, class.transfers, &Transfer::default())
        .ok_or_else(|| too_many("margin_transfer", class.transfers, transfers.len()))?;
    let exit = table::matrix(&exits, class.exits, &Exit::default())
        .ok_or_else(|| too_many("margin_exit", class.exits, exits.len()))?;
    let mut traces = vec![params::trace(&params.digests(), uses), order, trade, transfer, exit];
    traces.extend(book.traces(&class.margin)?);
    Ok(OpTraces { traces, signatures })
}

//! European options: written against collateral, traded, and paid out at an oracle price after expiry.
//!
//! A contract is one option or a structure of two ([`Series`]): a call pays `max(0, S - K) / S` of a lot in base, a
//! put `max(0, K - S)` ticks of a lot in quote. A long call and a long put are a double-win (straddle, strangle);
//! opposite signs make spreads and risk reversals. Every side's worst case lies in a vault from the first minute:
//! nobody owes anything afterwards, so there is no margin and no liquidation.
//!
//! Who takes part approves the program three ways:
//!
//! - a holder, with terms `[1, series digest]`: storage cell 0 is its position, long or short. Limits cover premiums,
//!   fees and collateral. It must stay approved until the payout: a new approval of the slot forgets the position.
//! - an order of a holder, in another slot ([`crate::order`]). Selling without a position writes the contract;
//!   selling a position transfers it; buying back releases collateral.
//! - the vault, with terms `[2, series digest]` and limits as wide as can be: storage cell 0 is the settlement price.
//!   **Who can sign for the vault's account can take the collateral**: an account whose keys have expired and whose
//!   owner on L1 cannot register others is one that only this program moves.
//!
//! Operations: [`TRADE`] before expiry; [`OBSERVE`] after it, once for each sample; [`CLAIM`] for up to 15 holders.
//! None is signed. The price is the mean of `samples` index prices of the oracle, `gap` seconds apart at least, the
//! first not before expiry. The operator chooses which updates meet an OBSERVE, and can delay it; it cannot make a
//! price. More samples leave it less to choose.

#[cfg(not(target_os = "zkvm"))]
pub mod host;
mod series;

pub use series::{Amounts, Leg, MAX_SAMPLES, SERIES_WORDS, Series, Sides};

use tsz_ext_sdk::{Fault, Leaf, MICROS, Op, Party, spot};

use crate::order::{Fill, KIND_HOLDING, KIND_HOUSE, ORDER_WORDS, check_terms, limbs, number, pay};

/// First argument: a trade between two holders.
pub const TRADE: u32 = 0;
/// First argument: takes a sample of the oracle's price.
pub const OBSERVE: u32 = 1;
/// First argument: pays holders out.
pub const CLAIM: u32 = 2;
/// Topic of the event of the last sample: `[price (24, 8)]`.
pub const SETTLED: u32 = 1;
/// Domain of series digests.
const SUBJECT: u32 = 1;
/// Bits of a position.
const POSITION_BITS: u32 = 46;
/// Account that takes fees.
const FEES: u32 = 0;
/// Words of the arguments of a trade before the orders.
const TRADE_HEAD: usize = 9;

/// Numbers of the rules, in [`Fault::Rule`]; those of orders are in [`crate::order::rule`].
#[expect(missing_docs, reason = "the messages of the program's documentation")]
pub mod rule {
    pub const PARTIES: u32 = 1;
    pub const VAULT: u32 = 2;
    pub const EXPIRED: u32 = 3;
    pub const NOT_EXPIRED: u32 = 4;
    pub const EARLY_PRICE: u32 = 5;
    pub const NO_PRICE: u32 = 6;
    pub const HAS_PRICE: u32 = 7;
    pub const POSITION: u32 = 8;
}

/// The program.
///
/// # Errors
/// A [`Fault`]; [`Fault::Rule`] with a number of [`rule`] or of [`crate::order::rule`].
pub fn program(op: &mut Op<'_>) -> Result<(), Fault> {
    let ([code, vault], rest) = op.args().split_first_chunk().ok_or(Fault::Args)?;
    let (words, rest) = rest.split_first_chunk::<SERIES_WORDS>().ok_or(Fault::Args)?;
    let contract = Contract { series: Series::parse(words)?, subject: op.hash(SUBJECT, words) };
    let vault = op.party(*vault as usize)?;
    contract.check_vault(op, &vault)?;
    match *code {
        TRADE => contract.trade(op, &vault, rest),
        OBSERVE if rest.is_empty() => contract.observe(op, &vault),
        CLAIM if rest.is_empty() => contract.claim(op, &vault),
        _ => Err(Fault::Args),
    }
}

/// A position: lots, and whether they are sold.
#[derive(Clone, Copy)]
struct Position {
    short: bool,
    lots: u64,
}

impl Position {
    fn load(op: &Op<'_>, holder: &Party) -> Result<Self, Fault> {
        let [lo, hi, short, ..] = op.load(holder, 0)?;
        Ok(Self { short: short == 1, lots: number(lo, hi)? })
    }

    fn store(&self, op: &mut Op<'_>, holder: &Party) -> Result<(), Fault> {
        let [lo, hi] = limbs(self.lots);
        op.store(holder, 0, &[lo, hi, u32::from(self.short), 0, 0, 0, 0])
    }

    /// After buying or selling.
    fn after(&self, sells: bool, lots: u64) -> Result<Self, Fault> {
        let next = if self.short == sells || self.lots == 0 {
            Self { short: sells, lots: self.lots + lots } // 48 and 48 bits
        } else if self.lots >= lots {
            Self { short: self.short && self.lots != lots, lots: self.lots - lots }
        } else {
            Self { short: sells, lots: lots - self.lots }
        };
        if next.lots >> POSITION_BITS == 0 { Ok(next) } else { Err(Fault::Rule(rule::POSITION)) }
    }

    /// What it gets at these amounts a lot.
    fn times(&self, sides: &Sides) -> Result<[i128; 2], Fault> {
        let side = if self.short { &sides.short } else { &sides.long };
        let times = |amount: u128| {
            // an amount has at most 73 bits; most are zero
            let product = if amount == 0 { Some(0) } else { amount.checked_mul(self.lots.into()) };
            product.and_then(|p| i128::try_from(p).ok()).ok_or(Fault::Width)
        };
        Ok([times(side.base)?, times(side.quote)?])
    }
}

/// A side of a trade.
struct Side<'a> {
    party: usize,
    slot: u32,
    fee: u32,
    order: &'a [u32; ORDER_WORDS],
}

/// What both sides of a trade have in common.
struct Deal {
    price: u32,
    lots: u64,
    collateral: Sides,
}

/// A series with its digest.
struct Contract {
    series: Series,
    subject: Leaf,
}

impl Contract {
    fn check_vault(&self, op: &Op<'_>, vault: &Party) -> Result<(), Fault> {
        let Series { vault: account, vault_sub, vault_slot, .. } = self.series;
        if (vault.account, vault.sub, vault.slot) != (account, vault_sub, vault_slot) {
            return Err(Fault::Rule(rule::VAULT));
        }
        check_terms(op, vault, KIND_HOUSE, &self.subject, &[])
    }

    /// `[buyer, its slot, its fee, seller, its slot, its fee, price, lots (24, 24)] ‖ order of the buyer ‖ of the
    /// seller`: the buyer buys from the seller, and what each must have in the vault follows its position.
    fn trade(&self, op: &mut Op<'_>, vault: &Party, rest: &[u32]) -> Result<(), Fault> {
        let (head, orders) = rest.split_first_chunk::<TRADE_HEAD>().ok_or(Fault::Args)?;
        let [buyer, buyer_slot, buyer_fee, seller, seller_slot, seller_fee, price, lots_lo, lots_hi] = *head;
        let ([bid, ask], []) = orders.as_chunks::<ORDER_WORDS>() else { return Err(Fault::Args) };
        // nobody trades with himself: his fees would be the operator's to take
        if op.parties() != 3 || buyer == seller {
            return Err(Fault::Rule(rule::PARTIES));
        }
        if op.time()? >= self.series.expiry {
            return Err(Fault::Rule(rule::EXPIRED));
        }
        let lots = number(lots_lo, lots_hi)?;
        if buyer_fee >= spot::RATE_END || seller_fee >= spot::RATE_END {
            return Err(Fault::Width);
        }
        let premium = spot::notional(&self.series.units, lots, price)?;
        let paid = spot::times(premium, MICROS as u32) as i128; // 80 bits
        let fees = [buyer_fee, seller_fee].map(|rate| spot::times(premium, rate));
        let buyer = Side { party: buyer as usize, slot: buyer_slot, fee: buyer_fee, order: bid };
        let seller = Side { party: seller as usize, slot: seller_slot, fee: seller_fee, order: ask };
        let terms = Deal { price, lots, collateral: self.series.collateral() };
        let bought = self.deal(op, &buyer, false, &terms, -paid - fees[0] as i128)?;
        let sold = self.deal(op, &seller, true, &terms, paid - fees[1] as i128)?;
        let [base, quote] = [0, 1].map(|k| bought[k] + sold[k]); // 2^120 at most
        pay(op, vault, self.series.base, base)?;
        pay(op, vault, self.series.quote, quote)?;
        let fee = fees[0] + fees[1];
        if fee == 0 { Ok(()) } else { op.credit(FEES, 0, self.series.quote, fee) }
    }

    /// One side of a trade: order, position, money. Gives what goes into the vault, base and quote.
    fn deal(
        &self,
        op: &mut Op<'_>,
        side: &Side<'_>,
        sells: bool,
        deal: &Deal,
        premium: i128,
    ) -> Result<[i128; 2], Fault> {
        let holder = op.party(side.party)?;
        check_terms(op, &holder, KIND_HOLDING, &self.subject, &[])?;
        let (price, lots) = (deal.price, deal.lots);
        let fill = Fill { slot: side.slot, order: side.order, sells, price, lots, fee: side.fee };
        fill.take(op, &holder, &self.subject)?;
        let before = Position::load(op, &holder)?;
        let after = before.after(sells, lots)?;
        after.store(op, &holder)?;
        let (had, needs) = (before.times(&deal.collateral)?, after.times(&deal.collateral)?);
        let [base, quote] = [0, 1].map(|k| needs[k] - had[k]); // 120 bits each
        pay(op, &holder, self.series.base, -base)?;
        pay(op, &holder, self.series.quote, premium - quote)?;
        Ok([base, quote])
    }

    /// Takes a sample. Cells: HEAD and MKP read, storage cell 0 of the vault written: `[samples taken, time of the
    /// last (24, 24), sum (24, 24)]`.
    fn observe(&self, op: &mut Op<'_>, vault: &Party) -> Result<(), Fault> {
        let Series { market, expiry, samples, gap, .. } = self.series;
        // all trades are over: the batch's time never goes back
        if op.time()? < expiry {
            return Err(Fault::Rule(rule::NOT_EXPIRED));
        }
        let [taken, ts_lo, ts_hi, sum_lo, sum_hi, ..] = op.load(vault, 0)?;
        let rest = samples.checked_sub(taken).filter(|n| *n != 0).ok_or(Fault::Rule(rule::HAS_PRICE))?;
        let prices = op.market(market)?;
        let (price, count) = if prices.settled {
            // no price will follow: the mean of what longs and shorts get there
            ((u64::from(prices.index) + u64::from(prices.mark)) / 2, rest)
        } else {
            let last = number(ts_lo, ts_hi)?;
            let due = if taken == 0 { expiry } else { last + 1_000 * u64::from(gap) };
            if prices.price_ts < due {
                return Err(Fault::Rule(rule::EARLY_PRICE));
            }
            (u64::from(prices.index), 1)
        };
        let sum = number(sum_lo, sum_hi)? + price * u64::from(count); // 60 prices of 32 bits
        let ([ts_lo, ts_hi], [sum_lo, sum_hi]) = (limbs(prices.price_ts), limbs(sum));
        op.store(vault, 0, &[taken + count, ts_lo, ts_hi, sum_lo, sum_hi, 0, 0])?;
        if count == rest {
            let [lo, hi] = limbs(sum / u64::from(samples));
            op.emit(SETTLED, &[lo, hi])?;
        }
        Ok(())
    }

    /// Pays every party but the vault what its position gets, and clears it.
    fn claim(&self, op: &mut Op<'_>, vault: &Party) -> Result<(), Fault> {
        let [taken, _, _, sum_lo, sum_hi, ..] = op.load(vault, 0)?;
        if taken != self.series.samples {
            return Err(Fault::Rule(rule::NO_PRICE));
        }
        let price = number(sum_lo, sum_hi)? / u64::from(taken);
        let payout = self.series.payout(price as u32)?; // a mean of 32 bits
        let mut out = [0i128; 2];
        for index in 0..op.parties() {
            let holder = op.party(index)?;
            if holder == *vault {
                continue;
            }
            check_terms(op, &holder, KIND_HOLDING, &self.subject, &[])?;
            let position = Position::load(op, &holder)?;
            if position.lots == 0 {
                return Err(Fault::Rule(rule::POSITION));
            }
            Position { short: false, lots: 0 }.store(op, &holder)?;
            let [base, quote] = position.times(&payout)?;
            pay(op, &holder, self.series.base, base)?;
            pay(op, &holder, self.series.quote, quote)?;
            out = [out[0] - base, out[1] - quote]; // 15 of 120 bits
        }
        pay(op, vault, self.series.base, out[0])?;
        pay(op, vault, self.series.quote, out[1])
    }
}

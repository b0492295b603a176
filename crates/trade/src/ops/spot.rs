//! SpotTrade.

use serde::{Deserialize, Serialize};
use tsz_risk::{MICRO, RiskError};
use tsz_stf::{Log, SigVerifier, View};
use tsz_types::{AccountId, Lots, Rate, SubId, TokenId};

use crate::account::Party;
use crate::admit::{Choice, Role, admit};
use crate::fees::{Fee, pay_balances};
use crate::order::{SelfTrade, Signed, SpotOrder, Terms};
use crate::params::{SpotMarket, Status};
use crate::{Env, Rule, TradeReceipt, TradeReject};

/// Bits of an amount of either token in a fill.
const AMOUNT_BITS: u32 = 60;

/// A fill of two spot orders at the maker's limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpotTrade {
    /// Order that meets a resting one.
    pub taker: Signed<SpotOrder>,
    /// Resting order.
    pub maker: Signed<SpotOrder>,
    /// Lots.
    pub lots: Lots,
    /// Fee of the taker.
    pub taker_fee: Rate,
    /// Fee of the maker, not negative.
    pub maker_fee: Rate,
    /// Whether the slot of an IOC taker is closed.
    #[serde(default)]
    pub close_taker: bool,
}

/// One side of the exchange.
struct Leg {
    party: Party,
    pays: (TokenId, i128),
    gets: (TokenId, i128),
}

/// Checks what two orders of a fill must agree on, and that they are in order for a self-trade.
pub(super) fn check_match(taker: &Terms, maker: &Terms) -> Result<bool, TradeReject> {
    if taker.side == maker.side {
        return Err(TradeReject::SameSide);
    }
    if !taker.accepts(maker.price) {
        return Err(TradeReject::NoCross { taker: taker.price, maker: maker.price });
    }
    let own = taker.account == maker.account && taker.sub == maker.sub;
    if own && taker.self_trade == SelfTrade::Reject {
        return Err(TradeReject::SelfTrade { account: taker.account, sub: taker.sub });
    }
    if own && taker.slot == maker.slot {
        return Err(TradeReject::SameSlot { slot: taker.slot });
    }
    Ok(own)
}

/// The fee account does not trade; insurance, sub-account 0, turns what it seized into the quote token and buys nothing.
fn check_account(terms: &Terms, market: &SpotMarket) -> Result<(), TradeReject> {
    let account = terms.account;
    let sells_for_quote = terms.sub == SubId::MIN && !terms.buys() && market.quote == TokenId::QUOTE;
    if account == AccountId::FEES || account == AccountId::INSURANCE && !sells_for_quote {
        return Err(TradeReject::ReservedParty { account });
    }
    Ok(())
}

impl SpotTrade {
    /// Amounts of base and quote, both below 2^60 units.
    fn amounts(&self, market: &SpotMarket) -> Result<(u64, u64), TradeReject> {
        let narrow = |what, value: u128| {
            let fits = u64::try_from(value).ok().filter(|v| v >> AMOUNT_BITS == 0);
            let value = i128::try_from(value).unwrap_or(i128::MAX);
            fits.ok_or(TradeReject::Risk(RiskError::Width { what, value, bits: AMOUNT_BITS }))
        };
        let lots = u128::from(self.lots.get());
        let base = narrow("base amount", lots * u128::from(market.lot_base))?; // 48 + 40 bits
        let price = u128::from(self.maker.order.terms.price.get());
        let quote = narrow("quote amount", lots * price * u128::from(market.tick_quote))?; // 48 + 32 + 20 bits
        Ok((base, quote))
    }

    fn market<'a, S>(&self, env: &Env<'a, S>) -> Result<&'a SpotMarket, TradeReject> {
        let (taker, maker) = (self.taker.order.market, self.maker.order.market);
        if taker != maker {
            return Err(TradeReject::OtherMarket { taker: taker.get(), maker: maker.get() });
        }
        let market = env.ctx.params.spot(taker).ok_or(TradeReject::NoSpotMarket { market: taker })?;
        if market.status != Status::Open {
            return Err(TradeReject::SpotStatus { market: taker, status: market.status });
        }
        Ok(market)
    }

    /// The legs of taker and maker; a fee is paid in what its side gets.
    fn legs(&self, market: &SpotMarket, base: u64, quote: u64) -> [Leg; 2] {
        let leg = |terms: &Terms, fee: Rate| {
            let gross = |amount: u64| i128::from(amount) * MICRO;
            let net = |amount: u64| gross(amount) - i128::from(amount) * i128::from(fee.get());
            let party = Party { account: terms.account, sub: terms.sub };
            if terms.buys() {
                Leg { party, pays: (market.quote, gross(quote)), gets: (market.base, net(base)) }
            } else {
                Leg { party, pays: (market.base, gross(base)), gets: (market.quote, net(quote)) }
            }
        };
        [leg(&self.taker.order.terms, self.taker_fee), leg(&self.maker.order.terms, self.maker_fee)]
    }
}

impl Rule for SpotTrade {
    /// Accesses: taker and maker each KEYA read, KEYB read, CTL read, ORD write; taker and maker each BAL write of
    /// what they pay, BAL write of what they get; HEAD read if there is a broker; BAL write of each broker; BAL
    /// write of the fee account for the taker's fee and for the maker's.
    fn run<V: View, S: SigVerifier>(
        &self,
        env: &Env<'_, S>,
        log: &mut Log<'_, V>,
    ) -> Result<TradeReceipt, TradeReject> {
        let market = self.market(env)?;
        let (taker, maker) = (&self.taker.order.terms, &self.maker.order.terms);
        let own = check_match(taker, maker)?;
        for terms in [taker, maker] {
            check_account(terms, market)?;
        }
        let role = Role::Taker { close: self.close_taker };
        let lots = self.lots;
        admit(log, env, &self.taker, &Choice { role, lots, fee: self.taker_fee, cap: market.taker_cap })?;
        let role = Role::Maker;
        if self.maker_fee.is_negative() {
            let max = market.maker_cap.get();
            return Err(TradeReject::Fee { min: 0, max, got: self.maker_fee });
        }
        admit(log, env, &self.maker, &Choice { role, lots, fee: self.maker_fee, cap: market.maker_cap })?;
        let (base, quote) = self.amounts(market)?;
        if own {
            return Ok(TradeReceipt::default());
        }
        let receipt = TradeReceipt { quote: quote.into(), ..TradeReceipt::default() };
        for leg in self.legs(market, base, quote) {
            leg.party.move_balance(log, leg.pays.0, -leg.pays.1)?;
            leg.party.move_balance(log, leg.gets.0, leg.gets.1)?;
        }
        let fees = [Fee::of(self.taker_fee, taker), Fee::of(self.maker_fee, maker)];
        let got = |terms: &Terms| if terms.buys() { (market.base, base) } else { (market.quote, quote) };
        pay_balances(log, &fees, [got(taker), got(maker)])?;
        Ok(receipt)
    }
}

//! Legs of extension programs: the rules of positions that the guard hands to this crate (docs/src/extensions.md).

use alloc::vec::Vec;
use tsz_ext::{Crossing, Margin, MarginReject};
use tsz_ledger::SubCell;
use tsz_risk::trade::reduces;
use tsz_risk::{FILL_NOTIONAL_BITS, MICRO, market::notional};
use tsz_stf::{Log, View};
use tsz_types::{Lots, MarketId};

use crate::account::{Moved, Party, check_legal};
use crate::market::{MarketRow, Move, move_open_interest};
use crate::params::Status;
use crate::{Context, Params, TradeReject};

/// Bits of the change of the open interest by one operation of legs: what a circuit adds up in two limbs.
const INTEREST_BITS: u32 = 49;

/// Carries out legs under parameters.
#[derive(Clone, Copy, Debug)]
pub struct MarginRules<'a> {
    /// Those in force.
    pub params: &'a Params,
}

impl Margin for MarginRules<'_> {
    fn cross<V: View>(
        &self,
        log: &mut Log<'_, V>,
        time: u64,
        market: MarketId,
        legs: &[Crossing],
    ) -> Result<Vec<i128>, MarginReject> {
        let ctx = Context { params: self.params, time, forced: false };
        Ok(cross(log, &ctx, market, legs)?)
    }
}

fn cross<V: View>(
    log: &mut Log<'_, V>,
    ctx: &Context<'_>,
    market: MarketId,
    legs: &[Crossing],
) -> Result<Vec<i128>, TradeReject> {
    let row = MarketRow::read(log, ctx, market)?;
    row.check_status(&[Status::Open, Status::ReduceOnly])?;
    // what a leg costs is measured at the mark, so it must be one that counts, whatever the leg does
    row.check_fresh(ctx)?;
    let (mut moved, mut changes, mut interest) = (Vec::new(), Vec::new(), 0);
    for leg in legs {
        let (done, change) = carry_out(log, &row, leg)?;
        interest += done.interest; // at most 16 of 48 bits
        moved.push(done);
        changes.push(change);
    }
    let bound = 1 << INTEREST_BITS;
    if !(-bound..bound).contains(&interest) {
        return Err(TradeReject::OpenInterest { value: interest });
    }
    move_open_interest(log, &row, interest, Move::Trade)?;
    for (leg, moved) in legs.iter().zip(&moved) {
        check_no_debt(log, party(leg), moved)?;
        check_legal(log, ctx, &row, party(leg), moved)?;
    }
    Ok(changes)
}

/// Checks that whoever closes the last position owes nothing then.
///
/// A debt without positions is due at once: insurance takes margin tokens for it, at their haircut. The owner pays
/// collateral in before closing, which a program that chooses the moment would not let them do.
fn check_no_debt<V: View>(log: &mut Log<'_, V>, party: Party, moved: &Moved) -> Result<(), TradeReject> {
    let SubCell { pos_count, .. } = log.peek_cell(party.sub_key())?;
    let collateral = moved.after.collateral;
    if pos_count == 0 && collateral < 0 {
        return Err(TradeReject::Debt { account: party.account, debt: -collateral });
    }
    Ok(())
}

fn party(leg: &Crossing) -> Party {
    Party { account: leg.account, sub: leg.sub }
}

/// Moves position and collateral; gives what the leg changes of the party's limit. Accesses: SUB write, POS write.
fn carry_out<V: View>(
    log: &mut Log<'_, V>,
    row: &MarketRow<'_>,
    leg: &Crossing,
) -> Result<(Moved, i128), TradeReject> {
    let (lots, buys) = (Lots::new(leg.lots.unsigned_abs())?, leg.lots > 0);
    let units = notional(lots.get(), row.risk.mark, row.risk.qm, FILL_NOTIONAL_BITS)?;
    let value = units as i128 * MICRO; // 56 and 20 bits
    let moved = party(leg).trade(log, row, leg.lots.into(), leg.cash)?;
    let shrinks = reduces(&moved.before.position, buys, lots.get());
    if shrinks {
        return Ok((moved, leg.cash + if buys { value } else { -value }));
    }
    if row.params.status == Status::ReduceOnly {
        return Err(TradeReject::NotReducing { size: moved.before.position.size, lots });
    }
    row.check_growth(&moved.shift.position, row.risk.mark)?;
    // the value gained at the mark, less the notional put at risk
    Ok((moved, leg.cash - if buys { 0 } else { 2 * value }))
}

impl From<TradeReject> for MarginReject {
    fn from(reject: TradeReject) -> Self {
        match reject {
            TradeReject::Base(reject) => Self::Base(reject),
            TradeReject::NoMarket { market } => Self::NoMarket { market },
            TradeReject::MarketStatus { market, .. } => Self::Status { market },
            TradeReject::Stale { market, price_ts, time } => Self::Stale { market, price_ts, time },
            TradeReject::FundingDue { market, .. } => Self::FundingDue { market },
            TradeReject::TooManyPositions { account, .. } => Self::TooManyPositions { account },
            TradeReject::NotReducing { size, .. } => Self::NotReducing { size },
            TradeReject::Debt { account, debt } => Self::Debt { account, debt },
            TradeReject::Illegal { account, tav, mmr, imr, .. } => Self::Illegal { account, tav, mmr, imr },
            TradeReject::NoPlace { .. } | TradeReject::PositionCount { .. } => Self::Table,
            // open interest, tiers, risk widths: the rest of what these rules can say
            _ => Self::Bound,
        }
    }
}

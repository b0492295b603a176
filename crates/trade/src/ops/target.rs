//! The target of a liquidation, and closes at its zero quote.

use tsz_ledger::SubCell;
use tsz_ledger::cells::MAX_POSITIONS;
use tsz_risk::quote::zero_quote;
use tsz_risk::trade::shift;
use tsz_risk::{Health, MICRO, Margin};
use tsz_stf::{Log, View};
use tsz_types::{Collateral, Lots};

use crate::account::{Before, Party, Table};
use crate::market::{MarketRow, Move, move_open_interest};
use crate::{Context, TradeReject};

/// A sub-account whose position in the market is to be closed.
#[derive(Clone, Debug)]
pub(crate) struct Target<'m> {
    pub party: Party,
    pub at: Before,
    pub table: Table<'m>,
    pub margin: Margin,
    row: &'m MarketRow<'m>,
}

/// A close at the zero quote, as the target's counterparty sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Close {
    /// Signed quote units.
    pub quote: i128,
    /// Change of the counterparty's size.
    pub delta: i128,
    /// Change of the counterparty's collateral, value units.
    pub cash: i128,
}

impl<'m> Target<'m> {
    /// Reads the target. Accesses: its table.
    pub fn read<V: View>(
        log: &mut Log<'_, V>,
        ctx: &Context<'_>,
        row: &'m MarketRow<'m>,
        party: Party,
    ) -> Result<Self, TradeReject> {
        let at = party.peek(log, row.id)?;
        if at.position.size == 0 {
            return Err(TradeReject::NoPosition { account: party.account, market: row.id });
        }
        let table = Table::read(log, ctx, party, Some(row))?;
        let margin = table.margin(&at)?;
        Ok(Self { party, at, table, margin, row })
    }

    /// Checks that the target is at least this ill.
    pub fn check_health(&self, needed: Health) -> Result<(), TradeReject> {
        let got = self.margin.health();
        if got >= needed {
            Ok(())
        } else {
            Err(TradeReject::Health { account: self.party.account, needed, got })
        }
    }

    /// Checks `1 <= lots <= |size|`.
    pub fn check_lots(&self, lots: Lots) -> Result<(), TradeReject> {
        let size = self.at.position.size;
        if lots == Lots::MIN || lots.get() > size.unsigned_abs() {
            return Err(TradeReject::Lots { got: lots, size });
        }
        Ok(())
    }

    /// The zero quote of closing `lots`.
    pub fn quote(&self, lots: u64) -> Result<i128, TradeReject> {
        Ok(zero_quote(&self.at.position, &self.row.risk, &self.margin, lots)?)
    }

    /// A close of `lots` at the zero quote.
    pub fn close(&self, lots: Lots) -> Result<Close, TradeReject> {
        let (quote, sign) = (self.quote(lots.get())?, self.at.position.sign());
        // 90 + 20 bits
        Ok(Close { quote, delta: sign * i128::from(lots.get()), cash: -sign * quote * MICRO })
    }

    /// Carries out a close with a counterparty. Accesses: SUB write, POS write of the target; the same of the
    /// counterparty; MKO write.
    pub fn exchange<V: View>(
        &self,
        log: &mut Log<'_, V>,
        counterparty: Party,
        close: &Close,
        kind: Move,
    ) -> Result<(), TradeReject> {
        let own = self.party.trade(log, self.row, -close.delta, -close.cash)?;
        let other = counterparty.trade(log, self.row, close.delta, close.cash)?;
        move_open_interest(log, self.row, own.interest + other.interest, kind)
    }
}

/// Why insurance cannot be the counterparty of a close; `None` if it can. Its other rows count at their last prices,
/// whatever their age: a market whose feed stopped must not stop the liquidations of all others.
/// Accesses: SUB read, POS read, table of insurance.
pub(crate) fn insurance_refuses<V: View>(
    log: &mut Log<'_, V>,
    ctx: &Context<'_>,
    row: &MarketRow<'_>,
    close: &Close,
) -> Result<Option<TradeReject>, TradeReject> {
    let (party, ctx) = (Party::INSURANCE, Context { forced: true, ..*ctx });
    let SubCell { pos_count, .. } = log.peek_cell(party.sub_key())?;
    let at = party.read(log, row.id)?;
    let table = Table::read(log, &ctx, party, Some(row))?;
    let (settled, before) = at.position.settle(&row.risk)?;
    let position = shift(&before, close.delta, row.risk.funding)?.position;
    let collateral = Collateral::try_from(at.collateral + settled + close.cash)?.get();
    let after = table.margin(&Before { collateral, position })?;
    if at.position.size == 0 && pos_count == MAX_POSITIONS {
        return Ok(Some(TradeReject::TooManyPositions { account: party.account, max: MAX_POSITIONS }));
    }
    // the one bound of a width that is a comparison and no overflow
    if position.lots() > before.lots()
        && let Err(bound) = row.check_growth(&position, row.risk.mark)
    {
        return Ok(Some(bound));
    }
    let Margin { tav, imr, .. } = after;
    Ok((tav < imr).then_some(TradeReject::InsuranceMargin { tav, imr }))
}

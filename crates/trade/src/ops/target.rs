//! The target of a liquidation, and closes at its zero quote.

use tsz_ledger::SubCell;
use tsz_ledger::cells::MAX_POSITIONS;
use tsz_risk::quote::zero_quote;
use tsz_risk::trade::shift;
use tsz_risk::{Health, MICRO, Margin, Position};
use tsz_stf::{Log, View};
use tsz_types::{Collateral, Lots};

use crate::account::{Before, Party, Table};
use crate::market::{MarketRow, move_open_interest};
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
    ) -> Result<(), TradeReject> {
        let own = self.party.trade(log, self.row, -close.delta, -close.cash)?;
        let other = counterparty.trade(log, self.row, close.delta, close.cash)?;
        move_open_interest(log, self.row, own.interest + other.interest, false)
    }
}

/// Where a counterparty would be after a close.
pub(crate) fn outcome(
    row: &MarketRow<'_>,
    at: &Before,
    close: &Close,
) -> Result<(Before, Position), TradeReject> {
    let (settled, settled_position) = at.position.settle(&row.risk)?;
    let after = shift(&settled_position, close.delta, row.risk.funding)?.position;
    let collateral = Collateral::try_from(at.collateral + settled + close.cash)?.get();
    Ok((Before { collateral, position: after }, settled_position))
}

/// Why insurance cannot be the counterparty of a close; `None` if it can. A state that cannot be judged is an error.
/// Accesses: SUB read, POS read, table of insurance.
pub(crate) fn insurance_refuses<V: View>(
    log: &mut Log<'_, V>,
    ctx: &Context<'_>,
    row: &MarketRow<'_>,
    close: &Close,
) -> Result<Option<TradeReject>, TradeReject> {
    let party = Party::INSURANCE;
    let SubCell { pos_count, .. } = log.peek_cell(party.sub_key())?;
    let at = party.read(log, row.id)?;
    let table = Table::read(log, ctx, party, Some(row))?;
    let judge = || -> Result<(), TradeReject> {
        let (after, before) = outcome(row, &at, close)?;
        if at.position.size == 0 && pos_count == MAX_POSITIONS {
            return Err(TradeReject::TooManyPositions { account: party.account, max: MAX_POSITIONS });
        }
        if after.position.lots() > before.lots() {
            row.check_growth(&after.position, row.risk.mark)?;
        }
        let Margin { tav, imr, .. } = table.margin(&after)?;
        if tav < imr { Err(TradeReject::InsuranceMargin { tav, imr }) } else { Ok(()) }
    };
    Ok(judge().err())
}

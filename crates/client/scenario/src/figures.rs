//! Margin figures of sub-accounts, row by row, by the functions of `tsz-risk` that the ledger uses.

use tsz_ledger::cells::MAX_MARGIN_TOKENS;
use tsz_ledger::{BalCell, Cell, Key, MkfCell, MkpCell, PosCell, SubCell};
use tsz_risk::{Account, CollateralToken, Health, Margin, Market, Position, Tier};
use tsz_stf::View;
use tsz_trade::{Params, Party};
use tsz_types::{Fraction, MarketId, TokenId};

use crate::Names;
use crate::table::{Table, percent, units};

/// A position and what it contributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PositionRow {
    /// Market.
    pub market: MarketId,
    /// Size and funding index.
    pub position: Position,
    /// The market at its last price.
    pub risk: Market,
    /// `|size| * mark * qm`.
    pub notional: u128,
    /// The tier of that notional.
    pub tier: Tier,
    /// Value and requirements of the row alone.
    pub part: Margin,
    /// Funding that is not settled, part of the value.
    pub unsettled: i128,
}

/// A margin token and what it contributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// The token.
    pub token: TokenId,
    /// Balance, index price and haircut.
    pub worth: CollateralToken,
    /// Value after haircut.
    pub value: i128,
}

/// A sub-account: holdings, margin figures, health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// The sub-account.
    pub party: Party,
    /// Collateral, millionths.
    pub collateral: i128,
    /// Positions by market.
    pub positions: Vec<PositionRow>,
    /// Margin tokens by place.
    pub tokens: Vec<TokenRow>,
    /// Sums.
    pub margin: Margin,
    /// Health by the sums.
    pub health: Health,
}

/// A typed cell of a view.
pub(crate) fn cell<C: Cell>(view: &impl View, key: Key) -> Result<C, String> {
    C::from_leaf(&view.get(key)).map_err(|e| e.to_string())
}

/// A market as the risk rules see it, at its last price whatever its age, and its prices.
pub(crate) fn market(
    view: &impl View,
    params: &Params,
    id: MarketId,
) -> Result<Option<(Market, MkpCell)>, String> {
    let Some(market) = params.perp(id) else { return Ok(None) };
    let prices: MkpCell = cell(view, Key::mkp(id.get().into()))?;
    let MkfCell { funding, .. } = cell(view, Key::mkf(id.get().into()))?;
    Ok(Some((market.risk(prices.mark, funding.get()), prices)))
}

impl Figures {
    /// The figures at the last prices, whatever their age.
    ///
    /// # Errors
    /// Corrupt cells, figures outside their width.
    pub fn of(view: &impl View, params: &Params, party: Party) -> Result<Self, String> {
        let sub: SubCell = cell(view, party.sub_key())?;
        let mut account = Account::new(sub.collateral.get());
        let mut positions = Vec::new();
        for k in 0..params.perps.len() {
            let id = MarketId::try_from(k as i128).map_err(|e| e.to_string())?; // at most 256 markets
            let pos: PosCell = cell(view, party.pos_key(id))?;
            let Some((risk, _)) = market(view, params, id)?.filter(|_| !pos.is_empty()) else { continue };
            let position = Position { size: pos.size(), funding: pos.funding().get() };
            account.position(&position, &risk).map_err(|e| e.to_string())?;
            positions.push(PositionRow::new(id, position, risk).map_err(|e| e.to_string())?);
        }
        let mut tokens = Vec::new();
        for place in (0..MAX_MARGIN_TOKENS).filter(|k| sub.has(*k)) {
            let Some(listed) = params.collateral.get(usize::from(place)) else { continue };
            let BalCell { balance } = cell(view, party.mbal_key(place))?;
            let Some((risk, prices)) = market(view, params, listed.market)? else { continue };
            let worth = CollateralToken {
                balance: balance.get(),
                index: prices.index,
                qm: risk.qm,
                haircut: listed.haircut.get(),
                units_per_lot: listed.units_per_lot,
            };
            account.token(&worth).map_err(|e| e.to_string())?;
            let value = worth.value().map_err(|e| e.to_string())?;
            tokens.push(TokenRow { token: listed.token, worth, value });
        }
        let margin = account.margin().map_err(|e| e.to_string())?;
        let (collateral, health) = (sub.collateral.get(), margin.health());
        Ok(Self { party, collateral, positions, tokens, margin, health })
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.collateral == 0 && self.positions.is_empty() && self.tokens.is_empty()
    }

    /// Name of the health.
    pub fn health(&self) -> &'static str {
        match self.health {
            Health::Healthy => "0 healthy",
            Health::PreLiquidation => "1 reduce only",
            Health::PartialLiquidation => "2 partial liquidation",
            Health::FullLiquidation => "3 full liquidation",
            Health::Bankrupt => "4 bankrupt",
        }
    }

    /// Every row and the sums.
    pub fn table(&self, title: &str, names: &Names) -> Table {
        let columns =
            ["row", "size", "price", "notional", "imf", "mmf", "cmf", "funding", "TAV", "IMR", "MMR", "CMR"];
        let mut table = Table::new(format!("{title}: {}", names.party(self.party)), &columns);
        let dash = String::new;
        let c = units(self.collateral);
        let row = ["collateral".into(), dash(), dash(), dash(), dash(), dash(), dash(), dash(), c];
        table.rows.push(row.into_iter().chain([dash(), dash(), dash()]).collect());
        for t in &self.tokens {
            let haircut = percent(t.worth.haircut.into(), Fraction::MAX.get().into());
            let row = [
                format!("{} (haircut {haircut})", names.token(t.token)),
                units(t.worth.balance as i128), // u96
                t.worth.index.to_string(),
                dash(),
                dash(),
                dash(),
                dash(),
                dash(),
                units(t.value),
            ];
            table.rows.push(row.into_iter().chain([dash(), dash(), dash()]).collect());
        }
        for p in &self.positions {
            table.row(p.cells(names));
        }
        let Margin { tav, imr, mmr, cmr } = self.margin;
        let sums = [tav, imr, mmr, cmr].map(units);
        let title = format!("sum: health {}", self.health());
        let row = [title, dash(), dash(), dash(), dash(), dash(), dash(), dash()];
        table.rows.push(row.into_iter().chain(sums).collect());
        table
    }
}

impl PositionRow {
    fn new(market: MarketId, position: Position, risk: Market) -> tsz_risk::Result<Self> {
        let mut alone = Account::new(0);
        alone.position(&position, &risk)?;
        let notional = risk.notional(position.lots())?;
        let (tier, unsettled) = (risk.tier(notional), position.unsettled(&risk)?);
        Ok(Self { market, position, risk, notional, tier, part: alone.margin()?, unsettled })
    }

    fn cells(&self, names: &Names) -> [String; 12] {
        let fraction = |f: u16| percent(f.into(), Fraction::MAX.get().into());
        let Margin { tav, imr, mmr, cmr } = self.part;
        [
            names.perp(self.market),
            self.position.size.to_string(),
            self.risk.mark.to_string(),
            self.notional.to_string(),
            fraction(self.tier.imf),
            fraction(self.tier.mmf),
            fraction(self.tier.cmf),
            units(self.unsettled),
            units(tav),
            units(imr),
            units(mmr),
            units(cmr),
        ]
    }
}

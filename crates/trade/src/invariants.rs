//! Invariants I1 to I5 and I9 (docs/src/domain.md section 12), for tests and for the watch of a running system.

use alloc::collections::BTreeMap;
use thiserror::Error;
use tsz_ledger::cells::{BucketCell, MAX_MARGIN_TOKENS};
use tsz_ledger::key::{cell, kind};
use tsz_ledger::{
    Access, Cell, CellError, Key, Leaf, MkfCell, MkoCell, MkpCell, MkrCell, MksCell, OrdCell, PosCell, Realm,
    SubCell, TokCell,
};
use tsz_risk::{Margin, Position, RiskError};
use tsz_stf::{Log, View};
use tsz_types::{Bucket, MarketId, TokenId};

use crate::account::{Before, Party, Table, position};
use crate::{Context, Params, TradeReject, encoding};

/// What is wrong with a state or an access log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Violation {
    /// A leaf that is no cell of its kind (I9).
    #[error("leaf {key:#x}: {error}")]
    Corrupt {
        /// Its key.
        key: u64,
        /// What is wrong.
        error: CellError,
    },
    /// Sizes of a market do not sum to zero, or their magnitudes not to the open interest (I2).
    #[error("market {market}: sizes sum to {sum}, magnitudes to {interest}, the open interest is {stated}")]
    OpenInterest {
        /// The market.
        market: u32,
        /// Sum of the sizes.
        sum: i128,
        /// Sum of the magnitudes.
        interest: i128,
        /// What the cell says.
        stated: i128,
    },
    /// A position count or a mask that is not what the sub-account holds (I3).
    #[error("sub-account {sub:#x} has {found:?} positions and mask, its cell says {stated:?}")]
    PositionCount {
        /// `account * 32 + sub`.
        sub: u64,
        /// Positions, and mask of the margin tokens.
        found: (u32, u32),
        /// What the cell says.
        stated: (u32, u32),
    },
    /// Holdings that do not sum to what L1 holds (I1).
    #[error("token {token}: users hold {got} millionths, expected {expected}")]
    Total {
        /// The token.
        token: TokenId,
        /// The sum.
        got: i128,
        /// The sum that deposits and withdrawals leave.
        expected: i128,
    },
    /// A key slot of which one half is empty: a second encoding of no key, or of none (I9).
    #[error("account {account}: half of key slot {slot} is empty")]
    HalfKey {
        /// The account.
        account: u32,
        /// The slot.
        slot: u32,
    },
    /// A market that is not in the parameters.
    #[error("market {0} has cells and no parameters")]
    UnknownMarket(u32),
    /// A rule whose result has no value.
    #[error(transparent)]
    Risk(#[from] RiskError),
}

/// A user's cell: account and sub-account in one number, cell number.
fn user_cell(key: Key) -> Option<(u64, u32)> {
    let is_system = key.hi() >> 24 & 1 == 1;
    let sub = u64::from(key.hi() & 0xff_ffff) << 5 | u64::from(key.lo() >> 9);
    (!is_system).then_some((sub, key.lo() % cell::COUNT))
}

/// Kind and index of a system cell.
fn system_cell(key: Key) -> Option<(u32, u32)> {
    let raw = key.raw();
    (key.hi() >> 24 & 1 == 1).then_some(((raw >> 32 & 63) as u32, raw as u32))
}

/// Sums over a state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Millionths by token: balances, collateral and unsettled funding.
    pub tokens: BTreeMap<TokenId, i128>,
    /// Sum of sizes and of magnitudes by market.
    pub sizes: BTreeMap<u32, (i128, i128)>,
    interest: BTreeMap<u32, i128>,
    /// By sub-account: positions and mask as the cells are, and as SUB says.
    counts: BTreeMap<u64, [(u32, u32); 2]>,
    funding: BTreeMap<u32, i64>,
    unsettled: BTreeMap<u32, (i128, i128)>,
}

impl Totals {
    /// Sums up a state.
    ///
    /// # Errors
    /// A leaf that is not canonical, or a market without parameters.
    pub fn of(leaves: impl IntoIterator<Item = (Key, Leaf)>, params: &Params) -> Result<Self, Violation> {
        let mut totals = Self::default();
        for (key, leaf) in leaves {
            let corrupt = |error| Violation::Corrupt { key: key.raw(), error };
            if let Some((sub, number)) = user_cell(key) {
                totals.user(params, (key.realm(), sub, number), &leaf).map_err(corrupt)?;
            } else if let Some((kind, index)) = system_cell(key) {
                totals.system(kind, index, &leaf).map_err(corrupt)?;
            }
        }
        totals.add_unsettled(params)?;
        Ok(totals)
    }

    fn user(
        &mut self,
        params: &Params,
        (realm, sub, number): (Realm, u64, u32),
        leaf: &Leaf,
    ) -> Result<(), CellError> {
        match (realm, number) {
            (Realm::Published, cell::SUB) => {
                let cell = SubCell::from_leaf(leaf)?;
                self.counts.entry(sub).or_default()[1] = (cell.pos_count.into(), cell.mask.into());
                *self.tokens.entry(TokenId::QUOTE).or_default() += cell.collateral.get();
            }
            (Realm::Published, number) if number >= cell::POS => {
                let pos = position(&PosCell::from_leaf(leaf)?);
                let market = number - cell::POS;
                let sizes = self.sizes.entry(market).or_default();
                sizes.0 += i128::from(pos.size);
                sizes.1 += i128::from(pos.lots());
                // sum of size * F_last and of size; the funding of the market joins in the end
                let unsettled = self.unsettled.entry(market).or_default();
                unsettled.0 += i128::from(pos.size) * i128::from(pos.funding);
                unsettled.1 += i128::from(pos.size);
                self.counts.entry(sub).or_default()[0].0 += 1;
            }
            (Realm::Published, number) if number >= cell::BAL => {
                let micros = BucketCell::from_leaf(Bucket::Balance, leaf)?.micros();
                if let Ok(token) = TokenId::new((number - cell::BAL) as u8) {
                    *self.tokens.entry(token).or_default() += micros;
                }
            }
            (Realm::Published, number)
                if (cell::MBAL..cell::MBAL + u32::from(MAX_MARGIN_TOKENS)).contains(&number) =>
            {
                let (place, micros) =
                    (number - cell::MBAL, BucketCell::from_leaf(Bucket::Balance, leaf)?.micros());
                // a place that the parameters do not name counts for no token, so that I1 fails
                if let Some(listed) = params.collateral.get(place as usize) {
                    *self.tokens.entry(listed.token).or_default() += micros;
                }
                if micros != 0 {
                    self.counts.entry(sub).or_default()[0].1 |= 1 << place;
                }
            }
            (Realm::Private, number) if number >= cell::ORD => {
                OrdCell::from_leaf(leaf)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn system(&mut self, kind: u32, index: u32, leaf: &Leaf) -> Result<(), CellError> {
        match kind {
            kind::MKP => MkpCell::from_leaf(leaf).map(|_| ()),
            kind::MKS => MksCell::from_leaf(leaf).map(|_| ()),
            kind::MKR => MkrCell::from_leaf(leaf).map(|_| ()),
            kind::TOK => TokCell::from_leaf(leaf).map(|_| ()),
            kind::MKF => {
                self.funding.insert(index, MkfCell::from_leaf(leaf)?.funding.get());
                Ok(())
            }
            kind::MKO => {
                self.interest.insert(index, MkoCell::from_leaf(leaf)?.open_interest.into());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// `sum size * qm * (F_last - F)`, exact: 48 + 20 + 64 bits could leave 128, so by parts.
    fn add_unsettled(&mut self, params: &Params) -> Result<(), Violation> {
        for (market, (weighted, size)) in &self.unsettled {
            let id = MarketId::new(*market as u8).map_err(|_| Violation::UnknownMarket(*market))?;
            let qm = params.perp(id).ok_or(Violation::UnknownMarket(*market))?.qm.get();
            let funding = self.funding.get(market).copied().unwrap_or(0);
            let delta = weighted - size * i128::from(funding);
            let width = RiskError::Width { what: "unsettled funding", value: delta, bits: 127 };
            let value = delta.checked_mul(i128::from(qm)).ok_or(width)?;
            *self.tokens.entry(TokenId::QUOTE).or_default() += value;
        }
        Ok(())
    }

    /// I1: holdings are what deposits and withdrawals leave (`expected`, millionths).
    ///
    /// # Errors
    /// The first token that differs.
    pub fn check_tokens(&self, expected: &BTreeMap<TokenId, i128>) -> Result<(), Violation> {
        let all = self.tokens.keys().chain(expected.keys());
        for token in all {
            let got = self.tokens.get(token).copied().unwrap_or(0);
            let expected = expected.get(token).copied().unwrap_or(0);
            if got != expected {
                return Err(Violation::Total { token: *token, got, expected });
            }
        }
        Ok(())
    }

    /// I2: per market sizes sum to zero, magnitudes to the open interest.
    ///
    /// # Errors
    /// The first market that differs.
    pub fn check_markets(&self) -> Result<(), Violation> {
        for market in self.sizes.keys().chain(self.interest.keys()) {
            let (sum, interest) = self.sizes.get(market).copied().unwrap_or_default();
            let stated = self.interest.get(market).copied().unwrap_or(0);
            if sum != 0 || interest != stated {
                return Err(Violation::OpenInterest { market: *market, sum, interest, stated });
            }
        }
        Ok(())
    }

    /// I3: position counts and masks are right.
    ///
    /// # Errors
    /// The first sub-account that differs.
    pub fn check_counts(&self) -> Result<(), Violation> {
        match self.counts.iter().find(|(_, [found, stated])| found != stated) {
            Some((sub, [found, stated])) => {
                Err(Violation::PositionCount { sub: *sub, found: *found, stated: *stated })
            }
            None => Ok(()),
        }
    }
}

/// I9: no two encodings of one state. Each leaf is the one encoding of a cell, absent ones are not stored, the cells of
/// a key come together; with I3, counts and masks say what is there.
///
/// # Errors
/// The first leaf that is something else.
pub fn check_encoding(leaves: impl IntoIterator<Item = (Key, Leaf)>) -> Result<(), Violation> {
    let mut halves = BTreeMap::<(u32, u32), u32>::new();
    for (key, leaf) in leaves {
        encoding::check(key, &leaf).map_err(|error| Violation::Corrupt { key: key.raw(), error })?;
        if let Some((sub, number @ cell::KEY_A..cell::MBAL)) = user_cell(key)
            && key.realm() == Realm::Published
        {
            let slot = ((sub >> 5) as u32, (number - cell::KEY_A) / 2); // 24 bits
            *halves.entry(slot).or_default() += 1;
        }
    }
    match halves.into_iter().find(|(_, n)| *n != 2) {
        Some(((account, slot), _)) => Err(Violation::HalfKey { account, slot }),
        None => Ok(()),
    }
}

/// I1, I2, I3 and I9 of a state.
///
/// # Errors
/// The first violation.
pub fn check(
    leaves: impl IntoIterator<Item = (Key, Leaf)> + Clone,
    params: &Params,
    expected: &BTreeMap<TokenId, i128>,
) -> Result<(), Violation> {
    check_encoding(leaves.clone())?;
    let totals = Totals::of(leaves, params)?;
    totals.check_tokens(expected)?;
    totals.check_markets()?;
    totals.check_counts()
}

/// What an access log changes: millionths by token, lots by market.
pub type Deltas = (BTreeMap<TokenId, i128>, BTreeMap<u32, i128>);

/// I4: what an access log changes per token, in millionths, with the unsettled funding at the index `funding(market)`;
/// zero for every trade. Sizes sum to zero, too: they are returned per market.
///
/// # Errors
/// A leaf that is not canonical, or a market without parameters.
pub fn deltas(
    accesses: &[Access],
    params: &Params,
    funding: impl Fn(u32) -> i64,
) -> Result<Deltas, Violation> {
    let side = |new: bool| -> Result<Totals, Violation> {
        let mut first = BTreeMap::new();
        for access in accesses.iter().filter(|a| a.write) {
            // the first old and the last new value of a cell
            if new {
                first.insert(access.key, access.new);
            } else {
                first.entry(access.key).or_insert(access.old);
            }
        }
        let positions = first.into_iter().filter(|(key, _)| user_cell(*key).is_some());
        let markets = (0..params.perps.len() as u32).map(|m| {
            let funding = tsz_types::FundingIndex::new(funding(m)).unwrap_or_default();
            (Key::mkf(m), MkfCell { funding, hour: 0 }.to_leaf())
        });
        Totals::of(positions.chain(markets), params)
    };
    let (mut tokens, mut sizes) = (BTreeMap::new(), BTreeMap::new());
    for (sign, totals) in [(-1, side(false)?), (1, side(true)?)] {
        totals.tokens.iter().for_each(|(t, v)| *tokens.entry(*t).or_default() += sign * v);
        totals.sizes.iter().for_each(|(m, v)| *sizes.entry(*m).or_default() += sign * v.0);
    }
    Ok((tokens, sizes))
}

/// The margin figures of a sub-account at the last prices, whatever their age; for I5 and for display.
///
/// # Errors
/// What the risk rules say: funding that is due, figures outside their width, corrupt cells.
pub fn margin<V: View>(view: &V, params: &Params, time: u64, party: Party) -> Result<Margin, TradeReject> {
    let ctx = Context { params, time, forced: true };
    let mut log = Log::new(view);
    let SubCell { collateral, .. } = log.read_cell(party.sub_key())?;
    let table = Table::read(&mut log, &ctx, party, None)?;
    table.margin(&Before { collateral: collateral.get(), position: Position::default() })
}

/// I5: an own operation never takes TAV >= MMR to TAV < MMR.
pub fn keeps_maintenance(before: &Margin, after: &Margin) -> bool {
    before.tav < before.mmr || after.tav >= after.mmr
}

//! Positions: what a program sees of them, and how it asks for changes (docs/src/extensions.md, "Positions").
//!
//! A program writes no SUB and no POS. It writes a **leg**: lots and cash of a party in one market, in the cell LEG of
//! the party's approval. The guard settles funding, moves position and collateral, counts positions and open interest,
//! and judges every party as a trade is judged. The legs of an operation are of one market and sum to nothing.

use crate::cells::{join, split};
use crate::key::cell;
use crate::{Fault, Key, Leaf, MICROS, Op, Party, spot};

/// Bits of the size of a position.
const LOT_BITS: u32 = 48;
/// Bits of collateral and cash.
const CASH_BITS: u32 = 95;
/// Weight of the side in the third felt, twice that of the direction of the cash.
const SELLS: u32 = 1 << 8;
const PAYS: u32 = 1 << 9;

/// What happens to a party's position and collateral.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// Perpetual market, below 256.
    pub market: u32,
    /// Lots that are bought, or sold if negative; not 0, below 2^48 in size.
    pub lots: i64,
    /// Millionths of a quote unit that the collateral gains, or loses if negative; below 2^95 in size.
    pub cash: i128,
}

impl Leg {
    /// The cell: lots (24, 24), market + 2^8 sells + 2^9 pays, |cash| (24, 24, 24, 23), 0.
    ///
    /// # Errors
    /// [`Fault::Width`] for what is no leg.
    pub fn to_leaf(&self) -> Result<Leaf, Fault> {
        let (lots, cash) = (self.lots.unsigned_abs(), self.cash.unsigned_abs());
        if lots == 0 || lots >> LOT_BITS != 0 || cash >> CASH_BITS != 0 || self.market >> 8 != 0 {
            return Err(Fault::Width);
        }
        let [lo, hi] = split(lots.into());
        let sides = u32::from(self.lots < 0) * SELLS + u32::from(self.cash < 0) * PAYS;
        let [a, b, c, d] = split(cash);
        Ok([lo, hi, self.market + sides, a, b, c, d, 0])
    }

    /// Reads the cell.
    ///
    /// # Errors
    /// [`Fault::Cell`] where it is none.
    pub fn from_leaf(leaf: &Leaf) -> Result<Self, Fault> {
        let [lo, hi, place, a, b, c, d, rest] = *leaf;
        let lots = join(&[lo, hi], LOT_BITS).map_err(|_| Fault::Cell)? as i64; // u48
        let cash = join(&[a, b, c, d], CASH_BITS).map_err(|_| Fault::Cell)? as i128; // 95 bits
        if lots == 0 || place >= 2 * PAYS || rest != 0 {
            return Err(Fault::Cell);
        }
        let turn = |flag: u32| place & flag != 0;
        Ok(Self {
            market: place & (SELLS - 1),
            lots: if turn(SELLS) { -lots } else { lots },
            cash: if turn(PAYS) { -cash } else { cash },
        })
    }
}

/// Collateral of a sub-account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collateral {
    /// Millionths of a quote unit.
    pub micros: i128,
    /// Open positions.
    pub positions: u32,
}

impl Op<'_> {
    /// Lots of a position, negative if short; its POS must be in the read set. What the legs of this operation do comes
    /// later.
    ///
    /// # Errors
    /// [`Fault::Undeclared`], or [`Fault::Cell`].
    pub fn position(&self, account: u32, sub: u32, market: u32) -> Result<i64, Fault> {
        let leaf = self.get(Key::pos(account, sub, market))?;
        let lots = join(&leaf[..2], LOT_BITS).map_err(|_| Fault::Cell)? as i64; // u48
        match leaf[2] {
            0 => Ok(lots),
            1 => Ok(-lots),
            _ => Err(Fault::Cell),
        }
    }

    /// Collateral of a sub-account; its SUB must be in the read set. What the legs of this operation do comes later.
    ///
    /// # Errors
    /// [`Fault::Undeclared`], or [`Fault::Cell`].
    pub fn collateral(&self, account: u32, sub: u32) -> Result<Collateral, Fault> {
        let leaf = self.get(Key::sub(account, sub))?;
        let micros = join(&leaf[..4], CASH_BITS).map_err(|_| Fault::Cell)? as i128; // 95 bits
        if leaf[4] > 1 {
            return Err(Fault::Cell);
        }
        Ok(Collateral { micros: if leaf[4] == 1 { -micros } else { micros }, positions: leaf[5] & 63 })
    }

    /// Asks the guard for a leg of a party. Once for each party: a second call replaces the first.
    ///
    /// # Errors
    /// [`Fault::Width`], or what the write refuses.
    pub fn set_leg(&mut self, party: &Party, leg: &Leg) -> Result<(), Fault> {
        let key = Key::approval(party.account, party.sub, party.slot, cell::LEG);
        self.set(key, &leg.to_leaf()?)
    }

    /// A trade of two parties at a price: the buyer gets the lots and pays lots * price * `multiplier` units to the
    /// seller. The multiplier is the market's, which both signed as part of their terms.
    ///
    /// # Errors
    /// [`Fault::Width`], or what a write refuses.
    pub fn trade(&mut self, buyer: &Party, seller: &Party, fill: &Trade) -> Result<(), Fault> {
        let units = spot::Units { lot_base: 0, tick_quote: fill.multiplier };
        let units = spot::notional(&units, fill.lots, fill.price)?;
        let cash = spot::times(units, MICROS as u32) as i128; // 80 bits
        let lots = i64::try_from(fill.lots).map_err(|_| Fault::Width)?;
        let market = fill.market;
        self.set_leg(buyer, &Leg { market, lots, cash: -cash })?;
        self.set_leg(seller, &Leg { market, lots: -lots, cash })
    }
}

/// A trade at a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trade {
    /// Perpetual market, below 256.
    pub market: u32,
    /// Lots, below 2^48 and not 0.
    pub lots: u64,
    /// Price in ticks.
    pub price: u32,
    /// Quote units of a lot and tick.
    pub multiplier: u32,
}

//! Typed cells.

use crate::key::cell;
use crate::{Fault, Key, Leaf, Op, Party, ZERO};

/// Felts of a storage cell that the program fills; the last one is the epoch of the approval.
pub const STORAGE_FELTS: usize = 7;

/// Joins limbs of 24 bits, the last of what remains of `bits`.
pub(crate) fn join(limbs: &[u32], bits: u32) -> Result<u128, Fault> {
    let mut value = 0;
    let mut shift = 0;
    for limb in limbs {
        let room = bits.saturating_sub(shift).min(24);
        if limb >> room != 0 {
            return Err(Fault::Width);
        }
        if room != 0 {
            value |= u128::from(*limb) << shift;
        }
        shift += 24;
    }
    Ok(value)
}

/// Splits into limbs of 24 bits; higher bits are cut off.
pub(crate) fn split<const N: usize>(value: u128) -> [u32; N] {
    core::array::from_fn(|k| (value >> (24 * k)) as u32 & 0xff_ffff)
}

/// The number in four limbs of 24 bits (u96): constant shifts, for the machine has 32 bits.
fn join_96([a, b, c, d]: [u32; 4]) -> Result<u128, Fault> {
    if (a | b | c | d) >> 24 != 0 {
        return Err(Fault::Cell);
    }
    let [w0, w1, w2] = [a | b << 24, b >> 8 | c << 16, c >> 16 | d << 8];
    Ok(u128::from(w0) | u128::from(w1) << 32 | u128::from(w2) << 64)
}

/// The limbs of a number below 2^96.
fn split_96(value: u128) -> [u32; 4] {
    let [w0, w1, w2] = [value as u32, (value >> 32) as u32, (value >> 64) as u32];
    let limb = 0xff_ffff;
    [w0 & limb, (w0 >> 24 | w1 << 8) & limb, (w1 >> 16 | w2 << 16) & limb, w2 >> 8]
}

/// What a party allowed: part of its approval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// The approval is good before this time (ms, u48).
    pub expiry: u64,
    /// Number of the approval in its slot.
    pub epoch: u32,
    /// Tokens of the limits, plus 1; 0 where there is none. The limit of positions names [`cell::POSITIONS`].
    pub tokens: [u32; cell::LIMITS as usize],
}

impl Policy {
    /// The cell: expiry (24, 24), epoch, tokens, 0.
    pub fn to_leaf(&self) -> Leaf {
        let [lo, hi] = split(self.expiry.into());
        let [a, b, c, d] = self.tokens;
        [lo, hi, self.epoch, a, b, c, d, 0]
    }

    /// Reads the cell, with limits of tokens only.
    ///
    /// # Errors
    /// [`Fault::Cell`] where it is none.
    pub fn from_leaf(leaf: &Leaf) -> Result<Self, Fault> {
        let [lo, hi, epoch, a, b, c, d, rest] = *leaf;
        let tokens = [a, b, c, d];
        if epoch >> 24 != 0 || rest != 0 || tokens.iter().any(|t| *t > 128) {
            return Err(Fault::Cell);
        }
        let expiry = join(&[lo, hi], 48).map_err(|_| Fault::Cell)? as u64; // u48
        Ok(Self { expiry, epoch, tokens })
    }

    /// Reads the cell, which may have a limit of positions.
    ///
    /// # Errors
    /// [`Fault::Cell`] where it is none.
    pub fn with_positions(leaf: &Leaf) -> Result<Self, Fault> {
        // a token, and 0 where there is the limit of positions, which comes last
        let own = |felt: u32| if felt == cell::POSITIONS + 1 { 0 } else { felt };
        let [lo, hi, epoch, a, b, c, d, rest] = *leaf;
        let policy = Self::from_leaf(&[lo, hi, epoch, own(a), own(b), own(c), own(d), rest])?;
        Ok(Self { tokens: [a, b, c, d], ..policy })
    }
}

/// Prices of a perpetual market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Market {
    /// Index price in ticks.
    pub index: u32,
    /// Mark price in ticks.
    pub mark: u32,
    /// Time of the prices in ms.
    pub price_ts: u64,
    /// Whether the market settles at fixed prices.
    pub settled: bool,
}

impl Op<'_> {
    /// Balance of a token now, in millionths of a unit (u96).
    ///
    /// # Errors
    /// [`Fault::Undeclared`], or [`Fault::Cell`].
    pub fn balance(&self, account: u32, sub: u32, token: u32) -> Result<u128, Fault> {
        balance_of(&self.get(Key::bal(account, sub, token))?)
    }

    /// Adds to a balance.
    ///
    /// # Errors
    /// [`Fault::Width`] above 96 bits, or what the write refuses.
    pub fn credit(&mut self, account: u32, sub: u32, token: u32, micros: u128) -> Result<(), Fault> {
        self.change(account, sub, token, |balance| balance.checked_add(micros))
    }

    /// Takes from a balance.
    ///
    /// # Errors
    /// [`Fault::Width`] below zero, or what the write refuses.
    pub fn debit(&mut self, account: u32, sub: u32, token: u32, micros: u128) -> Result<(), Fault> {
        self.change(account, sub, token, |balance| balance.checked_sub(micros))
    }

    /// Sets a balance.
    ///
    /// # Errors
    /// [`Fault::Width`] above 96 bits, or what the write refuses.
    pub fn set_balance(&mut self, account: u32, sub: u32, token: u32, micros: u128) -> Result<(), Fault> {
        self.change(account, sub, token, |_| Some(micros))
    }

    fn change(
        &mut self,
        account: u32,
        sub: u32,
        token: u32,
        to: impl FnOnce(u128) -> Option<u128>,
    ) -> Result<(), Fault> {
        let leaf = self.leaf_mut(Key::bal(account, sub, token))?;
        let micros = to(balance_of(leaf)?).filter(|m| m >> 96 == 0).ok_or(Fault::Width)?;
        leaf[..4].copy_from_slice(&split_96(micros));
        Ok(())
    }

    /// What the party's program stored in a cell (below 24) under this approval; zeros if nothing.
    ///
    /// # Errors
    /// [`Fault::Undeclared`].
    pub fn load(&self, party: &Party, index: u32) -> Result<[u32; STORAGE_FELTS], Fault> {
        let leaf = self.get(storage_key(party, index)?)?;
        let kept = leaf[STORAGE_FELTS] == party.epoch;
        Ok(core::array::from_fn(|k| if kept { leaf[k] } else { 0 }))
    }

    /// Stores felts in a cell (below 24) of the party's approval.
    ///
    /// # Errors
    /// What the write refuses.
    pub fn store(&mut self, party: &Party, index: u32, felts: &[u32; STORAGE_FELTS]) -> Result<(), Fault> {
        let mut leaf = ZERO;
        leaf[..STORAGE_FELTS].copy_from_slice(felts);
        leaf[STORAGE_FELTS] = party.epoch;
        self.set(storage_key(party, index)?, &leaf)
    }

    /// Time of the batch in ms; HEAD must be in the read set.
    ///
    /// # Errors
    /// [`Fault::Undeclared`], or [`Fault::Cell`].
    pub fn time(&self) -> Result<u64, Fault> {
        let leaf = self.head()?;
        join(&leaf[2..4], 48).map(|t| t as u64).map_err(|_| Fault::Cell) // u48
    }

    /// Prices of a perpetual market; its MKP must be in the read set.
    ///
    /// # Errors
    /// [`Fault::Undeclared`], or [`Fault::Cell`] if it has none.
    pub fn market(&self, market: u32) -> Result<Market, Fault> {
        let leaf = self.get(Key::mkp(market))?;
        let number = |at: usize, bits| join(&leaf[at..at + 2], bits).map_err(|_| Fault::Cell);
        let (index, mark) = (number(0, 32)? as u32, number(2, 32)? as u32);
        if index == 0 || leaf[6] > 1 {
            return Err(Fault::Cell);
        }
        Ok(Market { index, mark, price_ts: number(4, 48)? as u64, settled: leaf[6] == 1 })
    }
}

/// Millionths of a unit in a balance cell.
pub(crate) fn balance_of(leaf: &Leaf) -> Result<u128, Fault> {
    let [a, b, c, d, e, f, g, h] = *leaf;
    if e | f | g | h != 0 {
        return Err(Fault::Cell);
    }
    join_96([a, b, c, d])
}

fn storage_key(party: &Party, index: u32) -> Result<Key, Fault> {
    if index >= cell::STORAGE_CELLS {
        return Err(Fault::Shape);
    }
    Ok(Key::approval(party.account, party.sub, party.slot, cell::STORAGE + index))
}

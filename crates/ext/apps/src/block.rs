//! Block trades: two parties agree off the book on a trade of a perpetual at a price; the operator fills it, at once or in
//! parts. The smallest program that moves positions: start here for those.
//!
//! Parties: buyer and seller. Cells: LEG of both, storage cell 0 of both: lots filled (writes).

use tsz_ext_sdk::{Fault, Op, Trade};

use crate::order::{limbs, number};

/// Topic of the event of a fill: lots (24, 24), price (24, 8).
pub const FILLED: u32 = 1;
/// Words of the terms after side and counterparty.
pub const DEAL_WORDS: usize = 6;

/// Rules of this program, for [`Fault::Rule`].
pub mod rule {
    /// More lots than agreed.
    pub const LOTS: u32 = 1;
}

/// Terms of each party: `[side (1 = sells), account of the other, its sub-account, market, multiplier, price (24, 8),
/// lots (24, 24)]`; `multiplier` is the quote units of a lot and tick. Arguments: place of the buyer, lots of this fill
/// (24, 24), the last six words of the terms.
///
/// # Errors
/// A [`Fault`]; rule 1 beyond the lots that were agreed.
pub fn program(op: &mut Op<'_>) -> Result<(), Fault> {
    let ([buyer, lo, hi], deal) = op.args().split_first_chunk::<3>().ok_or(Fault::Args)?;
    let deal: &[u32; DEAL_WORDS] = deal.try_into().map_err(|_| Fault::Args)?;
    let [market, multiplier, price_lo, price_hi, all_lo, all_hi] = *deal;
    if *buyer > 1 || op.parties() != 2 || price_hi >> 8 != 0 {
        return Err(Fault::Args);
    }
    let (buyer, seller) = (op.trader(*buyer as usize)?, op.trader(1 - *buyer as usize)?);
    let (lots, price) = (number(*lo, *hi)?, number(price_lo, price_hi)? as u32); // 32 bits
    for (party, other, side) in [(&buyer, &seller, 0), (&seller, &buyer, 1)] {
        let (a, s) = (other.account, other.sub);
        op.check_terms(party, &[side, a, s, market, multiplier, price_lo, price_hi, all_lo, all_hi])?;
        let [done_lo, done_hi, ..] = op.load(party, 0)?;
        let filled = number(done_lo, done_hi)? + lots; // 48 and 48 bits
        if filled > number(all_lo, all_hi)? {
            return Err(Fault::Rule(rule::LOTS));
        }
        let [lo, hi] = limbs(filled);
        op.store(party, 0, &[lo, hi, 0, 0, 0, 0, 0])?;
    }
    op.trade(&buyer, &seller, &Trade { market, lots, price, multiplier })?;
    op.emit(FILLED, &[*lo, *hi, price_lo, price_hi])
}

/// The other side: terms and arguments.
#[cfg(not(target_os = "zkvm"))]
pub mod host {
    use super::{DEAL_WORDS, limbs};
    use alloc::vec::Vec;
    use tsz_ext_sdk::Trade;

    /// The words that both sign; the lots are those of the whole deal.
    pub fn deal(trade: &Trade) -> [u32; DEAL_WORDS] {
        let ([lo, hi], price) = (limbs(trade.lots), trade.price);
        [trade.market, trade.multiplier, price & 0xff_ffff, price >> 24, lo, hi]
    }

    /// Terms of one side against (account, sub-account).
    pub fn terms(sells: bool, (account, sub): (u32, u32), trade: &Trade) -> Vec<u32> {
        [&[u32::from(sells), account, sub][..], &deal(trade)].concat()
    }

    /// Arguments of a fill of `lots`.
    pub fn args(buyer: u32, lots: u64, trade: &Trade) -> Vec<u32> {
        fill(buyer, lots, &deal(trade))
    }

    /// Arguments of a fill of `lots`, of the words that both signed.
    pub fn fill(buyer: u32, lots: u64, deal: &[u32; DEAL_WORDS]) -> Vec<u32> {
        let [lo, hi] = limbs(lots);
        [&[buyer, lo, hi][..], deal].concat()
    }
}

//! Orders as instructions: what a party wants now, approved beside what lasts.
//!
//! An approval that holds something (a position, a mandate) must not be replaced, for its storage would be void. So an
//! order is an approval of its own, in another slot of the same sub-account: terms `[3, subject (8), epoch of the
//! holding approval, side (1 = sells) + 2 * slot of the holding approval, limit price, lots (24, 24), highest fee rate
//! (1e-6)]`. The subject is the digest of what both sides must mean alike. The order is revoked like any approval, and
//! it is void when the approval that it belongs to is replaced. Lots filled are counted in storage cell 1 + slot of
//! the order, with the order's epoch.

use tsz_ext_sdk::{Fault, Leaf, Op, Party, RATE};

/// First word of the terms of what lasts.
pub const KIND_HOLDING: u32 = 1;
/// First word of the terms of who serves both sides: a vault, a broker.
pub const KIND_HOUSE: u32 = 2;
/// First word of the terms of an order.
pub const KIND_ORDER: u32 = 3;
/// Words of an order after the subject.
pub const ORDER_WORDS: usize = 6;

/// Numbers of the rules that orders share, in [`Fault::Rule`].
#[expect(missing_docs, reason = "the messages of the programs' documentation")]
pub mod rule {
    pub const HOLDING: u32 = 32;
    pub const SIDE: u32 = 33;
    pub const PRICE: u32 = 34;
    pub const FEE: u32 = 35;
    pub const FILLED: u32 = 36;
}

/// A number of two limbs of 24 bits.
pub(crate) fn number(lo: u32, hi: u32) -> Result<u64, Fault> {
    if (lo | hi) >> 24 != 0 {
        return Err(Fault::Width);
    }
    Ok(u64::from(lo) | u64::from(hi) << 24)
}

/// The limbs of a number below 2^48.
pub(crate) const fn limbs(value: u64) -> [u32; 2] {
    [value as u32 & 0xff_ffff, (value >> 24) as u32 & 0xff_ffff]
}

/// Demands that the party's terms are `[kind, subject (8), rest (at most 7)]`.
pub(crate) fn check_terms(
    op: &Op<'_>,
    party: &Party,
    kind: u32,
    subject: &Leaf,
    rest: &[u32],
) -> Result<(), Fault> {
    let mut block = [0; RATE];
    block[0] = kind;
    if let Some(words) = block.get_mut(1..9).and_then(|words| words.first_chunk_mut()) {
        *words = *subject;
    }
    let mut len = 9;
    for word in rest {
        *block.get_mut(len).ok_or(Fault::Args)? = *word;
        len += 1;
    }
    op.check_block(party, len as u32, &block) // at most 16
}

/// A fill of an order.
pub(crate) struct Fill<'a> {
    /// Slot of the order.
    pub slot: u32,
    /// Words of the order.
    pub order: &'a [u32; ORDER_WORDS],
    /// Whether it sells.
    pub sells: bool,
    /// Price of the fill.
    pub price: u32,
    /// Lots of the fill.
    pub lots: u64,
    /// Fee rate of the fill (1e-6).
    pub fee: u32,
}

impl Fill<'_> {
    /// Demands that `holder` ordered this, and counts the lots.
    pub(crate) fn take(&self, op: &mut Op<'_>, holder: &Party, subject: &Leaf) -> Result<(), Fault> {
        let order = op.instruction(holder, self.slot)?;
        check_terms(op, &order, KIND_ORDER, subject, self.order)?;
        let [epoch, place, limit, lo, hi, max_fee] = *self.order;
        if epoch != holder.epoch || place >> 1 != holder.slot {
            return Err(Fault::Rule(rule::HOLDING));
        }
        if (place & 1 == 1) != self.sells {
            return Err(Fault::Rule(rule::SIDE));
        }
        if if self.sells { self.price < limit } else { self.price > limit } {
            return Err(Fault::Rule(rule::PRICE));
        }
        if self.fee > max_fee {
            return Err(Fault::Rule(rule::FEE));
        }
        let cell = 1 + self.slot;
        let [used_lo, used_hi, used_epoch, ..] = op.load(holder, cell)?;
        let before = if used_epoch == order.epoch { number(used_lo, used_hi)? } else { 0 };
        let used = before + self.lots; // 48 and 48 bits
        if self.lots == 0 || used > number(lo, hi)? {
            return Err(Fault::Rule(rule::FILLED));
        }
        let [lo, hi] = limbs(used);
        op.store(holder, cell, &[lo, hi, order.epoch, 0, 0, 0, 0])
    }
}

/// Moves a net amount of a token in or out of a party's balance.
pub(crate) fn pay(op: &mut Op<'_>, party: &Party, token: u32, net: i128) -> Result<(), Fault> {
    let micros = net.unsigned_abs();
    match net {
        0 => Ok(()),
        1.. => op.credit(party.account, party.sub, token, micros),
        _ => op.debit(party.account, party.sub, token, micros),
    }
}

/// The other side: terms of orders.
#[cfg(not(target_os = "zkvm"))]
pub mod host {
    use super::{KIND_ORDER, ORDER_WORDS, limbs};
    use alloc::vec::Vec;
    use tsz_ext_sdk::Leaf;

    /// An order.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Order {
        /// Epoch of the approval that it belongs to.
        pub epoch: u32,
        /// Slot of that approval.
        pub slot: u32,
        /// Whether it sells.
        pub sells: bool,
        /// Worst price.
        pub limit: u32,
        /// Lots in all, below 2^48.
        pub lots: u64,
        /// Highest fee rate (1e-6).
        pub max_fee: u32,
    }

    /// Words of an order after the subject.
    pub fn words(order: &Order) -> [u32; ORDER_WORDS] {
        let [lo, hi] = limbs(order.lots);
        [order.epoch, u32::from(order.sells) | order.slot << 1, order.limit, lo, hi, order.max_fee]
    }

    /// Terms of an order.
    pub fn terms(subject: &Leaf, order: &Order) -> Vec<u32> {
        [&[KIND_ORDER][..], subject, &words(order)].concat()
    }
}

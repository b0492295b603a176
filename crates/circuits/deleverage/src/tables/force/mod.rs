//! ForceLiquidate (L1): one row an op.
//!
//! Proven: the record is absorbed into L1CHAIN with the next serial. Then the op ends where the first reason for it is
//! shown: the market is not listed, settles, or the target is reserved; it has no position; it has TAV >= CMR. Else the
//! whole position is offered to insurance at its zero quote, and either insurance takes it, or it could not: then the op
//! ends if the close is beyond all loss classes or the complete ranking has nobody, or as many lots as the best-ranked
//! counterparty has are closed as in an Adl. Prices count whatever their age.
//!
//! What an op does not reach is a section that its row leaves empty.

mod eval;

use tsz_air::PrimeCharacteristicRing;
use tsz_gadgets::chain::L1Queue;
use tsz_gadgets::limb::{Address, U24};
use tsz_gadgets::row::c;
use tsz_gadgets::{columns, op_air};
use tsz_margin::tables::{Figures, Ill, Listed, Move, Price, Subject, weight};

use super::interest::Interest;
use super::offer::{Of, Offer};
use super::payment::Payment;
use super::ranking::Ranking;

/// Place of SUB and POS of the target; its table follows.
const TARGET_AT: u32 = 4;

columns! {
    /// How the op ends; one-hot.
    pub struct Outcome {
        /// No-op: the market is not listed; boolean.
        is_unlisted: felt,
        /// No-op: it settles; boolean.
        is_settling: felt,
        /// No-op: the target is a reserved account; boolean.
        is_reserved: felt,
        /// No-op: it has no position; boolean.
        is_empty: felt,
        /// No-op: it is not bankrupt; boolean.
        is_well: felt,
        /// Insurance takes the position; boolean.
        is_taken: felt,
        /// No-op: insurance refuses, and the close is beyond all loss classes; boolean.
        is_beyond: felt,
        /// No-op: insurance refuses, and nobody can bear the close; boolean.
        is_nobody: felt,
        /// It is closed against a counterparty; boolean.
        is_adl: felt,
    }
}

columns! {
    /// One ForceLiquidate.
    pub struct Force {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// Serial and chain of the L1 queue.
        queue: (L1Queue),
        /// Who asked; range12.
        sender: (Address),
        /// Account of the target; range12.
        account: (U24),
        /// Inverse of account * (account - 1) where the market is read, else 0.
        account_inv: felt,
        /// Sub-account of the target; < 32 by two lookups.
        sub: felt,
        /// Market (u8); two lookups.
        market: felt,
        /// What the list says of `market - excess`, or that there are so many markets; bound by `listed`.
        listed: (Listed),
        /// How far the market is beyond the list, 0 if it is listed; below 2^8 by two lookups.
        excess: felt,
        /// Inverse of status - 3 where the market is read.
        status_inv: felt,
        /// How the op ends.
        outcome: (Outcome),
        /// The market as it is now; bound by the bus `price` where it is read.
        price: (Price),
        /// The target's position and collateral.
        target: (Move),
        /// Accesses of its table; 0 unless it has a position.
        table: felt,
        /// TAV and MMR of the target; bound by `target` where it is below CMR.
        figures: (Figures),
        /// What the whole position would be closed for.
        whole: (Payment),
        /// The offer of the whole position to insurance.
        offer: (Offer),
        /// Loss class of the close; bound by `loss` where insurance refuses.
        class: felt,
        /// The ranking: who was listed last, the best rank; bound by the bus. Nothing remains.
        ranking: (Ranking),
        /// Account of the counterparty; range12.
        other: (U24),
        /// Its sub-account; < 32 by two lookups.
        other_sub: felt,
        /// Its position and collateral.
        counterparty: (Move),
        /// Its rank; bound by `bearer`.
        rank: felt,
        /// Base 2^12 digits of the lots that it takes, else 0; range12.
        part: [4],
        /// What they are closed for.
        payment: (Payment),
        /// Base 2^12 digits of the lots that leave the target.
        gone: [4],
        /// Open interest.
        interest: (Interest),
    }
}

op_air! {
    /// AIR of [`Force`]. No public values.
    ForceAir, Force, "force", 0
}

impl<E: PrimeCharacteristicRing + Clone> Outcome<E> {
    fn flags(&self) -> [&E; 9] {
        [
            &self.is_unlisted,
            &self.is_settling,
            &self.is_reserved,
            &self.is_empty,
            &self.is_well,
            &self.is_taken,
            &self.is_beyond,
            &self.is_nobody,
            &self.is_adl,
        ]
    }

    fn sum(&self, from: usize) -> E {
        self.flags()[from..].iter().map(|flag| (*flag).clone()).sum()
    }

    /// 1 = the market and the target are read.
    pub fn reads(&self) -> E {
        self.sum(3)
    }

    /// 1 = there is a position.
    pub fn holds(&self) -> E {
        self.sum(4)
    }

    /// 1 = the target is below CMR.
    pub fn ill(&self) -> E {
        self.sum(5)
    }

    /// 1 = insurance refuses.
    pub fn refused(&self) -> E {
        self.sum(6)
    }

    /// 1 = the ranking is read.
    pub fn ranked(&self) -> E {
        self.sum(7)
    }

    /// 1 = the position moves.
    pub fn moved(&self) -> E {
        self.is_taken.clone() + self.is_adl.clone()
    }
}

impl<E: PrimeCharacteristicRing + Clone> Force<E> {
    /// Place of SUB and POS of insurance.
    fn insurance_at(&self) -> E {
        c::<E>(TARGET_AT + 2) + self.table.clone()
    }

    /// Place of MKO and MKR, where they are read.
    fn ranking_at(&self) -> E {
        self.insurance_at() + E::TWO + self.offer.reads(&self.outcome.ill())
    }

    /// Accesses of the table of the counterparty.
    fn other_table(&self) -> E {
        self.counterparty.tokens().double() + self.counterparty.others(&self.outcome.is_adl) * c::<E>(3)
    }

    /// Accesses.
    fn count(&self) -> E {
        let o = &self.outcome;
        let tables = self.table.clone() + self.offer.reads(&o.ill()) + self.other_table();
        let pairs = self.is_real.clone() + o.reads().double() + o.ill() + o.ranked() + o.is_adl.clone();
        pairs.double() + tables + o.moved() * c::<E>(5)
    }

    /// Whose TAV is at least CMR, in a no-op.
    pub fn subject(&self) -> Subject<E> {
        let ill = self.ill();
        Subject {
            index: ill.index,
            who: ill.who,
            account: ill.account,
            sub: ill.sub,
            market: ill.market,
            at: ill.at,
            mask: ill.mask,
            tokens: ill.tokens,
            others: ill.others,
            unit: ill.unit,
            lots: ill.lots,
            is_short: ill.is_short,
            collateral: ill.collateral,
        }
    }

    /// What the target must be otherwise.
    pub fn ill(&self) -> Ill<E> {
        Ill {
            index: self.index.clone(),
            who: E::ZERO,
            account: self.account.value(),
            sub: self.sub.clone(),
            market: self.price.market.clone(),
            at: c(TARGET_AT + 2),
            mask: weight(&self.target.mask),
            tokens: self.target.tokens(),
            others: self.target.others(&self.outcome.reads()),
            unit: self.price.unit.clone(),
            lots: self.target.lots_before.clone(),
            is_short: self.target.short_before.clone(),
            collateral: self.target.collateral_settled(),
            is_forced: E::ONE,
            is_full: E::ONE,
        }
    }

    /// Whose rank is asked for.
    pub fn bearer(&self) -> Subject<E> {
        let x = &self.counterparty;
        Subject {
            index: self.index.clone(),
            who: E::ONE,
            account: self.other.value(),
            sub: self.other_sub.clone(),
            market: self.price.market.clone(),
            at: self.ranking_at() + c::<E>(4),
            mask: weight(&x.mask),
            tokens: x.tokens(),
            others: x.others(&self.outcome.is_adl),
            unit: self.price.unit.clone(),
            lots: x.lots_before.clone(),
            is_short: x.short_before.clone(),
            collateral: x.collateral_settled(),
        }
    }

    /// The offer to insurance.
    pub fn of(&self) -> Of<'_, E> {
        Of { index: &self.index, price: &self.price, at: self.insurance_at(), flag: self.outcome.ill() }
    }
}

//! A party of an operation: its approval, which is read, is of the program of the proof and in force.
//!
//! Proven on a real row: accesses 3 place, 3 place + 1 and 3 place + 2 of the op read PROGRAM, TERMS and POLICY of the
//! slot; PROGRAM is the public program; T < expiry; the account is neither of fees nor of insurance; parties follow in
//! strict order of (account, sub). The row provides the party on bus `guard_party`.

use core::array::from_fn;

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing, bus};
use tsz_gadgets::columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{PRIVATE, Row, c};

use crate::bus::{JOURNAL_KEY, JOURNAL_VALUE, PARTIES, PARTY, send};
use crate::runs::{Run, run_air, runs, window};
use crate::tables::operation::PARTY_READS;

/// Public values: program (8), T (2).
pub(crate) const PUBLICS: usize = 10;
/// First cell of approval slot 0.
pub(crate) const APPROVAL: u32 = 32;
/// Cells of a slot.
pub(crate) const SLOT_CELLS: u32 = 32;
/// Approval slots.
pub(crate) const SLOTS: u32 = 7;

columns! {
    /// One party.
    pub struct Party {
        /// Its place in the op's run.
        run: (Run),
        /// Number of the party in the op; counted from 0.
        place: felt,
        /// Account; range12; neither 0 nor 1.
        account: (U24),
        /// Inverse of account (account - 1).
        reserved_inv: felt,
        /// Sub-account, < 32 by two lookups.
        sub: felt,
        /// Slot of the approval, < 7 by two lookups.
        slot: felt,
        /// TERMS; bound by the bus.
        terms: [8],
        /// Expiry in POLICY; bound by the bus.
        expiry: [2],
        /// Epoch in POLICY; bound by the bus.
        epoch: felt,
        /// Tokens of the limits + 1, or 0, in POLICY; bound by the bus.
        tokens: [4],
        /// expiry - T - 1; range12.
        margin: (U24 * 2),
        /// Borrow of that difference; boolean.
        borrow: felt,
        /// Low 24 bits of next (account, sub) - (account, sub) - 1 within the run; range12.
        gap: (U24),
        /// High 5 bits of it; two lookups.
        gap_hi: felt,
        /// Lookups of the party; 0 on padding.
        uses: felt,
    }
}

run_air! {
    /// AIR of [`Party`]. Public values: program (8), T (2).
    PartyAir, Party, "party", PUBLICS
}

impl<E: PrimeCharacteristicRing + Clone> Party<E> {
    /// Account and sub-account as one number of 29 bits.
    fn order(&self) -> E {
        self.account.value() * c::<E>(32) + self.sub.clone()
    }

    /// The POLICY cell.
    fn policy(&self) -> [E; 8] {
        let [t0, t1, t2, t3] = self.tokens.clone();
        let [e0, e1] = self.expiry.clone();
        [e0, e1, self.epoch.clone(), t0, t1, t2, t3, E::ZERO]
    }

    /// The message on `guard_party`.
    pub(crate) fn message(&self) -> Vec<E> {
        let place = [&self.run.index, &self.place, &self.account.value(), &self.sub, &self.slot, &self.epoch];
        place.into_iter().chain(&self.tokens).cloned().collect()
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for PartyAir {
    fn eval(&self, builder: &mut AB) {
        let (p, next): (Party<AB::Expr>, Party<AB::Expr>) = window(builder);
        let publics = builder.public_values().to_vec();
        let program: [AB::Expr; 8] = from_fn(|k| publics[k].into());
        let time: [AB::Expr; 2] = from_fn(|k| publics[8 + k].into());
        let real = p.run.is_real.clone();
        let mut row = Row::bare(builder, real.clone());
        let link = runs(&mut row, &p.run, &next.run);
        row.zero(p.run.is_first.clone() * p.place.clone());
        row.zero(link.clone() * (next.place.clone() - p.place.clone() - AB::Expr::ONE));
        row.u24(&p.gap);
        row.narrow(&p.gap_hi, 5);
        let gap = p.gap.value() + p.gap_hi.clone() * c::<AB::Expr>(1 << 24);
        row.zero(link * (next.order() - p.order() - AB::Expr::ONE - gap));

        row.u24(&p.account);
        row.narrow(&p.sub, 5);
        row.range(p.slot.clone());
        row.range(p.slot.clone() + c::<AB::Expr>(4096 - SLOTS));
        let account = p.account.value();
        let reserved = account.clone() * (account.clone() - AB::Expr::ONE);
        row.zero(reserved * p.reserved_inv.clone() - real.clone());
        row.unexpired((&p.expiry, &p.margin, &p.borrow), &time);
        row.zero(p.uses.clone() * (AB::Expr::ONE - real.clone()));

        let index = p.run.index.clone();
        let builder = row.builder();
        let hi = account + c::<AB::Expr>(PRIVATE);
        let first = approval_lo(&p.sub, &p.slot);
        for (k, value) in [program, p.terms.clone(), p.policy()].into_iter().enumerate() {
            let at = c::<AB::Expr>(k as u32); // below 3
            let access = p.place.clone() * c::<AB::Expr>(PARTY_READS) + at.clone();
            let key = [hi.clone(), first.clone() + at];
            read(builder, [index.clone(), access], key, value, &real);
        }
        let end = vec![index, p.place.clone() + AB::Expr::ONE];
        send(builder, &PARTIES, end, &p.run.is_last);
        PARTY.table_entry(builder, p.message(), p.uses.clone());
    }
}

/// Lower half of the key of a slot's first cell.
pub(crate) fn approval_lo<E: PrimeCharacteristicRing + Clone>(sub: &E, slot: &E) -> E {
    sub.clone() * c::<E>(512) + c::<E>(APPROVAL) + slot.clone() * c::<E>(SLOT_CELLS)
}

/// A read, for the tuple and for the journal.
fn read<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    at: [AB::Expr; 2],
    key: [AB::Expr; 2],
    value: [AB::Expr; 8],
    flag: &AB::Expr,
) {
    bus::key::send(builder, at.clone(), key.clone(), flag.clone());
    bus::val::send(builder, at.clone(), value.clone(), flag.clone());
    journal_key(builder, at.clone(), key, flag);
    journal_value(builder, at, AB::Expr::ZERO, value, flag);
}

/// A key of the journal.
pub(crate) fn journal_key<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    at: [AB::Expr; 2],
    key: [AB::Expr; 2],
    flag: &AB::Expr,
) {
    send(builder, &JOURNAL_KEY, at.into_iter().chain(key).collect(), flag);
}

/// Value number `at[1]` of a section of the journal.
pub(crate) fn journal_value<AB: InteractionBuilder<F = F>>(
    builder: &mut AB,
    [index, number]: [AB::Expr; 2],
    section: AB::Expr,
    value: [AB::Expr; 8],
    flag: &AB::Expr,
) {
    send(builder, &JOURNAL_VALUE, [index, section, number].into_iter().chain(value).collect(), flag);
}

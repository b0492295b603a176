//! An extension program: a subscription. Replace it by your own, piece by piece.
//!
//! The payer approves this program for one of its sub-accounts, with these terms and a limit on what may flow out. From
//! then on anybody who makes batches may run it: once a period it moves the amount to the receiver. The receiver
//! approves the program too, with any terms: nobody gets money from a program that it does not know.
//!
//! What holds whatever this program does, because the guard outside of it says so: no unit is made or lost, nothing
//! flows out of a sub-account whose owner did not approve this program, nor more than its limit, nor after its expiry.
#![no_std]
#![forbid(unsafe_code)]

use tsz_ext_sdk::{Fault, MICROS, Op};

/// Words of the terms that the payer signs: `[token, amount (units), period (s), receiver's account, its sub-account]`.
/// A word is a field element, below 15 * 2^27 + 1: split larger numbers into limbs of 24 bits.
pub const TERMS_WORDS: usize = 5;
/// Topic of the event of a payment: `[amount]`.
pub const PAID: u32 = 1;

/// Rules of this program, for [`Fault::Rule`].
pub mod rule {
    /// The receiver is another one than the terms say.
    pub const RECEIVER: u32 = 1;
    /// The period is not over.
    pub const EARLY: u32 = 2;
}

/// Arguments: place of the payer among the two parties, then the terms.
///
/// # Errors
/// A [`Fault`]: the operation is not part of a batch then, and nothing has changed.
pub fn program(op: &mut Op<'_>) -> Result<(), Fault> {
    // 1. Arguments are the operator's choice, signed by nobody: take nothing from them that is not checked.
    let ([payer], terms) = op.args().split_first_chunk::<1>().ok_or(Fault::Args)?;
    let [token, amount, period, account, sub] = *terms else { return Err(Fault::Args) };
    if *payer > 1 || op.parties() != 2 {
        return Err(Fault::Args);
    }
    // 2. Parties approved this program. Terms bind it to what the payer signed.
    let (payer, receiver) = (op.party(*payer as usize)?, op.party(1 - *payer as usize)?);
    op.check_terms(&payer, terms)?;
    if (receiver.account, receiver.sub) != (account, sub) {
        return Err(Fault::Rule(rule::RECEIVER));
    }
    // 3. Storage is part of the approval: a new approval starts with zeros.
    let [due_lo, due_hi, ..] = op.load(&payer, 0)?;
    let (now, due) = (op.time()?, u64::from(due_lo) | u64::from(due_hi) << 24);
    if now < due {
        return Err(Fault::Rule(rule::EARLY));
    }
    let next = now + 1_000 * u64::from(period);
    op.store(&payer, 0, &[next as u32 & 0xff_ffff, (next >> 24) as u32 & 0xff_ffff, 0, 0, 0, 0, 0])?;
    // 4. Money: balances are in millionths of a unit. Too little of it is a fault.
    let micros = u128::from(amount) * MICROS;
    op.debit(payer.account, payer.sub, token, micros)?;
    op.credit(receiver.account, receiver.sub, token, micros)?;
    // 5. Events change nothing in the state; they are part of what the run is proven to have said.
    op.emit(PAID, &[amount])
}

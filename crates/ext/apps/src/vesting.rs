//! Vesting: a payer releases units of token 0 to a receiver over time. The smallest whole program: start here.
//!
//! Parties: payer and receiver, in the order that `args[3]` says (0: the payer is the first). Cells: HEAD (read),
//! BAL(0) of both, storage cell 0 of the payer: units paid (write).

use tsz_ext_sdk::pattern::Schedule;
use tsz_ext_sdk::{Fault, MICROS, Op};

/// Terms of the payer: `[start, end (seconds), total (units), account of the receiver]`. The receiver signs none: its
/// approval of the program is enough to be paid.
///
/// # Errors
/// A [`Fault`]; rule 1 if the receiver is another one.
pub fn program(op: &mut Op<'_>) -> Result<(), Fault> {
    // arguments are the operator's choice: they are checked against what was signed
    let ([payer], terms) = op.args().split_first_chunk::<1>().ok_or(Fault::Args)?;
    let [start, end, total, account] = *terms else { return Err(Fault::Args) };
    if *payer > 1 {
        return Err(Fault::Args);
    }
    let (payer, receiver) = (op.party(*payer as usize)?, op.party(1 - *payer as usize)?);
    op.check_terms(&payer, terms)?;
    if receiver.account != account {
        return Err(Fault::Rule(1));
    }
    let ms = |seconds: u32| u64::from(seconds) * 1_000;
    let schedule = Schedule { start: ms(start), end: ms(end), total: total.into() };
    let due = schedule.released(op.time()?)? as u32; // at most the total
    let [paid, ..] = op.load(&payer, 0)?;
    let micros = u128::from(due.checked_sub(paid).ok_or(Fault::Width)?) * MICROS;
    op.debit(payer.account, payer.sub, 0, micros)?;
    op.credit(receiver.account, receiver.sub, 0, micros)?;
    op.store(&payer, 0, &[due, 0, 0, 0, 0, 0, 0])
}

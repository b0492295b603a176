//! Rows of the ops that move margin tokens. Values out of range lose their high bits: such a row satisfies nothing.

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32};
use tsz_gadgets::bucket::Gain;
use tsz_gadgets::chain::{Chain, L1Queue, Serial};
use tsz_gadgets::limb::U24;
use tsz_gadgets::owner::Owner;
use tsz_gadgets::signed::{Sign, steps};
use tsz_gadgets::signer::{Signer, SignerInput};
use tsz_gadgets::{inverse, limb24, magnitude};
use tsz_hash::{Block, Digest};
use tsz_ledger::BatchContext;
use tsz_margin::{Book, signed};
use tsz_order::SignatureRequest;
use tsz_trade::ops::{Direction, MarginExit, MarginTransfer};

use crate::record::PerpRecord;
use crate::tables::{Exit, Pair, Transfer};
use crate::trace::{Log, RecordError};

fn bits<const N: usize>(x: u32) -> [F; N] {
    core::array::from_fn(|k| F::from_bool(x >> k & 1 == 1))
}

fn limbs(x: u128) -> [U24<F>; 4] {
    core::array::from_fn(|k| U24::of(limb24(x, k)))
}

/// Positions and mask of a SUB cell.
fn holdings(sub: &Digest) -> (F, u32) {
    let holdings = sub[5].as_canonical_u32();
    (F::from_u32(holdings & 63), holdings >> 6)
}

impl Pair<F> {
    /// Columns of a cell that held `less` and `less + amount`.
    fn of(less: u128, amount: u128) -> Self {
        let mut carry = 0;
        let carries = core::array::from_fn(|k| {
            carry = (limb24(less, k) + limb24(amount, k) + carry) >> 24;
            F::from_u32(carry)
        });
        Self { less: limbs(less), more: limbs(less.wrapping_add(amount)), carries }
    }
}

/// The smaller of the values of a cell that moves by `amount`, from the one found.
fn lesser(old: &Digest, amount: u128, gains: bool) -> u128 {
    let old = magnitude(old);
    if gains { old } else { old.wrapping_sub(amount) & ((1 << 96) - 1) }
}

/// Row and signature of a MarginTransfer.
pub(crate) fn transfer(
    context: &BatchContext,
    book: &mut Book<'_>,
    record: &PerpRecord,
    op: &MarginTransfer,
) -> Result<(Transfer<F>, SignatureRequest), RecordError> {
    let mut log = Log::of(record);
    let [key_a, key_b, ctl] = [log.read()?, log.read()?, log.read()?];
    let (is_quote, is_out) = (op.token.get() == 0, op.direction == Direction::Out);
    let amount = op.amount.get();
    let signer = Signer::of(&SignerInput {
        account: op.account.get(),
        slot: op.key_slot.get().into(),
        key_a: &key_a.old,
        key_b: &key_b.old,
        ctl: &ctl.old,
        time: context.time,
        system: &context.system,
        message: message(op, &ctl.old),
    });
    let balance = Pair::of(lesser(&log.read()?.old, amount, is_out), amount);
    let margin = if is_quote { 0 } else { lesser(&log.read()?.old, amount, !is_out) };
    let margin = Pair::of(margin, amount);
    let sub = log.read()?.old;
    let mut row = Transfer {
        is_real: F::ONE,
        index: F::from_u32(record.index),
        sub: F::from_u8(op.sub.get()),
        is_out: F::from_bool(is_out),
        is_quote: F::from_bool(is_quote),
        is_payment: F::from_bool(is_out && is_quote),
        token: F::from_u8(op.token.get()),
        amount: limbs(amount),
        amount_inv: inverse(limbs(amount).iter().map(U24::value).sum()),
        at: if is_quote { Default::default() } else { book.place(op.token.get().into()).unwrap_or_default() },
        balance,
        margin,
        ..Transfer::default()
    };
    let signature =
        SignatureRequest { key_id: signer.key_id, message: signer.digest, signature: op.signature };
    row.signer = signer;
    let moved = if is_out { -(amount as i128) } else { amount as i128 };
    collateral(&mut row, &sub, if is_quote { moved } else { 0 });
    holds(&mut row, &sub);
    if row.judged == F::ONE {
        let reads = usize::try_from(signed(row.reads)).unwrap_or(0);
        book.judge(row.claim(), log.take(reads));
    }
    Ok((row, signature))
}

/// The message with the nonce that the cell says.
fn message(op: &MarginTransfer, ctl: &Digest) -> [Block; 2] {
    let [first, mut second] = op.message();
    second[..2].copy_from_slice(&ctl[..2]);
    [first, second]
}

fn collateral(row: &mut Transfer<F>, sub: &Digest, moved: i128) {
    let held = magnitude(sub) as i128;
    let before = if sub[4] == F::ONE { -held } else { held };
    let after = before + moved;
    row.collateral_before = core::array::from_fn(|k| sub[k]);
    row.negative_before = sub[4];
    row.collateral_after = limbs(after.unsigned_abs());
    let left: [F; 4] = core::array::from_fn(|k| row.collateral_after[k].value());
    row.sign = Sign::of(after < 0, &left);
    let turned = |value: i128| -> [i64; 4] {
        core::array::from_fn(|k| {
            let limb = i64::from(limb24(value.unsigned_abs(), k));
            if value < 0 { -limb } else { limb }
        })
    };
    row.carries = steps(&turned(before), &turned(moved), &turned(after));
}

fn holds(row: &mut Transfer<F>, sub: &Digest) {
    let out = row.is_out == F::ONE;
    let left = if out { &row.margin.less } else { &row.margin.more };
    let sum: F = left.iter().map(U24::value).sum();
    (row.is_held, row.held_inv) = (F::from_bool(sum != F::ZERO), inverse(sum));
    let (positions, mask) = holdings(sub);
    row.positions = positions;
    (row.is_bare, row.bare_inv) = (F::from_bool(positions == F::ZERO), inverse(positions));
    row.mask = bits(mask);
    row.mask_after = core::array::from_fn(|k| if row.at[k] == F::ONE { row.is_held } else { row.mask[k] });
    let idle = positions == F::ZERO && row.sign.negative == F::ZERO;
    if out && !idle {
        row.judged = F::ONE;
        row.reads = row.mask_after.iter().copied().sum::<F>().double() + positions * F::from_u8(3);
    }
}

/// Row of a MarginExit.
pub(crate) fn exit(
    book: &mut Book<'_>,
    record: &PerpRecord,
    op: &MarginExit,
) -> Result<Exit<F>, RecordError> {
    let mut log = Log::of(record);
    let [l1in, chain, acct] = [log.read()?, log.read()?, log.read()?];
    let [mut first, second] = op.record();
    first[1..4].copy_from_slice(&l1in.old[..3]);
    let sender: [F; 7] = core::array::from_fn(|k| second[k + 1]);
    let mut row = Exit {
        is_real: F::ONE,
        index: F::from_u32(record.index),
        account: U24::of(op.party.account.get()),
        sub: F::from_u8(op.party.sub.get()),
        token: F::from_u8(op.token.get()),
        owner: Owner::of(&acct.old, &sender),
        queue: L1Queue { serial: Serial::of(&l1in.old), chain: Chain::of(&chain.old, [&first, &second]) },
        ..Exit::default()
    };
    if !row.owner.holds() {
        return Ok(row);
    }
    let Some(at) = book.place(op.token.get().into()) else {
        row.is_unlisted = F::ONE;
        row.tokens = book.all_tokens();
        row.other_invs = row.tokens.map(|token| inverse(row.token + F::ONE - token));
        return Ok(row);
    };
    row.at = at;
    let sub = log.read()?.old;
    let (positions, mask) = holdings(&sub);
    row.collateral = core::array::from_fn(|k| sub[k]);
    (row.negative, row.positions, row.mask) = (sub[4], positions, bits(mask));
    row.positions_inv = inverse(positions);
    if positions != F::ZERO {
        row.is_open = F::ONE;
    } else if row.negative != F::ZERO {
        row.is_negative = F::ONE;
    } else {
        row.is_ok = F::ONE;
        let held = (0..).zip(at).zip(row.mask).map(|((k, at), bit)| at * bit * F::from_u32(1 << k));
        row.cleared = held.sum();
        let (margin, balance) = (log.read()?, log.read()?);
        row.margin = core::array::from_fn(|k| margin.old[k]);
        row.balance = Gain::of(&balance.old, &balance.new, magnitude(&margin.old));
    }
    Ok(row)
}

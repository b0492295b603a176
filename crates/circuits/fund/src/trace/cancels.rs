//! Rows of cancels.

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32};
use tsz_ledger::{Access, BatchContext};

use super::{RecordError, Signable, SignatureRequest, accesses};
use crate::op::{Op, OpRecord, Signed};
use crate::tables::{Cancel, CancelAll, Next};
use tsz_gadgets::inverse;
use tsz_gadgets::limb::U24;
use tsz_gadgets::signer::{Authority, SignerInput};

const LOW: u32 = 0xff_ffff;

fn felt(x: u32) -> F {
    F::from_u32(x)
}

fn authority(
    context: &BatchContext,
    account: u32,
    signed: &Signed,
    [key_a, key_b]: [&Access; 2],
    message: [[F; 8]; 2],
) -> (Authority<F>, Option<SignatureRequest>) {
    let signer = Authority::of(&SignerInput {
        account,
        slot: signed.slot,
        key_a: &key_a.old,
        key_b: &key_b.old,
        ctl: &tsz_hash::ZERO,
        time: context.time,
        system: &context.system,
        message,
    });
    let request =
        SignatureRequest { key_id: signer.key_id, message: signer.digest, signature: signed.signature };
    (signer, Some(request))
}

/// Row of a CancelOrder.
pub fn cancel(context: &BatchContext, record: &OpRecord<'_>) -> Result<Signable<Cancel<F>>, RecordError> {
    let Op::Cancel { account, sub, slot, nonce, signed } = &record.op else { return Ok(Default::default()) };
    let [key_a, key_b, ord] = accesses::<3>(record)?;
    let mut first = [F::ZERO; 8];
    first[..3].copy_from_slice(&[tsz_trade::code::CANCEL_ORDER, *account, sub + 32 * slot].map(felt));
    first[6..].copy_from_slice(&[nonce & LOW, nonce >> 24].map(felt));
    let (signer, signature) = authority(context, *account, signed, [key_a, key_b], [first, [F::ZERO; 8]]);
    let next = u64::from(ord.old[0].as_canonical_u32()) | u64::from(ord.old[1].as_canonical_u32()) << 24;
    let gap = u64::from(*nonce).wrapping_sub(next);
    let below = felt(nonce & LOW) - felt(LOW);
    let row = Cancel {
        is_real: F::ONE,
        index: felt(record.index),
        signer,
        sub: felt(*sub),
        slot: felt(*slot),
        nonce: U24::of(nonce & LOW),
        nonce_hi: felt(nonce >> 24),
        carry: F::from_bool(below == F::ZERO),
        carry_inv: inverse(below),
        old: ord.old,
        gap: U24::of(gap as u32 & LOW),
        gap_hi: felt((gap >> 24) as u32 & 0xff),
        borrow: F::from_bool(nonce & LOW < ord.old[0].as_canonical_u32()),
    };
    Ok((row, signature))
}

fn next(old: [F; 2]) -> Next<F> {
    let low = old[0].as_canonical_u32() + 1;
    let carry = felt(low >> 24);
    Next { lo: U24::of(low & LOW), hi: old[1] + carry, carry }
}

fn wide(value: u64) -> [U24<F>; 2] {
    [0, 24].map(|s| U24::of((value >> s) as u32 & LOW))
}

/// Row of a CancelAll.
pub fn cancel_all(
    context: &BatchContext,
    record: &OpRecord<'_>,
) -> Result<Signable<CancelAll<F>>, RecordError> {
    let Op::CancelAll { account, sub, not_before, signed } = &record.op else {
        return Ok(Default::default());
    };
    let [key_a, key_b, ctl] = accesses::<3>(record)?;
    let [n0, n1, k0, k1] = [ctl.old[0], ctl.old[1], ctl.old[2], ctl.old[3]];
    let first = [felt(tsz_trade::code::CANCEL_ALL), felt(*account), felt(*sub), k0, k1, F::ZERO, n0, n1];
    let mut second = [F::ZERO; 8];
    let not_before_limbs = wide(*not_before);
    second[..2].copy_from_slice(&not_before_limbs.each_ref().map(U24::value));
    let (signer, signature) = authority(context, *account, signed, [key_a, key_b], [first, second]);
    let row = CancelAll {
        is_real: F::ONE,
        index: felt(record.index),
        signer,
        sub: felt(*sub),
        nonce: next([n0, n1]),
        epoch: next([k0, k1]),
        not_before: not_before_limbs,
        elapsed: wide(context.time.wrapping_sub(*not_before)),
        borrow: F::from_bool(context.time & u64::from(LOW) < not_before & u64::from(LOW)),
    };
    Ok((row, signature))
}

//! Rows of approvals and revocations.

use core::array::from_fn;

use tsz_air::{F, PrimeCharacteristicRing, Trace};
use tsz_chips::schnorr::SignedMessage;
use tsz_ext::{ApproveExtension, RevokeExtension};
use tsz_gadgets::inverse;
use tsz_gadgets::limb::U24;
use tsz_gadgets::signer::{Signer, SignerInput};
use tsz_gadgets::units::Units;
use tsz_hash::{Block, Digest, step};
use tsz_ledger::{Access, BatchContext};
use tsz_sig::{PublicKey, Signature};
use tsz_stf::chain;

use super::matrix;
use crate::class::ApprovalClass;
use crate::record::{ApprovalOp, ApprovalRecord, RecordError};
use crate::tables::approve::{self, Allowed, Approve, LIMITS, Place};
use crate::tables::revoke::{self, Revoke};
use crate::witness::WitnessError;

/// Traces of the op tables and the signatures that they look up.
pub(crate) fn approval_traces(
    class: &ApprovalClass,
    context: &BatchContext,
    records: &[ApprovalRecord],
) -> Result<(Vec<Trace>, Vec<SignedMessage>), WitnessError> {
    let (mut approvals, mut revocations, mut signed) = (Vec::new(), Vec::new(), Vec::new());
    for record in records {
        signed.push(signature(context, record)?);
        match &record.op {
            ApprovalOp::Approve(op) => approvals.push(approval(context, record, op)?),
            ApprovalOp::Revoke(op) => revocations.push(revocation(context, record, op)?),
        }
    }
    let traces = vec![
        matrix("approve", &approvals, class.approvals)?,
        matrix("revoke", &revocations, class.revocations)?,
    ];
    Ok((traces, signed))
}

fn accesses<const N: usize>(record: &ApprovalRecord) -> Result<&[Access; N], RecordError> {
    let got = record.accesses.len();
    let error = RecordError::Accesses { index: record.index, expected: N, got };
    record.accesses.as_slice().try_into().map_err(|_| error)
}

/// What the key in the slot signed.
fn signature(context: &BatchContext, record: &ApprovalRecord) -> Result<SignedMessage, WitnessError> {
    let index = record.index;
    let (blocks, signature): (Vec<Block>, Signature) = match &record.op {
        ApprovalOp::Approve(op) => (op.message().to_vec(), op.signature),
        ApprovalOp::Revoke(op) => (op.message().to_vec(), op.signature),
    };
    let got = record.accesses.len();
    let key_a = record.accesses.first().ok_or(RecordError::Accesses { index, expected: 5, got })?;
    let key = PublicKey::from_key_id(&key_a.old).map_err(|_| WitnessError::Key(index))?;
    Ok(SignedMessage { key, message: chain(&context.system, &blocks), signature, uses: 1 })
}

/// Signer and place of an op; `start` is the capacity before the last two blocks of its message.
fn place(
    context: &BatchContext,
    (account, sub, slot, key_slot): (u32, u8, u8, u8),
    [key_a, key_b, ctl]: [&Access; 3],
    start: &Digest,
    message: [Block; 2],
) -> Place<F> {
    let signer = Signer::of(&SignerInput {
        account,
        slot: key_slot.into(),
        key_a: &key_a.old,
        key_b: &key_b.old,
        ctl: &ctl.old,
        time: context.time,
        system: start,
        message,
    });
    let account_inv = inverse(F::from_u32(account));
    Place { signer, account_inv, sub: F::from_u8(sub), slot: F::from_u8(slot) }
}

/// POLICY without its epoch.
fn rest(policy: &Digest) -> [F; 7] {
    let [e0, e1, _, t0, t1, t2, t3, last] = *policy;
    [e0, e1, t0, t1, t2, t3, last]
}

fn approval(
    context: &BatchContext,
    record: &ApprovalRecord,
    op: &ApproveExtension,
) -> Result<Approve<F>, RecordError> {
    let all: &[Access; approve::SHAPE[0] as usize] = accesses(record)?;
    let [key_a, key_b, ctl, program, terms, policy, limits @ ..] = all;
    let [first, second, third, fourth, fifth] = op.message();
    let head = step(&first, &context.system);
    let head_program = step(&second, &head);
    let mid = step(&third, &head_program);
    let who = (op.account.get(), op.sub.get(), op.slot.get(), op.key_slot.get());
    let expiry = op.expiry.get();
    Ok(Approve {
        is_real: F::ONE,
        index: F::from_u32(record.index),
        place: place(context, who, [key_a, key_b, ctl], &mid, [fourth, fifth]),
        program: op.program,
        weights: weights(&op.program),
        terms: op.terms,
        expiry: [0, 24].map(|s| U24::of((expiry >> s) as u32 & 0xff_ffff)),
        epoch: U24::of_felt(policy.old[2] + F::ONE),
        limits: allowed(op, limits),
        head,
        head_program,
        mid,
        old_program: program.old,
        old_terms: terms.old,
        old_policy: rest(&policy.old),
    })
}

/// Weights that make a sum of 1 of felts that are not all zero.
fn weights(felts: &Digest) -> [F; 8] {
    let place = felts.iter().position(|x| *x != F::ZERO);
    from_fn(|k| if Some(k) == place { inverse(felts[k]) } else { F::ZERO })
}

fn allowed(op: &ApproveExtension, cells: &[Access; LIMITS]) -> [Allowed<F>; LIMITS] {
    let mut before = 0;
    from_fn(|k| {
        let limit = op.limits.get(k);
        let token = limit.map_or(0, |limit| u32::from(limit.of.number()) + 1);
        let gap = if limit.is_some() { token.wrapping_sub(before).wrapping_sub(1) } else { 0 };
        before = token;
        Allowed {
            is_present: F::from_bool(limit.is_some()),
            token: F::from_u32(token),
            gap: F::from_u32(gap & 0xfff),
            units: Units::of(limit.map_or(0, |limit| limit.units.get())),
            old: cells[k].old,
        }
    })
}

fn revocation(
    context: &BatchContext,
    record: &ApprovalRecord,
    op: &RevokeExtension,
) -> Result<Revoke<F>, RecordError> {
    let all: &[Access; revoke::SHAPE[0] as usize] = accesses(record)?;
    let [key_a, key_b, ctl, program, policy] = all;
    let who = (op.account.get(), op.sub.get(), op.slot.get(), op.key_slot.get());
    Ok(Revoke {
        is_real: F::ONE,
        index: F::from_u32(record.index),
        place: place(context, who, [key_a, key_b, ctl], &context.system, op.message()),
        old_program: program.old,
        epoch: policy.old[2],
        old_policy: rest(&policy.old),
    })
}

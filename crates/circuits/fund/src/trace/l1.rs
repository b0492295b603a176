//! Rows of BeginBatch and of L1 ops.

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32};
use tsz_hash::step;
use tsz_ledger::BatchContext;

use super::{RecordError, Signable, accesses, address_block, shifted_block, signed};
use crate::op::{Op, OpRecord};
use crate::tables::{Begin, Deposit, Exit, L1Key};
use tsz_gadgets::bucket::{Credit, Debit, Place};
use tsz_gadgets::chain::{Chain, L1Queue, Serial};
use tsz_gadgets::limb::{Address, U24};
use tsz_gadgets::owner::Owner;
use tsz_gadgets::units::{SCALE, Units};
use tsz_gadgets::{inverse, magnitude};

fn felt(x: u32) -> F {
    F::from_u32(x)
}

/// Row of a BeginBatch.
pub fn begin(context: &BatchContext, record: &OpRecord<'_>) -> Result<Signable<Begin<F>>, RecordError> {
    let [head, _params] = accesses::<2>(record)?;
    let [t0, t1] = [head.old[2], head.old[3]].map(|x| u64::from(x.as_canonical_u32()));
    let elapsed = context.time.wrapping_sub(t0 | t1 << 24);
    let row = Begin {
        is_real: F::ONE,
        batch_carry: F::from_bool(context.batch & 0xff_ffff == 0),
        time: [head.old[2], head.old[3]],
        elapsed: [0, 24].map(|s| U24::of((elapsed >> s) as u32 & 0xff_ffff)),
        borrow: F::from_bool(context.time & 0xff_ffff < t0),
        next_account: head.old[4],
    };
    Ok((row, None))
}

/// Row of a Deposit.
pub fn deposit(record: &OpRecord<'_>) -> Result<Signable<Deposit<F>>, RecordError> {
    let Op::Deposit { to, token, units, owner } = &record.op else { return Ok(Default::default()) };
    let [head, l1in, chain, acct, bucket, out] = accesses::<6>(record)?;
    let place = Place::of(to.sub, to.collateral);
    let amount = Units::of(*units);
    let [u0, u1, u2] = amount.limbs();
    let tsb = place.tsb(&felt(*token));
    let (account, next) = (to.account, head.old[4].as_canonical_u32());
    let [s0, s1, s2] = core::array::from_fn(|k| l1in.old[k]);
    let l1_record = [[felt(2), s0, s1, s2, felt(account), tsb, u0, u1], shifted_block(u2, owner)];
    let refund = [felt(2), felt(account), tsb, u0, u1, u2, F::ZERO, F::ZERO];
    let is_refund = account > next;
    let moved = if is_refund { 0 } else { u128::from(*units) * SCALE };
    let distance = if account < next { next - 1 - account } else { account.saturating_sub(next + 1) };
    let row = Deposit {
        is_real: F::ONE,
        index: felt(record.index),
        is_create: F::from_bool(account == next),
        is_credit: F::from_bool(account < next),
        is_refund: F::from_bool(is_refund),
        account: U24::of(account),
        place,
        token: felt(*token),
        units_inv: amount.sum_inv(),
        units: amount,
        owner: Address::of(owner),
        head: core::array::from_fn(|k| head.old[k]),
        next_account: head.old[4],
        distance: U24::of(distance),
        acct: acct.old,
        bucket: Credit::of(&bucket.old, &bucket.new, moved),
        queue: L1Queue {
            serial: Serial::of(&l1in.old),
            chain: Chain::of(&chain.old, [&l1_record[0], &l1_record[1]]),
        },
        out: if is_refund {
            Chain::of(&out.old, [&refund, &address_block(owner, F::ZERO)])
        } else {
            Chain::kept(&out.old)
        },
    };
    Ok((row, None))
}

/// Row of an L1RegisterKey or L1RevokeKey.
pub fn l1key(record: &OpRecord<'_>) -> Result<Signable<L1Key<F>>, RecordError> {
    let Op::L1Key { account, slot, policy, sender } = &record.op else { return Ok(Default::default()) };
    let [l1in, chain, acct, slot_a, slot_b] = accesses::<5>(record)?;
    let policy = signed::policy(policy.as_ref());
    let owner = Owner::of(&acct.old, sender);
    let [s0, s1, s2] = core::array::from_fn(|k| l1in.old[k]);
    let slot_scheme = felt(*slot) + policy.scheme() * felt(64);
    let [e0, e1] = [policy.expiry[0].value(), policy.expiry[1].value()];
    let code = felt(8) + policy.is_revoke;
    let first = [code, s0, s1, s2, felt(*account), slot_scheme, policy.permissions(), e0];
    let chain_a = step(&first, &chain.old);
    let chain_b = step(&shifted_block(e1, sender), &chain_a);
    let row = L1Key {
        is_real: F::ONE,
        index: felt(record.index),
        is_ok: F::from_bool(owner.holds()),
        account: U24::of(*account),
        slot: felt(*slot),
        owner,
        serial: Serial::of(&l1in.old),
        chain_old: chain.old,
        chain_a,
        chain_b,
        chain_new: step(&policy.key_id, &chain_b),
        policy,
        old_a: slot_a.old,
        old_b: slot_b.old,
    };
    Ok((row, None))
}

/// Row of a FullExit.
pub fn exit(record: &OpRecord<'_>) -> Result<Signable<Exit<F>>, RecordError> {
    let Op::Exit { from, token, sender } = &record.op else { return Ok(Default::default()) };
    let [l1in, chain, acct, bucket, out] = accesses::<5>(record)?;
    let place = Place::of(from.sub, from.collateral);
    let owner = Owner::of(&acct.old, sender);
    let account = felt(from.account);
    let insurance_inv = inverse(account - F::ONE);
    // The first reason that holds; the circuit accepts any that does.
    let (negative, pos_count) = (bucket.old[4], bucket.old[5]);
    let is_reserved = owner.holds() && account == F::ONE;
    let is_open = owner.holds() && !is_reserved && pos_count != F::ZERO;
    let is_negative = owner.holds() && !is_reserved && !is_open && negative != F::ZERO;
    let is_ok = owner.holds() && !is_reserved && !is_open && !is_negative;
    let lost = magnitude(&bucket.old).saturating_sub(magnitude(&bucket.new));
    let units = if is_ok { (lost / SCALE) as u64 } else { 0 };
    let amount = Units::of(units);
    let [u0, u1, u2] = amount.limbs();
    let tsb = place.tsb(&felt(*token));
    let [s0, s1, s2] = core::array::from_fn(|k| l1in.old[k]);
    let first = [felt(7), s0, s1, s2, account, tsb, F::ZERO, F::ZERO];
    let exit = [felt(7), account, tsb, u0, u1, u2, F::ZERO, F::ZERO];
    let below = if is_ok { (SCALE - 1).saturating_sub(magnitude(&bucket.new)) as u32 } else { 0 };
    let row = Exit {
        is_real: F::ONE,
        index: felt(record.index),
        is_ok: F::from_bool(is_ok),
        is_reserved: F::from_bool(is_reserved),
        is_open: F::from_bool(is_open),
        is_negative: F::from_bool(is_negative),
        account: U24::of(from.account),
        account_inv: insurance_inv,
        place,
        token: felt(*token),
        owner,
        units: amount,
        cell: Debit::of(&bucket.new, u128::from(units) * SCALE),
        below_unit: U24::of(below),
        negative,
        pos_count,
        pos_count_inv: inverse(pos_count),
        queue: L1Queue {
            serial: Serial::of(&l1in.old),
            chain: Chain::of(&chain.old, [&first, &shifted_block(F::ZERO, sender)]),
        },
        out: if is_ok {
            Chain::of(&out.old, [&exit, &address_block(sender, F::ZERO)])
        } else {
            Chain::kept(&out.old)
        },
    };
    Ok((row, None))
}

//! Rows of ops that a user signs.

use tsz_air::{F, PrimeCharacteristicRing};
use tsz_ledger::{Access, BatchContext};

use super::{RecordError, Signable, accesses, address_block, exactly, request};
use crate::op::{KeyPolicy, Leg, Op, OpRecord, Signed};
use crate::tables::{Key, Transfer, Withdraw};
use tsz_gadgets::bucket::{Credit, Debit, Place};
use tsz_gadgets::chain::Chain;
use tsz_gadgets::inverse;
use tsz_gadgets::limb::{Address, U24};
use tsz_gadgets::policy::Policy;
use tsz_gadgets::signer::{Signer, SignerInput};
use tsz_gadgets::units::{SCALE, Units};

fn felt(x: u32) -> F {
    F::from_u32(x)
}

fn signer(
    context: &BatchContext,
    account: u32,
    slot: u32,
    [key_a, key_b, ctl]: [&Access; 3],
    message: [[F; 8]; 2],
) -> Signer<F> {
    Signer::of(&SignerInput {
        account,
        slot,
        key_a: &key_a.old,
        key_b: &key_b.old,
        ctl: &ctl.old,
        time: context.time,
        system: &context.system,
        message,
    })
}

/// A payment that the ledger applied, whatever approved it.
pub struct Payment<'a> {
    /// The batch.
    pub context: &'a BatchContext,
    /// Sequence number.
    pub index: u32,
    /// What it accessed.
    pub accesses: &'a [Access],
    /// Code of its message.
    pub code: u32,
    /// Key slot (< 48).
    pub slot: u32,
    /// Payer.
    pub from: Leg,
    /// Token (< 128).
    pub token: u32,
    /// Units (u60).
    pub units: u64,
}

impl<'a> Payment<'a> {
    fn new(
        context: &'a BatchContext,
        record: &OpRecord<'a>,
        code: u32,
        (from, token, units): (Leg, u32, u64),
        signed: &Signed,
    ) -> Self {
        let OpRecord { index, accesses, .. } = *record;
        Self { context, index, accesses, code, slot: signed.slot, from, token, units }
    }
}

/// Lower half of the key of a bucket's cell.
fn lo(leg: &Leg, token: u32) -> F {
    Place::of(leg.sub, leg.collateral).lo(&felt(token))
}

/// Row of a Transfer.
pub fn transfer(context: &BatchContext, record: &OpRecord<'_>) -> Result<Signable<Transfer<F>>, RecordError> {
    let Op::Transfer { from, to, token, units, signed } = &record.op else { return Ok(Default::default()) };
    let row = transfer_row(&Payment::new(context, record, 3, (*from, *token, *units), signed), to)?;
    let signature = request(signed, &row.signer);
    Ok((row, signature))
}

/// Row of a transfer.
///
/// # Errors
/// [`RecordError::Accesses`].
pub fn transfer_row(payment: &Payment<'_>, to: &Leg) -> Result<Transfer<F>, RecordError> {
    let Payment { context, index, code, slot, from, token, units, .. } = payment;
    let [head, key_a, key_b, ctl, source, target] = exactly::<6>(*index, payment.accesses)?;
    let (from_place, to_place) = (Place::of(from.sub, from.collateral), Place::of(to.sub, to.collateral));
    let amount = Units::of(*units);
    let [u0, u1, u2] = amount.limbs();
    let first = [felt(*code), felt(from.account), from_place.sb(), felt(*token), u0, u1, u2, ctl.old[1]];
    let mut second = [F::ZERO; 8];
    second[0] = felt(to.account);
    second[1] = to_place.sb();
    second[7] = ctl.old[0];
    let signer = signer(context, from.account, *slot, [key_a, key_b, ctl], [first, second]);
    let difference = felt(from.account) - felt(to.account);
    let is_internal = from.account == to.account;
    let cells = lo(from, *token) - lo(to, *token);
    let next = head.old[4];
    let distance = next - F::ONE - felt(to.account);
    Ok(Transfer {
        is_real: F::ONE,
        index: felt(*index),
        signer,
        from: from_place,
        to_account: U24::of(to.account),
        to: to_place,
        token: felt(*token),
        units_inv: amount.sum_inv(),
        units: amount,
        is_internal: F::from_bool(is_internal),
        account_diff_inv: inverse(difference),
        cell_diff_inv: if is_internal { inverse(cells) } else { F::ZERO },
        head: core::array::from_fn(|k| head.old[k]),
        next_account: next,
        distance: U24::of_felt(distance),
        debit: Debit::of(&source.new, u128::from(*units) * SCALE),
        credit: Credit::of(&target.old, &target.new, u128::from(*units) * SCALE),
    })
}

/// Row of a Withdraw.
pub fn withdraw(context: &BatchContext, record: &OpRecord<'_>) -> Result<Signable<Withdraw<F>>, RecordError> {
    let Op::Withdraw { from, token, units, to, signed } = &record.op else { return Ok(Default::default()) };
    let row = withdraw_row(&Payment::new(context, record, 4, (*from, *token, *units), signed), to)?;
    let signature = request(signed, &row.signer);
    Ok((row, signature))
}

/// Row of a withdrawal to an L1 address of seven felts.
///
/// # Errors
/// [`RecordError::Accesses`].
pub fn withdraw_row(payment: &Payment<'_>, to: &[F; 7]) -> Result<Withdraw<F>, RecordError> {
    let Payment { context, index, code, slot, from, token, units, .. } = payment;
    let [key_a, key_b, ctl, listing, source, out] = exactly::<6>(*index, payment.accesses)?;
    let place = Place::of(from.sub, from.collateral);
    let amount = Units::of(*units);
    let [u0, u1, u2] = amount.limbs();
    let account = felt(from.account);
    let first = [felt(*code), account, place.sb(), felt(*token), u0, u1, u2, ctl.old[1]];
    let second = address_block(to, ctl.old[0]);
    let signer = signer(context, from.account, *slot, [key_a, key_b, ctl], [first, second]);
    let minimum: [F; 3] = core::array::from_fn(|k| listing.old[k + 1]);
    let (excess, borrows) = difference([u0, u1], [minimum[0], minimum[1]]);
    let record_head = [felt(4), account, place.tsb(&felt(*token)), u0, u1, u2, F::ZERO, F::ZERO];
    Ok(Withdraw {
        is_real: F::ONE,
        index: felt(*index),
        signer,
        from: place,
        token: felt(*token),
        units_inv: amount.sum_inv(),
        units: amount,
        to: Address::of(to),
        minimum,
        excess,
        borrows,
        debit: Debit::of(&source.new, u128::from(*units) * SCALE),
        out: Chain::of(&out.old, [&record_head, &address_block(to, F::ZERO)]),
    })
}

/// Two limbs of 24 bits of `a - b`, with borrows.
fn difference(a: [F; 2], b: [F; 2]) -> ([U24<F>; 2], [F; 2]) {
    use tsz_air::PrimeField32;
    let mut borrow = 0;
    let mut borrows = [F::ZERO; 2];
    let limbs = core::array::from_fn(|k| {
        let d = i64::from(a[k].as_canonical_u32()) - i64::from(b[k].as_canonical_u32()) - borrow;
        borrow = i64::from(d < 0);
        borrows[k] = F::from_bool(d < 0);
        U24::of((d + (borrow << 24)) as u32 & 0xff_ffff)
    });
    (limbs, borrows)
}

/// Columns of a slot's new content.
pub fn policy(policy: Option<&KeyPolicy>) -> Policy<F> {
    policy.map_or_else(Policy::revoke, |p| Policy::register(&p.key_id, p.scheme, p.permissions, p.expiry))
}

/// Row of a RegisterKey or RevokeKey.
pub fn key(context: &BatchContext, record: &OpRecord<'_>) -> Result<Signable<Key<F>>, RecordError> {
    let Op::Key { account, slot, policy: content, signed } = &record.op else {
        return Ok(Default::default());
    };
    let [key_a, key_b, ctl, slot_a, slot_b] = accesses::<5>(record)?;
    let policy = policy(content.as_ref());
    let slot_scheme = felt(*slot) + policy.scheme() * felt(64);
    let first = [
        felt(5) + policy.is_revoke,
        felt(*account),
        slot_scheme,
        policy.permissions(),
        policy.expiry[0].value(),
        policy.expiry[1].value(),
        ctl.old[0],
        ctl.old[1],
    ];
    let signer = signer(context, *account, signed.slot, [key_a, key_b, ctl], [first, policy.key_id]);
    let signature = request(signed, &signer);
    let row = Key {
        is_real: F::ONE,
        index: felt(record.index),
        signer,
        slot: felt(*slot),
        policy,
        old_a: slot_a.old,
        old_b: slot_b.old,
    };
    Ok((row, signature))
}

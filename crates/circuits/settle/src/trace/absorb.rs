//! Rows of an AbsorbDebt.

use tsz_air::{F, PrimeCharacteristicRing};
use tsz_gadgets::limb::U24;
use tsz_hash::PrimeField32;
use tsz_margin::signed;
use tsz_trade::ops::AbsorbDebt;

use super::bits;
use crate::record::{RecordError, SettleRecord, accesses};
use crate::tables::{Absorb, Cash};

/// The row of an op.
pub(super) fn row(record: &SettleRecord, op: &AbsorbDebt) -> Result<Absorb<F>, RecordError> {
    let [target, insurance] = accesses::<2>(record)?;
    let account = op.target.account.get();
    let debt: [F; 4] = core::array::from_fn(|k| target.old[k]);
    Ok(Absorb {
        is_real: F::ONE,
        index: F::from_u32(record.index),
        account: U24::of(account),
        user: U24::of(account.wrapping_sub(2) & 0xff_ffff),
        sub: F::from_u8(op.target.sub.get()),
        debt,
        mask: bits(i64::from(insurance.old[5].as_canonical_u32() >> 6)),
        insurance: Cash::of(&insurance.old, &debt.map(|limb| -signed(limb))),
    })
}

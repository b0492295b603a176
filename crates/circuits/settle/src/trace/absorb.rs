//! Rows of an AbsorbDebt.

use tsz_air::{F, PrimeCharacteristicRing};
use tsz_margin::{Book, signed};
use tsz_trade::ops::AbsorbDebt;

use super::fund::fund;
use crate::record::{RecordError, SettleRecord, split};
use crate::tables::{Absorb, Debtor};

/// The row of an op.
pub(super) fn row(
    book: &mut Book<'_>,
    record: &SettleRecord,
    op: &AbsorbDebt,
) -> Result<Absorb<F>, RecordError> {
    let ([target, insurance], reads) = split::<2>(record.index, &record.accesses)?;
    let index = F::from_u32(record.index);
    let debt: [F; 4] = core::array::from_fn(|k| target.old[k]);
    let x = debt.map(|limb| -signed(limb));
    let fund = fund(book, (index, 2), &insurance.old, (&x, 0), reads);
    Ok(Absorb { is_real: F::ONE, index, debtor: Debtor::of(op.target), debt, fund })
}

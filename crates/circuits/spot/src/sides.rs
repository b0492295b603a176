//! Columns of one side of a trade from its order and the access log.

use tsz_air::{F, PrimeCharacteristicRing};
use tsz_gadgets::bucket::{Debit, Gain};
use tsz_gadgets::limb::U24;
use tsz_gadgets::product::Scaled;
use tsz_gadgets::units::{SCALE, Units};
use tsz_hash::Digest;
use tsz_ledger::BatchContext;
use tsz_order::{Orders, SlotMove, SpotExtra};
use tsz_trade::order::{Signed, SpotOrder};
use tsz_types::Rate;

use crate::tables::Side;
use crate::trace::{Log, RecordError, SideRow};

/// What the columns of a side are made of.
pub(crate) struct SideInput<'a> {
    pub order: &'a Signed<SpotOrder>,
    pub fee: Rate,
    /// Units that the side gets.
    pub gets: u64,
    pub lots: u64,
    pub close: bool,
}

impl SideInput<'_> {
    fn rate(&self) -> u32 {
        self.fee.get() as u32
    }

    fn share(&self) -> u32 {
        self.order.order.terms.broker_rate.get() as u32
    }
}

/// The side without its legs: KEYA, KEYB, CTL, ORD.
pub(crate) fn side(
    context: &BatchContext,
    log: &mut Log<'_>,
    orders: &mut Orders,
    input: &SideInput<'_>,
) -> Result<SideRow, RecordError> {
    let [key_a, key_b, ctl, ord] = [log.next()?, log.next()?, log.next()?, log.next()?];
    let order = orders.find(context, input.order, [&key_a.old, &key_b.old]);
    let terms = order.order.terms();
    let fee = input.rate();
    let gets = Units::of(input.gets);
    Ok(Side {
        key_slot: F::from_u8(input.order.key_slot.get()),
        ctl_nonce: [ctl.old[0], ctl.old[1]],
        slot: SlotMove::of(&terms, input.lots, &ord.old, input.close),
        net: Scaled::of(input.gets, (SCALE as u32).wrapping_sub(fee) & 0xff_ffff),
        fee: Scaled::of(input.gets, fee.wrapping_sub(input.share()) & 0xff_ffff),
        share: Scaled::of(input.gets, input.share()),
        gets,
        is_insurance: SpotExtra::of(terms.account).is_insurance,
        terms,
        ..Side::default()
    })
}

fn scaled(units: u64, factor: u32) -> u128 {
    u128::from(units) * u128::from(factor & 0xff_ffff)
}

fn gain(log: &mut Log<'_>, amount: u128) -> Result<Gain<F>, RecordError> {
    let cell = log.next()?;
    Ok(Gain::of(&cell.old, &cell.new, amount))
}

/// Balances of taker and maker; `gets` are the units that each gets.
pub(crate) fn legs(log: &mut Log<'_>, sides: [&mut SideRow; 2], gets: [u64; 2]) -> Result<(), RecordError> {
    let [x, y] = gets;
    for (side, (gets, pays)) in sides.into_iter().zip([(x, y), (y, x)]) {
        side.paid = Debit::of(&log.next()?.new, u128::from(pays) * SCALE);
        let factor = factor(&side.net);
        side.received = gain(log, scaled(gets, factor))?;
    }
    Ok(())
}

fn factor(product: &Scaled<F>) -> u32 {
    use tsz_air::PrimeField32;
    product.factor().as_canonical_u32()
}

/// HEAD, if it is read, and the brokers' balances.
pub(crate) fn brokers(
    log: &mut Log<'_>,
    sides: [&mut SideRow; 2],
    gets: [u64; 2],
) -> Result<Option<Digest>, RecordError> {
    let reads = sides.iter().any(|s| s.terms.has_broker == F::ONE);
    let head = if reads { Some(log.next()?.old) } else { None };
    let next_account = head.map_or(F::ZERO, |leaf| leaf[4]);
    for (side, gets) in sides.into_iter().zip(gets) {
        if side.terms.has_broker == F::ONE {
            side.pays_broker = F::ONE;
            side.distance = U24::of_felt(next_account - F::ONE - side.terms.broker);
            let factor = factor(&side.share);
            side.share_cell = gain(log, scaled(gets, factor))?;
        }
    }
    Ok(head)
}

/// The fee account's balances.
pub(crate) fn fees(
    log: &mut Log<'_>,
    sides: [&mut SideRow; 2],
    inputs: &[SideInput<'_>; 2],
) -> Result<(), RecordError> {
    for (side, input) in sides.into_iter().zip(inputs) {
        let factor = factor(&side.fee);
        side.fee_cell = gain(log, scaled(input.gets, factor))?;
    }
    Ok(())
}

/// How far the fee is below the caps.
pub(crate) fn caps(side: &mut SideRow, own: F, market: F, fee: Rate) {
    let fee = F::from_u32(fee.get().unsigned_abs());
    side.own_gap = U24::of_felt(own - fee);
    side.cap_gap = U24::of_felt(market - fee);
}

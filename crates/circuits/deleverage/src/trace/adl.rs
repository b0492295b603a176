//! Rows of Adl.

use tsz_air::{F, PrimeCharacteristicRing};
use tsz_gadgets::inverse;
use tsz_gadgets::limb::U24;
use tsz_margin::tables::Move;
use tsz_trade::{Party, ops};

use super::{Cursor, Rows, change, closing, lost_lots, lots_digits};
use crate::record::{DeleverageRecord, RecordError};
use crate::tables::{Adl, Interest, Offer, Payment, Ranking};

impl Rows<'_> {
    /// An Adl.
    pub(super) fn adl(&mut self, record: &DeleverageRecord, op: &ops::Adl) -> Result<(), RecordError> {
        let mut log = Cursor::new(record);
        let [mkp, mkf] = log.take::<2>()?;
        let [sub, pos, _, _, _] = log.last::<5>()?;
        let price = self.book.price(op.market.get().into(), &mkp.old, &mkf.old);
        let target_table = log.table(&sub.old, true);
        let [mko, mkr, other_sub, other_pos] = log.take::<4>()?;
        let other_table = log.table(&other_sub.old, true);
        let account = F::from_u32(op.target.account.get());
        let beside = account + F::from_u32(u32::from(op.target.sub.get()) << 24) - F::ONE;
        let mut row = Adl {
            is_real: F::ONE,
            index: F::from_u32(record.index),
            account: U24::of(op.target.account.get()),
            sub: F::from_u8(op.target.sub.get()),
            target: Move::found(&mut self.book, &price, &sub.old, &pos.old),
            ranking: Ranking::of(&mkr.old),
            other: U24::of(op.counterparty.account.get()),
            other_sub: F::from_u8(op.counterparty.sub.get()),
            counterparty: Move::found(&mut self.book, &price, &other_sub.old, &other_pos.old),
            is_own: F::from_bool(op.target == Party::INSURANCE),
            own_inv: inverse(beside),
            price,
            ..Adl::default()
        };
        let short = row.target.short_before;
        let n = lost_lots(pos);
        row.lots = lots_digits(n);
        row.target.shift(closing(short, n));
        row.counterparty.shift(-closing(short, n));
        row.figures = self.book.target(row.ill(), target_table);
        let class = self.lost(&row.figures);
        row.class = F::from_u32(class);
        row.rank = self.ranked(row.bearer(), class, other_table);
        row.payment = Payment::of(&mut self.book, &row.lots, &row.price, &row.figures, short);
        let cash = row.payment.cash();
        row.target.pay(cash);
        row.counterparty.pay(cash.map(|limb| -limb));
        if row.is_own == F::ZERO {
            let [own_sub, own_pos] = log.take::<2>()?;
            let cells = [&own_sub.old, &own_pos.old];
            row.offer = Offer::of(&mut self.book, &row.price, cells, -closing(short, n), cash);
            let table = log.table(&own_sub.old, row.offer.insurance.flat_before == F::ZERO);
            let refusal = self.refused(row.offer.subject(&row.of()), &row.offer, table);
            self.refusals.push(refusal);
        }
        row.interest = Interest::of(&mko.old, change([&row.target, &row.counterparty]), false);
        self.adls.push(row);
        Ok(())
    }
}

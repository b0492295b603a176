//! Rows of ForceLiquidate. How the op ended is what its log says.

use tsz_air::{F, PrimeCharacteristicRing};
use tsz_gadgets::chain::{Chain, L1Queue, Serial};
use tsz_gadgets::inverse;
use tsz_gadgets::limb::{Address, U24};
use tsz_gadgets::perps::SETTLING;
use tsz_hash::Digest;
use tsz_ledger::Access;
use tsz_margin::tables::{Listed, Move, UNLISTED};
use tsz_trade::{Party, ops};

use super::{Cursor, Rows, change, closing, lost_lots, lots, lots_digits};
use crate::record::{DeleverageRecord, RecordError};
use crate::tables::{Force, Interest, Offer, Outcome, Payment, Ranking, Well};

/// The first account that is not reserved.
const FIRST_USER: u32 = 2;
/// Writes of an op that moves the position.
const WRITES: usize = 5;

/// The queue that consumes the record of an op.
fn queue(op: &ops::ForceLiquidate, [l1in, chain]: &[Access; 2]) -> L1Queue<F> {
    let [mut first, second] = op.record();
    first[1..4].copy_from_slice(&l1in.old[..3]);
    L1Queue { serial: Serial::of(&l1in.old), chain: Chain::of(&chain.old, [&first, &second]) }
}

impl Rows<'_> {
    /// A ForceLiquidate.
    pub(super) fn force(
        &mut self,
        record: &DeleverageRecord,
        op: &ops::ForceLiquidate,
    ) -> Result<(), RecordError> {
        let mut log = Cursor::new(record);
        let l1 = log.take::<2>()?;
        let market = u32::from(op.market.get());
        let (listed, excess) = self.listed(market);
        let status = listed.status;
        let mut row = Force {
            is_real: F::ONE,
            index: F::from_u32(record.index),
            queue: queue(op, l1),
            sender: Address::of(&op.sender.to_felts()),
            account: U24::of(op.target.account.get()),
            sub: F::from_u8(op.target.sub.get()),
            market: F::from_u32(market),
            listed,
            excess,
            ..Force::default()
        };
        if log.rest.is_empty() {
            let is_settling = status == F::from_u32(SETTLING);
            let is_reserved = op.target.account.get() < FIRST_USER && status != F::from_u32(UNLISTED);
            row.outcome.is_settling = F::from_bool(is_settling);
            row.outcome.is_reserved = F::from_bool(is_reserved && !is_settling);
            row.outcome.is_unlisted = F::from_bool(!is_settling && !is_reserved);
        } else {
            self.on_target(&mut row, op, &mut log)?;
        }
        self.forces.push(row);
        Ok(())
    }

    /// What the list says of a market, and how far it is beyond the list.
    fn listed(&mut self, market: u32) -> (Listed<F>, F) {
        if (market as usize) < self.params.perps.len() {
            return (self.book.listed(market), F::ZERO);
        }
        let listed = self.book.unlisted();
        let excess = F::from_u32(market) - listed.market;
        (listed, excess)
    }

    /// From the target on.
    fn on_target(
        &mut self,
        row: &mut Force<F>,
        op: &ops::ForceLiquidate,
        log: &mut Cursor<'_>,
    ) -> Result<(), RecordError> {
        let [mkp, mkf, sub, pos] = log.take::<4>()?;
        row.price = self.book.price(op.market.get().into(), &mkp.old, &mkf.old);
        row.target = Move::found(&mut self.book, &row.price, &sub.old, &pos.old);
        let account = row.account.value();
        row.account_inv = inverse(account * (account - F::ONE));
        row.status_inv = inverse(row.listed.status - F::from_u32(SETTLING));
        let size = lots(&row.target.lots_before);
        if size == 0 {
            row.outcome.is_empty = F::ONE;
            row.target.stay();
            return Ok(());
        }
        let table = log.table(&sub.old, true);
        row.table = F::from_usize(table.len());
        if log.rest.is_empty() {
            row.outcome.is_well = F::ONE;
            row.target.stay();
            let well = Well::of(self.book.standing(&row.subject(), table), row.subject());
            self.wells.push(well);
            return Ok(());
        }
        self.on_insurance(row, op, log, (size, table))
    }

    /// From insurance on.
    fn on_insurance(
        &mut self,
        row: &mut Force<F>,
        op: &ops::ForceLiquidate,
        log: &mut Cursor<'_>,
        (size, target_table): (u64, &[Access]),
    ) -> Result<(), RecordError> {
        let [own_sub, own_pos] = log.take::<2>()?;
        let open = own_pos.old[..2].iter().any(|limb| *limb != F::ZERO);
        let own_table = log.table(&own_sub.old, open);
        row.outcome = outcome(log.rest);
        let short = row.target.short_before;
        let other = match row.outcome.is_adl == F::ONE {
            true => {
                let [_, _, sub, pos] = log.rest.first_chunk::<4>().ok_or_else(|| log.error())?;
                let [_, _, _, moved, _] = log.rest.last_chunk::<WRITES>().ok_or_else(|| log.error())?;
                Some(([&sub.old, &pos.old], lost_lots(moved)))
            }
            false => None,
        };
        let part = other.map(|(cells, part)| self.take_part(row, op, cells, part));
        let gone = part.unwrap_or(if row.outcome.is_taken == F::ONE { size } else { 0 });
        row.gone = lots_digits(gone);
        row.target.shift(closing(short, gone));
        row.figures = self.book.target(row.ill(), target_table);
        row.whole = Payment::of(&mut self.book, &row.target.lots_before, &row.price, &row.figures, short);
        let (cells, moved) = ([&own_sub.old, &own_pos.old], -closing(short, size));
        row.offer = Offer::of(&mut self.book, &row.price, cells, moved, row.whole.cash());
        if row.outcome.is_taken == F::ONE {
            let [_, _, _, _, mko] = log.take::<WRITES>()?;
            row.target.pay(row.whole.cash());
            self.book.judge(row.offer.claim(&row.of()), own_table);
            let parties = change([&row.target, &row.offer.insurance]);
            row.interest = Interest::of(&mko.old, parties, true);
            return Ok(());
        }
        let refusal = self.refused(row.offer.subject(&row.of()), &row.offer, own_table);
        self.refusals.push(refusal);
        let class = self.lost(&row.figures);
        row.class = F::from_u32(class);
        if row.outcome.is_beyond == F::ONE {
            row.target.stay();
            return Ok(());
        }
        let [mko, mkr] = log.take::<2>()?;
        row.ranking = Ranking::of(&mkr.old);
        if let Some(([sub, _], _)) = other {
            log.take::<2>()?;
            row.rank = self.ranked(row.bearer(), class, log.table(sub, true));
            row.payment = Payment::of(&mut self.book, &row.part, &row.price, &row.figures, short);
            row.target.pay(row.payment.cash());
            row.counterparty.pay(row.payment.cash().map(|limb| -limb));
        } else {
            row.target.stay();
        }
        let by = if other.is_some() { change([&row.target, &row.counterparty]) } else { [0; 2] };
        row.interest = Interest::of(&mko.old, by, false);
        Ok(())
    }

    /// The position of the counterparty, moved by the lots that it takes, which are given.
    fn take_part(
        &mut self,
        row: &mut Force<F>,
        op: &ops::ForceLiquidate,
        [sub, pos]: [&Digest; 2],
        part: u64,
    ) -> u64 {
        let with = op.counterparty.unwrap_or(Party::FEES);
        row.other = U24::of(with.account.get());
        row.other_sub = F::from_u8(with.sub.get());
        row.counterparty = Move::found(&mut self.book, &row.price, sub, pos);
        row.part = lots_digits(part);
        row.counterparty.shift(-closing(row.target.short_before, part));
        part
    }
}

/// How an op ended whose log goes on so after the table of insurance.
fn outcome(rest: &[Access]) -> Outcome<F> {
    let mut outcome = Outcome::default();
    let end = match (rest.len(), rest.first().is_some_and(|access| access.write)) {
        (0, _) => &mut outcome.is_beyond,
        (WRITES, true) => &mut outcome.is_taken,
        (2, _) => &mut outcome.is_nobody,
        _ => &mut outcome.is_adl,
    };
    *end = F::ONE;
    outcome
}

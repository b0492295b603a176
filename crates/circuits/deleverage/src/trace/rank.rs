//! Rows of AdlRank.

use tsz_air::{F, PrimeCharacteristicRing, PrimeField32};
use tsz_gadgets::limb::U24;
use tsz_gadgets::{inverse, limb24, magnitude};
use tsz_hash::Digest;
use tsz_ledger::Access;
use tsz_margin::signed;
use tsz_trade::{Party, ops};

use super::{Cursor, Rows, lots_digits};
use crate::record::{DeleverageRecord, RecordError};
use crate::tables::{Found, Holder, Page, Ranking, Turn};

fn bits<const N: usize>(x: u32) -> [F; N] {
    core::array::from_fn(|k| F::from_bool(x >> k & 1 == 1))
}

impl Ranking<F> {
    /// What a cell says.
    pub(crate) fn of(leaf: &Digest) -> Self {
        let packed = leaf[6].as_canonical_u32();
        Self {
            remaining: [leaf[4], leaf[5], F::from_u32(packed & 127)],
            account: leaf[7],
            sub: F::from_u32(packed >> 7 & 31),
            rank: F::from_u32(packed >> 12),
        }
    }

    /// Half of an open interest remains.
    fn half(interest: &[F; 3]) -> Self {
        let [a, b, x] = *interest;
        let none = F::ZERO;
        let half = magnitude(&[a, b, x, none, none, none, none, none]) >> 1;
        Self { remaining: [0, 1, 2].map(|k| F::from_u32(limb24(half, k))), ..Self::default() }
    }
}

impl Rows<'_> {
    /// An AdlRank and its holders.
    pub(super) fn rank(&mut self, record: &DeleverageRecord, op: &ops::AdlRank) -> Result<(), RecordError> {
        let mut log = Cursor::new(record);
        let [mkp, mkf, mko] = log.take::<3>()?;
        let [mkr] = log.last::<1>()?;
        let interest = [mko.old[0], mko.old[1], mko.old[2]];
        let first = Turn {
            index: F::from_u32(record.index),
            price: self.book.price(op.market.get().into(), &mkp.old, &mkf.old),
            side: F::from_u32(op.side as u32),
            class: F::from_u8(op.class),
            at: F::from_u32(3),
            ranking: if op.restart { Ranking::half(&interest) } else { Ranking::of(&mkr.old) },
        };
        let mut turn = first.clone();
        for holder in &op.holders {
            let [sub, pos] = log.take::<2>()?;
            let row = self.holder((turn, op.class), *holder, [&sub.old, &pos.old], log.table(&sub.old, true));
            turn = row.next();
            self.holders.push(row);
        }
        let [r0, r1, _] = first.ranking.remaining;
        let low = |limb: F| limb.as_canonical_u32() & 1 == 1;
        self.pages.push(Page {
            is_real: F::ONE,
            end: turn.at,
            after: turn.ranking,
            restart: F::from_bool(op.restart),
            interest,
            moves: [mko.old[3], mko.old[4]],
            odd: interest.map(|limb| F::from_bool(op.restart && low(limb))),
            low: [r0, r1].map(U24::of_felt),
            found: mkr.old,
            first,
        });
        Ok(())
    }

    fn holder(
        &mut self,
        (turn, class): (Turn<F>, u8),
        holder: Party,
        [sub, pos]: [&Digest; 2],
        table: &[Access],
    ) -> Holder<F> {
        let lots = u64::from(pos[0].as_canonical_u32()) | u64::from(pos[1].as_canonical_u32()) << 24;
        let last = ([pos[3], pos[4], pos[5]], pos[6]);
        let (is_due, settled) = self.book.settle(lots, turn.side, last, &turn.price);
        let holdings = sub[5].as_canonical_u32();
        let digits = lots_digits(lots);
        let found = Found {
            lots: digits,
            lots_inv: inverse(digits.into_iter().sum()),
            last: last.0,
            last_negative: last.1,
            is_due,
            settled,
            collateral: core::array::from_fn(|k| sub[k]),
            negative: sub[4],
            positions: F::from_u32(holdings & 63),
            mask: bits(holdings >> 6),
        };
        let place = |account: u32, sub: u32| i64::from(account) * 32 + i64::from(sub);
        let (account, sub) = (holder.account.get(), u32::from(holder.sub.get()));
        let before = &turn.ranking;
        let gap =
            place(account, sub) - place(before.account.as_canonical_u32(), before.sub.as_canonical_u32()) - 1;
        let remaining = before.remaining.map(signed);
        let left = remaining[0] + (remaining[1] << 24) + (remaining[2] << 48) - lots as i64;
        let mut row = Holder {
            is_real: F::ONE,
            account: U24::of(account),
            sub: F::from_u32(sub),
            gap: U24::of((gap & 0xff_ffff) as u32),
            gap_hi: F::from_u32((gap >> 24 & 31) as u32),
            left: [0, 24].map(|s| U24::of((left >> s & 0xff_ffff) as u32)),
            left_hi: F::from_i64(left >> 48),
            found,
            turn,
            ..Holder::default()
        };
        let [l0, l1] = row.found.limbs().map(signed);
        let borrow = i64::from(remaining[0] < l0);
        row.borrows = [borrow, i64::from(remaining[1] < l1 + borrow)].map(F::from_i64);
        row.rank = self.ranked(row.subject(), class.into(), table);
        row.is_best = F::from_bool(row.rank.as_canonical_u32() > row.turn.ranking.rank.as_canonical_u32());
        row
    }
}

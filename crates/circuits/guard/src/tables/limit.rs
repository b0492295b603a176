//! A limit that an operation charges: LIMIT of a party and a token whose balance the operation wrote.
//!
//! Proven on a real row: the access after the cells, number `place` of them, writes LIMIT number `limit` of the party;
//! with the change of the balance, `used' = max(0, used - change) <= limit`. Rows of an op are in strict order of
//! (party, limit), and there is one for each balance sent on `guard_spend`.

use tsz_air::{Air, Count, F, InteractionBuilder, PrimeCharacteristicRing, bus};
use tsz_gadgets::columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{PRIVATE, Row, WRITE, c};

use crate::bus::{LIMITS, PARTY, SPEND, receive, send};
use crate::runs::{Run, run_air, runs, window};
use crate::tables::cell::Covered;
use crate::tables::party::approval_lo;

/// First limit, within a slot.
pub(crate) const LIMIT: u32 = 3;

columns! {
    /// A carry of -1, 0, 1 or 2.
    pub struct Carry {
        /// Its positive part is their sum; boolean.
        up: [2],
        /// 1 = less one; boolean.
        down: felt,
    }
}

impl<E: PrimeCharacteristicRing + Clone> Carry<E> {
    fn value(&self) -> E {
        self.up[0].clone() + self.up[1].clone() - self.down.clone()
    }
}

columns! {
    /// One limit.
    pub struct Limit {
        /// Its place in the op's run.
        run: (Run),
        /// Number of the limit among those that the op charges; counted from 0.
        place: felt,
        /// Accesses before the first limit; constant over the run; bound by `guard_limits`.
        access: felt,
        /// Number of the first limit's written value; constant over the run; bound by `guard_limits`.
        value: felt,
        /// Account of the party; bound by `guard_party`.
        account: felt,
        /// Sub-account of the party; bound by `guard_party`.
        sub: felt,
        /// The party.
        party: (Covered),
        /// Number of the limit in the approval, lowest bit first; boolean.
        limit: [2],
        /// Next (party, limit) - (party, limit) - 1 within the run; < 64 by two lookups.
        gap: felt,
        /// The limit; bound by the bus.
        allowed: [4],
        /// Used before; bound by the bus.
        used: [4],
        /// Change of the balance in signed digits of 12 bits; bound by `guard_spend`.
        change: [8],
        /// |used - change|; range12.
        rest: (U24 * 4),
        /// 1 = used - change is negative (or 0): nothing is used then; boolean.
        is_floored: felt,
        /// Carries of used - change; each the sum of booleans.
        carries: (Carry * 3),
        /// Used afterwards.
        left: [4],
        /// allowed - left; range12.
        room: (U24 * 4),
        /// Borrows of that difference; boolean.
        borrows: [3],
    }
}

run_air! {
    /// AIR of [`Limit`].
    LimitAir, Limit, "limit", 0
}

impl<E: PrimeCharacteristicRing + Clone> Limit<E> {
    fn number(&self) -> E {
        self.limit[0].clone() + self.limit[1].double()
    }

    fn rank(&self) -> E {
        self.party.place.clone() * c::<E>(4) + self.number()
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for LimitAir {
    fn eval(&self, builder: &mut AB) {
        let (l, next): (Limit<AB::Expr>, Limit<AB::Expr>) = window(builder);
        let mut row = Row::bare(builder, l.run.is_real.clone());
        let link = runs(&mut row, &l.run, &next.run);
        row.zero(l.run.is_first.clone() * l.place.clone());
        row.zero(link.clone() * (next.place.clone() - l.place.clone() - AB::Expr::ONE));
        row.zero(link.clone() * (next.access.clone() - l.access.clone()));
        row.zero(link.clone() * (next.value.clone() - l.value.clone()));
        for bit in &l.limit {
            row.boolean(bit);
        }
        row.narrow(&l.gap, 6);
        row.zero(link * (next.rank() - l.rank() - AB::Expr::ONE - l.gap.clone()));
        charge(&mut row, &l);
        room(&mut row, &l);
        messages(row.builder(), &l);
    }
}

/// `used - change = +-rest`, and what is left used.
///
/// With sign s: `used_k - change_k + carry_(k-1) - s rest_k = 2^24 carry_k`. used, rest and both balances have limbs of
/// 24 bits, so all terms are below 2^27 in size: equations of integers, whose sum is the difference whatever the carries.
/// Those of the honest row are in -1..=2: at most three of the four numbers stand on one side.
fn charge<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, l: &Limit<AB::Expr>) {
    row.boolean(&l.is_floored);
    for limb in &l.rest {
        row.u24(limb);
    }
    for carry in &l.carries {
        for bit in [&carry.up[0], &carry.up[1], &carry.down] {
            row.boolean(bit);
        }
    }
    let sign = AB::Expr::ONE - l.is_floored.double();
    for k in 0..4 {
        let change = l.change[2 * k].clone() + l.change[2 * k + 1].clone() * c::<AB::Expr>(1 << 12);
        let rest = l.rest[k].value();
        let mut e = l.used[k].clone() - change - sign.clone() * rest.clone();
        if k > 0 {
            e += l.carries[k - 1].value();
        }
        if k < 3 {
            e -= l.carries[k].value() * c::<AB::Expr>(1 << 24);
        }
        row.zero(e);
        row.zero(l.left[k].clone() - rest.clone() + l.is_floored.clone() * rest);
    }
}

/// `left <= allowed`: `allowed_k - left_k + 2^24 borrow_k - borrow_(k-1) = room_k`, all below 2^26.
fn room<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, l: &Limit<AB::Expr>) {
    for limb in &l.room {
        row.u24(limb);
    }
    for borrow in &l.borrows {
        row.boolean(borrow);
    }
    for k in 0..4 {
        let mut e = l.allowed[k].clone() - l.left[k].clone() - l.room[k].value();
        if k < 3 {
            e += l.borrows[k].clone() * c::<AB::Expr>(1 << 24);
        }
        if k > 0 {
            e -= l.borrows[k - 1].clone();
        }
        row.zero(e);
    }
}

fn messages<AB: InteractionBuilder<F = F>>(builder: &mut AB, l: &Limit<AB::Expr>) {
    let (real, index) = (&l.run.is_real, &l.run.index);
    let party = l.party.message(index, l.account.clone(), &l.sub);
    PARTY.lookup_key(builder, party, Count::bounded(real.clone(), 1));
    let spend = [index.clone(), l.rank()].into_iter().chain(l.change.clone()).collect();
    receive(builder, &SPEND, spend, real);

    let hi = l.account.clone() + c::<AB::Expr>(PRIVATE + WRITE);
    let lo = approval_lo(&l.sub, &l.party.slot) + c::<AB::Expr>(LIMIT) + l.number();
    let access = l.access.clone() + l.place.clone();
    let [a0, a1, a2, a3] = l.allowed.clone();
    let leaf =
        |[u0, u1, u2, u3]: [AB::Expr; 4]| [a0.clone(), a1.clone(), a2.clone(), a3.clone(), u0, u1, u2, u3];
    bus::key::send(builder, [index.clone(), access.clone()], [hi, lo], real.clone());
    bus::val::send(builder, [index.clone(), access], leaf(l.used.clone()), real.clone());
    let value = l.value.clone() + l.place.clone();
    bus::val::send(builder, [index.clone(), value], leaf(l.left.clone()), real.clone());
    let count = l.place.clone() + AB::Expr::ONE;
    let end = vec![index.clone(), l.access.clone(), l.value.clone(), count];
    send(builder, &LIMITS, end, &l.run.is_last);
}

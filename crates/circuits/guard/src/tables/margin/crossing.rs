//! What the legs of an operation do to their market: one row for each operation with legs.
//!
//! Proven on a real row: the market that the legs were carried out in is listed and open or reduce-only, its price is
//! usable now; MKO moves by the sum of the changes of |size|, and its cap holds where it grew.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::layout::Columns;
use tsz_gadgets::limb::U24;
use tsz_gadgets::row::{Row, c};
use tsz_gadgets::table::current;
use tsz_gadgets::{columns, op_air};
use tsz_margin::tables::{Listed, MKO_HI, Price, lookup_listed};
use tsz_perp::tables::{Interest, interest};

use crate::bus::{CROSSED, LEGS, receive, send};

/// Bits of a carry above its least value: the low limb is a sum of at most 16 differences of 24 bits.
const CARRY_BITS: u32 = 5;
/// Added to a carry for its range.
const CARRY_OFFSET: u32 = 1 << (CARRY_BITS - 1);
/// Added to the high limb of a change for its range: a change has 49 bits and a sign.
pub(crate) const HIGH_OFFSET: u32 = 1 << 25;

columns! {
    /// One operation's legs.
    pub struct Crossing {
        /// 1 = the row holds legs; boolean.
        is_real: felt,
        /// Sequence number of the op; bound by `guard_legs`.
        index: felt,
        /// Number of the access to MKP; bound by `guard_crossed`.
        access: felt,
        /// Number of the first written value; bound by `guard_crossed`.
        value: felt,
        /// Legs; bound by `guard_legs`.
        legs: felt,
        /// Number of the access after the last of the legs; bound by `guard_legs`.
        end: felt,
        /// The market as it is now; bound by `guard_legs`.
        price: (Price),
        /// The market as it is listed; bound by `listed`.
        listed: (Listed),
        /// Sum of the changes of |size|, limb by limb, not carried; bound by `guard_legs`.
        change: [2],
        /// Low 24 bits of the change; range12.
        low: (U24),
        /// What of its low limb goes to the high one; 5 bits after an offset.
        carry: felt,
        /// Low 24 bits of the high limb, carried and after an offset; range12.
        high: (U24),
        /// Its bits above them; 2 bits.
        high_top: felt,
        /// Open interest.
        interest: (Interest),
    }
}

op_air! {
    /// AIR of [`Crossing`].
    CrossingAir, Crossing, "crossing", 0
}

/// The message on `guard_legs`: index, access, value, legs, end, the market, the change.
pub(crate) fn message<E: Clone>(head: [&E; 5], price: &Price<E>, change: &[E; 2]) -> Vec<E>
where
    Price<E>: Columns<E>,
{
    let mut out: Vec<E> = head.map(E::clone).to_vec();
    price.write(&mut |x: &E| out.push(x.clone()));
    out.extend(change.clone());
    out
}

impl<E: PrimeCharacteristicRing + Clone> Crossing<E> {
    /// The change with a low limb that is not negative.
    pub(crate) fn moved(&self) -> [E; 2] {
        [self.low.value(), self.change[1].clone() + self.carry.clone()]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for CrossingAir {
    fn eval(&self, builder: &mut AB) {
        let x: Crossing<AB::Expr> = current(builder);
        let mut row = Row::bare(builder, x.is_real.clone());
        row.index = x.index.clone();
        let real = row.real.clone();
        lookup_listed(&mut row, &x.listed);
        row.zero(x.listed.market.clone() - x.price.market.clone());
        // only settling markets have a price for each side
        row.zero(x.price.is_settled.clone());
        row.zero(real.clone() - x.price.usable.clone());
        let status = x.price.status.clone();
        row.zero(real.clone() * (status.clone() - AB::Expr::ONE) * (status - AB::Expr::TWO));
        // both sides are below 2^29 in size: an equation of integers. A carry of 120 more would be one felt around.
        row.u24(&x.low);
        row.narrow(&(x.carry.clone() + real.clone() * c::<AB::Expr>(CARRY_OFFSET)), CARRY_BITS);
        row.zero(x.low.value() + x.carry.clone() * c::<AB::Expr>(1 << 24) - x.change[0].clone());
        // the change has as many bits as the ledger takes
        row.u24(&x.high);
        row.narrow(&x.high_top, 2);
        let high = x.high.value() + x.high_top.clone() * c::<AB::Expr>(1 << 24);
        row.zero(x.moved()[1].clone() + real.clone() * c::<AB::Expr>(HIGH_OFFSET) - high);
        interest(&mut row, &x.interest, &x.moved(), &real, (&x.price, &x.listed));
        let [old, new] = x.interest.leaves();
        let behind = x.legs.double();
        let at = x.access.clone() + AB::Expr::TWO + behind.clone();
        row.key_if(&real, at.clone(), true, [c(MKO_HI), x.price.market.clone()]);
        row.value_if(&real, at, old);
        row.value_if(&real, x.value.clone() + behind.clone(), new);
        let head = [&x.index, &x.access, &x.value, &x.legs, &x.end];
        receive(row.builder(), &LEGS, message(head, &x.price, &x.change), &real);
        let [index, access, value, _, end] = head.map(Clone::clone);
        let crossed = vec![index, access, value, end, behind + real.clone()];
        send(row.builder(), &CROSSED, crossed, &real);
    }
}

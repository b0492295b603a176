//! What the gadget `moves` shows of the number of positions.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing, Violation, air_enum, check};
use tsz_chips::range::{self, RangeTable};
use tsz_gadgets::row::Row;
use tsz_gadgets::table::{current, matrix};
use tsz_gadgets::{collect, columns, op_air};
use tsz_hash::Digest;
use tsz_ledger::BatchContext;
use tsz_trade::Params;

use crate::Book;
use crate::tables::{Move, Price, moves};

columns! {
    /// A movement without a payment.
    pub struct Mover {
        /// 1 = there is one; boolean.
        is_real: felt,
        /// The market.
        price: (Price),
        /// The movement.
        moved: (Move),
        /// Lots.
        lots: [2],
        /// 1 = down; boolean.
        down: felt,
    }
}

op_air! {
    /// AIR of [`Mover`].
    MoverAir, Mover, "mover", 0
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for MoverAir {
    fn eval(&self, builder: &mut AB) {
        let m: Mover<AB::Expr> = current(builder);
        let mut row = Row::bare(builder, m.is_real.clone());
        let nothing = core::array::from_fn(|_| AB::Expr::ZERO);
        moves(&mut row, &m.moved, &m.price, (&m.lots, &m.down), &nothing);
    }
}

air_enum! {
    /// Tables of the test.
    pub enum TestAir {
        /// Movements.
        Mover(MoverAir),
        /// 12-bit values.
        Range(RangeTable),
    }
}

/// Where a movement from `before` lots by `lots` (signed) is refused, with these holdings in SUB, columns changed.
fn refused(holdings: u32, before: u64, lots: i64, change: impl Fn(&mut Move<F>)) -> Option<String> {
    let context = BatchContext { system: Digest::default(), batch: 0, time: 0, params: Digest::default() };
    let params = Params::default();
    let mut book = Book::new(&context, &params);
    let (mut sub, mut pos) = (Digest::default(), Digest::default());
    sub[5] = F::from_u32(holdings);
    pos[0] = F::from_u64(before);
    let price = Price::default();
    let mut moved = Move::found(&mut book, &price, &sub, &pos);
    moved.shift(lots);
    moved.pay([0; 4]);
    change(&mut moved);
    // the liar keeps the cell that was found
    assert_eq!(moved.sub_leaves()[0], sub);
    let row = Mover {
        is_real: F::ONE,
        price,
        moved,
        lots: [F::from_u64(lots.unsigned_abs()), F::ZERO],
        down: F::from_bool(lots < 0),
    };
    let trace = matrix(&[row], 6, &Mover::default()).unwrap();
    let requests = collect(&MoverAir, &trace, &[]);
    let airs: [TestAir; 2] = [MoverAir.into(), RangeTable.into()];
    match check(&airs, &[trace, range::trace(&requests.range)], &[Vec::new(), Vec::new()]) {
        Ok(()) => None,
        Err(Violation::Constraint { air, .. }) => Some(air),
        Err(Violation::Bus { bus, .. }) => Some(bus),
        Err(Violation::Shape { air }) => Some(air),
    }
}

#[test]
fn accepts_up_to_32_positions_beside_tokens() {
    for mask in [0, 1, 15] {
        for (count, before, lots) in [(0, 0, 5), (31, 0, -5), (1, 5, -5), (32, 5, -5), (32, 5, -7), (1, 5, 1)]
        {
            assert_eq!(refused(64 * mask + count, before, lots, |_| ()), None, "{mask} {count} {lots}");
        }
    }
}

#[test]
fn rejects_a_position_too_many() {
    assert_eq!(refused(32, 0, 5, |_| ()), Some("range12".into()));
    assert_eq!(refused(33, 5, 1, |_| ()), Some("range12".into()));
}

#[test]
fn rejects_an_open_position_that_takes_its_count_from_the_mask() {
    // 63 = one token and -1 positions, 64 = one token and none: nothing would be left to judge
    let borrows = |x: &mut Move<F>| (x.positions, x.positions_inv, x.mask[0]) = (F::ZERO, F::ZERO, F::ONE);
    assert_eq!(refused(63, 0, 5, borrows), Some("mover".into()));
    assert_eq!(refused(64, 5, 1, borrows), Some("mover".into()));
}

//! SettlePair: one row an op.
//!
//! Proven: the market is settled and its funding up to date; a long and a short position of at least the lots are
//! settled and lose them; the long gets the price of longs for them, the short pays the price of shorts, and the
//! difference goes to insurance; the open interest falls by both.

use tsz_air::{Air, F, InteractionBuilder, PrimeCharacteristicRing};
use tsz_gadgets::limb::U24;
use tsz_gadgets::product::Carry;
use tsz_gadgets::row::{Row, Shape, c, compose12, pad8};
use tsz_gadgets::table::current;
use tsz_gadgets::units::SCALE;
use tsz_gadgets::{columns, op_air};
use tsz_margin::tables::{MKO_HI, Price, lookup_price};

use super::cash::{Cash, cash};
use super::half::{Half, Pairing, half};

/// Base 2^12 digits of [`SCALE`].
const SCALE_DIGITS: [u32; 2] = [SCALE as u32 & 0xfff, (SCALE >> 12) as u32];
/// Account of insurance.
const INSURANCE: u32 = 1;

columns! {
    /// An amount of money: lots at a price.
    pub struct Worth {
        /// Base 2^12 digits of lots * price * qm; range12. Below 2^72.
        quote: [6],
        /// Carries of that product.
        quote_carries: (Carry * 5),
        /// Base 2^12 digits of 10^6 times it; range12.
        micros: [8],
        /// Carries of that product.
        micros_carries: (Carry * 7),
    }
}

columns! {
    /// Open interest and moves of the market. What is found are expressions.
    pub struct Closed {
        /// Low limbs of the open interest left; range12.
        left: (U24 * 2),
        /// Its high 8 bits; two lookups.
        left_hi: felt,
        /// Carries of left + 2 lots out of the two lower limbs, two bits each; boolean.
        carries: [4],
        /// Moves of the market, with this one; range12.
        moves: (U24 * 2),
        /// Carry of the increment; boolean.
        moves_carry: felt,
    }
}

columns! {
    /// One SettlePair.
    pub struct Pair {
        /// 1 = the row holds an op; boolean.
        is_real: felt,
        /// Sequence number; bound by the tuple.
        index: felt,
        /// The market; bound by `price`, settled.
        price: (Price),
        /// Base 2^12 digits of the lots; range12.
        lots: [4],
        /// Inverse of their sum: there are some.
        lots_inv: felt,
        /// What the long gets.
        paid: (Worth),
        /// What the short pays.
        owed: (Worth),
        /// The long.
        long: (Half),
        /// The short.
        short: (Half),
        /// Positions and margin tokens of insurance, kept; bound by the tuple.
        holdings: felt,
        /// Collateral of insurance.
        insurance: (Cash),
        /// Open interest.
        interest: (Closed),
    }
}

op_air! {
    /// AIR of [`Pair`]. No public values: the time is that of the prices.
    PairAir, Pair, "pair", 0
}

impl<E: PrimeCharacteristicRing + Clone> Worth<E> {
    /// The amount in millionths, in limbs of 24 bits.
    pub fn limbs(&self) -> [E; 4] {
        core::array::from_fn(|k| compose12(&self.micros[2 * k..2 * k + 2]))
    }
}

impl<E: PrimeCharacteristicRing + Clone> Closed<E> {
    /// MKO found and left, after `lots` (24, 24 bits) of both sides were closed.
    ///
    /// The limbs of a cell found have 24, 24, 8 and 24, 24 bits (every writer checks), so a wrong carry makes one of
    /// them negative or too wide.
    fn leaves(&self, lots: [E; 2]) -> [[E; 8]; 2] {
        let radix = || c::<E>(1 << 24);
        let carry = |k: usize| self.carries[2 * k].clone() + self.carries[2 * k + 1].double();
        let left = [self.left[0].value(), self.left[1].value(), self.left_hi.clone()];
        let [l0, l1] = lots.map(|limb| limb.double());
        let old = [
            left[0].clone() + l0 - carry(0) * radix(),
            left[1].clone() + l1 + carry(0) - carry(1) * radix(),
            left[2].clone() + carry(1),
        ];
        let [m0, m1] = self.moves.each_ref().map(U24::value);
        let up = self.moves_carry.clone();
        let moves = [m0.clone() - E::ONE + up.clone() * radix(), m1.clone() - up];
        let leaf = |[i0, i1, i2]: [E; 3], [m0, m1]: [E; 2]| pad8(&[i0, i1, i2, m0, m1]);
        [leaf(old, moves), leaf(left, [m0, m1])]
    }
}

impl<AB: InteractionBuilder<F = F>> Air<AB> for PairAir {
    fn eval(&self, builder: &mut AB) {
        let p: Pair<AB::Expr> = current(builder);
        let mut row = Row::new(builder, p.is_real.clone(), p.index.clone(), Shape { n: 8, nv: 14 });
        let real = row.real.clone();
        lookup_price(&mut row, &real, &p.price);
        row.zero(real.clone() - p.price.is_settled.clone());
        for digit in &p.lots {
            row.range(digit.clone());
        }
        let sum: AB::Expr = p.lots.iter().cloned().sum();
        row.zero(sum * p.lots_inv.clone() - real);
        worth(&mut row, &p.paid, &p.lots, &p.price.unit_long);
        worth(&mut row, &p.owed, &p.lots, &p.price.unit);

        let (paid, owed) = (p.paid.limbs(), p.owed.limbs());
        let [prices, funding] = p.price.leaves();
        for ((j, [hi, lo]), leaf) in (0..).zip(p.price.keys()).zip([prices, funding]) {
            row.key(j, false, hi, lo);
            row.old(j, leaf);
        }
        let pairing = Pairing { price: &p.price, lots: &p.lots };
        half(&mut row, (2, 0), &p.long, &pairing, (AB::Expr::ZERO, &paid));
        let pays = owed.clone().map(|limb| -limb);
        half(&mut row, (4, 2), &p.short, &pairing, (AB::Expr::ONE, &pays));
        let rest: [AB::Expr; 4] = core::array::from_fn(|k| owed[k].clone() - paid[k].clone());
        cash(&mut row, &p.insurance, &rest);
        row.key(6, true, c(INSURANCE), AB::Expr::ZERO);
        row.old(6, p.insurance.old_leaf(p.holdings.clone()));
        row.new_value(4, p.insurance.new_leaf(p.holdings.clone()));
        interest(&mut row, &p);
    }
}

/// lots * unit is below 2^72; `micros` is 10^6 times it.
fn worth<AB: InteractionBuilder<F = F>>(
    row: &mut Row<'_, AB>,
    w: &Worth<AB::Expr>,
    lots: &[AB::Expr; 4],
    unit: &[AB::Expr; 5],
) {
    for digit in w.quote.iter().chain(&w.micros) {
        row.range(digit.clone());
    }
    row.product(lots, unit, &w.quote, &w.quote_carries);
    row.product(&w.quote, &SCALE_DIGITS.map(c::<AB::Expr>), &w.micros, &w.micros_carries);
}

/// Access 7, write 5: MKO.
fn interest<AB: InteractionBuilder<F = F>>(row: &mut Row<'_, AB>, p: &Pair<AB::Expr>) {
    let x = &p.interest;
    for limb in x.left.iter().chain(&x.moves) {
        row.u24(limb);
    }
    row.narrow(&x.left_hi, 8);
    for bit in x.carries.iter().chain([&x.moves_carry]) {
        row.boolean(bit);
    }
    let lots = [compose12(&p.lots[..2]), compose12(&p.lots[2..])];
    let [old, new] = x.leaves(lots);
    row.key(7, true, c(MKO_HI), p.price.market.clone());
    row.old(7, old);
    row.new_value(5, new);
}
